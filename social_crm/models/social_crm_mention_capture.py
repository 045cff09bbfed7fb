from datetime import timedelta

from markupsafe import Markup

from odoo import fields, models
from odoo.tools import plaintext2html

from .. import matching

JOIN_TICKET = timedelta(hours=24)


class SocialCrmMention(models.Model):
    """Leads and tickets made of mentions: one open lead per author, one ticket per day."""

    _inherit = 'social.crm.mention'

    def _lock_authors(self):
        """Lock the authors before their open lead or ticket is looked for.

        :raise LockError: when somebody else is capturing the same author right now
        """
        self.author_id.sudo().lock_for_update(
            allow_referencing=True
        )  # sudo: a lock, nothing is read

    def _capture_leads(self, team=None, user=None, tags=None, campaign=None, force=False):
        """Put each mention on a lead: the author's open one, else a new one.

        The authors must be locked. A known customer gets no lead unless ``force``; the mention
        shows on the contact then.
        """
        waiting = self.filtered(lambda mention: not mention.lead_id).with_context(
            tracking_disable=True
        )
        customers = (
            self.env['res.partner'] if force else waiting.author_id.partner_id._social_customers()
        )
        open_leads = waiting.author_id._open_leads()
        fresh = {}
        for mention in waiting:
            if mention.partner_id in customers:
                mention.partner_id._message_log(body=mention._as_note(), **mention._note_author())
            elif lead := open_leads.get(mention.author_id):
                mention.lead_id = lead
                lead._message_log(body=mention._as_note(), **mention._note_author())
            else:
                fresh.setdefault(mention.author_id, []).append(mention)
        if fresh:
            waiting._create_leads(fresh, team, user, tags, campaign)

    def _create_leads(self, fresh, team, user, tags, campaign):
        """Create one lead for each author in ``fresh`` (author -> mentions), all at once."""
        Lead = self.env['crm.lead'].with_context(
            tracking_disable=False,
            mail_create_nosubscribe=True,
            mail_create_nolog=True,
            mail_auto_subscribe_no_notify=True,
            default_user_id=False,
        )
        team = team or Lead.env['crm.team']._get_default_team_id(
            user_id=False, domain=[('use_leads', '=', True)]
        )
        if not user and not Lead._is_rule_based_assignment_activated():
            user = (
                team.user_id
            )  # what _assign_userless_lead_in_team would do, without a second write
        shared = {
            'team_id': team.id,
            'user_id': user.id if user else False,
            'tag_ids': [fields.Command.set(tags.ids)] if tags else [],
        }
        utm = self._utm()
        leads = Lead.create(
            [
                {
                    **shared,
                    **utm[mentions[0].network],
                    **mentions[0]._lead_values(),
                    'campaign_id': (
                        mentions[0].campaign_id or campaign or self.env['utm.campaign']
                    ).id,
                }
                for mentions in fresh.values()
            ]
        )
        bodies, fresh_by_lead = {}, {}
        for lead, (author, mentions) in zip(leads, fresh.items(), strict=True):
            # sudo: kept by the module; the write makes a parallel worker on the author retry
            author.sudo().lead_id = lead
            for mention in mentions:
                mention.lead_id = lead
                if not mention.campaign_id and lead.campaign_id:
                    mention.campaign_id = lead.campaign_id
            fresh_by_lead[lead.id] = mentions[0]
            bodies[lead.id] = Markup('').join(mention._as_note() for mention in mentions)
        for message in leads._message_log_batch(
            bodies
        ).sudo():  # sudo: the author of a note is no user
            message.write(fresh_by_lead[message.res_id]._note_author())
        leads._assign_userless_lead_in_team(self.env._('social mention'))
        leads._social_notify_assigned()
        return leads

    def _lead_values(self):
        """Return what a new lead gets from this mention."""
        self.ensure_one()
        author, partner = self.author_id, self.partner_id
        values = {
            'name': self.display_name,
            'description': plaintext2html(self.text or ''),
            'contact_name': matching.person_name(author.name or '') or author.name or author.handle,
            **self._given_details(),
            'website': author.links[0]['url'] if author.links else False,
            'company_id': self.company_id.id,
            'social_profile_id': author.id,
            'social_mention_id': self.id,
        }
        if partner:
            # The contact's own address and number stay: those of a lead are written back to it.
            values.update(partner_id=partner.id, contact_name=partner.name)
            values.pop('email_from', None)
            values.pop('phone', None)
        return values

    def _given_details(self):
        """Return the e-mail address and phone number that the author gives in a private message.

        In public posts people name the addresses of others: those are not taken.
        """
        text = self.text or '' if self.kind == 'message' else ''
        found = {'email_from': matching.emails(text), 'phone': matching.phones(text)}
        return {name: values[0] for name, values in found.items() if len(values) == 1}

    def _utm(self):
        """Return source (the network) and medium (social) by network, as values of a lead."""
        medium = self.env.ref('social_crm.utm_medium_social')
        return {
            account.network: {
                'source_id': account._utm_source().id,
                'medium_id': medium.id,
            }
            for account in self.account_id.grouped('network').values()
        }

    # === TICKETS === #

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
            'channel_id': self.env.ref('social_crm.helpdesk_ticket_channel_social').id,
            'social_profile_id': author.id,
            'social_mention_id': self.id,
            # The loop's own user must not become the responsible by a default of the helpdesk.
            **({'user_id': False} if self.env.su else {}),
        }


def _given(values):
    """Return the values that a rule really gives; the ticket's defaults stand for the rest."""
    return {key: value for key, value in values.items() if value}
