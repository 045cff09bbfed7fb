import logging

import psycopg2.errors

from odoo import api, models

_logger = logging.getLogger(__name__)

ACT_BATCH = 100
CONFLICTS = 5  # with other workers, before the next run goes on


class SocialCrmMention(models.Model):
    """The loop that does what the rules ask for: nothing lost, nothing twice."""

    _inherit = 'social.crm.mention'

    @api.model
    def _cron_act(self):
        """Do what the rules ask for, for all mentions that wait."""
        for _conflict in range(CONFLICTS):
            try:
                done = ACT_BATCH
                while done == ACT_BATCH:
                    done = self._act_batch()
                    more = int(done == ACT_BATCH)
                    if not self.env['ir.cron']._commit_progress(done, remaining=more):
                        return
                return
            except psycopg2.errors.SerializationFailure:  # another worker had one of the authors
                self.env.cr.rollback()

    @api.model
    def _act_batch(self):
        """Act on the next mentions, in one transaction that the caller commits.

        The mention and its author are locked. An author that another worker is busy with waits for
        its next turn, so one author never gets two leads at once.

        :return: number of mentions taken
        """
        self.env.cr.execute(
            """SELECT m.id FROM social_crm_mention m JOIN social_crm_profile p ON p.id = m.author_id
                WHERE m.act_state = 'pending' ORDER BY m.id LIMIT %s
                  FOR NO KEY UPDATE OF m, p SKIP LOCKED""",
            [ACT_BATCH],
            log_exceptions=False,  # a conflict with another worker is expected, and tried again
        )
        mentions = self.browse([row[0] for row in self.env.cr.fetchall()])
        for company, group in mentions.grouped('company_id').items():
            group.with_company(company)._act()
        return len(mentions)

    def _act(self):
        """Make leads of filled-in forms, then do what the rules ask for."""
        mentions = self - self._capture_submissions()
        if mentions:
            mentions._act_on_rules()

    def _act_on_rules(self):
        """Run the matched rules' actions, all mentions at once; one by one where that fails."""
        try:
            with self.env.cr.savepoint():
                self._act_together()
        except psycopg2.errors.SerializationFailure:
            raise
        except Exception as error:
            if len(self) == 1:
                _logger.warning('actions of mention %s failed', self.id, exc_info=True)
                self._act_apart()
                return
            _logger.info(
                'a batch of %s mentions failed (%s), taking them one by one', len(self), error
            )
            for mention in self:
                mention._act_on_rules()

    def _act_together(self):
        """Run step by step: the first action of each mention, then the second, ..."""
        automations = self._creation_automations()
        mentions = self._hold_automations(automations)
        plans = {mention: mention._planned_actions() for mention in mentions}
        for step in range(max(map(len, plans.values()), default=0)):
            by_action = {}
            for mention, actions in plans.items():
                if step < len(actions):
                    others = by_action.get(actions[step], mentions.browse())
                    by_action[actions[step]] = others | mention
            for action, mentions in by_action.items():
                action._run(mentions)
        mentions.write({'act_state': 'done', 'act_error': False})
        self._run_automations(automations)
        self.env.flush_all()

    def _act_apart(self):
        """Run each action on its own, so that one that fails does not stop the others."""
        self.ensure_one()
        errors = []
        automations = self._creation_automations()
        mention = self._hold_automations(automations)
        steps = [
            (action.rule_id.name, lambda action=action: action._run(mention))
            for action in mention._planned_actions()
        ]
        steps += [
            (rule.sudo().name, lambda rule=rule: self._run_automations(rule))
            for rule in automations
        ]
        for name, step in steps:
            try:
                with self.env.cr.savepoint():
                    step()
                    self.env.flush_all()
            except psycopg2.errors.SerializationFailure:
                raise
            except Exception as error:
                errors.append(f'{name}: {error}')
        mention.write(
            {'act_state': 'failed' if errors else 'done', 'act_error': '; '.join(errors)[:500]}
        )

    def _planned_actions(self):
        """Return the actions of the matched rules, in the order of the rules and then their own."""
        if self.author_id.blocked and not any(self.rule_ids.mapped('match_blocked')):
            return self.env['social.crm.rule.action']
        rules = self.rule_ids.filtered(lambda rule: rule.active and not rule.paused).sorted()
        return rules.action_ids.sorted(
            lambda action: (action.rule_id.sequence, action.rule_id.id, action.sequence, action.id)
        )
