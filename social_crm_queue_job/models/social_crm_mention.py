from odoo import api, models

from odoo.addons.social_crm.models.social_crm_mention_act import ACT_BATCH

from ..helpers import MOST, call_helpers


class SocialCrmMention(models.Model):
    _inherit = 'social.crm.mention'

    @api.model
    def _cron_act(self):
        """Act as ever, together with helpers where more than a batch waits."""
        if not self.env.context.get('social_crm_helper'):
            pending = [('act_state', '=', 'pending')]
            waiting = self.search_count(pending, limit=(MOST + 1) * ACT_BATCH)
            call_helpers(self.browse(), '_help_act', waiting, ACT_BATCH)
        return super()._cron_act()

    @api.model
    def _help_act(self):
        """Job: act on mentions beside the scheduled action, until none waits."""
        self.with_context(social_crm_helper=True)._cron_act()
