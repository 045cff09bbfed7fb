import uuid

from odoo import api, fields, models
from odoo.fields import Domain

SHOWN = 12  # posts of the conversation in the dialog


class SocialCrmCompose(models.TransientModel):
    """The dialog in which people answer: to a mention, or with a message to a profile.

    It sends nothing itself: it makes a ``social.crm.engagement`` that the loop delivers. Pressing
    Send twice, or a request that the server runs again, makes one all the same.
    """

    _name = 'social.crm.compose'
    _description = 'Answer on a Social Network'
    _transient_max_hours = 12

    request_key = fields.Char(default=lambda self: uuid.uuid4().hex, required=True, readonly=True)
    mention_id = fields.Many2one('social.crm.mention', readonly=True)
    engagement_id = fields.Many2one(
        'social.crm.engagement',
        'To Send Again',
        readonly=True,
        help='An answer that did not go out.',
    )
    sent_id = fields.Many2one('social.crm.engagement', readonly=True)
    lead_id = fields.Many2one('crm.lead', readonly=True)
    ticket_id = fields.Many2one('helpdesk.ticket', readonly=True)
    partner_id = fields.Many2one('res.partner', readonly=True)

    profile_ids = fields.Many2many('social.crm.profile', compute='_compute_profile_ids')
    profile_id = fields.Many2one(
        'social.crm.profile',
        'To',
        compute='_compute_profile_id',
        store=True,
        readonly=False,
        precompute=True,
        domain="[('id', 'in', profile_ids)]",
    )
    account_ids = fields.Many2many('social.crm.account', compute='_compute_account_ids')
    account_id = fields.Many2one(
        'social.crm.account',
        'As',
        compute='_compute_account_id',
        store=True,
        readonly=False,
        precompute=True,
        domain="[('id', 'in', account_ids)]",
    )
    can_public = fields.Boolean(compute='_compute_channels')
    can_message = fields.Boolean(compute='_compute_channels')
    channel = fields.Selection(
        [('public', 'Public answer'), ('message', 'Direct message')],
        'How',
        required=True,
        compute='_compute_channel',
        store=True,
        readonly=False,
        precompute=True,
    )
    text = fields.Text()
    canned_id = fields.Many2one(
        'mail.canned.response',
        'Saved Reply',
        store=False,
        help='It is put into the text. It may hold {{ name }}, {{ first_name }}, {{ handle }}, '
        '{{ agent }}, {{ company }}, {{ account }} and {{ ticket }}.',
    )
    attachment_ids = fields.Many2many('ir.attachment', string='Files')

    conversation = fields.Html(compute='_compute_conversation', sanitize=False)
    colleague = fields.Char(related='mention_id.colleague')
    text_count = fields.Integer(compute='_compute_live')
    text_limit = fields.Integer(compute='_compute_live')
    problems = fields.Text(compute='_compute_live')
    preview = fields.Html(compute='_compute_live', sanitize=False)
    window_end = fields.Datetime('Answer Until', compute='_compute_live')

    # === COMPUTE METHODS === #

    @api.depends('mention_id', 'lead_id', 'ticket_id', 'partner_id', 'engagement_id')
    def _compute_profile_ids(self):
        for wizard in self:
            wizard.profile_ids = wizard._profiles()

    @api.depends('mention_id', 'lead_id', 'ticket_id', 'partner_id', 'engagement_id')
    def _compute_profile_id(self):
        for wizard in self:
            wizard.profile_id = wizard._profiles()[:1]

    @api.depends('mention_id', 'profile_id')
    def _compute_account_ids(self):
        for wizard in self:
            wizard.account_ids = wizard._accounts()

    @api.depends('mention_id', 'profile_id', 'engagement_id')
    def _compute_account_id(self):
        for wizard in self:
            usable = wizard._accounts()
            came_in_by = wizard.mention_id.sudo().account_id  # sudo: it may be a colleague's own
            wizard.account_id = (
                usable & wizard.engagement_id.account_id or usable & came_in_by or usable[:1]
            )

    def _profiles(self):
        """Return whom to write to: the author, else those of lead, ticket and contact."""
        self.ensure_one()
        lead, ticket = self.lead_id, self.ticket_id
        partners = self.partner_id | lead.partner_id | ticket.partner_id
        return (
            self.mention_id.author_id
            or self.engagement_id.profile_id
            or lead.social_profile_id | ticket.social_profile_id | partners.social_profile_ids
        )

    def _accounts(self):
        """Return the accounts that the user may answer with: of the same network and company."""
        self.ensure_one()
        Account = self.env['social.crm.account']
        target = self.mention_id or self.profile_id
        return (
            Account.search(
                Account._usable_domain()
                & Domain('network', '=', target.network)
                & Domain('company_id', '=', target.company_id.id),
            )
            if target
            else Account
        )

    @api.depends('mention_id', 'profile_id', 'account_id')
    def _compute_channels(self):
        for wizard in self:
            draft, mention = wizard._draft(), wizard.mention_id
            wizard.can_message = bool(
                wizard.profile_id and wizard.account_id and draft._can('messages')
            )
            wizard.can_public = bool(
                mention
                and not draft._is_private(mention)
                and mention.kind != 'lead_form'
                and wizard.account_id
                and draft._can('reply'),
            )

    @api.depends('mention_id', 'engagement_id', 'account_id')
    def _compute_channel(self):
        for wizard in self:
            if wizard.engagement_id:
                wizard.channel = 'message' if wizard.engagement_id.kind == 'message' else 'public'
            else:
                mention = wizard.mention_id
                public = mention and not self.env['social.crm.engagement']._is_private(mention)
                wizard.channel = 'public' if public else 'message'

    @api.depends('mention_id', 'profile_id', 'account_id')
    def _compute_conversation(self):
        Conversation = self.env['social.crm.conversation']
        for wizard in self:
            entries = (
                Conversation._of_mention(wizard.mention_id)
                if wizard.mention_id
                else Conversation._of_profile(wizard.profile_id)
                if wizard.profile_id
                else []
            )
            wizard.conversation = bool(entries) and Conversation._render(entries, latest=SHOWN)

    @api.depends('text', 'account_id', 'channel', 'attachment_ids', 'profile_id', 'mention_id')
    def _compute_live(self):
        """What changes as people type: the count, what is wrong, and how it will look."""
        for wizard in self:
            draft = wizard._draft()
            ready = bool(draft.account_id)
            wizard.text_count = draft._length() if ready else len(draft.text or '')
            wizard.text_limit = draft._length_limit() if ready else 0
            wizard.window_end = draft._window_end() if ready else False
            untouched = not wizard.text and not wizard.attachment_ids
            problems = (
                [*draft._account_problems()]
                or [*draft._target_problems(), *draft._window_problems()]
                if untouched
                else draft._problems()
            )
            wizard.problems = '\n'.join(problems)
            wizard.preview = ready and not untouched and wizard._render_preview(draft)

    @api.onchange('canned_id')
    def _onchange_canned_id(self):
        """Put the saved reply into the text, filled in, behind what is there."""
        if self.canned_id:
            reply = self._fill_in(self.canned_id.substitution or '')
            self.text = f'{self.text.rstrip()}\n{reply}' if (self.text or '').strip() else reply
            self.canned_id = False

    # === ACTION METHODS === #

    @api.model
    def _open(self, mention=None, engagement=None, **context):
        """Return the action that opens the dialog.

        :param mention: what is answered
        :param engagement: an answer that did not go out, to change and send again
        :param context: ``lead``, ``ticket``, ``partner``: records that it is answered from
        """
        defaults = {f'default_{name}_id': record.id for name, record in context.items()}
        if engagement:
            mention = engagement.mention_id
            defaults.update(
                {
                    'default_engagement_id': engagement.id,
                    'default_text': engagement.text,
                    'default_attachment_ids': engagement.attachment_ids.ids,
                    'default_lead_id': engagement.lead_id.id,
                    'default_ticket_id': engagement.ticket_id.id,
                    'default_partner_id': engagement.partner_id.id,
                }
            )
        if mention:
            defaults['default_mention_id'] = mention.id
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._('Answer'),
            'res_model': self._name,
            'view_mode': 'form',
            'views': [(False, 'form')],
            'target': 'new',
            'context': defaults,
        }

    @api.model
    def _open_for(self, record):
        """Return the action that answers from a lead, a ticket or a contact.

        A lead's and a ticket's last mention is answered; without one, and for a contact, it is a
        direct message.
        """
        name = {'crm.lead': 'lead', 'helpdesk.ticket': 'ticket', 'res.partner': 'partner'}[
            record._name
        ]
        mention = self.env['social.crm.mention']
        if name != 'partner':
            mention = mention.search(
                [
                    (f'{name}_id', '=', record.id),
                    ('deleted_at', '=', False),
                    ('kind', '!=', 'lead_form'),
                ],
                limit=1,
                order='posted_at desc',
            )
            mention._start_composing()
        return self._open(mention=mention, **{name: record})

    def action_send(self):
        """Queue the answer; once, however often this is called for the same dialog."""
        self.ensure_one()
        if not self.sent_id:
            self.sent_id = self._engagement()
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'type': 'success',
                'message': self.env._('On its way to %s…', self.profile_id.display_name),
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }

    def action_discard(self):
        """Close the dialog, and let colleagues see that nobody is answering any more."""
        self.mention_id._stop_composing()
        return {'type': 'ir.actions.act_window_close'}
