"""What the networks send by themselves: news of accounts, withdrawn permissions, deletions."""

import logging
from urllib.parse import urlencode

from odoo import SUPERUSER_ID, http
from odoo.http import request

from ..models.social_crm_app_webhook import WEBHOOK_PATH, NotReadable
from ..models.social_crm_erasure_request import STATUS_PATH
from ..providers.errors import NotSupported, Rejected
from ..tools import RareLog

LARGEST = 1024 * 1024  # bytes; a thousand changes, the most that a network puts into one push
FORMS = ('application/x-www-form-urlencoded', 'multipart/form-data')
NETWORK = WEBHOOK_PATH + '/<string:network>'

_log = RareLog(logging.getLogger(__name__))

#: How networks call: as nobody, with a body that is not larger than it need be.
PUSHED = {
    'type': 'http',
    'auth': 'public',
    'methods': ['POST'],
    'csrf': False,
    'save_session': False,
    'max_content_length': LARGEST,
}


class SocialCrmWebhook(http.Controller):
    """Everything here is public: nothing is read or written before the signature is verified."""

    @http.route(
        [NETWORK, NETWORK + '/<int:app_id>'],
        type='http',
        auth='public',
        methods=['GET'],
        csrf=False,
        save_session=False,
    )
    def handshake(self, network, app_id=None, **params):
        """Prove that the address is ours."""
        try:
            body = self._apps(network, app_id)._answer_handshake(dict(request.httprequest.args))
        except (NotSupported, Rejected) as error:
            return self._refuse(network, error)
        kind = 'application/json' if body.startswith('{') else 'text/plain'
        return request.make_response(
            body,
            [('Content-Type', f'{kind}; charset=utf-8'), ('X-Content-Type-Options', 'nosniff')],
        )

    @http.route(
        [NETWORK, NETWORK + '/<int:app_id>'],
        **PUSHED,
    )
    def push(self, network, app_id=None, **_params):
        """Store what is new, or have it fetched soon."""
        return self._take(network, app_id, '_take_news', lambda _done: '')

    @http.route(
        NETWORK + '/deauthorize',
        **PUSHED,
    )
    def deauthorize(self, network, **_params):
        """A person took the permission back on the network's own page."""
        return self._take(network, None, '_take_deauthorization', lambda _done: '')

    @http.route(
        NETWORK + '/delete',
        **PUSHED,
    )
    def delete(self, network, **_params):
        """A person asks, by the network, for the deletion of their data."""
        return self._take(
            network,
            None,
            '_take_erasure',
            lambda code: request.make_json_response(
                {
                    'url': request.env['social.crm.erasure.request']._status_url(code),
                    'confirmation_code': code,
                }
            ),
        )

    @http.route(STATUS_PATH + '/<string:code>', type='http', auth='public', methods=['GET'])
    def erasure_status(self, code):
        """Tell a person what became of their request; the code is all that they need."""
        # sudo: the person has no user here, and the code is the proof
        status = request.env['social.crm.erasure.request'].sudo()._status(code)
        return request.render(
            'social_crm.erasure_status',
            {'status': status, 'confirmation': code},
            status=200 if status else 404,
        )

    def _take(self, network, app_id, method, answer):
        headers = {name.lower(): value for name, value in request.httprequest.headers.items()}
        try:
            done = getattr(self._apps(network, app_id), method)(headers, _body())
        except (NotSupported, Rejected) as error:
            return self._refuse(network, error)
        return answer(done) or request.make_response('', status=200)

    def _apps(self, network, app_id):
        # Superuser: the network has no user here, and a public one would own what is stored.
        request.update_env(user=SUPERUSER_ID)
        return request.env['social.crm.app']._for_webhook(network, app_id)

    def _refuse(self, network, error):
        if isinstance(error, NotSupported):
            status, reason = 404, 'unknown network'
        elif isinstance(error, NotReadable):
            status, reason = 400, 'not readable'
        else:
            status, reason = 403, 'not verified'
        _log.info(status, 'webhook of %r refused: %s', network[:50], reason)
        return request.make_response(
            reason, [('Content-Type', 'text/plain; charset=utf-8')], status=status
        )


def _body():
    """Return the raw body; of a form its text again, since Odoo has read the form already."""
    if request.httprequest.mimetype in FORMS:
        return urlencode(list(request.httprequest.form.items(multi=True))).encode()
    return request.httprequest.get_data()
