"""The people on X in memory, and what they write; see :mod:`.fake_x` for the service."""

import json
import re
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ...providers.types import Outgoing, Profile

FIXTURES = json.loads((Path(__file__).parent / 'data' / 'x.json').read_text())
ME = '190000000000000001'


class People:
    """Posts and messages are kept in the old spelling; ``spec`` is the description that is checked.

    ``texts`` are what was written to the service, by the id of what became of it.
    """

    spec = None

    def __init__(self):
        self.posts, self.messages = [], []
        self.users, self.texts = {}, {}
        self.count = 0
        self.person('acme', ME)

    def put(self, stream, text, minutes_ago=1.0, **values):
        if stream == 'messages':
            return self.write_message('rita', text, minutes_ago, **values)['id']
        if stream == 'own':
            question = self.write('rita', 'hello', 60 * 24 * 30)
            return self.write('acme', text, minutes_ago, answers=question, **values)['id']
        if stream == 'mentions':
            return self.mention(text, minutes_ago, **values)['id']
        text = f'{text} ship' if stream == 'search' else f'{text} #shop'
        return self.write('rita', text, minutes_ago, **values)['id']

    def forget(self, number):
        self.posts = [post for post in self.posts if post['id'] != number]
        self.messages = [event for event in self.messages if event['id'] != number]

    def spoil(self, number, **values):
        self.spec = None  # from here on the answers are wrong on purpose
        for row in (*self.posts, *self.messages):
            if row['id'] == number:
                row.update(values)

    def outgoing(self, text='Yes, we ship', kind='reply', **values):
        target = Profile('8800', 'rita', local_id='8800')
        if kind == 'message':
            event = self.write_message('rita', 'Do you ship?')
            return Outgoing(
                kind,
                text,
                f'dm:{event["id"]}',
                event['id'],
                target,
                event['dm_conversation_id'],
                **values,
            )
        question = self.mention('Do you ship?')
        return Outgoing(kind, text, question['id'], question['id'], target, **values)

    @property
    def sent(self):
        return [
            self.texts[row['id']]
            for row in (*self.posts, *self.messages)
            if row['id'] in self.texts
        ]

    # --- people and what they do ------------------------------------------------------------------

    def person(self, name, number='8800'):
        if name not in self.users:
            user = {
                **deepcopy(FIXTURES['user']),
                'id': number,
                'username': name,
                'name': name.title(),
            }
            self.users[name] = user
        return self.users[name]

    def write(self, name, text, minutes_ago=0.0, answers=None, **values):
        """Let somebody post; ``text`` is as X gives it, so ``&`` is ``&amp;``."""
        number, at = self._number(minutes_ago)
        post = {
            **deepcopy(FIXTURES['post']),
            'id': number,
            'created_at': _iso(at),
            'author_id': self.person(name)['id'],
            'conversation_id': number,
            'edit_history_tweet_ids': [number],
            'text': text,
            'entities': _entities(text),
        }
        if len(text) > 280:
            post['note_tweet'] = {'text': text}
            post['text'] = text[:270] + '…'
        if answers:
            post |= {
                'referenced_tweets': [{'type': 'replied_to', 'id': answers['id']}],
                'in_reply_to_user_id': answers['author_id'],
                'conversation_id': answers['conversation_id'],
            }
        self.posts.append({**post, **values})
        return self.posts[-1]

    def mention(self, text, minutes_ago=1.0, **values):
        return self.write('rita', f'@acme {text}', minutes_ago, **values)

    def write_message(self, name, text, minutes_ago=1.0, **values):
        number, at = self._number(minutes_ago)
        event = {
            'id': number,
            'event_type': 'MessageCreate',
            'text': text,
            'created_at': _iso(at),
            'sender_id': self.person(name)['id'],
            'dm_conversation_id': f'8800-{ME}',
            **values,
        }
        self.messages.append(event)
        return event

    def _number(self, minutes_ago):
        self.count += 1
        at = datetime.now(timezone.utc) - timedelta(minutes=minutes_ago)
        return str(((int(at.timestamp() * 1000) - 1288834974657) << 22) + self.count), at


# --- pieces ---------------------------------------------------------------------------------------


def _entities(text):
    found = {}
    for kind, name, pattern in (
        ('mentions', 'username', r'@(\w+)'),
        ('hashtags', 'tag', r'#(\w+)'),
    ):
        rows = [
            {'start': m.start(), 'end': m.end(), name: m[1]} for m in re.finditer(pattern, text)
        ]
        if rows:
            found[kind] = rows
    return found


def _iso(at):
    return at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')
