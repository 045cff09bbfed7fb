"""Direct messages of Bluesky: a service of its own, which the data server passes calls on to.

The cursor is the newest revision that was read (revisions count up through all conversations) and,
in the midst of reading, the conversations that are left. A message that arrives meanwhile has a
newer revision than the round began with, and is left to the next one: nothing is lost, whenever
reading stops.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .bluesky_client import Client
from .bluesky_items import BAD, message_id, parse_time, utc_now
from .errors import NotFound, OutcomeUnknown, Rejected
from .text import required_text
from .types import Outgoing, Page, Sent

SCOPES = tuple(
    f'rpc:chat.bsky.convo.{method}?aud=*'
    for method in ('getConvoForMembers', 'getMessages', 'listConvos', 'sendMessage')
)
_PAGE = 100
_MOST_PAGES = 20


@dataclass
class Round:
    """How far the messages were read.

    :param after: the newest revision of the rounds before
    :param since: messages from before this are not wanted (ISO 8601)
    :param top: the newest revision when this round began
    :param todo: conversations that are left: pairs of id and the server's cursor inside it
    """

    after: str = ''
    since: str = ''
    top: str = ''
    todo: list[list[str]] = field(default_factory=list)

    @classmethod
    def start(cls, cursor: str, since: datetime | None) -> Round | None:
        """Return where a cursor stands, ``None`` for listening from now on."""
        try:
            data = json.loads(cursor)
            todo = [[str(convo), str(mark)] for convo, mark in data['todo']]
            return cls(str(data['after']), str(data['since']), str(data['top']), todo)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls(since=since.isoformat()) if since else None

    def cursor(self) -> str:
        """Return this as text to store."""
        return json.dumps(vars(self), separators=(',', ':'))

    def finished(self) -> Round:
        """Return where the next round begins."""
        return Round(self.top, self.since, self.top)

    def is_old(self, message: Mapping[str, Any]) -> bool:
        """Tell whether a message was read before, or is from before what is wanted."""
        try:
            if message['rev'] <= self.after:
                return True
            if not self.since:
                return False
            return parse_time(message['sentAt']) < datetime.fromisoformat(self.since)
        except BAD:
            return False

    def wants(self, message: Mapping[str, Any]) -> bool:
        """Tell whether a message belongs to this round."""
        return not self.is_old(message) and str(message.get('rev')) <= self.top


class Chat(Client):
    """Reading and sending direct messages."""

    @property
    def _may_chat(self) -> bool:
        return self.covers(self._grant.scopes or (), SCOPES)

    def _fetch_messages(self, cursor: str, since: datetime | None) -> Page:
        """Return the next page of messages; nothing, and quietly, where that was not granted."""
        if not self._may_chat:
            return Page(next_cursor=cursor)
        round_ = Round.start(cursor, since)
        if round_ is None:
            top = max(map(_revision, self._convos(Round(since=utc_now().isoformat()))), default='')
            return Page(next_cursor=Round(after=top, top=top).cursor())
        if not round_.todo:
            convos = self._convos(round_)
            round_.top = max([round_.after, *map(_revision, convos)])
            round_.todo = [[convo['id'], ''] for convo in convos]
        entries = self._next_entries(round_) if round_.todo else []
        items, bad = self._reader().page(entries, 'messages')
        more = bool(round_.todo)
        return Page(items, bad, (round_ if more else round_.finished()).cursor(), more)

    def _convos(self, round_: Round) -> list[dict[str, Any]]:
        """Return the conversations in which something happened that a round wants."""
        found: list[dict[str, Any]] = []
        mark = ''
        for _page in range(_MOST_PAGES):
            answer = self._get(
                'chat.bsky.convo.listConvos', chat=True, limit=_PAGE, cursor=mark or None
            )
            convos = [one for one in self._rows(answer, 'convos') if _is_convo(one)]
            found += [convo for convo in convos if _revision(convo) > round_.after]
            mark = str(answer.get('cursor') or '')
            last = convos[-1] if convos else None
            if not mark or not last or _revision(last) <= round_.after:
                break
            if round_.is_old(last.get('lastMessage') or {}):
                break  # the most lively ones come first
        return found

    def _next_entries(self, round_: Round) -> list[dict[str, Any]]:
        """Return what is new on the next page of the first conversation, newest first."""
        convo, mark = round_.todo[0]
        try:
            answer = self._messages(convo, mark)
        except NotFound:
            answer = {'messages': []}  # left meanwhile
        messages = _dicts(self._rows(answer, 'messages'))
        mark = str(answer.get('cursor') or '')
        if mark and messages and not round_.is_old(messages[-1]):
            round_.todo[0] = [convo, mark]
        else:
            del round_.todo[0]
        wanted = [message for message in messages if round_.wants(message)]
        members = self._members(answer, wanted)
        return [{'convo': convo, 'members': members, 'message': one} for one in wanted]

    def _messages(self, convo: str, mark: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._get(
            'chat.bsky.convo.getMessages',
            chat=True,
            convoId=convo,
            limit=_PAGE,
            cursor=mark or None,
        )
        return answer

    def _members(
        self, answer: Mapping[str, Any], messages: Iterable[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return who wrote the messages; servers of last year do not tell it along with them."""
        known = {one['did']: one for one in _dicts(answer.get('relatedProfiles')) if one.get('did')}
        for message in messages:
            sender = message.get('sender')
            did = sender.get('did') if isinstance(sender, dict) else None
            if isinstance(did, str) and did not in known:
                try:
                    known[did] = self._get('app.bsky.actor.getProfile', actor=did)
                except Rejected:
                    known[did] = {'did': did, 'handle': did}  # gone, or hidden from us
        return list(known.values())

    def _send_message(self, outgoing: Outgoing) -> Sent:
        convo = self._convo_for(outgoing)
        message: dict[str, Any] = {'text': outgoing.text.strip()}
        facets = self._facets(message['text'])
        if facets:
            message['facets'] = facets
        answer = self._post(
            'chat.bsky.convo.sendMessage',
            chat=True,
            json={'convoId': convo, 'message': message},
            writes=True,
        )
        return _sent(convo, answer)

    def _find_message(self, outgoing: Outgoing, since: datetime) -> Sent | None:
        """Look for a message among the newest of its conversation: by its text and time."""
        convo, mark = self._convo_for(outgoing), ''
        for _page in range(3):
            answer = self._messages(convo, mark)
            for message in _dicts(self._rows(answer, 'messages')):
                try:
                    sent_at = parse_time(message['sentAt'])
                    if sent_at < since - timedelta(minutes=2):
                        return None
                    mine = message['sender']['did'] == self._did
                    if mine and message.get('text') == outgoing.text.strip():
                        return _sent(convo, message)
                except BAD:
                    continue
            mark = str(answer.get('cursor') or '')
            if not mark:
                break
        return None

    def _convo_for(self, outgoing: Outgoing) -> str:
        """Return the conversation's id: the one that is answered in, or the one with a person."""
        if outgoing.conversation_id and outgoing.target.startswith('bsky-message:'):
            return outgoing.conversation_id
        author = outgoing.target_author
        if not author or not author.external_id:
            raise NotFound('Nobody to write to', 'recipient')
        answer = self._get(
            'chat.bsky.convo.getConvoForMembers', chat=True, members=[author.external_id]
        )
        convo = answer.get('convo')
        if not _is_convo(convo):
            raise NotFound('There is no conversation with this account', 'recipient')
        return str(convo['id'])

    def _facets(self, text: str) -> list[dict[str, Any]]:
        raise NotImplementedError


def _is_convo(convo: Any) -> bool:
    return isinstance(convo, dict) and all(isinstance(convo.get(n), str) for n in ('id', 'rev'))


def _revision(convo: Mapping[str, Any]) -> str:
    last = convo.get('lastMessage')
    newest = last.get('rev') if isinstance(last, dict) else ''
    return max(str(convo['rev']), str(newest or ''))


def _dicts(rows: Any) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _sent(convo: str, message: Any) -> Sent:
    try:
        return Sent(
            message_id(convo, required_text(message['id'])),
            f'https://bsky.app/messages/{convo}',
            sent_at=parse_time(message['sentAt']),
        )
    except BAD:
        raise OutcomeUnknown('The server did not name the message', 'bad_answer') from None
