from dataclasses import dataclass, field
from datetime import datetime

from odoo import models
from odoo.fields import Datetime, Domain
from odoo.tools import format_datetime

from ..tools import is_web

ROUNDS = 4  # how far from a mention its conversation is followed
LIMIT = 200
SHOWN = 60
DEEPEST = 4  # replies below that are not indented any more


@dataclass
class Entry:
    """One post of a conversation, wherever it is known from."""

    key: str
    when: datetime
    name: str
    handle: str
    text: str
    parent: str = ''
    own: bool = False
    url: str = ''
    files: int = 0
    pictures: list = field(default_factory=list)
    mention: models.Model | None = None
    engagement: models.Model | None = None
    depth: int = 0
    current: bool = False
    badges: list = field(default_factory=list)


class SocialCrmConversation(models.AbstractModel):
    """Puts a conversation together from mentions, answers and what stands around them.

    Mentions and answers are searched with the user's own rights: what a colleague's personal
    account received or sent does not show.
    """

    _name = 'social.crm.conversation'
    _description = 'Conversation on a Social Network'

    # === GATHER === #

    def _of_mention(self, mention):
        """Return the entries of a mention's conversation, in the order to show them."""
        if self._is_chat(mention):
            entries = self._chat(
                mention.author_id, mention.account_id.sudo()
            )  # sudo: an id to search by
        else:
            entries = self._thread(mention)
        for entry in entries:
            entry.current = entry.mention == mention
        return entries

    def _of_profile(self, profile):
        """Return the private messages to and from a profile, oldest first."""
        return self._chat(profile)

    def _is_chat(self, mention):
        return mention.kind == 'message' or mention.visibility == 'direct'

    def _chat(self, profile, account=None):
        with_account = Domain('account_id', '=', account.id) if account else Domain.TRUE
        mentions = self.env['social.crm.mention'].search(
            with_account & Domain('author_id', '=', profile.id) & Domain('kind', '=', 'message'),
            limit=LIMIT,
            order='posted_at desc',
        )
        engagements = self.env['social.crm.engagement'].search(
            with_account & Domain('profile_id', '=', profile.id) & Domain('kind', '=', 'message'),
            limit=LIMIT,
        )
        return sorted(self._entries(mentions, engagements).values(), key=lambda entry: entry.when)

    def _thread(self, mention):
        mentions, engagements = mention, mention.engagement_ids
        keys = self._keys(mentions, engagements)
        same = Domain('company_id', '=', mention.company_id.id) & Domain(
            'network', '=', mention.network
        )
        for _round in range(ROUNDS):
            near = Domain('external_id', 'in', keys) | Domain('parent_external_id', 'in', keys)
            if mention.conversation_id:
                near |= Domain('conversation_id', '=', mention.conversation_id)
            mentions |= self.env['social.crm.mention'].search(same & near, limit=LIMIT)
            engagements |= self.env['social.crm.engagement'].search(
                same
                & (Domain('mention_id', 'in', mentions.ids) | Domain('external_id', 'in', keys)),
                limit=LIMIT,
            )
            found = self._keys(mentions, engagements)
            if len(found) == len(keys) or len(found) > LIMIT:
                break
            keys = found
        mentions = mentions.filtered(lambda other: not self._is_chat(other))
        return _threaded(self._entries(mentions, engagements))

    def _keys(self, mentions, engagements):
        keys = {*mentions.mapped('external_id'), *mentions.mapped('parent_external_id')}
        keys.update(engagements.mapped('external_id'))
        for mention in mentions:
            keys.update(post['external_id'] for post in mention.context or [])
        return list(keys - {False, ''})

    def _entries(self, mentions, engagements):
        """Return entries by key; a record goes before what is only known from around."""
        entries = {}
        for mention in mentions:
            for post in mention.context or []:
                entries.setdefault(post['external_id'], _from_context(post))
        for mention in mentions:
            known = entries.get(mention.external_id)
            entries[mention.external_id] = self._from_mention(mention, known and known.parent)
        for engagement in engagements:
            entry = self._from_engagement(engagement)
            entries[entry.key] = entry
        return entries

    def _from_mention(self, mention, parent):
        author = mention.author_id
        pictures = mention._pictures()
        states = dict(mention._fields['state']._description_selection(self.env))
        badges = [(states[mention.state], _COLORS[mention.state])]
        if mention.deleted_at:
            badges.append((self.env._('Deleted'), 'dark'))
        return Entry(
            key=mention.external_id,
            parent=mention.parent_external_id or parent or '',
            when=mention.posted_at,
            name=author.name or '',
            handle=author.handle,
            text=mention.text or '',
            url=mention.url or '',
            files=len(mention.media or []) - len(pictures),
            pictures=pictures,
            mention=mention,
            badges=badges,
        )

    def _from_engagement(self, engagement):
        account = engagement.account_id.sudo()  # sudo: how the account is called
        states = dict(engagement._fields['delivery_state']._description_selection(self.env))
        state = engagement.delivery_state
        badges = [(states[state], _COLORS[state])] if state != 'sent' else []
        if engagement.origin == 'native':
            badges.append((self.env._("In the network's own app"), 'secondary'))
        return Entry(
            key=engagement.external_id or f'engagement,{engagement.id}',
            parent=engagement.mention_id.external_id or engagement.parent_external_id or '',
            when=engagement.sent_at or engagement.create_date,
            own=True,
            name=engagement.user_id.sudo().name or account.name or '',
            handle=account.handle or '',
            text=engagement.text or '',
            url=engagement.url or '',
            files=len(engagement.attachment_ids.sudo()),
            engagement=engagement,
            badges=badges,
        )

    # === RENDER === #

    def _render(self, entries, latest=SHOWN):
        """Return the entries as HTML: the last ones, and the current one in any case."""
        hidden = entries[:-latest] if len(entries) > latest else []
        shown = [entry for entry in hidden if entry.current] + entries[len(hidden) :]
        return self.env['ir.qweb']._render(
            'social_crm.conversation',
            {
                'entries': shown,
                'left_out': len(entries) - len(shown),
                'undescribed': self.env._('Picture without a description'),
                'when': lambda moment: format_datetime(self.env, moment, dt_format='short'),
                'web': lambda url: url if is_web(url) else '',
            },
        )


