from odoo import fields, models

from ..tools import naive

RESERVE = 0.2  # this part of an account's calls is kept for the inbox


class SocialCrmAccount(models.Model):
    """Looking people up must not use up what the inbox needs."""

    _inherit = 'social.crm.account'

    lookups_paused_until = fields.Datetime(readonly=True, copy=False)

    def _spare_calls(self, rate_limit):
        """Keep a part of the account's calls for the inbox: look-ups wait for the next window."""
        if not rate_limit or rate_limit.remaining is None or not rate_limit.reset:
            return
        if rate_limit.remaining < (rate_limit.limit or 100) * RESERVE:
            self.lookups_paused_until = naive(rate_limit.reset)
