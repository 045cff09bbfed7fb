import re
from datetime import datetime

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

_WALL = ('%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S')
_SHOWN = re.compile(r'@?(?P<handle>[^\s()]+)(?:\s*\((?P<network>[^()]+)\))?')


class SocialCrmPost(models.Model):
    """Posts from a file, by Odoo's own import: what a row may say, and what becomes of it."""

    _inherit = 'social.crm.post'

    scheduled_wall = fields.Char(
        inverse='_inverse_scheduled_wall',
        help='When it goes out in its time zone, as 2027-03-01 09:30.',
    )
    import_status = fields.Selection(
        [('draft', 'Draft'), ('scheduled', 'Scheduled')],
        'Status on Import',
        store=False,
        help='For imports. Scheduled: it is submitted as by the button, and so it waits for '
        'approval where that is wanted.',
    )

    # === COMPUTE METHODS === #

    def _inverse_scheduled_wall(self):
        # Read all first: what is written to one is computed anew.
        for post, written in [(post, post.scheduled_wall) for post in self]:
            if written:
                post.write(self._parsed_wall(written))

    @api.model
    def _parsed_wall(self, written):
        """Return the values of a wall time that a person wrote.

        :raise ValidationError: unless it is one
        """
        for form in _WALL:
            try:
                wall = datetime.strptime(written.strip().replace('T', ' '), form)
            except ValueError:
                continue
            hours = wall.hour + wall.minute / 60
            return {'schedule': 'later', 'scheduled_date': wall.date(), 'scheduled_time': hours}
        raise ValidationError(
            self.env._(
                '"%s" is no wall time: write day and time as 2027-03-01 09:30, and the zone in '
                'the column Time Zone.',
                written,
            )
        )

    # === IMPORT === #

    @api.model
    def get_import_templates(self):
        """Offer an example file in the import's dialog."""
        return [
            {
                'label': self.env._('Import Template for Posts'),
                'template': '/social_crm/static/xls/social_crm_post.csv',
            }
        ]

    @api.model
    def _load_records_create(self, vals_list):
        posts = super()._load_records_create(vals_list)
        for post, vals in zip(posts, vals_list, strict=True):
            post._submit_imported(vals.get('import_status'))
        return posts

    def _load_records_write(self, values):
        result = super()._load_records_write(values)
        self._submit_imported(values.get('import_status'))
        return result

    def _submit_imported(self, status):
        """Submit a post whose row says so; what is wrong becomes the message of its row."""
        if status != 'scheduled' or self.step != 'draft':
            return
        if self.schedule != 'later':
            raise ValidationError(
                self.env._('An import publishes nothing at once: give a wall time.')
            )
        self.action_submit()


class SocialCrmAccount(models.Model):
    """Accounts are found by what is shown of them, too."""

    _inherit = 'social.crm.account'
    _rec_names_search = ['name', 'handle']

    @api.model
    def _search_display_name(self, operator, value):
        domain = super()._search_display_name(operator, value)
        if operator == 'in':
            domain |= Domain.OR(self._shown_as(one) for one in value)
        elif operator == 'ilike' and value.startswith('@'):
            domain |= Domain('handle', 'ilike', value[1:])
        return domain

    @api.model
    def _shown_as(self, written):
        """Return the domain of accounts that are shown as ``@handle`` or ``@handle (Network)``."""
        parts = isinstance(written, str) and _SHOWN.fullmatch(written.strip())
        if not parts:
            return Domain.FALSE
        domain = Domain('handle', '=ilike', parts['handle'].replace('_', r'\_'))
        if not parts['network']:
            return domain
        label = parts['network'].casefold()
        codes = [code for code, one in self._selection_network() if one.casefold() == label]
        return domain & Domain('network', 'in', codes)


class IrFieldsConverter(models.AbstractModel):
    _inherit = 'ir.fields.converter'

    @api.model
    def db_id_for(self, model, field, subfield, value, savepoint):
        """Refuse a name that several accounts have: a post must not go out by a wrong one."""
        if field.comodel_name != 'social.crm.account' or subfield is not None:
            return super().db_id_for(model, field, subfield, value, savepoint)
        value = value.strip()
        found, warnings = super().db_id_for(model, field, subfield, value, savepoint)
        if warnings:
            raise self._format_import_error(
                ValueError,
                self.env._(
                    "Several accounts are called '%s' in field '%%(field)s': write handle and "
                    'network, as they are shown.'
                ),
                value,
            )
        return found, warnings
