from odoo import api, fields, models

from odoo.addons.social_crm.models.social_crm_stream import RUN_SECONDS
from odoo.addons.social_crm.receiving import THREADS, Receiver

from ..helpers import MOST, call_helpers


class SocialCrmStream(models.Model):
    _inherit = 'social.crm.stream'

    @api.model
    def _cron_receive(self):
        """Receive as ever, together with helpers where more streams are due than threads."""
        due = self.search_count(
            [('next_due', '<=', fields.Datetime.now()), ('account_id.state', '=', 'connected')],
            limit=(MOST + 1) * THREADS,
        )
        call_helpers(self.browse(), '_help_receive', due, THREADS)
        return super()._cron_receive()

    @api.model
    def _help_receive(self):
        """Job: receive beside the scheduled action, as long as one run of it takes."""
        Receiver(self.browse()).run(RUN_SECONDS)
