"""What X pushes: the proof of the address, the signature, and that something is new.

Both are made with the app's API secret (that of OAuth 1.0a, not the client secret), in the same
way. So whoever has an address proved could have a push signed, if a push could be given as the
token: tokens that hold more than letters, digits and a few marks are refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping

from .base import Provider
from .errors import Rejected
from .types import Push

_TOKEN = re.compile(r'[A-Za-z0-9_+/=.~-]{1,500}')
_PREFIX = 'sha256='
#: Stream in which the news of an event is found, by the beginning of the event's name.
_STREAMS = {
    'post.mention.': 'mentions',
    'post.reply.': 'mentions',
    'post.quote.': 'mentions',
    'dm.received': 'messages',
    'dm.sent': 'messages',
    'chat.received': 'messages',
}
_REVOKED = 'oauth.revoke'


class Webhook(Provider):
    """An event tells that something is new; what it is, is fetched: events come in two spellings,
    and without much of what an item needs."""

    def answer_handshake(self, params: Mapping[str, str]) -> str:
        """Return the JSON that proves that the API secret is known here; asked each hour or so."""
        token = params.get('crc_token', '')
        if not _TOKEN.fullmatch(token):
            raise Rejected('There is no token', 'crc_token')
        return json.dumps({'response_token': self._signature(token.encode())})

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """See :meth:`.Provider.verify_webhook`."""
        given = headers.get('x-twitter-webhooks-signature', '').strip()
        if not hmac.compare_digest(given.encode(), self._signature(body).encode()):
            raise Rejected('The signature is wrong', 'signature')

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Push, ...]:
        """Return that mentions or messages are there to be fetched, or that the grant is gone."""
        try:
            event = json.loads(body)['data']
            kind, person = event['event_type'], (event.get('filter') or {}).get('user_id')
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise Rejected('The push cannot be read', 'bad_push') from None
        if not isinstance(kind, str) or not isinstance(person, str) or not person.isdigit():
            return ()
        if kind.startswith(_REVOKED):
            return (Push('deauthorized', person, person_id=person),)
        for start, stream in _STREAMS.items():
            if kind.startswith(start):
                return (Push('poll', person, stream),)
        return ()

    def _signature(self, message: bytes) -> str:
        if not self.app.webhook_secret:
            raise Rejected('The app has no API secret', 'no_secret')
        digest = hmac.new(self.app.webhook_secret.encode(), message, hashlib.sha256).digest()
        return f'{_PREFIX}{base64.b64encode(digest).decode()}'
