"""A complete small network: a guest book to sign in to, read, and answer in.

See docs/add-a-network.md.
"""

from datetime import datetime

from social_crm.providers import Provider, oauth2
from social_crm.providers.errors import NotSupported
from social_crm.providers.types import (
    Authorization,
    Item,
    Limits,
    Page,
    Profile,
    Sent,
    Unreadable,
)

API = 'https://guestbook.example/api'


class Guestbook(Provider):
    """Entries have a number that only grows: the last one read is the cursor."""

    code = 'guestbook'
    label = 'Guest Book'
    capabilities = {'mentions': ('read',), 'reply': ('write',), 'publish': ('write',)}
    features = frozenset({'pkce', 'revoke', 'idempotency_key', 'find_sent'})
    default_limits = Limits(text_length=280)

    # --- connect ---------------------------------------------------------------------------------

    def authorize_url(self, *, state, challenge, scopes, hint=''):
        url = oauth2.authorize_url(
            f'{API}/authorize',
            client_id=self.app.client_id,
            redirect_uri=self.app.redirect_uri,
            scopes=scopes,
            state=state,
            challenge=challenge,
        )
        return Authorization(url)

    def exchange_code(self, *, code, verifier, private, params):
        error = oauth2.callback_error({**params, 'code': code})
        if error:
            raise error
        answer = oauth2.request_token(
            self.http,
            f'{API}/token',
            grant_type='authorization_code',
            code=code,
            code_verifier=verifier,
            redirect_uri=self.app.redirect_uri,
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
        )
        return oauth2.read_token(answer)

    def revoke(self):
        oauth2.revoke(
            self.http,
            f'{API}/revoke',
            self.token.access_token,
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
        )

    def whoami(self):
        return _profile(self._get('/me'))

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls):
        return ('mentions',)

    def fetch(self, stream, cursor, *, query='', since=None):
        if stream != 'mentions':
            raise NotSupported()
        params = {'after': cursor or '0', 'limit': '50'}
        if since and not cursor:
            params['since'] = since.isoformat()
        rows = self._get('/entries', list, params=params)
        page = self._page(rows)
        last = str(rows[-1]['id']) if rows else cursor or '0'
        return Page(page.items, page.unreadable, last, len(rows) == 50)

    def read(self, stream, payload):
        return self._page([payload])

    # --- send ------------------------------------------------------------------------------------

    def send(self, outgoing, key):
        values = {'text': self.compose(outgoing), 'answers': outgoing.target, 'key': key}
        token = self.token.access_token
        row = self.http.json('POST', f'{API}/entries', token=token, json=values, writes=True)
        return _sent(row)

    def find_sent(self, outgoing, key, since):
        rows = self._get('/entries', list, params={'key': key})
        return _sent(rows[0]) if rows else None

    def _get(self, path, expect=dict, **kwargs):
        return self.http.json(
            'GET', f'{API}{path}', expect, token=self.token.access_token, **kwargs
        )

    def _page(self, rows):
        items, unreadable = [], []
        for row in rows:
            try:
                items.append(_item(row))
            except (KeyError, TypeError, ValueError) as error:
                unreadable.append(Unreadable(row, f'{type(error).__name__}: {error}'))
        return Page(tuple(items), tuple(unreadable))


def _profile(guest):
    return Profile(external_id=guest['id'], handle=guest['name'], name=guest['name'])


def _sent(row):
    return Sent(f'guestbook:{row["id"]}', local_id=str(row['id']))


def _item(row):
    return Item(
        kind='mention',
        external_id=f'guestbook:{row["id"]}',
        author=_profile(row['guest']),
        text=row['text'].replace('\x00', ''),
        posted_at=datetime.fromisoformat(row['written_at']),
        raw=row,
    )
