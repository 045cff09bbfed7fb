import json
import re
from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import escape_psql, groupby, hmac, ormcache

PERSONAL_LEAD_FIELDS = ('email_from', 'phone', 'website', 'function', 'street', 'street2')


class SocialCrmErasure(models.Model):
    """The proof that a person was erased: how much of what, when, by whom, and not who it was.

    Of the person a keyed hash is left. It recognises what the network may hand over again of the
    time before, so that it is not stored anew, and it proves on request who was erased.
    """

    _name = 'social.crm.erasure'
    _description = 'Erased Person'
    _order = 'id desc'
    _rec_name = 'reference'

    reference = fields.Char(readonly=True, default=lambda self: self.env._('New'))
    network = fields.Selection(selection='_selection_network', required=True, readonly=True)
    identity_hash = fields.Char('Fingerprint', required=True, readonly=True, index=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True)
    user_id = fields.Many2one('res.users', 'By', required=True, readonly=True, ondelete='restrict')
    erased_at = fields.Datetime('Erased On', required=True, readonly=True)
    reason = fields.Char(readonly=True)
    mention_count = fields.Integer('Mentions and Messages', readonly=True)
    answer_count = fields.Integer('Answers Emptied', readonly=True)
    note_count = fields.Integer('Notes Deleted', readonly=True)
    lead_count = fields.Integer('Leads Made Anonymous', readonly=True)
    ticket_count = fields.Integer('Tickets Made Anonymous', readonly=True)
    parked_count = fields.Integer('Parked Items', readonly=True)
    conversation_count = fields.Integer('Conversations Cleared', readonly=True)

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals['reference'] = self.env['ir.sequence'].next_by_code('social.crm.erasure')
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super  # it always refuses
        raise UserError(self.env._('A proof of erasure cannot be changed.'))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._('A proof of erasure cannot be deleted.'))

    # === FINGERPRINT === #

    @api.model
    def _fingerprint(self, network, external_id):
        """Return what is left of an identity: the same for the same person in this database."""
        # sudo: the key of the database is readable by nobody
        return hmac(self.env(su=True), 'social_crm_erasure', f'{network}:{external_id}')

    @api.model
    @ormcache()
    def _erased(self):
        """Return when each person was erased last: dict of (company id, hash) -> time."""
        rows = self.sudo()._read_group(  # sudo: asked for by the loops and in any company
            [], ['company_id', 'identity_hash'], ['erased_at:max']
        )
        return {(company.id, mark): moment for company, mark, moment in rows}

    @api.model
    def _known_before(self, company, network, external_id, moment):
        """Return whether something of this person, of this time (naive UTC), was erased."""
        erased = self._erased()
        if not erased:
            return False
        until = erased.get((company.id, self._fingerprint(network, external_id)))
        return bool(until and moment and moment <= until)

    # === ERASE === #

    @api.model
    def _erase(self, profiles, reason='', anonymise=True):
        """Erase people, by their profiles; their contacts stay, for Odoo's Privacy Lookup.

        :param reason: what it is done for, such as the number of a request
        :param anonymise: empty the leads and tickets too that came of them
        :return: the proofs, one per profile
        """
        proofs = self.browse()
        # sudo: who may erase a person erases all of it, whoever may see it
        for profile in profiles.sudo():
            trace = profile._trace()
            counts = Counter(
                mention_count=len(trace['mentions']),
                answer_count=len(trace['engagements']),
                note_count=self._erase_notes(trace, profile),
                conversation_count=self._erase_conversations(profile),
                parked_count=self._erase_parked(profile),
            )
            if anonymise:
                counts['lead_count'] = self._anonymise_leads(trace['leads'])
                counts['ticket_count'] = self._anonymise_tickets(trace['tickets'])
            self._erase_answers(trace['engagements'])
            self._erase_passing(profile)
            proofs |= self.sudo().create(
                {
                    **counts,
                    'network': profile.network,
                    'identity_hash': self._fingerprint(
                        profile.network, profile.external_id or profile.handle
                    ),
                    'company_id': profile.company_id.id,
                    'user_id': self.env.uid,
                    'erased_at': fields.Datetime.now(),
                    'reason': reason,
                }
            )
            trace['mentions'].unlink()
            profile.unlink()
            self.env['social.crm.audit']._log_erasure(proofs[-1])
        return proofs

    def _erase_notes(self, trace, profile):
        """Delete the messages in which the person's words, or ours to them, are told.

        Wherever they stand: on a lead, in a channel, on a contact that the profile was once of.
        """
        messages = self._messages_about(
            {
                'social.crm.mention': trace['mentions'].ids,
                'social.crm.engagement': trace['engagements'].ids,
                'social.crm.profile': profile.ids,
            }
        )
        answered = self.env.ref('social_crm.mail_activity_type_answer')
        places = {(message.model, message.res_id) for message in messages}
        places |= {(some._name, one.id) for some in (*trace.values(), profile) for one in some}
        for model, places_of_model in groupby(places, lambda place: place[0]):
            # Beside a message stands a done activity with the same words.
            some = self.env[model].browse(number for _model, number in places_of_model)
            self._activities(some).filtered(lambda one: one.activity_type_id == answered).unlink()
        count = len(messages)
        messages.unlink()
        return count

    def _messages_about(self, records):
        """Return the messages that link to records: dict of model -> ids."""
        Message = self.env['mail.message'].sudo()  # sudo: see _erase
        Message.flush_model(['body'])
        links = []
        for model, numbers in records.items():
            name, number = f'data-oe-model="{re.escape(model)}"', '|'.join(map(str, numbers))
            if numbers:
                number = f'data-oe-id="({number})"'
                links += [f'{name} {number}', f'{number} {name}']
        self.env.cr.execute(
            'SELECT id FROM mail_message WHERE model IS NOT NULL AND body LIKE %s AND body ~ %s',
            ['%data-oe-model="social.crm.%', '|'.join(links)],
        )
        return Message.browse(row[0] for row in self.env.cr.fetchall())

    def _erase_passing(self, profile):
        """Delete what would go by itself within a day: open dialogs, what screens were sent."""
        dialogs = self.env['social.crm.compose'].sudo()  # sudo: see _erase
        dialogs.search([('profile_id', '=', profile.id)]).unlink()
        names = [profile.handle, profile.name, profile.partner_id.name]
        texts = [f'%{escape_psql(json.dumps(name)[1:-1])}%' for name in names if name]
        self.env.cr.execute('DELETE FROM bus_bus WHERE message ILIKE ANY(%s)', [texts])

    def _erase_conversations(self, profile):
        """Take the person's posts out of the conversations kept beside others' mentions."""
        self.env['social.crm.mention'].flush_model(['context'])
        self.env.cr.execute(
            """SELECT id FROM social_crm_mention
                WHERE company_id = %s AND network = %s AND has_context
                  AND context @> %s::jsonb""",
            [
                profile.company_id.id,
                profile.network,
                json.dumps([{'handle': profile.handle}]),
            ],
        )
        mentions = (
            self.env['social.crm.mention'].sudo().browse(row[0] for row in self.env.cr.fetchall())
        )
        for mention in mentions:
            mention.context = [one for one in mention.context if one['handle'] != profile.handle]
        return len(mentions)

    def _erase_parked(self, profile):
        marks = [mark for mark in (profile.external_id, profile.handle) if mark]
        if not marks:
            return 0
        self.env.cr.execute(
            """SELECT id FROM social_crm_parked_item
                WHERE company_id = %s AND network = %s AND payload::text ILIKE ANY(%s)""",
            [
                profile.company_id.id,
                profile.network,
                [f'%"{escape_psql(mark)}"%' for mark in marks],
            ],
        )
        parked = (
            self.env['social.crm.parked.item']
            .sudo()
            .browse(row[0] for row in self.env.cr.fetchall())
        )
        count = len(parked)
        parked.unlink()
        return count

    def _erase_answers(self, engagements):
        files = engagements.attachment_ids.filtered(
            lambda file: file.res_model == engagements._name
        )
        engagements.message_ids.unlink()
        engagements.write({'text': False, 'profile_id': False, 'attachment_ids': False})
        files.unlink()

    def _anonymise_leads(self, leads):
        name = self.env._('Erased person')
        leads.with_context(tracking_disable=True).write(
            {
                'name': name,
                'contact_name': False,
                'partner_name': False,
                'description': False,
                'social_profile_id': False,
                'social_consents': False,
                'social_attribution': False,
                **dict.fromkeys(PERSONAL_LEAD_FIELDS, False),
            }
        )
        self._forget_history(leads)
        return len(leads)

    def _anonymise_tickets(self, tickets):
        name = self.env._('Erased person')
        tickets.with_context(tracking_disable=True).write(
            {
                'name': name,
                'description': f'<p>{name}</p>',
                'partner_name': False,
                'partner_email': False,
                'social_profile_id': False,
            }
        )
        self._forget_history(tickets)
        return len(tickets)

    def _forget_history(self, records):
        """Delete what the chatter tells, notifications and old values included."""
        self.env['mail.message'].sudo().search(
            [('model', '=', records._name), ('res_id', 'in', records.ids)]
        ).unlink()
        self._activities(records).unlink()

    def _activities(self, records):
        """Return activities of records, done ones included."""
        return (
            self.env['mail.activity']
            .sudo()
            .with_context(active_test=False)
            .search([('res_model', '=', records._name), ('res_id', 'in', records.ids)])
        )


