from odoo import api, fields, models
from odoo.exceptions import UserError

KEEP = 'keep'


class SocialCrmDisconnect(models.TransientModel):
    """What hangs on an account that is to be disconnected, and what is to become of it."""

    _name = 'social.crm.disconnect'
    _description = 'Disconnect a Social Account'

    account_id = fields.Many2one('social.crm.account', required=True, readonly=True)
    target_ids = fields.Many2many('social.crm.account', compute='_compute_impact')
    target_id = fields.Many2one(
        'social.crm.account',
        'Move To',
        compute='_compute_target_id',
        store=True,
        readonly=False,
        precompute=True,
        domain="[('id', 'in', target_ids)]",
        help='The account that takes over what is moved.',
    )
    rule_ids = fields.Many2many('social.crm.rule', compute='_compute_impact')
    scheduled_ids = fields.Many2many(
        'social.crm.post', 'social_crm_disconnect_scheduled_rel', compute='_compute_impact'
    )
    draft_ids = fields.Many2many(
        'social.crm.post', 'social_crm_disconnect_draft_rel', compute='_compute_impact'
    )
    answer_count = fields.Integer('Answers on Their Way', compute='_compute_impact')
    unclear_count = fields.Integer('Unconfirmed', compute='_compute_impact')
    stream_count = fields.Integer('Streams', compute='_compute_impact')
    rule_choice = fields.Selection(
        [
            ('pause', 'Pause'),
            ('move', 'Move to the other account'),
            (KEEP, 'Leave as they are'),
        ],
        'Rules',
        required=True,
        default='pause',
    )
    scheduled_choice = fields.Selection(
        [
            ('draft', 'Take back to draft'),
            ('move', 'Move to the other account'),
            ('cancel', 'Cancel'),
        ],
        'Scheduled Posts',
        required=True,
        default='draft',
    )
    draft_choice = fields.Selection(
        [
            (KEEP, 'Leave as they are'),
            ('move', 'Move to the other account'),
            ('cancel', 'Cancel'),
        ],
        'Drafts',
        required=True,
        default=KEEP,
    )
    answer_choice = fields.Selection(
        [('cancel', 'Cancel'), ('move', 'Send by the other account')],
        'Answers',
        required=True,
        default='cancel',
    )

    # === COMPUTE METHODS === #

    @api.depends('account_id')
    def _compute_impact(self):
        for wizard in self:
            # sudo: who may disconnect the account is told of all that hangs on it
            account = wizard.account_id.sudo()
            wizard.target_ids = wizard._targets()
            wizard.rule_ids = (
                self.env['social.crm.rule'].sudo().search([('account_ids', 'in', account.ids)])
            )
            rows = wizard._publications()
            wizard.scheduled_ids = rows.post_id.filtered(lambda post: post.step == 'approved')
            wizard.draft_ids = rows.post_id.filtered(lambda post: post.step in ('draft', 'waiting'))
            wizard.answer_count = len(wizard._answers())
            unclear = [
                ('account_id', '=', account.id),
                ('delivery_state', 'in', ('sending', 'unconfirmed')),
            ]
            wizard.unclear_count = sum(
                model.sudo().search_count(unclear)
                for model in self.env['social.crm.delivery.mixin']._delivery_models()
            )
            wizard.stream_count = len(account.stream_ids)

    @api.depends('account_id')
    def _compute_target_id(self):
        for wizard in self:
            wizard.target_id = wizard._targets()[:1]

    # === ACTION METHODS === #

    def action_confirm(self):
        """Deal with what hangs on the account as chosen, then disconnect it; one transaction."""
        self.ensure_one()
        account = self.account_id
        account._check_may_connect()
        moves = (
            (self.rule_ids and self.rule_choice == 'move')
            or (self.scheduled_ids and self.scheduled_choice == 'move')
            or (self.draft_ids and self.draft_choice == 'move')
            or (self.answer_count and self.answer_choice == 'move')
        )
        if moves and self.target_id not in self._targets():
            raise UserError(
                self.env._(
                    'Choose the connected account of the same network to move to, or choose '
                    'something else than to move.'
                )
            )
        account._disconnect()  # first: its lock keeps the loops off what is changed below
        done = [
            self._leave_rules(),
            self._leave_scheduled(),
            self._leave_drafts(),
            self._leave_answers(),
        ]
        # sudo: a personal account's owner may do this without rights on the account's chatter
        account.sudo().message_post(body='\n'.join(filter(None, done)))
        return {'type': 'ir.actions.act_window_close'}

    # === BUSINESS METHODS === #

    def _targets(self):
        """Return the accounts that can take over."""
        account = self.account_id
        return self.env['social.crm.account'].search(
            [
                *self.env['social.crm.account']._usable_domain(),
                ('network', '=', account.network),
                ('company_id', '=', account.company_id.id),
                ('kind', '=', account.kind),
                ('id', '!=', account.id),
            ]
        )

    def _publications(self):
        """Return what has not gone out yet by this account."""
        # sudo: see _compute_impact
        return (
            self.env['social.crm.publication']
            .sudo()
            .search(
                [
                    ('account_id', '=', self.account_id.id),
                    ('kind', '=', 'post'),
                    ('delivery_state', 'in', ('queued', 'failed')),
                    ('post_id.step', 'in', ('draft', 'waiting', 'approved')),
                ]
            )
        )

    def _answers(self):
        # sudo: see _compute_impact
        return (
            self.env['social.crm.engagement']
            .sudo()
            .search([('account_id', '=', self.account_id.id), ('delivery_state', '=', 'queued')])
        )

    def _leave_rules(self):
        rules, count = self.rule_ids.sudo(), len(self.rule_ids)  # sudo: see _compute_impact
        if not rules or self.rule_choice == KEEP:
            return ''
        if self.rule_choice == 'move':
            commands = [
                fields.Command.unlink(self.account_id.id),
                fields.Command.link(self.target_id.id),
            ]
            rules.write({'account_ids': commands})
            return self.env._('%(count)s rules moved to %(account)s.', **self._words(count))
        alone = rules.filtered(lambda rule: rule.account_ids == self.account_id)
        alone.write({'paused': True})
        return self.env._(
            '%(paused)s rules paused; %(others)s go on at their other accounts.',
            paused=len(alone),
            others=count - len(alone),
        )

    def _leave_scheduled(self):
        posts, count = self.scheduled_ids, len(self.scheduled_ids)
        if not posts:
            return ''
        if self.scheduled_choice == 'move':
            self._move(posts)
            return self.env._('%(count)s posts moved to %(account)s.', **self._words(count))
        if self.scheduled_choice == 'cancel':
            self._cancel(posts)
            return self.env._('%s scheduled posts cancelled.', count)
        self._back_to_draft(posts)
        return self.env._('%s scheduled posts taken back to draft.', count)

    def _leave_drafts(self):
        posts, count = self.draft_ids, len(self.draft_ids)
        if not posts or self.draft_choice == KEEP:
            return ''
        if self.draft_choice == 'move':
            self._move(posts)
            return self.env._('%(count)s drafts moved to %(account)s.', **self._words(count))
        self._cancel(posts)
        return self.env._('%s drafts cancelled.', count)

    def _leave_answers(self):
        answers = self._answers()
        count = len(answers)
        if not answers:
            return ''
        if self.answer_choice == 'move':
            answers.write({'account_id': self.target_id.id})
            return self.env._('%(count)s answers moved to %(account)s.', **self._words(count))
        answers.action_cancel()
        return self.env._('%s answers cancelled.', count)

    def _words(self, count):
        return {'count': count, 'account': self.target_id.display_name}

    def _rows(self, posts):
        """Return this account's publications of posts, locked as far as nobody sends them now."""
        rows = self._publications().filtered(lambda row: row.post_id in posts)
        rows.lock_for_update()
        rows.invalidate_recordset(['delivery_state'])
        return rows.filtered(lambda row: row.delivery_state in ('queued', 'failed'))

    def _move(self, posts):
        """Let the other account publish; where it does already, this account's copy is dropped."""
        for row in self._rows(posts.sudo()):  # sudo: see _compute_impact
            post = row.post_id.with_context(social_crm_own_write=True)
            if self.target_id not in post.account_ids:
                row.account_id = self.target_id
            commands = [
                fields.Command.unlink(self.account_id.id),
                fields.Command.link(self.target_id.id),
            ]
            post.write({'account_ids': commands})

    def _cancel(self, posts):
        """Cancel this account's copies; a post without any other is cancelled itself."""
        rows = self._rows(posts.sudo())  # sudo: see _compute_impact
        rows.write({'delivery_state': 'cancelled', 'next_try': False})
        for post in rows.post_id:
            others = post.publication_ids.filtered(lambda row: row.kind == 'post') - rows
            if not others.filtered(lambda row: row.delivery_state != 'cancelled'):
                post.step = 'cancelled'
                post._end_activities()

    def _back_to_draft(self, posts):
        """Take posts out of the queue; of what is partly out only this account's copy stops."""
        message = self.env._('@%s was disconnected.', self.account_id.handle)
        for post in self._rows(posts.sudo()).post_id:  # sudo: see _compute_impact
            out = post.publication_ids.filtered(
                lambda row: row.delivery_state in ('sending', 'unconfirmed', 'sent')
            )
            if out:
                self._cancel(post)
            else:
                post._back_to_draft(message)
