from odoo import models

from .. import matching


class SocialCrmProfile(models.Model):
    """What a display name is worth as the name of a contact or lead."""

    _inherit = 'social.crm.profile'

    def _lead_name_values(self):
        """Return the names of a lead: the person's, or the company's, or both."""
        self.ensure_one()
        shown = self.name or ''
        company = matching.company_name(shown)
        person = matching.person_name(shown)
        if company and company.startswith(person):
            return {'partner_name': company, 'contact_name': False}
        return {
            'partner_name': company or False,
            **_person_values(
                self.env['crm.lead'],
                person or shown or self.handle,
                'contact_name',
                ('contact_firstname', 'contact_lastname'),
            ),
        }

    def _partner_name_values(self):
        """Return the name of a new contact, and whether it is a company."""
        self.ensure_one()
        shown = self.name or ''
        company, person = matching.company_name(shown), matching.person_name(shown)
        if company and company.startswith(person):
            return {'name': company, 'is_company': True}
        return _person_values(
            self.env['res.partner'],
            person or shown or self.handle,
            'name',
            ('firstname', 'lastname'),
        )


def _person_values(model, name, whole, parts):
    """Return a person's name as a model wants it: in parts where a module has added them.

    Those modules take a whole name apart by one order for all people; here the order is known.
    """
    given, family = matching.split_name(name)
    if family and all(part in model._fields for part in parts):
        return dict(zip(parts, (given, family), strict=True))
    return {whole: name}
