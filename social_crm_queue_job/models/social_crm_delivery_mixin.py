from odoo import api, fields, models

from odoo.addons.social_crm.delivery import WORKERS

from ..helpers import MOST, call_helpers


class SocialCrmDeliveryMixin(models.AbstractModel):
    _inherit = 'social.crm.delivery.mixin'

    @api.model
    def _cron_deliver(self):
        """Send as ever, together with helpers where more is due than there are threads."""
        due = [('delivery_state', '=', 'queued'), ('due_at', '<=', fields.Datetime.now())]
        waiting = sum(
            model.search_count(due, limit=(MOST + 1) * WORKERS) for model in self._delivery_models()
        )
        call_helpers(self.browse(), '_help_deliver', waiting, WORKERS)
        return super()._cron_deliver()

    @api.model
    def _help_deliver(self):
        """Job: send beside the scheduled action, until nothing is due."""
        return self._deliver_due()
