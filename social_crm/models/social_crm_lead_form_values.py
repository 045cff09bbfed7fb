from odoo import api, fields, models
from odoo.tools import email_normalize, escape_psql, plaintext2html

from ..tools import clean
from .social_crm_lead_form import LINE_LENGTH
from .social_crm_lead_form_field import ANSWER_LENGTH


class SocialCrmLeadForm(models.Model):
    """What a submission becomes on a lead, by the mapping of its form."""

    _inherit = 'social.crm.lead.form'

    def _problem(self, answers):
        """Return why a submission cannot become a lead as the form is mapped now; empty if it can.

        Opens no query once the questions are read: it is asked for each submission of a page.

        :param answers: dict of question key -> text
        """
        self.ensure_one()
        lines = self.field_ids
        for line in lines.filtered('required'):
            if not line._answer(answers):
                return self.env._('"%s" is wanted, and was left blank.', line.label)
        found = self._by_target(answers)
        for text in found.get('email_from', ()):
            if not _address(text):
                return self.env._('"%s" is no e-mail address.', clean(text, 100))
        if not any(
            found.get(name)
            for name in (
                'contact_name',
                'first_name',
                'last_name',
                'partner_name',
                'email_from',
                'phone',
            )
        ):
            return self.env._(
                'No answer gives a name, an e-mail address or a phone number: map the questions '
                'of the form "%s", then replay.',
                self.name,
            )
        return ''

    def _lead_values(self, mention):
        """Return what a new lead gets of a submission.

        :raise ValueError: with the reason, when it cannot become one
        """
        self.ensure_one()
        answers = mention.submission.get('fields') or {}
        problem = self._problem(answers)
        if problem:
            raise ValueError(problem)
        found = self._by_target(answers)
        place, notes = self._place_values(found)
        email = next(map(_address, found.get('email_from', ())), False)
        values = {
            **{name: ', '.join(found[name]) for name in self._plain_targets() if name in found},
            **place,
            'contact_name': self._person(found),
            'email_from': email,
            'phone': clean(next(iter(found.get('phone', ())), ''), 60) or False,
        }
        partner = mention.partner_id or self._known_contact(email)
        if partner:
            # What is entered on a lead is written back to its contact: a form that anybody can
            # fill in must not change the contact.
            phone = values.pop('phone')
            if phone and phone != partner.phone:
                notes.append(self.env._('Phone: %s', phone))
            values.pop('email_from')
            values.update(
                partner_id=partner.id,
                contact_name=False if partner.is_company else partner.name,
            )
        notes += self._notes(answers)
        values['description'] = plaintext2html('\n'.join(notes)) if notes else False
        if not values.get('name'):
            values['name'] = self._title(values, partner)
        if mention.is_test:
            values['name'] = self.env._('[Test] %s', values['name'])
        return values | self._origin_values(mention, answers)

    def _origin_values(self, mention, answers):
        """Return where a submission came from, for reports and for whoever reads the lead."""
        attribution = mention.submission.get('attribution') or {}
        campaign = self.campaign_id or mention.campaign_id
        name = clean(attribution.get('campaign_name'), LINE_LENGTH)
        if not campaign and name:
            # sudo: UTM records are shared constants, as those that a link's parameters make
            campaign = self.env['utm.mixin'].sudo()._find_or_create_record('utm.campaign', name)
        medium = self.medium_id or self.env.ref('social_crm.utm_medium_social')
        return {
            'campaign_id': campaign.id,
            'medium_id': medium.id,
            'source_id': self.account_id._utm_source().id,
            'team_id': self.team_id.id or self._default_team().id,
            'user_id': self.user_id.id,
            'tag_ids': [fields.Command.set(self.tag_ids.ids)],
            'company_id': self.company_id.id,
            'type': 'lead',
            'social_profile_id': mention.author_id.id,
            'social_mention_id': mention.id,
            'social_form_id': self.id,
            'social_consents': self._consents(answers),
            'social_attribution': attribution or False,
        }

    def _default_team(self):
        return self.env['crm.team']._get_default_team_id(
            user_id=False, domain=[('use_leads', '=', True)]
        )

    def _by_target(self, answers):
        """Return the answers by what they become: target -> texts, in the order of the questions.

        A default stands for a blank answer.
        """
        found = {}
        for line in self.field_ids:
            text = line._answer(answers)
            if text and not line.consent:
                found.setdefault(line.target, []).append(text)
        return found

    @api.model
    def _plain_targets(self):
        """Return the targets whose answers are simply put together."""
        special = {'contact_name', 'email_from', 'phone', 'description'}
        Lead = self.env['crm.lead']
        return [
            name
            for name, _label in self.env['social.crm.lead.form.field']._selection_target()
            if name in Lead._fields and name not in special
        ]

    @api.model
    def _person(self, found):
        whole = ' '.join(found.get('contact_name', ()))
        parts = [*found.get('first_name', ()), *found.get('last_name', ())]
        return clean(whole or ' '.join(parts), LINE_LENGTH) or False

    @api.model
    def _place_values(self, found):
        """Return country and state that an answer names, and notes of what is not known."""
        Country, State = self.env['res.country'], self.env['res.country.state']
        values, notes = {}, []
        country = Country
        for text in found.get('country', ()):
            country = _find(Country, text, [])
            values['country_id'] = country.id
            notes += [] if country else [self.env._('Country: %s', text)]
        for text in found.get('state', ()):
            state = _find(State, text, [('country_id', '=', country.id)]) if country else State
            values['state_id'] = state.id
            notes += [] if state else [self.env._('State: %s', text)]
        return values, notes

    @api.model
    def _known_contact(self, email):
        """Return the one contact with an address; none where there are several."""
        Partner = self.env['res.partner'].with_company(self.company_id)
        if not email:
            return Partner
        partners = Partner.search(
            [
                ('email_normalized', '=', email),
                ('company_id', 'in', [False, self.company_id.id]),
            ],
            limit=2,
        )
        return partners if len(partners) == 1 else Partner

    def _notes(self, answers):
        """Return the lines of the description: questions for it, and what no question is known
        for."""
        lines = self.field_ids
        notes = [
            f'{line.label}: {text}'
            for line in lines
            if line.target == 'description' and not line.consent and (text := line._answer(answers))
        ]
        known = set(lines.mapped('key'))
        notes += [
            f'{clean(str(key), LINE_LENGTH)}: {clean(str(text), ANSWER_LENGTH)}'
            for key, text in answers.items()
            if key not in known and text
        ]
        return notes

    def _consents(self, answers):
        """Return what a person agreed to and what not, one line each."""
        signs = {True: self.env._('Agreed'), False: self.env._('Not agreed')}
        return (
            '\n'.join(
                f'{signs[_is_yes(answers[line.key])]}: {line.label}'
                for line in self.field_ids
                if line.consent and line.key in answers
            )
            or False
        )

    def _title(self, values, partner):
        who = (
            values.get('contact_name')
            or values.get('partner_name')
            or partner.display_name
            or values.get('email_from')
            or values.get('phone')
        )
        return f'{self.name}: {who}'


def _address(text):
    """Return the e-mail address in an answer, normalised; ``False`` when it is none."""
    if len((text or '').split()) != 1:
        return False
    address = email_normalize(text)
    return address if address and '.' in address.rpartition('@')[2] else False


def _find(model, text, domain):
    """Return the one record that has this text as its code or name."""
    for name in ('code', 'name'):
        found = model.search([*domain, (name, '=ilike', escape_psql(text))], limit=2)
        if len(found) == 1:
            return found
    return model


def _is_yes(text):
    return str(text).strip().lower() in ('1', 'true', 'yes')
