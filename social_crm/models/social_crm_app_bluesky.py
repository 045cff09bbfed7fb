from odoo import api, models

from ..providers import adapter_class
from ..providers.bluesky_oauth import client_metadata
from .social_crm_app import CALLBACK_PATH


class SocialCrmApp(models.Model):
    """The client of the AT Protocol: it registers nowhere, and tells of itself at its address."""

    _inherit = 'social.crm.app'

    @api.model
    def _bluesky_client_metadata(self):
        """Return the document by which login servers know us, with the keys of all companies."""
        website = self.get_base_url()
        apps = self.search([('network', '=', 'bluesky'), ('secret', '!=', False)])
        return client_metadata(
            website,
            name=self.env['res.company'].search([], order='id', limit=1).name,
            redirect_uri=website + CALLBACK_PATH,
            scopes=adapter_class('bluesky').all_scopes(),
            keys=[app._as_app().client_secret for app in apps],
        )
