"""What Meta pushes, brought into the form in which the same things are read.

A push holds entries of several accounts. What it tells of a comment, a mention or a message becomes
a dict like the one that the Graph API gives for it, so that one reader reads both. Leads are only a
reason to look; what is named without its text is to be completed.

A form with a ``signed_request`` tells that a person took the app's grant back, or asks for the
deletion of their data: Meta posts both alike, and the address says which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from .answers import Answer
from .errors import Rejected
from .meta import parse_signed_request, verify_webhook
from .types import App, Item, Page, Push, Unreadable

#: What a reader of items gives: items and what could not be read, oldest first.
Read = Callable[[str, list[dict[str, Any]], str], 'tuple[tuple[Item, ...], tuple[Unreadable, ...]]']
#: An event: the stream, and the entry for its reader; ``None`` is a reason to look there.
Event = tuple[str, 'dict[str, Any] | None']

#: In an entry that a push names by its ids alone: the text has to be fetched.
NAMED = 'named'

_REMOVED = {'remove', 'delete'}
_EDITED = {'edit', 'edited', 'update'}
_POSTS = {'status', 'post', 'photo', 'video', 'share', 'link', 'album'}


def verify_push(app: App, headers: Mapping[str, str], body: bytes) -> None:
    """Check a push by its header, or a form by the signature in it.

    :raise Rejected: when it was not signed with the app's secret
    """
    form = _signed_request(body)
    if form is None:
        verify_webhook(app, headers, body)
    else:
        parse_signed_request(app, form)


def parse_push(app: App, body: bytes, objects: set[str], read: Read) -> tuple[Push, ...]:
    """Return what a verified push tells.

    :param objects: kinds of objects of interest (``page``, ``instagram``)
    :param read: reads the entries of a stream for an account: ``read(stream, entries, account)``
    :raise Rejected: when it is no push
    """
    form = _signed_request(body)
    if form is not None:
        return (Push('deauthorized', person_id=parse_signed_request(app, form)['user_id']),)
    data = Answer(200, {}, body, '').json()  # without what no database takes
    if not isinstance(data, dict) or not isinstance(data.get('entry'), list):
        raise Rejected('Not a push', 'bad_push')
    if data.get('object') not in objects:
        return ()
    pushes: list[Push] = []
    for (account, stream), entries in _by_stream(data['entry']).items():
        rows = [entry for entry in entries if entry is not None]
        named = [entry for entry in rows if NAMED in entry]
        if rows:
            items, bad = read(stream, [entry for entry in rows if NAMED not in entry], account)
            page = Page(items, (*bad, *map(_incomplete, named)))
            pushes.append(Push('items', account, stream, page))
        if len(rows) < len(entries):
            pushes.append(Push('poll', account, stream))
    return tuple(pushes)


def _incomplete(entry: dict[str, Any]) -> Unreadable:
    return Unreadable(entry, 'It was named only', str(entry.get('id') or ''), incomplete=True)


def _signed_request(body: bytes) -> str | None:
    if not body.startswith(b'signed_request='):
        return None
    return parse_qs(body.decode('ascii', 'replace')).get('signed_request', [''])[0]


def _by_stream(entries: Iterable[Any]) -> dict[tuple[str, str], list[dict[str, Any] | None]]:
    found: dict[tuple[str, str], list[dict[str, Any] | None]] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not entry.get('id'):
            continue
        account = str(entry['id'])
        for stream, row in _events(entry, account):
            found.setdefault((account, stream), []).append(row)
    return found


def _events(entry: Mapping[str, Any], account: str) -> Iterator[Event]:
    for row in (*_dicts(entry.get('changes')), entry):  # some products put it on the entry itself
        value = row.get('value')
        if isinstance(value, dict):
            yield from _change(str(row.get('field')), value, account, entry.get('time'))
    for name in ('messaging', 'standby'):
        for row in _dicts(entry.get(name)):
            message = _message(row, account)
            if message:
                yield 'messages', message


def _change(name: str, value: Mapping[str, Any], account: str, time: Any) -> Iterator[Event]:
    if name == 'feed':
        yield from _feed(value, account)
    elif name == 'mention':
        yield 'mentions', _mention(value)
    elif name in {'leadgen', 'leadgen_update'}:
        yield 'lead_forms', None
    elif name in {'comments', 'live_comments'}:
        yield 'comments', _instagram_comment(value, time)
    elif name == 'mentions':  # ids only
        number = value.get('comment_id') or value.get('media_id')
        yield 'mentions', {**value, 'id': number, NAMED: True}
    elif name == 'messages':
        message = _message(value, account)
        if message:
            yield 'messages', message


# --- Facebook -------------------------------------------------------------------------------------


def _feed(value: Mapping[str, Any], account: str) -> Iterator[Event]:
    """Yield a comment, or a post of a visitor; reactions and own posts are no items."""
    item = value.get('item')
    author = _author(value)
    if item == 'comment':
        post, parent = str(value.get('post_id') or ''), str(value.get('parent_id') or '')
        row = {'id': value.get('comment_id'), 'post_id': post, **_common(value, author)}
        if parent and parent != post:
            row['parent'] = {'id': parent}
        yield 'comments', row
    elif item in _POSTS and str(author.get('id')) != account:
        yield 'comments', {'id': value.get('post_id'), 'is_post': True, **_common(value, author)}


def _mention(value: Mapping[str, Any]) -> dict[str, Any]:
    row = _common(value, _author(value))
    if value.get('item') == 'comment':
        return {'id': value.get('comment_id'), 'post_id': value.get('post_id'), **row}
    return {'id': value.get('post_id'), 'is_post': True, **row}


def _author(value: Mapping[str, Any]) -> dict[str, Any]:
    given = value.get('from')
    if isinstance(given, dict):
        return given
    if not value.get('sender_id'):
        return {}
    return {'id': str(value['sender_id']), 'name': value.get('sender_name') or ''}


def _common(value: Mapping[str, Any], author: Mapping[str, Any]) -> dict[str, Any]:
    row = {'message': value.get('message') or '', 'created_time': value.get('created_time')}
    if author:
        row['from'] = dict(author)
    verb = value.get('verb')
    if verb in _REMOVED:
        row['removed'] = True
    elif verb in _EDITED:
        row['edited'] = True
    if isinstance(value.get('photo') or value.get('link'), str):
        row['attachment'] = {'media': {'image': {'src': value.get('photo') or value['link']}}}
    return row


# --- Instagram, messages --------------------------------------------------------------------------


def _instagram_comment(value: Mapping[str, Any], time: Any) -> dict[str, Any]:
    media = value.get('media') if isinstance(value.get('media'), dict) else {}
    row = {key: value[key] for key in ('from', 'parent_id', 'text') if key in value}
    number = value.get('id') or value.get('comment_id')
    # The comment has no time of its own; that of the push is a little later.
    return {
        'id': number,
        'media_id': media.get('id') if media else None,
        'timestamp': time,
        **row,
    }


def _message(row: Mapping[str, Any], account: str) -> dict[str, Any] | None:
    """Return a message or a pressed button; receipts and reactions are none."""
    message, postback = row.get('message'), row.get('postback')
    content = message if isinstance(message, dict) else postback
    if not isinstance(content, dict):
        return None
    sender, recipient = _id_of(row.get('sender')), _id_of(row.get('recipient'))
    if content.get('is_echo') or content.get('is_self'):
        sender = account
    found: dict[str, Any] = {
        'id': content.get('mid'),
        'message': content.get('text') or content.get('title') or '',
        'created_time': row.get('timestamp'),
        'from': {'id': sender},
        'to': {'data': [{'id': recipient}]},
    }
    if content.get('is_deleted'):
        found['removed'] = True
    if isinstance(content.get('attachments'), list):
        found['attachments'] = {'data': content['attachments']}
    return found


def _id_of(value: Any) -> str:
    return str(value.get('id') or '') if isinstance(value, dict) else ''


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