_COLORS = {
    'new': 'info',
    'open': 'warning',
    'done': 'success',
    'ignored': 'secondary',
    'queued': 'info',
    'sending': 'info',
    'failed': 'danger',
    'unconfirmed': 'warning',
    'cancelled': 'secondary',
}


def _from_context(post):
    return Entry(
        key=post['external_id'],
        parent=post.get('parent') or '',
        own=bool(post.get('own')),
        when=Datetime.to_datetime(post['posted_at']),
        name=post.get('name') or '',
        handle=post.get('handle') or '',
        text=post.get('text') or '',
        url=post.get('url') or '',
        files=post.get('media') or 0,
    )


def _threaded(entries):
    """Return the entries depth first, answers in the order of time; a loop of parents is cut."""
    children = {}
    for entry in sorted(entries.values(), key=lambda entry: entry.when):
        parent = entry.parent if entry.parent in entries and entry.parent != entry.key else ''
        children.setdefault(parent, []).append(entry)
    ordered, seen = [], set()
    waiting = [(entry, 0) for entry in reversed(children.get('', []))]
    while waiting:
        entry, depth = waiting.pop()
        if entry.key in seen:
            continue
        seen.add(entry.key)
        entry.depth = min(depth, DEEPEST)
        ordered.append(entry)
        waiting += [(child, depth + 1) for child in reversed(children.get(entry.key, []))]
    return ordered + [entry for entry in entries.values() if entry.key not in seen]
