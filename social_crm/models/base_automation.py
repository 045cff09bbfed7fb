from odoo import models


class BaseAutomation(models.Model):
    _inherit = 'base.automation'

    def _update_registry(self):
        """Let the receive loop know whether an automation waits for new mentions."""
        self.env.registry.clear_cache()
        return super()._update_registry()
