from datetime import timedelta

from odoo import fields, models

JOIN_TICKET = timedelta(hours=24)


class SocialCrmMention(models.Model):
    """Tickets made of mentions: what the same author writes within a day joins the open one."""

    _inherit = 'social.crm.mention'

    def _open_tickets(self, values):
        """Put each mention on a ticket: the author's open one of the last 24 hours, else a new one.

        :param dict values: what the rule says about a new ticket
        """
        for mention in self.filtered(lambda mention: not mention.ticket_id):
            ticket = mention._recent_ticket()
            if ticket:
                ticket.message_post(
                    body=mention._as_note(),
                    message_type='comment',
                    subtype_xmlid='mail.mt_note',
                    **mention._note_author(),
                )
            else:
                ticket = self.env['helpdesk.ticket'].create(
                    {**mention._ticket_values(), **_given(values)}
                )
            mention.with_context(tracking_disable=True).ticket_id = ticket
            # sudo: kept by the module; the write makes a parallel worker on the author retry
            mention.author_id.sudo().ticket_id = ticket

    def _recent_ticket(self):
        """Return the author's open ticket on the same account that is younger than 24 hours."""
        return self.search(
            [
                ('author_id', '=', self.author_id.id),
                ('account_id', '=', self.account_id.id),
                ('ticket_id.closed', '=', False),
                ('ticket_id.create_date', '>=', fields.Datetime.now() - JOIN_TICKET),
            ],
            limit=1,
        ).ticket_id

    def _ticket_values(self):
        """Return what a new ticket gets from this mention; a contact is made if none is known."""
        self.ensure_one()
        author = self.author_id
        partner = author.partner_id or author._make_partner()
        return {
            'name': self._excerpt() or self.display_name,
            'description': self._as_note(),
            'partner_id': partner.id,
            'partner_name': partner.name,
            'partner_email': partner.email,
            'company_id': self.company_id.id,
            'channel_id': self.env['ir.model.data']._xmlid_to_res_id(
                'social_crm.helpdesk_ticket_channel_social'  # people may have deleted it
            ),
            'social_profile_id': author.id,
            'social_mention_id': self.id,
            # The loop's own user must not become the responsible by a default of the helpdesk.
            **({'user_id': False} if self.env.su else {}),
        }


def _given(values):
    """Return the values that a rule really gives; the ticket's defaults stand for the rest."""
    return {key: value for key, value in values.items() if value}
