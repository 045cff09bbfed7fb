from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.social_crm_post_series import LIVE

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
    series_ids = fields.Many2many('social.crm.post.series', compute='_compute_impact')
    slot_ids = fields.Many2many('social.crm.slot', compute='_compute_impact')
    hidden_count = fields.Integer('Not Shown', compute='_compute_impact')
    answer_count = fields.Integer('Answers on Their Way', compute='_compute_impact')
    unclear_count = fields.Integer('Unconfirmed', compute='_compute_impact')
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
    series_choice = fields.Selection(
        [
            ('pause', 'Pause, and take planned ones back to draft'),
            ('move', 'Move to the other account'),
            ('stop', 'Stop'),
        ],
        'Repeating Posts',
        required=True,
        default='pause',
    )
    slot_choice = fields.Selection(
        [
            (KEEP, 'Leave as they are'),
            ('move', 'Move to the other account'),
            ('remove', 'Remove'),
        ],
        'Queue Slots',
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
            wizard.target_ids = wizard._targets()
            hidden = 0
            for name, records in wizard._hanging().items():
                wizard[name] = seen = records.with_env(self.env)._filtered_access('read')
                hidden += len(records - seen)
            wizard.hidden_count = hidden
            wizard.answer_count = len(wizard._answers())
            unclear = [
                ('account_id', '=', wizard.account_id.id),
                ('delivery_state', 'in', ('sending', 'unconfirmed')),
            ]
            wizard.unclear_count = sum(
                model.sudo().search_count(unclear)  # sudo: the number alone
                for model in self.env['social.crm.delivery.mixin']._delivery_models()
            )

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
        hanging = self._hanging()
        steps = [
            (hanging['rule_ids'], self.rule_choice, self._leave_rules),
            (hanging['scheduled_ids'], self.scheduled_choice, self._leave_scheduled),
            (hanging['draft_ids'], self.draft_choice, self._leave_drafts),
            (hanging['series_ids'], self.series_choice, self._leave_series),
            (hanging['slot_ids'], self.slot_choice, self._leave_slots),
            (self._answers(), self.answer_choice, self._leave_answers),
        ]
        steps = [step for step in steps if step[0] and step[1] != KEEP]
        moves = any(choice == 'move' for _records, choice, _leave in steps)
        if moves and self.target_id not in self._targets():
            raise UserError(
                self.env._(
                    'Choose the connected account of the same network to move to, or choose '
                    'something else than to move.'
                )
            )
        account._disconnect()  # first: its lock keeps the loops off what is changed below
        done = [leave(records) for records, _choice, leave in steps]
        # sudo: a personal account's owner may do this without rights on the account's chatter
        account.sudo().message_post(body='\n'.join(done))
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

    def _hanging(self):
        """Return what hangs on the account, by the name of the field that shows it."""
        # sudo: who may disconnect the account decides about all that hangs on it
        Rule, Series, Slot = (
            self.env[name].sudo()
            for name in ('social.crm.rule', 'social.crm.post.series', 'social.crm.slot')
        )
        of_account = [('account_ids', 'in', self.account_id.ids)]
        series = Series.search([*of_account, ('state', 'in', LIVE)])
        # What is planned of a post that repeats goes its way.
        posts = self._publications().post_id.filtered(lambda post: post.series_id not in series)
        scheduled = posts.filtered(lambda post: post.step == 'approved')
        return {
            'rule_ids': Rule.search(of_account),
            'scheduled_ids': scheduled,
            'draft_ids': posts - scheduled,
            'series_ids': series,
            'slot_ids': Slot.search(of_account),
        }

    def _publications(self):
        """Return what has not gone out yet by this account."""
        return (
            self.env['social.crm.publication']
            .sudo()  # sudo: see _hanging
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
        return (
            self.env['social.crm.engagement']
            .sudo()  # sudo: see _hanging
            .search([('account_id', '=', self.account_id.id), ('delivery_state', '=', 'queued')])
        )
