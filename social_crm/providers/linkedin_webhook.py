"""What LinkedIn pushes: the proof of the address, the signature, the news."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from .base import Provider
from .errors import Rejected
from .linkedin_items import ACTION_PUSHES, BAD, ORGANIZATION, PERSON, Reader
from .linkedin_leads import withdrawn
from .types import Item, Page, Push, Unreadable

_CHALLENGE = re.compile(r'[\w.-]{1,100}')
_PREFIX = 'hmacsha256='


class Webhook(Provider):
    """The app's secret is the key of both: the proof, and the signatures of pushes."""

    def answer_handshake(self, params: Mapping[str, str]) -> str:
        """Return the JSON that proves that the app's secret is known here; asked each two hours."""
        challenge = params.get('challengeCode', '')
        if not _CHALLENGE.fullmatch(challenge):
            raise Rejected('There is no challenge', 'challenge')
        response = self._digest(challenge.encode())
        return json.dumps({'challengeCode': challenge, 'challengeResponse': response})

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """See :meth:`.Provider.verify_webhook`; what is signed starts with a fixed word."""
        given = headers.get('x-li-signature', '').strip().removeprefix(_PREFIX)
        expected = self._digest(_PREFIX.encode() + body)
        if not hmac.compare_digest(given.lower().encode(), expected.encode()):
            raise Rejected('The signature is wrong', 'signature')

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Push, ...]:
        """Return comments and mentions, and that leads are there to be fetched.

        A push of leads names an ad account and no organisation, and then all accounts of this app
        are meant: ``account_id`` is empty.
        """
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise Rejected('The push cannot be read', 'bad_push')
        if data.get('type') == ACTION_PUSHES:
            return self._actions(data.get('notifications'))
        if data.get('type') == 'LEAD_ACTION':
            return (self._lead(data),)
        return ()

    def _actions(self, notifications: Any) -> tuple[Push, ...]:
        pages: dict[str, list[Any]] = {}
        for entry in notifications if isinstance(notifications, list) else []:
            urn = entry.get('organizationalEntity') if isinstance(entry, dict) else None
            if isinstance(urn, str) and urn.startswith(ORGANIZATION):
                pages.setdefault(urn, []).append(entry)
        return tuple(
            Push('items', urn, 'notifications', _page(urn, entries))
            for urn, entries in pages.items()
        )

    def _lead(self, data: Mapping[str, Any]) -> Push:
        owner = data.get('owner')
        urn = owner.get('organization') if isinstance(owner, dict) else ''
        urn = urn if isinstance(urn, str) else ''
        if data.get('leadAction') == 'DELETED':
            try:
                return Push('items', urn, 'lead_forms', Page((withdrawn(data),)))
            except BAD:
                raise Rejected('The push cannot be read', 'bad_push') from None
        return Push('poll', urn, 'lead_forms')

    def _digest(self, message: bytes) -> str:
        if not self.app.client_secret:
            raise Rejected('The app has no secret', 'no_secret')
        return hmac.new(self.app.client_secret.encode(), message, hashlib.sha256).hexdigest()


def _page(urn: str, entries: list[Any]) -> Page:
    """Return what was pushed to an organisation; of members only the number is told, so that what
    they wrote is completed before it is shown."""
    items, bad = Reader(urn).page(entries, 'notifications')
    bare = [item for item in items if _by_somebody(item)]
    named = [
        Unreadable(item.raw, 'Its author was named only', item.external_id, incomplete=True)
        for item in bare
    ]
    return Page(tuple(item for item in items if item not in bare), (*bad, *named))


def _by_somebody(item: Item) -> bool:
    return not (item.own or item.deleted) and item.author.external_id.startswith(PERSON)