class SocialCrmProfile(models.Model):
    _inherit = 'social.crm.profile'

    def _trace(self):
        """Return all that is kept of this person, by kind; the profile itself apart."""
        self.ensure_one()
        env = self.sudo().with_context(active_test=False).env  # sudo: see SocialCrmErasure._erase
        mentions = env['social.crm.mention'].search([('author_id', '=', self.id)])
        own = ['|', ('social_profile_id', '=', self.id), ('social_mention_id', 'in', mentions.ids)]
        return {
            'mentions': mentions,
            'engagements': env['social.crm.engagement'].search(
                ['|', ('profile_id', '=', self.id), ('mention_id', 'in', mentions.ids)]
            ),
            'leads': env['crm.lead'].search(own),
            'tickets': env['helpdesk.ticket'].search(own),
        }

    @api.model
    def _erase_person(self, company, network, external_id, reason=''):
        """Erase whoever has this id on a network, because the network asked for it.

        In one company: by its client, whose secret it knows, each could ask for the others.

        :return: the proofs; none where nothing is kept of the person
        """
        # sudo: asked for by the network, through a verified request
        profiles = self.sudo().search(
            [
                ('company_id', '=', company.id),
                ('network', '=', network),
                ('external_id', '=', external_id),
            ]
        )
        return self.env['social.crm.erasure'].sudo()._erase(profiles, reason)

    def action_erase(self):
        """Open the dialog that erases these people."""
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._('Erase a Person'),
            'res_model': 'social.crm.erase',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_profile_ids': self.ids},
        }
