from markupsafe import Markup

from odoo import fields, models
from odoo.tools import plaintext2html

from .. import matching


class SocialCrmMention(models.Model):
    """Leads made of mentions: one open lead per author."""

    _inherit = 'social.crm.mention'

    def _lock_authors(self):
        """Lock the authors before their open lead or ticket is looked for.

        :raise LockError: when somebody else is capturing the same author right now
        """
        self.author_id.sudo().lock_for_update(
            allow_referencing=True
        )  # sudo: a lock, nothing is read

    def _capture_leads(
        self, team=None, user=None, tags=None, campaign=None, force=False, during_complaint=False
    ):
        """Put each mention on a lead: the author's open one, else a new one.

        The authors must be locked. A known customer gets no lead, the mention shows on the contact
        then; neither does a colleague, nor somebody with an open complaint.

        :param force: make a lead in any case, because a person asks for it
        :param during_complaint: make one although the author has an open complaint
        """
        waiting = self.filtered(lambda mention: not mention.lead_id).with_context(
            tracking_disable=True
        )
        reasons = {} if force else waiting._reasons_for_no_lead(during_complaint)
        open_leads = waiting.author_id._open_leads()
        fresh = {}
        for mention in waiting:
            if mention in reasons:
                mention._keep_without_lead(*reasons[mention])
            elif lead := open_leads.get(mention.author_id):
                mention._join_lead(lead)
            else:
                fresh.setdefault(mention.author_id, []).append(mention)
        if fresh:
            waiting._create_leads(fresh, team, user, tags, campaign)

    def _reasons_for_no_lead(self, during_complaint):
        """Return why mentions make no lead: dict of mention -> (sentence, record to note it on)."""
        partners = self.author_id.partner_id
        customers, colleagues = partners._social_customers(), partners._social_colleagues()
        complaints = {} if during_complaint else self._open_complaints()
        reasons = {}
        for mention in self:
            partner = mention.partner_id
            if partner in colleagues:
                reasons[mention] = (self.env._('The author is a colleague.'), None)
            elif partner in customers:
                reasons[mention] = (self.env._('The author is a known customer.'), partner)
            elif mention.author_id in complaints:
                reasons[mention] = complaints[mention.author_id]
        return reasons

    def _open_complaints(self):
        """Return the complaints of these authors: dict of author -> (sentence, ticket or None).

        A complaint is an open ticket, or a negative mention that somebody is working on.
        """
        authors = self.author_id
        # sudo: whether there is a complaint must not depend on who asks
        negative = self.sudo().search_fetch(
            [
                ('author_id', 'in', authors.ids),
                ('state', '=', 'open'),
                ('sentiment_label', '=', 'negative'),
                ('lead_id', '=', False),
                ('id', 'not in', self.ids),
            ],
            ['author_id'],
        )
        sentence = self.env._('No lead while a complaint of the author is being worked on.')
        complaints = {mention.author_id: (sentence, None) for mention in negative}
        tickets = (
            self.env['helpdesk.ticket']
            .sudo()  # sudo: as above
            .search_fetch(
                [('social_profile_id', 'in', authors.ids), ('closed', '=', False)],
                ['social_profile_id', 'number'],
            )
        )
        for ticket in tickets:
            sentence = self.env._('No lead while the ticket %s is open.', ticket.number)
            complaints[ticket.social_profile_id] = (sentence, ticket)
        return complaints

    def _keep_without_lead(self, sentence, record):
        """Note why this mention made no lead, and show it where its author is taken care of."""
        self.ensure_one()
        self.no_lead_reason = sentence
        if record and self.ticket_id != record:
            record._message_log(body=self._as_note(), **self._note_author())

    def _join_lead(self, lead):
        """Put this mention on a lead of the same author, with what it tells that was not known."""
        self.ensure_one()
        self.lead_id = lead
        if not lead.partner_id:
            details = self._given_details()
            lead.write({name: value for name, value in details.items() if not lead[name]})
        lead._message_log(body=self._as_note(), **self._note_author())

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
            # The leader, as Odoo does it; who leads a team of all companies need not be in each.
            user = team.user_id.filtered(lambda leader: self.company_id <= leader.company_ids)
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
        leads._social_notify_assigned()
        return leads

    def _lead_values(self):
        """Return what a new lead gets from this mention."""
        self.ensure_one()
        author, partner = self.author_id, self.partner_id
        values = {
            'name': self.display_name,
            'description': plaintext2html(self.text or ''),
            **author._lead_name_values(),
            **self._given_details(),
            'website': author.links[0]['url'] if author.links else False,
            'company_id': self.company_id.id,
            'social_profile_id': author.id,
            'social_mention_id': self.id,
        }
        if partner:
            # The contact's own address and number stay: those of a lead are written back to it.
            company = partner.parent_id if not partner.is_company else partner
            values.update(
                partner_id=partner.id,
                contact_name=False if partner.is_company else partner.name,
                partner_name=company.name,
            )
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
