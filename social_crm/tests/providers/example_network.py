"""A complete small network: a guest book to sign in to, read, answer and post in.

See docs/add-a-network.md.
"""

from contextlib import suppress
from datetime import datetime
from urllib.parse import quote

from social_crm.providers import Provider, oauth2
from social_crm.providers.errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    Transient,
)
from social_crm.providers.text import required_id
from social_crm.providers.types import (
    Authorization,
    Item,
    Limits,
    Metrics,
    Page,
    Profile,
    Sent,
    Unreadable,
)

API = 'https://guestbook.example/api'
PAGE = 50
#: What reading raises where something is missing; everything else is a bug and must be seen.
BAD = (KeyError, TypeError, ValueError)


class Guestbook(Provider):
    """Entries have a number that only grows: the last one seen is the cursor."""

    code = 'guestbook'
    label = 'Guest Book'
    capabilities = {
        'mentions': ('read',),
        'reply': ('write',),
        'publish': ('write',),
        'metrics': ('read',),
        'profile': ('read',),
    }
    features = frozenset({'pkce', 'revoke', 'idempotency_key', 'find_sent', 'delete'})
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
            self._token(),
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
        )

    def whoami(self):
        return _readable(_profile, self._get('/me'), Transient)

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls):
        return ('mentions',)

    def fetch(self, stream, cursor, *, query='', since=None):
        if stream != 'mentions':
            raise NotSupported()
        after = int(cursor) if cursor.isdigit() else None
        if after is None:
            # Asked for first, so that nothing is lost that comes meanwhile.
            newest = _last_id(self._get('/entries', list, params={'newest': '1'}), 0)
            if not since:
                return Page(next_cursor=str(newest))
            rows = self._get('/entries', list, params={'since': since.isoformat()})
            after = newest if not rows else 0
        else:
            rows = self._get('/entries', list, params={'after': str(after)})
        page = self._page(rows)
        return Page(page.items, page.unreadable, str(_last_id(rows, after)), len(rows) == PAGE)

    def read(self, stream, payload):
        return self._page([payload])

    # --- send ------------------------------------------------------------------------------------

    def send(self, outgoing, key):
        values = {'text': self.compose(outgoing), 'answers': outgoing.target, 'key': key}
        row = self.http.json(
            'POST', f'{API}/entries', token=self._token(), json=values, writes=True
        )
        return _readable(_sent, row, OutcomeUnknown)

    def find_sent(self, outgoing, key, since):
        rows = self._get('/entries', list, params={'key': key, 'since': since.isoformat()})
        return _readable(_sent, rows[0], Transient) if rows else None

    def delete(self, external_id, local_id=''):
        with suppress(NotFound):  # it is gone already
            self.http.request('DELETE', f'{API}/entries/{local_id}', token=self._token())

    # --- look up ---------------------------------------------------------------------------------

    def metrics(self, ids):
        rows = self._get('/entries', list, params={'ids': ','.join(ids)})
        return {str(row['id']): Metrics(likes=row['likes']) for row in rows}

    def profile(self, handle):
        path = f'/guests/{quote(handle, safe="")}'
        return _readable(_profile, self._get(path), Transient)

    # --- calls -----------------------------------------------------------------------------------

    def _token(self):
        if not self.token:
            raise AuthorizationLost('There is no token', 'no_token')
        return self.token.access_token

    def _get(self, path, expect=dict, **kwargs):
        return self.http.json('GET', f'{API}{path}', expect, token=self._token(), **kwargs)

    def _page(self, rows):
        items, unreadable = [], []
        for row in rows:
            try:
                items.append(_item(row))
            except BAD as error:
                unreadable.append(Unreadable(row, f'{type(error).__name__}: {error}'))
        return Page(tuple(items), tuple(unreadable))


def _readable(read, row, error):
    """Return what ``read`` makes of an answer; raise ``error`` when it is no such thing."""
    try:
        return read(row)
    except BAD:
        raise error('The server did not answer in the expected form', 'bad_answer') from None


def _last_id(rows, default):
    """Return the highest number in a page, also of entries that cannot be read otherwise."""
    numbers = (row.get('id') for row in rows if isinstance(row, dict))
    return max((number for number in numbers if isinstance(number, int)), default=default)


def _profile(guest):
    return Profile(external_id=guest['id'], handle=guest['name'], name=guest['name'])


def _sent(row):
    number, moment = required_id(row['id']), datetime.fromisoformat(row['written_at'])
    return Sent(f'guestbook:{number}', local_id=number, sent_at=moment)


def _item(row):
    return Item(
        kind='mention',
        external_id=f'guestbook:{row["id"]}',
        local_id=str(row['id']),
        author=_profile(row['guest']),
        text=row['text'],
        posted_at=datetime.fromisoformat(row['written_at']),
        raw=row,
    )
