import uuid

from odoo import fields, models
from odoo.exceptions import UserError


class SocialCrmCompose(models.TransientModel):
    """The sending half of the dialog: one engagement of what stands in it, once."""

    _inherit = 'social.crm.compose'

    # === SEND === #

    def _engagement(self):
        """Return the engagement of this dialog, queued.

        :raise UserError: when something speaks against sending; the dialog and its text stay open
        """
        # sudo: people have no right to write answers but by this dialog, which checks them
        Engagement = self.env['social.crm.engagement'].sudo()
        known = Engagement.search([('request_key', '=', self.request_key)], limit=1)
        if known:
            return known
        self._check_context()
        self._take_turn()
        self._draft()._check_sendable()
        values = self._values(self._fill_in(self.text or ''))
        if self.engagement_id:
            engagement = self._send_again(values)
        else:
            engagement = Engagement.with_context(
                mail_create_nolog=True,
                mail_create_nosubscribe=True,
            ).create({**values, 'request_key': self.request_key})
        engagement._track_links()
        self._keep_files(engagement)
        self._take_over()
        return engagement

    def _send_again(self, values):
        """Change the answer that did not go out, and queue it anew."""
        engagement = self.engagement_id
        engagement._check_may_send()
        engagement = engagement.sudo()  # sudo: as in _engagement
        if engagement.delivery_state not in ('failed', 'cancelled'):
            raise UserError(self.env._('This answer is on its way already.'))
        engagement.write(
            {**values, 'request_key': self.request_key, 'idempotency_key': str(uuid.uuid4())}
        )
        engagement.action_retry()
        return engagement

    def _check_context(self):
        """What the answer hangs on must be the user's to see; ids in a request prove nothing."""
        for name in (
            'mention_id',
            'engagement_id',
            'profile_id',
            'lead_id',
            'ticket_id',
            'partner_id',
        ):
            if self[name]:
                self[name].check_access('read')
        self.attachment_ids.check_access('read')
        if self.mention_id and self.profile_id != self.mention_id.author_id:
            raise UserError(self.env._('An answer goes to the author of what it answers.'))

    def _take_turn(self):
        """Note on the recipient that somebody writes to them, before anything else is looked at.

        Whoever sends at the same moment writes the same row: the later request waits, is run
        again by the server, and then finds what the earlier one has sent.
        """
        profile = self.profile_id.sudo()  # sudo: kept by the module
        profile.contacted_at = fields.Datetime.now()
        profile.flush_recordset(['contacted_at'])

    def _take_over(self):
        """Who answers a mention nobody has, has it from now on."""
        mention = self.mention_id
        if mention:
            mention._stop_composing()
            values = {'state': 'open'} if mention.state == 'new' else {}
            if not mention.user_id:
                values['user_id'] = self.env.uid
            if values:
                mention.sudo().write(values)  # sudo: whoever may answer a mention takes it over
            mention._announce_change()

    def _keep_files(self, engagement):
        """Hang the uploaded files on the answer, so that whoever sees it sees them."""
        own = self.attachment_ids.sudo().filtered(  # sudo: read access was checked
            lambda file: (
                file.res_model in (False, self._name)
                and not file.res_id
                and file.create_uid == self.env.user
            )
        )
        own.write({'res_model': engagement._name, 'res_id': engagement.id})

    # === DRAFT === #

    def _values(self, text):
        """Return the values of the engagement, as the dialog stands."""
        mention, private = self.mention_id, self.channel == 'message'
        kind = 'message' if private else 'comment' if mention.kind == 'comment' else 'reply'
        shown = mention.visibility if mention.visibility in ('unlisted', 'followers') else 'public'
        return {
            'kind': kind,
            'account_id': self.account_id.id,
            'mention_id': mention.id,
            'profile_id': self.profile_id.id,
            'user_id': self.env.uid,
            'text': text.strip(),
            'attachment_ids': [fields.Command.set(self.attachment_ids.ids)],
            'visibility': 'direct' if private else shown,
            'lead_id': self.lead_id.id,
            'ticket_id': self.ticket_id.id,
            'partner_id': self.partner_id.id,
            'campaign_id': mention.campaign_id.id,
        }

    def _draft(self):
        """Return the engagement that would be made, not stored."""
        self.ensure_one()
        # sudo: to count and check; it is thrown away
        Engagement = self.env['social.crm.engagement'].sudo()
        return Engagement.new(
            {**self._values(self._fill_in(self.text or '')), 'due_at': fields.Datetime.now()},
            origin=self.engagement_id._origin,
        )

    def _render_preview(self, draft):
        provider = self.account_id._offline_provider()
        return self.env['ir.qweb']._render(
            'social_crm.answer_preview',
            {
                'account': self.account_id,
                'draft': draft,
                'text': provider.compose(draft._outgoing(media=False)),
                'files': self.attachment_ids,
            },
        )

    # === PLACEHOLDERS === #

    def _placeholder_values(self):
        """Return what saved replies may name: dict of name -> text, the known ones."""
        self.ensure_one()
        profile, user = self.profile_id, self.env.user
        name = profile.name or profile.handle or ''
        ticket = self.ticket_id or self.mention_id.ticket_id
        values = {
            'name': name,
            'first_name': name.split()[0] if name.split() else '',
            'handle': f'@{profile.handle}' if profile.handle else '',
            'agent': user.name,
            'company': self.account_id.company_id.name or self.env.company.name,
            'account': f'@{self.account_id.handle}' if self.account_id.handle else '',
            'ticket': ticket.sudo().number if ticket else '',  # sudo: the number alone
        }
        return {key: value for key, value in values.items() if value}

    def _fill_in(self, text):
        """Put values in the place of ``{{ name }}`` and its like; unknown ones stay, to be seen."""
        return self.env['mail.canned.response']._social_fill_in(text, self._placeholder_values())
