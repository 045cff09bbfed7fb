from odoo import Command, models


class SocialCrmDisconnect(models.TransientModel):
    """What becomes of each kind of thing that hangs on the account, as it was chosen.

    The methods are given the records, with all rights, and return in words what was done.
    """

    _inherit = 'social.crm.disconnect'

    def _leave_rules(self, rules):
        if self.rule_choice == 'move':
            rules.account_ids = self._exchange()
            return self.env._('%(count)s rules moved to %(account)s.', **self._words(rules))
        alone = self._alone(rules)
        alone.write({'paused': True})
        return self.env._(
            '%(paused)s rules paused; %(others)s go on at their other accounts.',
            paused=len(alone),
            others=len(rules - alone),
        )

    def _leave_scheduled(self, posts):
        if self.scheduled_choice == 'move':
            self._move(posts)
            return self.env._('%(count)s posts moved to %(account)s.', **self._words(posts))
        if self.scheduled_choice == 'cancel':
            self._cancel(posts)
            return self.env._('%s scheduled posts cancelled.', len(posts))
        self._back_to_draft(posts)
        return self.env._('%s scheduled posts taken back to draft.', len(posts))

    def _leave_drafts(self, posts):
        if self.draft_choice == 'move':
            self._move(posts)
            return self.env._('%(count)s drafts moved to %(account)s.', **self._words(posts))
        self._cancel(posts)
        return self.env._('%s drafts cancelled.', len(posts))

    def _leave_series(self, series):
        planned = self._publications().post_id.filtered(lambda post: post.series_id in series)
        if self.series_choice == 'move':
            self._move(planned)
            series._exchange_account(self.account_id, self.target_id)
            return self.env._(
                '%(count)s repeating posts moved to %(account)s.', **self._words(series)
            )
        if self.series_choice == 'stop':
            alone = self._alone(series)
            alone.action_stop()
            self._cancel(planned.exists())
            (series - alone)._exchange_account(self.account_id)
            return self.env._(
                '%(stopped)s repeating posts stopped; %(others)s go on at their other accounts.',
                stopped=len(alone),
                others=len(series - alone),
            )
        self._back_to_draft(planned)
        for one in series:
            one._halt(self._disconnected())
        return self.env._('%s repeating posts paused.', len(series))

    def _leave_slots(self, slots):
        count = len(slots)
        if self.slot_choice == 'move':
            slots.account_ids = self._exchange()
            return self.env._('%(count)s queue slots moved to %(account)s.', **self._words(slots))
        alone = self._alone(slots)
        (slots - alone).account_ids = [Command.unlink(self.account_id.id)]
        alone.unlink()
        return self.env._('Taken out of %s queue slots.', count)

    def _leave_answers(self, answers):
        if self.answer_choice == 'move':
            answers.write({'account_id': self.target_id.id})
            return self.env._('%(count)s answers moved to %(account)s.', **self._words(answers))
        answers.action_cancel()
        return self.env._('%s answers cancelled.', len(answers))

    def _words(self, records):
        return {'count': len(records), 'account': self.target_id.display_name}

    def _exchange(self):
        """Return the commands that put the other account in the place of this one."""
        return [
            Command.unlink(self.account_id.id),
            Command.link(self.target_id.id),
        ]

    def _alone(self, records):
        """Return the records that have no other account."""
        return records.filtered(lambda record: record.account_ids == self.account_id)

    def _disconnected(self):
        return self.env._('@%s was disconnected.', self.account_id.handle)

    def _rows(self, posts):
        """Return this account's publications of posts, locked as far as nobody sends them now."""
        rows = self._publications().filtered(lambda row: row.post_id in posts)
        rows.lock_for_update()
        rows.invalidate_recordset(['delivery_state'])
        return rows.filtered(lambda row: row.delivery_state in ('queued', 'failed'))

    def _move(self, posts):
        """Let the other account publish; where it does already, this account's copy is dropped."""
        for row in self._rows(posts):
            post = row.post_id.with_context(social_crm_own_write=True)
            if self.target_id not in post.account_ids:
                row.account_id = self.target_id
            post.account_ids = self._exchange()

    def _cancel(self, posts):
        """Cancel this account's copies; a post without any other is cancelled itself."""
        rows = self._rows(posts)
        rows.write({'delivery_state': 'cancelled', 'next_try': False})
        for post in rows.post_id:
            others = post.publication_ids.filtered(lambda row: row.kind == 'post') - rows
            if not others.filtered(lambda row: row.delivery_state != 'cancelled'):
                post.step = 'cancelled'
                post._end_activities()

    def _back_to_draft(self, posts):
        """Take posts out of the queue; of what is partly out only this account's copy stops."""
        for post in self._rows(posts).post_id:
            out = post.publication_ids.filtered(
                lambda row: row.delivery_state in ('sending', 'unconfirmed', 'sent')
            )
            if out:
                self._cancel(post)
            else:
                post._back_to_draft(self._disconnected())
