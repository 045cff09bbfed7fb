from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..tools import clean

_lt = LazyTranslate(__name__)

ANSWER_LENGTH = 2000

#: What an answer may become; names that are fields of crm.lead go there as they are.
TARGETS = {
    'contact_name': _lt('Full name'),
    'first_name': _lt('First name'),
    'last_name': _lt('Last name'),
    'email_from': _lt('E-mail'),
    'phone': _lt('Phone'),
    'partner_name': _lt('Company'),
    'function': _lt('Job position'),
    'website': _lt('Website'),
    'street': _lt('Street'),
    'street2': _lt('Street, second line'),
    'zip': _lt('Postal code'),
    'city': _lt('City'),
    'state': _lt('State'),
    'country': _lt('Country'),
    'name': _lt('Title of the lead'),
    'description': _lt('Notes'),
    'nothing': _lt('Nothing'),
}

#: The networks' words for standard questions, as kind or key, in lower case.
STANDARD = {
    'full_name': 'contact_name',
    'name': 'contact_name',
    'first_name': 'first_name',
    'last_name': 'last_name',
    'email': 'email_from',
    'email_address': 'email_from',
    'work_email': 'email_from',
    'phone': 'phone',
    'phone_number': 'phone',
    'work_phone_number': 'phone',
    'company': 'partner_name',
    'company_name': 'partner_name',
    'job_title': 'function',
    'website': 'website',
    'street_address': 'street',
    'street': 'street',
    'post_code': 'zip',
    'zip': 'zip',
    'zip_code': 'zip',
    'postal_code': 'zip',
    'city': 'city',
    'state': 'state',
    'province': 'state',
    'country': 'country',
}


class SocialCrmLeadFormField(models.Model):
    """A question of a lead form, and the field of the lead that its answer becomes.

    A line without a question puts its default on every lead. Several lines with the same target
    are put together.
    """

    _name = 'social.crm.lead.form.field'
    _description = 'Question of a Lead Form'
    _order = 'sequence, id'
    _rec_name = 'label'

    form_id = fields.Many2one('social.crm.lead.form', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='form_id.company_id', store=True)
    sequence = fields.Integer(default=10)
    key = fields.Char(readonly=True, help="The network's name of the question.")
    label = fields.Char('Question')
    kind = fields.Char(readonly=True, help="The network's word for what is asked.")
    consent = fields.Boolean(readonly=True, help='A box to tick: kept on the lead as it was given.')
    target = fields.Selection(
        selection='_selection_target', string='Becomes', required=True, default='description'
    )
    default_value = fields.Char('If Blank', help='Stands where a person gives no answer.')
    required = fields.Boolean('Wanted', help='Without an answer, the submission is parked.')

    _unique_question = models.UniqueIndex(
        '(form_id, key) WHERE key IS NOT NULL', 'This question is known already.'
    )

    @api.model
    def _selection_target(self):
        own = [
            (name, field._description_string(self.env))
            for name, field in self.env['crm.lead']._fields.items()
            if field.manual and field.store and field.type in ('char', 'text')
        ]
        return [*((name, str(label)) for name, label in TARGETS.items()), *own]

    # === BUSINESS METHODS === #

    def _answer(self, answers):
        """Return the answer to this question, cut to a sane size; the default for a blank one."""
        given = answers.get(self.key) if self.key else ''
        text = clean(str(given or ''), ANSWER_LENGTH).strip()
        return text or clean(self.default_value, ANSWER_LENGTH).strip()

    def _sync(self, form, questions):
        """Add the questions that are not known yet; a question that is gone stays, since answers
        to it may still come."""
        known = {line.key: line for line in self if line.key}
        rows = []
        for index, question in enumerate(questions, start=1):
            label = clean(question.label, 500) or question.key
            if question.key in known:
                known[question.key].label = label
                continue
            rows.append(
                {
                    'form_id': form.id,
                    'sequence': index * 10,
                    'key': question.key,
                    'label': label,
                    'kind': clean(question.kind, 100),
                    'consent': question.consent,
                    'target': 'nothing' if question.consent else _standard(question),
                }
            )
        self.create(rows)


def _standard(question):
    words = (question.kind.lower(), question.key.lower())
    return next((STANDARD[word] for word in words if word in STANDARD), 'description')
