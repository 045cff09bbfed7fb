from odoo import http
from odoo.http import request

from ..models.social_crm_app import CALLBACK_PATH
from ..providers.bluesky_oauth import LOOPBACK_PATH, METADATA_PATH


class SocialCrmBluesky(http.Controller):
    """What login servers of the AT Protocol fetch about us; public, and without any secret."""

    @http.route(METADATA_PATH, type='http', auth='public', methods=['GET'], save_session=False)
    def client_metadata(self):
        """Tell who we are: this address is our client id, since nobody registers there."""
        # sudo: the public halves of the keys of all companies are told, to whoever asks
        document = request.env['social.crm.app'].sudo()._bluesky_client_metadata()
        headers = [('Cache-Control', 'public, max-age=300'), ('Access-Control-Allow-Origin', '*')]
        return request.make_json_response(document, headers)

    @http.route(LOOPBACK_PATH, type='http', auth='none', methods=['GET'], save_session=False)
    def come_home(self, **_params):
        """Go on to the callback at *localhost*, where the session is.

        The network takes no name for this machine, and sends back to its address.
        """
        host, _, port = request.httprequest.host.partition(':')
        if host != '127.0.0.1':
            raise request.not_found()
        query = request.httprequest.query_string.decode('ascii', 'replace')
        home = f'http://localhost:{port}' if port.isdecimal() else 'http://localhost'
        return request.redirect(f'{home}{CALLBACK_PATH}?{query}', local=False)
