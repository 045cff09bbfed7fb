from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .. import listening
from ..providers import adapter_class
from ..providers.types import Media, Outgoing, Profile
from ..tools import public_url

EXCERPT = 60


class SocialCrmEngagement(models.Model):
    """An outbound reply, comment or direct message.

    People make them by the composer (``social.crm.compose``), the loop of the delivery mixin sends
    them, and nobody rewrites what has been sent. Answers given in the network's own app are kept
    here too (``origin``), so that a conversation is whole and nobody answers twice.
    """

    _name = 'social.crm.engagement'
    _description = 'Social Answer'
    _inherit = ['social.crm.delivery.mixin', 'mail.thread', 'mail.activity.mixin']
    _order = 'id desc'
    _rec_names_search = ['text']
    _check_company_auto = True

    kind = fields.Selection(
        [('reply', 'Reply'), ('comment', 'Comment'), ('message', 'Direct message')],
        required=True,
        readonly=True,
    )
    network = fields.Selection(related='account_id.network', store=True)
    origin = fields.Selection(
        [('odoo', 'Odoo'), ('native', "The network's own app")],
        default='odoo',
        required=True,
        readonly=True,
        copy=False,
    )
    mention_id = fields.Many2one(
        'social.crm.mention',
        'In Answer To',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
        check_company=True,
    )
    profile_id = fields.Many2one(
        'social.crm.profile',
        'Recipient',
        readonly=True,
        index='btree_not_null',
        ondelete='restrict',
        check_company=True,
    )
    user_id = fields.Many2one(
        'res.users',
        'Written By',
        readonly=True,
        index='btree_not_null',
        help='Empty where it was given in the app of a brand account: nobody knows by whom.',
    )
    text = fields.Text(readonly=True)
    attachment_ids = fields.Many2many('ir.attachment', string='Attachments', readonly=True)
    visibility = fields.Selection(
        [
            ('public', 'Public'),
            ('unlisted', 'Unlisted'),
            ('followers', 'Followers only'),
            ('direct', 'Direct'),
        ],
        default='public',
        required=True,
        readonly=True,
    )
    lead_id = fields.Many2one(
        'crm.lead', readonly=True, index='btree_not_null', ondelete='set null'
    )
    ticket_id = fields.Many2one(
        'helpdesk.ticket',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
    )
    partner_id = fields.Many2one(
        'res.partner',
        'Contact',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
    )
    campaign_id = fields.Many2one(
        'utm.campaign',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
    )
    request_key = fields.Char(
        readonly=True,
        copy=False,
        help='One per composer dialog: pressing Send twice sends once.',
    )
    parent_external_id = fields.Char(readonly=True, copy=False)
    parent_local_id = fields.Char(readonly=True, copy=False)

    _unique_request = models.UniqueIndex(
        '(request_key) WHERE request_key IS NOT NULL',
        'This answer is on its way already.',
    )
    _external = models.Index('(account_id, external_id) WHERE external_id IS NOT NULL')
    _unique_external = models.UniqueIndex(
        "(account_id, external_id) WHERE external_id IS NOT NULL AND origin = 'odoo'",
        'Another answer has this address on the network.',
    )
    _local = models.Index('(account_id, local_id) WHERE local_id IS NOT NULL')
    _unlinked = models.Index(
        "(account_id, parent_external_id) WHERE origin = 'native' AND mention_id IS NULL",
    )

    # === COMPUTE METHODS === #

    @api.depends('kind', 'profile_id', 'text', 'account_id.user_id')
    @api.depends_context('uid')
    def _compute_display_name(self):
        """Name the first words; those of a personal account to its owner alone: see mentions."""
        kinds = dict(self._fields['kind']._description_selection(self.env))
        for engagement in self:
            account = engagement.account_id
            if account.kind == 'personal' and self.env.uid not in (
                SUPERUSER_ID,
                account.user_id.id,
            ):
                engagement.display_name = self.env._('Answer of a personal account')
                continue
            line = ' '.join((engagement.text or '').split())
            excerpt = line if len(line) <= EXCERPT else f'{line[:EXCERPT].rsplit(" ", 1)[0]}…'
            name = engagement.profile_id.display_name or ''
            engagement.display_name = ' '.join(filter(None, (kinds.get(engagement.kind), name))) + (
                f': {excerpt}' if excerpt else ''
            )

    # === ACTION METHODS === #

    def action_edit(self):
        """Open an answer that did not go out in the composer, with what was typed."""
        self.ensure_one()
        self._check_may_send()
        if self.delivery_state not in ('failed', 'cancelled'):
            raise UserError(self.env._('Only an answer that did not go out can be changed.'))
        return self.env['social.crm.compose']._open(engagement=self)

    def action_open_mention(self):
        self.ensure_one()
        return self.mention_id._open_records(self.mention_id)

    def action_open_url(self):
        """Open the answer on its network."""
        return self._open_url()

    def action_retry(self):
        """Send again as it is; what spoke against it when it was written is checked anew."""
        self._check_may_send()
        self.sudo()._check_sendable()  # sudo: to read what it is checked against
        return super().action_retry()

    def _check_may_send(self):
        """Whoever sees the account may retry, cancel or judge what was sent by it."""
        self.check_access('read')
        self.account_id.check_access('read')

    # === DELIVERY === #

    @api.model
    def _sent_from_here(self):
        return Domain('origin', '=', 'odoo')

    def _outgoing(self, media=True):
        """Return this as the adapters' value; without media where only the text counts."""
        self.ensure_one()
        mention = self.mention_id
        return Outgoing(
            kind=self.kind,
            text=self._tracked((self.text or '').strip()),
            target=mention.external_id or '',
            target_local_id=self._target_local_id(),
            target_author=self._recipient(),
            conversation_id=mention.conversation_id or '',
            visibility='direct' if self.kind == 'message' else self.visibility or 'public',
            language=listening.detect(self.text or '') or '',
            media=tuple(self._media()) if media else (),
        )

    def _texts_with_links(self):
        return [self.text]

    def _is_draft(self):
        return not self.id

    def _wants_tracking(self):
        # A tracked link can be read by every employee.
        wanted = self.company_id.social_crm_track_links and not self._is_confidential()
        return wanted and super()._wants_tracking()

    def _target_local_id(self):
        """Return the mention's id on the account's own server; it means nothing on another one."""
        mention = self.mention_id
        same_server = mention.account_id.server == self.account_id.server
        return mention.local_id or '' if same_server else ''

    def _recipient(self):
        profile = self.profile_id
        if not profile:
            return None
        return Profile(
            external_id=profile.external_id or '',
            handle=profile.handle or '',
            name=profile.name or '',
            url=profile.url or '',
        )

    def _media(self):
        public = 'fetches_media' in adapter_class(self.account_id.network).features
        # sudo: whoever sent the answer was checked to see the attachments, the loop reads them
        for attachment in self.attachment_ids.sudo():
            yield Media(
                mimetype=attachment.mimetype or '',
                filename=attachment.name or '',
                description=attachment.description or '',
                content=attachment.raw or b'',
                url=public_url(attachment) if public else '',
            )
