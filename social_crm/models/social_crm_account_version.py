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
        for account in self:
            adapter = adapter_class(account.network) if account.network else None
            account.api_warning = adapter and version_warning(self.env, adapter)


def version_warning(env, adapter):
    """Return what to tell of the end of the API version that an adapter speaks; ``False`` long
    before it."""
    today = fields.Date.today()
    ends = adapter.api_ends
    if not ends or ends > today + WARN_AHEAD:
        return False
    values = {
        'network': adapter.label,
        'version': adapter.api_version,
        'date': format_date(env, ends),
    }
    if ends >= today:
        return env._(
            '%(network)s serves version %(version)s of its API until %(date)s. Update Social CRM '
            'before then: afterwards nothing will work.',
            **values,
        )
    return env._(
        '%(network)s served version %(version)s of its API until %(date)s. Update Social CRM if '
        'calls are refused.',
        **values,
    )
