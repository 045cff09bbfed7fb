from datetime import timedelta

from odoo import fields, models

from ..tools import excerpt

FRESH = timedelta(minutes=15)  # what a backfill brings is no news
WORDS = 120


class SocialCrmMention(models.Model):
    """A direct message pops up on the screen of whoever is responsible, and of nobody else."""

    _inherit = 'social.crm.mention'

    def _tell_of_messages(self):
        """Let new direct messages pop up; of several by one person the last."""
        since = fields.Datetime.now() - FRESH
        messages = self.filtered(
            lambda mention: (
                mention.kind == 'message'
                and mention.posted_at >= since
                and not mention.author_id.blocked
            )
        )
        for (author, account), group in messages.grouped(
            lambda mention: (mention.author_id, mention.account_id)
        ).items():
            message = group.sorted('posted_at')[-1]
            payload = {
                'id': message.id,
                'title': author.display_name,
                'text': excerpt(message.text, WORDS),
            }
            for user in self._message_recipients(author, account):
                user._bus_send('social_crm.message', payload)

    def _message_recipients(self, author, account):
        """Return whom a message of ``author`` to ``account`` concerns, as far as they want it."""
        if account.kind == 'personal':
            users = account.user_id
        else:
            in_progress = self.search(
                [('author_id', '=', author.id), ('state', '=', 'open'), ('user_id', '!=', False)],
                limit=1,
            )
            lead, ticket = author.lead_id, author.ticket_id
            users = in_progress.user_id
            if lead.active and lead.won_status == 'pending':
                users |= lead.user_id
            if not ticket.closed:
                users |= ticket.user_id
            users = users or account.message_user_ids or account.user_id
        return users.filtered(
            lambda user: (
                user.active
                and user.social_crm_message_toast
                and account.company_id in user.company_ids
                and user.has_group('social_crm.social_crm_group_user')
            )
        )
