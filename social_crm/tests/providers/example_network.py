"""A complete small network: a guest book that is read as mentions. See docs/add-a-network.md."""

from datetime import datetime

from social_crm.providers import Provider
from social_crm.providers.errors import NotSupported
from social_crm.providers.types import Item, Limits, Page, Profile, Unreadable

API = 'https://guestbook.example/api'


class Guestbook(Provider):
    """Entries have a number that only grows: the last one read is the cursor."""

    code = 'guestbook'
    label = 'Guest Book'
    capabilities = {'mentions': ('read',)}
    default_limits = Limits(text_length=280)

    @classmethod
    def default_streams(cls):
        return ('mentions',)

    def fetch(self, stream, cursor, *, query='', since=None):
        if stream != 'mentions':
            raise NotSupported()
        params = {'after': cursor or '0', 'limit': '50'}
        if since and not cursor:
            params['since'] = since.isoformat()
        rows = self.http.json('GET', f'{API}/entries', params=params)
        page = self._page(rows)
        last = str(rows[-1]['id']) if rows else cursor or '0'
        return Page(page.items, page.unreadable, last, len(rows) == 50)

    def read(self, stream, payload):
        return self._page([payload])

    def _page(self, rows):
        items, unreadable = [], []
        for row in rows:
            try:
                items.append(_item(row))
            except (KeyError, TypeError, ValueError) as error:
                unreadable.append(Unreadable(row, f'{type(error).__name__}: {error}'))
        return Page(tuple(items), tuple(unreadable))


def _item(row):
    guest = row['guest']
    return Item(
        kind='mention',
        external_id=f'guestbook:{row["id"]}',
        author=Profile(external_id=guest['id'], handle=guest['name'], name=guest['name']),
        text=row['text'].replace('\x00', ''),
        posted_at=datetime.fromisoformat(row['written_at']),
        raw=row,
    )
