from datetime import timedelta

from odoo import api, fields, models

from ..providers import adapter_class

COMPOSING = timedelta(minutes=5)


class SocialCrmMention(models.Model):
    """Answering a mention: who is at it, when it was answered, what state it is in then."""

    _inherit = 'social.crm.mention'

    engagement_ids = fields.One2many(
        'social.crm.engagement', 'mention_id', 'Answers', readonly=True
    )
    answered_at = fields.Datetime('First Answered On', readonly=True, copy=False)
    answered_by = fields.Many2one(
        'res.users',
        'First Answered By',
        readonly=True,
        copy=False,
        index='btree_not_null',
        help="Empty where the answer was given in the network's own app.",
    )
    composing_user_id = fields.Many2one('res.users', readonly=True, copy=False)
    composing_until = fields.Datetime(readonly=True, copy=False)
    colleague = fields.Char('Being Answered By', compute='_compute_colleague')
    unsent_id = fields.Many2one('social.crm.engagement', compute='_compute_unsent_id')
    unsent_reason = fields.Char(compute='_compute_unsent_id')
    can_answer = fields.Boolean(compute='_compute_can_answer')
    conversation = fields.Html(
        'Whole Conversation', compute='_compute_conversation', sanitize=False
    )

    # === COMPUTE METHODS === #

    @api.depends('composing_user_id', 'composing_until')
    @api.depends_context('uid')
    def _compute_colleague(self):
        now = fields.Datetime.now()
        for mention in self:
            other = mention.composing_user_id
            at_it = other and other != self.env.user and (mention.composing_until or now) > now
            # sudo: only the name of a colleague
            mention.colleague = other.sudo().name if at_it else False

    @api.depends('network', 'kind', 'deleted_at')
    def _compute_can_answer(self):
        for mention in self:
            offered = adapter_class(mention.network).capabilities if mention.network else {}
            mention.can_answer = (
                mention.kind != 'lead_form'
                and not mention.deleted_at
                and ('reply' in offered or 'messages' in offered)
            )

    @api.depends('engagement_ids.delivery_state', 'context', 'state')
    @api.depends_context('uid', 'lang', 'tz')
    def _compute_conversation(self):
        for mention in self:
            mention.conversation = mention._render_conversation()

    def _render_conversation(self, **kwargs):
        """Return the conversation that this mention stands in, as HTML."""
        Conversation = self.env['social.crm.conversation']
        return Conversation._render(Conversation._of_mention(self), **kwargs)

    @api.depends('engagement_ids.delivery_state', 'engagement_ids.failure_reason')
    @api.depends_context('uid')
    def _compute_unsent_id(self):
        """The last answer, if it did not go out: somebody has to do something about it."""
        for mention in self:
            last = mention.engagement_ids.filtered(lambda one: one.origin == 'odoo')[:1]
            unsent = last if last.delivery_state in ('failed', 'unconfirmed') else last.browse()
            mention.unsent_id, mention.unsent_reason = unsent, unsent.failure_reason

    # === ACTION METHODS === #

    def action_answer(self):
        """Open the composer, and let colleagues see that somebody is at it."""
        self.ensure_one()
        self._start_composing()
        return self.env['social.crm.compose']._open(mention=self)

    def action_open_unsent(self):
        """Open the answer that did not go out: in the composer where it can be changed."""
        self.ensure_one()
        unsent = self.unsent_id
        if unsent.delivery_state == 'failed':
            return unsent.action_edit()
        return self._open_records(unsent)

    # === PRESENCE === #

    def _start_composing(self):
        """Note that the current user is answering, unless a colleague was first."""
        self.check_access('read')
        if self.colleague:
            return
        # sudo: who may read a mention may be seen answering it
        self.sudo().with_context(mail_notrack=True).write(
            {
                'composing_user_id': self.env.uid,
                'composing_until': fields.Datetime.now() + COMPOSING,
            }
        )
        self._announce_change()

    def _stop_composing(self):
        mentions = self.filtered(lambda mention: mention.composing_user_id == self.env.user)
        if mentions:
            mentions.sudo().write(
                {'composing_user_id': False, 'composing_until': False}
            )  # sudo: as above
            mentions._announce_change()

    def _announce_change(self):
        """Let the open screens of those who may see the mentions read them again."""
        for account, mentions in self.grouped('account_id').items():
            account.sudo()._announce(mentions.ids)  # sudo: whom to tell; only ids travel

    # === ANSWERED === #

    def _answered(self, engagement):
        """An answer stands on the network: note the first one, and what is left to do.

        The mention is done, except where a lead or a ticket is still open: then it is in progress.
        Earlier messages of the same private chat are answered by the last answer.
        """
        mentions = self | self._earlier_messages()
        if engagement.user_id:  # the log names the agent, not the loop
            # sudo: the loop does what follows from the agent's answer
            mentions = mentions.with_user(engagement.user_id).sudo()
        for mention in mentions:
            values = {'state': 'open' if mention._has_open_work() else 'done'}
            if not mention.answered_at:
                values.update(
                    answered_at=engagement.sent_at or fields.Datetime.now(),
                    answered_by=engagement.user_id.id,
                )
            if not mention.user_id and engagement.user_id:
                values['user_id'] = engagement.user_id.id
            mention.write(values)

    def _earlier_messages(self):
        """Return what the author wrote before in the same private chat, and nobody answered."""
        self.ensure_one()
        if self.kind != 'message':
            return self.browse()
        return self.search(
            [
                ('author_id', '=', self.author_id.id),
                ('account_id', '=', self.account_id.id),
                ('kind', '=', 'message'),
                ('posted_at', '<=', self.posted_at),
                ('state', 'in', ['new', 'open']),
                ('answered_at', '=', False),
            ]
        )

    def _has_open_work(self):
        lead, ticket = self.lead_id, self.ticket_id
        return (lead.active and lead.won_status == 'pending') or (ticket and not ticket.closed)
