from odoo import models


class UtmMedium(models.Model):
    _inherit = 'utm.medium'

    @property
    def SELF_REQUIRED_UTM_MEDIUMS_REF(self):
        """Keep the medium that all leads and links from networks have from being deleted."""
        own = {'social_crm.utm_medium_social': 'Social'}
        return {**super().SELF_REQUIRED_UTM_MEDIUMS_REF, **own}
