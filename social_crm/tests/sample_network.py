"""A network in memory, shaped like those of companies with pages, forms and webhooks.

What the tests of Odoo's side need of such a network, and no HTTP: its real counterparts are tested
with their adapters. One login acts for several pages; pushes are signed with the client's secret.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, ClassVar
from urllib.parse import parse_qs

from odoo.addons.social_crm.providers import Provider
from odoo.addons.social_crm.providers.errors import AuthorizationLost, NotSupported, Rejected
from odoo.addons.social_crm.providers.types import (
    Authorization,
    BrandAccount,
    Item,
    LeadForm,
    Limits,
    Page,
    Profile,
    Push,
    Token,
    Unreadable,
)

CODE = 'sample'
ADAPTER = f'{__name__}:Sample'
SECRET = 'secret-of-sample'
SCOPES = ('read', 'write', 'leads')
STREAM_OF = {'feed': 'mentions', 'leadgen': 'lead_forms'}


@dataclass
class World:
    """What there is on the network."""

    pages: list[Profile] = field(default_factory=list)
    forms: list[LeadForm] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    leads: list[dict[str, Any]] = field(default_factory=list)
    lost: bool = False


class Sample(Provider):
    code = CODE
    label = 'Sample Network'
    capabilities = {
        'mentions': ('read',),
        'reply': ('write',),
        'publish': ('write',),
        'lead_forms': ('leads',),
    }
    features = frozenset(('webhook', 'brands', 'check_app'))
    default_limits = Limits(text_length=500)
    world: ClassVar[World] = World()

    # --- connect ---------------------------------------------------------------------------------

    def authorize_url(self, *, state, challenge, scopes, hint=''):
        return Authorization(
            f'https://sample.example/dialog?state={state}&scope={",".join(scopes)}'
        )

    def exchange_code(self, *, code, verifier, private, params):
        if code == 'bad':
            raise Rejected('This code was used', '100')
        return Token(f'login-token-{code}', scopes=SCOPES)

    def whoami(self):
        self._check()
        if self.token.access_token.startswith('page-token-'):
            number = self.token.access_token.removeprefix('page-token-')
            return next(page for page in self.world.pages if page.external_id == number)
        return Profile(external_id='person-1', handle='pat', name='Pat Person')

    def brand_accounts(self):
        self._check()
        return tuple(
            BrandAccount(page, Token(f'page-token-{page.external_id}', scopes=SCOPES))
            for page in self.world.pages
        )

    def check_app(self):
        if self.app.client_secret != SECRET:
            raise Rejected('Invalid client secret', '101')

    def _check(self):
        if self.world.lost:
            raise AuthorizationLost('Session has been invalidated', '190')

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls):
        return ('mentions', 'lead_forms')

    def fetch(self, stream, cursor, *, query='', since=None):
        self._check()
        rows = {'mentions': self.world.comments, 'lead_forms': self.world.leads}.get(stream)
        if rows is None:
            raise NotSupported()
        start = int(cursor or 0)
        found = rows[start : start + 100]
        page = self._page(stream, found)
        end = start + len(found)
        return Page(page.items, page.unreadable, str(end), end < len(rows))

    def read(self, stream, payload):  # pylint: disable=method-required-super  # no model
        return self._page(stream, [payload])

    def _page(self, stream, rows):
        items, unreadable = [], []
        for row in rows:
            try:
                items.append(_lead(row) if stream == 'lead_forms' else self._comment(row))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                unreadable.append(Unreadable(row, f'{type(error).__name__}: {error}'))
        return Page(tuple(items), tuple(unreadable))

    def _comment(self, row):
        author = row['from']
        return Item(
            kind='comment',
            external_id=row['comment_id'],
            author=Profile(external_id=author['id'], handle=author['name'], name=author['name']),
            text=row['message'],
            posted_at=datetime.fromtimestamp(row['created_time'], timezone.utc),
            deleted=row.get('verb') == 'remove',
            own=bool(self.me and author['id'] == self.me.external_id),
            raw=row,
        )

    def lead_forms(self):
        self._check()
        return tuple(self.world.forms)

    # --- webhook ---------------------------------------------------------------------------------

    def answer_handshake(self, params):
        word = params.get('hub.verify_token', '')
        if not self.app.verify_token or not hmac.compare_digest(word, self.app.verify_token):
            raise Rejected()
        return params.get('hub.challenge', '')

    def verify_webhook(self, headers, body):
        if body.startswith(b'signed_request='):
            signature, payload = parse_qs(body.decode())['signed_request'][0].split('.')
            wanted = _base64(_hmac(self.app.client_secret, payload.encode()).digest())
        else:
            signature = headers.get('x-hub-signature-256', '')
            wanted = 'sha256=' + _hmac(self.app.client_secret, body).hexdigest()
        if not hmac.compare_digest(signature.encode(), wanted.encode()):
            raise Rejected()

    def parse_webhook(self, headers, body):
        if body.startswith(b'signed_request='):
            payload = parse_qs(body.decode())['signed_request'][0].split('.')[1]
            person = json.loads(base64.urlsafe_b64decode(payload + '=='))['user_id']
            return (Push('deauthorized', person_id=person),)
        try:
            entries = json.loads(body)['entry']
        except (ValueError, KeyError) as error:
            raise Rejected(str(error)) from error
        return tuple(
            self._push(str(entry['id']), change)
            for entry in entries
            for change in entry['changes']
            if change['field'] in STREAM_OF
        )

    def _push(self, page_id, change):
        stream = STREAM_OF[change['field']]
        if change['field'] == 'leadgen':
            return Push('poll', page_id, stream)
        return Push('items', page_id, stream, self._page(stream, [change['value']]))


def _lead(row):
    person = f'lead:{row["id"]}'
    return Item(
        kind='lead_form',
        external_id=row['id'],
        author=Profile(
            external_id=person, handle=row['id'], name=row['answers'].get('full_name', '')
        ),
        text='\n'.join(f'{key}: {value}' for key, value in row['answers'].items()),
        posted_at=datetime.fromtimestamp(row['created_time'], timezone.utc),
        visibility='direct',
        fields=row['answers'],
        form_id=row['form_id'],
        attribution=row.get('attribution', {}),
        test=row.get('test', False),
        raw=row,
    )


# --- what the network does --------------------------------------------------------------------


def page(number, name):
    """Return a page of the network."""
    return Profile(
        external_id=number, handle=name.lower().replace(' ', ''), name=name, local_id=number
    )


def comment(number, text, author='Jana', **values):
    return {
        'comment_id': f'c{number}',
        'message': text,
        'from': {'id': f'user-{author}', 'name': author},
        'created_time': 1793610000 + number,
        **values,
    }


def push(page_id, *values, kind='feed'):
    """Return the body of a push about a page."""
    changes = [{'field': kind, 'value': value} for value in values]
    return json.dumps({'object': 'page', 'entry': [{'id': page_id, 'changes': changes}]}).encode()


def sign(body, secret=SECRET):
    """Return the headers of a signed push."""
    return {
        'content-type': 'application/json',
        'x-hub-signature-256': 'sha256=' + _hmac(secret, body).hexdigest(),
    }


def signed_request(person, secret=SECRET):
    """Return the form that tells of a person's decision."""
    payload = _base64(json.dumps({'user_id': person, 'algorithm': 'HMAC-SHA256'}).encode())
    return {'signed_request': f'{_base64(_hmac(secret, payload.encode()).digest())}.{payload}'}


def _hmac(secret, message):
    return hmac.new(secret.encode(), message, hashlib.sha256)


def _base64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip('=')
