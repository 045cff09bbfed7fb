from markupsafe import Markup

from odoo import models
from odoo.tools import plaintext2html

from ..tools import is_web


class SocialCrmEngagement(models.Model):
    """What follows when an answer was sent, or was not: logs, notices, the state of the mention."""

    _inherit = 'social.crm.engagement'

    # === OUTCOME === #

    def _delivered(self, sent):
        """Tell everybody whom it concerns: the answer stands on the network."""
        for engagement in self:
            engagement.activity_unlink(['social_crm.mail_activity_type_not_sent'])
            engagement._log_answer()
            if engagement.mention_id:
                engagement.mention_id._answered(engagement)
            engagement._announce()

    def _not_delivered(self, error):
        """Nothing is logged as sent; whoever wrote it is told, and finds the text kept."""
        for engagement in self._in_language_of_author():
            engagement._warn_author(
                engagement.env._(
                    'Your answer to %s was not sent', engagement.profile_id.display_name
                ),
                engagement.env._('The text is kept: open it, change it and send it again.'),
            )

    def _not_confirmed(self):
        """The network cannot tell whether it was sent: whoever wrote it looks there."""
        for engagement in self._in_language_of_author():
            engagement._warn_author(
                engagement.env._(
                    'It is unclear whether your answer to %s was sent',
                    engagement.profile_id.display_name,
                ),
                engagement.env._('Look on the network, then say in Odoo whether it stands there.'),
            )

    def _in_language_of_author(self):
        for engagement in self:
            yield engagement.with_context(lang=engagement.user_id.lang or self.env.lang)

    def _warn_author(self, summary, advice):
        """Tell the author at once, and leave an activity that opens the answer."""
        user, reason = self.user_id, self.failure_reason or ''
        self._announce()
        if not user:
            return
        self.activity_unlink(['social_crm.mail_activity_type_not_sent'])
        self.activity_schedule(
            'social_crm.mail_activity_type_not_sent',
            user_id=user.id,
            summary=summary,
            note=Markup('<p>%s</p><p>%s</p>') % (reason, advice),
        )
        notice = {'type': 'danger', 'title': summary, 'message': reason, 'sticky': True}
        user._bus_send('simple_notification', notice)

    def _announce(self):
        """Let the open screens of those who may see this show its new state."""
        self.account_id._announce(self.mention_id.ids, self._log_targets())

    def _is_confidential(self):
        """Return whether this is between one user and the recipient."""
        return self.account_id.kind == 'personal' and (
            self.kind == 'message' or self.visibility in ('direct', 'followers')
        )

    # === LOG === #

    def _log_answer(self):
        """Post the answer in the chatter of what it belongs to, and note it as a done activity."""
        self.ensure_one()
        author = self.user_id
        if not author and self.account_id.kind == 'personal':
            author = self.account_id.user_id
        for record in self._log_targets():
            if author:
                # sudo: the loop logs in the name of whoever wrote the answer
                record = record.with_user(author).sudo()
            record = record.with_company(self.company_id).with_context(
                lang=author.lang or self.env.lang,
                mail_post_autofollow_author_skip=True,
            )
            self.with_env(record.env)._log_on(record, author)

    def _log_targets(self):
        """Yield the records that show it: the contact where there is no lead or ticket.

        What somebody writes in private with a personal account shows there only where they have
        answered from.
        """
        mention = self.mention_id
        if mention:
            yield mention
        if self._is_confidential():
            yield from self.lead_id
            yield from self.ticket_id
            yield from self.partner_id
            return
        leads, tickets = mention.lead_id | self.lead_id, mention.ticket_id | self.ticket_id
        yield from leads
        yield from tickets
        if not leads and not tickets:
            yield from self.partner_id or self.profile_id.partner_id

    def _log_on(self, record, author):
        activity_type = self.env.ref('social_crm.mail_activity_type_answer')
        record.message_post(
            body=self._as_message(),
            message_type='comment',
            subtype_xmlid='mail.mt_comment',
            mail_activity_type_id=activity_type.id,
            attachment_ids=self.attachment_ids.ids,
            # The person has it from the network: no e-mail with the same words.
            notify_skip_followers=True,
        )
        done = {
            'res_model_id': self.env['ir.model']._get_id(record._name),
            'res_id': record.id,
            'activity_type_id': activity_type.id,
            'user_id': (author or self.env.user).id,
            'summary': self.display_name,
            'automated': True,
            'active': False,
        }
        self.env['mail.activity'].create(done)

    def _as_message(self):
        """Return the answer as it stands in a chatter."""
        link = dict(self.account_id._selection_network())[self.account_id.network]
        if is_web(self.url):
            anchor = Markup('<a href="%s" rel="noopener noreferrer" target="_blank">%s</a>')
            link = anchor % (self.url, link)
        where = Markup(self.env._('%(kind)s on %(network)s as @%(handle)s')) % {
            # The link opens the answer, and finds the note again when its recipient is erased.
            'kind': self._get_html_link(
                title=dict(self._fields['kind']._description_selection(self.env))[self.kind]
            ),
            'network': link,
            'handle': self.account_id.handle,
        }
        if self.origin == 'native':
            where = Markup('%s, %s') % (where, self.env._("in the network's own app"))
        line = Markup('<p><small class="text-muted"><i class="fa fa-share-alt"></i> %s</small></p>')
        return plaintext2html(self.text or '') + line % where
