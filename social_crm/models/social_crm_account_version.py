from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date

from ..providers import adapter_class

WARN_AHEAD = timedelta(days=60)


class SocialCrmAccount(models.Model):
    """Versions of the networks' APIs end, and with them all calls that name one."""

    _inherit = 'social.crm.account'

    api_warning = fields.Char(compute='_compute_api_warning')

    @api.depends('network')
    def _compute_api_warning(self):
        labels = dict(self._selection_network())
        today = fields.Date.today()
        for account in self:
            adapter = adapter_class(account.network) if account.network else None
            ends = adapter and adapter.api_ends
            if not ends or ends > today + WARN_AHEAD:
                account.api_warning = False
                continue
            values = {
                'network': labels[account.network],
                'version': adapter.api_version,
                'date': format_date(self.env, ends),
            }
            if ends >= today:
                account.api_warning = self.env._(
                    '%(network)s serves version %(version)s of its API until %(date)s. Update '
                    'Social CRM before then: afterwards nothing will work.',
                    **values,
                )
            else:
                account.api_warning = self.env._(
                    '%(network)s served version %(version)s of its API until %(date)s. Update '
                    'Social CRM if calls are refused.',
                    **values,
                )
