"""The listening half of the LinkedIn adapter: notifications, comments, leads."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from . import linkedin_leads as leads
from . import oauth2, restli
from .errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    PermissionMissing,
    ProviderError,
    Rejected,
)
from .linkedin_client import OAUTH, _url, elements, has_more
from .linkedin_items import (
    ACTION_PUSHES,
    ACTIONS,
    BAD,
    COMMENT,
    ORGANIZATION,
    PERSON,
    Reader,
    entry_id,
    entry_time,
    milliseconds,
    owner_of,
    split_comment,
)
from .linkedin_sending import Sending
from .types import Item, LeadForm, Page
from .window import Window

Answered = TypeVar('Answered')
#: How far back lists are read again: what LinkedIn shows late is met.
_OVERLAP = timedelta(hours=1)
_COUNT = {'notifications': 50, 'lead_forms': 100}
#: A page of a list may begin a few entries before the end of the last one: entries that were
#: deleted meanwhile would hide others.
_BACK = 3


class Listening(Sending):
    """What happens on an organisation's posts and to its name, and its leads."""

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls) -> tuple[str, ...]:
        """What happens on an organisation's posts and to its name; and its leads."""
        return ('notifications', 'lead_forms')

    def fetch(
        self, stream: str, cursor: str, *, query: str = '', since: datetime | None = None
    ) -> Page:
        """See :meth:`.Provider.fetch`; cursors are those of :class:`.window.Window`.

        Empty, and nothing is asked, for a member (LinkedIn shows an app nothing of the kind), and
        for leads without the right to them.
        """
        if stream not in _COUNT:
            raise NotSupported(code=stream)
        leads_only = stream == 'lead_forms'
        if not self._is_organization or (
            leads_only and not self._granted('r_marketing_leadgen_automation')
        ):
            return Page(next_cursor=cursor)
        window = Window.start(cursor, since, _OVERLAP)
        return self._fetch_leads(window) if leads_only else self._fetch_notifications(window)

    def read(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.read`."""
        if stream == 'lead_forms':
            return Page(*leads.read_page([payload]))
        return Page(*self._reader().page([payload], stream))

    def thread(self, external_id: str, local_id: str = '') -> tuple[Item, ...]:
        """Return the comments around a comment, or below a post."""
        below = [external_id]
        if external_id.startswith(COMMENT):
            with suppress(ValueError):
                below = [split_comment(external_id)[0], external_id]
        entries: list[Any] = []
        for urn in below:
            with suppress(NotFound):  # a comment of the second level has none below
                entries += self._comments(urn)
        items, _bad = self._reader().page(self._with_authors(entries, 'actor'), 'thread')
        return tuple(item for item in items if item.external_id != external_id)

    def _reader(self) -> Reader:
        return Reader(self.me.external_id if self.me else '')

    def _fetch_notifications(self, window: Window) -> Page:
        start, count = int(window.place or 0), _COUNT['notifications']
        params = {
            'q': 'criteria',
            'actions': ACTIONS,
            'organizationalEntity': self._me,
            'timeRange': _time_range(window),
            'start': start,
            'count': count,
        }
        answer = self._get('organizationalEntityNotifications', params, method='FINDER')
        entries = elements(answer)
        end = start + len(entries)
        place = str(max(end - _BACK, start + 1)) if has_more(answer, end, count) else ''
        ids = [entry_id(entry) or json.dumps(entry) for entry in entries]
        times = [entry_time(entry, 'lastModifiedAt') for entry in entries]
        fresh, window, more = window.step(ids, times, place)
        found = self._with_authors([entries[number] for number in fresh])
        return Page(*self._reader().page(found, 'notifications'), window.cursor(), more)

    def complete(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.complete`: of a pushed comment or post, who wrote it."""
        if stream != 'notifications' or not isinstance(payload, dict):
            raise NotSupported(code=stream)
        return Page(*self._reader().page(self._with_authors([payload]), stream))

    def _with_authors(self, entries: list[Any], name: str = '') -> list[Any]:
        """Put beside each entry what is known about its author, where LinkedIn tells anything."""
        owners = [str(entry.get(name)) if name else owner_of(entry) for entry in entries]
        known: dict[str, Any] = {}
        people = {urn for urn in owners if urn.startswith(PERSON)}
        if people:
            known |= self._people(sorted(people))
        pairs = zip(entries, owners, strict=False)
        return [
            {**entry, 'owner~': known[owner]} if owner in known else entry for entry, owner in pairs
        ]

    # --- leads -----------------------------------------------------------------------------------

    def lead_forms(self) -> tuple[LeadForm, ...]:
        """Return the forms of the organisation and of the ad accounts that advertise for it."""
        if not self._is_organization:
            return ()
        found: dict[str, LeadForm] = {}
        for owner, _kind in dict(self._lead_sources()).items():
            try:
                entries = self._lead_list('leadForms', {'q': 'owner', **_owner(owner)})
            except (PermissionMissing, NotFound):  # a role for this owner is missing
                continue
            for entry in entries:
                with suppress(*BAD):
                    form = leads.form(entry)
                    found[form.external_id] = form
        return tuple(found.values())

    def subscribe(self) -> None:
        """Have comments, mentions and new leads pushed; see :meth:`.Provider.subscribe`.

        The call for comments names the app's number at LinkedIn, which is told nowhere but on its
        developer page: without ``app.metadata['application_id']`` they are polled alone. LinkedIn
        ends it with the member's login or role, without a word, so that it is made each day.
        """
        url, app_id = self.app.webhook_url, str(self.app.metadata.get('application_id') or '')
        actions = app_id and self._granted('rw_organization_admin')
        new_leads = self._granted('r_marketing_leadgen_automation')
        if not url or not self._is_organization or not (actions or new_leads):
            raise NotSupported(code='webhook')
        for owner, kind in self._lead_sources() if new_leads else ():
            with suppress(PermissionMissing, NotFound):  # a role for this owner is missing
                self._with_role(partial(self._subscribe_to, owner, kind, url))
        if actions:
            self._subscribe_to_actions(app_id, url)

    def _subscribe_to_actions(self, app_id: str, url: str) -> None:
        if not app_id.isascii() or not app_id.isdigit():
            raise Rejected('The application_id of the app is no number', 'application_id')
        key = {
            'developerApplication': f'urn:li:developerApplication:{app_id}',
            'user': self._member_who_signed_in().external_id,
            'entity': self._me,
            'eventType': ACTION_PUSHES,
        }
        path = f'eventSubscriptions/{restli.value(key)}'
        self._call('PUT', _url(path), json={'webhook': url})

    def _subscribe_to(self, owner: str, kind: str, url: str) -> None:
        named = _owner(owner)['owner']
        criteria = {'q': 'criteria', 'owner': {'value': named}, 'leadType': {'leadType': kind}}
        known = elements(self._get('leadNotifications', criteria, method='FINDER'))
        if not any(isinstance(one, dict) and one.get('webhook') == url for one in known):
            body = {'webhook': url, 'owner': named, 'leadType': kind}
            self._call('POST', _url('leadNotifications'), json=body)

    def _lead_sources(self) -> list[tuple[str, str]]:
        params = {
            'q': 'search',
            'search': {'status': {'values': ['ACTIVE']}, 'test': False},
            'fields': restli.Raw('id,name,test,reference,referenceInfo'),
        }
        try:
            accounts = self._lead_list('adAccounts', params)
        except PermissionMissing:
            accounts = []  # organic forms have no ads
        return list(leads.sources(self._me, accounts))

    def _lead_list(self, path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        return self._with_role(lambda: list(self._all(path, params)))

    def _with_role(self, call: Callable[[], Answered]) -> Answered:
        """Call for leads: LinkedIn also answers 401 where a role is missing."""
        try:
            return call()
        except AuthorizationLost as error:
            if self._is_alive():
                raise PermissionMissing(error.reason, error.code) from None
            raise

    def _is_alive(self) -> bool:
        """Return whether the token is good, by LinkedIn's own word."""
        answer = self.http.json(
            'POST',
            f'{OAUTH}/introspectToken',
            data={
                'client_id': self.app.client_id,
                'client_secret': self.app.client_secret,
                'token': self._grant.access_token,
            },
            errors=oauth2.oauth_error,
        )
        return answer.get('active') is True

    def _fetch_leads(self, window: Window) -> Page:
        """Return a page of submissions; all sources share the window, one is read after another."""
        sources, start = self._lead_place(window)
        entries: list[Any] = []
        refused: ProviderError | None = None
        answered = bool(window.place)
        while sources and not entries:
            try:
                answer = self._submissions(window, *sources[0], start)
            except (PermissionMissing, NotFound) as error:
                # A role is missing for this owner, and not for all.
                refused, answer = error, {'elements': []}
            else:
                answered = True
            entries = elements(answer)
            end = start + len(entries)
            if has_more(answer, end, _COUNT['lead_forms']):
                start = max(end - _BACK, start + 1)
            else:
                sources, start = sources[1:], 0
        if refused and not answered:
            raise refused
        place = json.dumps([sources, start], separators=(',', ':')) if sources else ''
        return self._lead_page(window, entries, place)

    def _lead_place(self, window: Window) -> tuple[list[tuple[str, str]], int]:
        try:
            sources, start = json.loads(window.place)
            return [(str(owner), str(kind)) for owner, kind in sources], int(start)
        except (ValueError, TypeError):
            return self._lead_sources(), 0

    def _submissions(self, window: Window, owner: str, kind: str, start: int) -> dict[str, Any]:
        params = {
            'q': 'owner',
            **_owner(owner),
            'leadType': {'leadType': kind},
            'submittedAtTimeRange': _time_range(window),
            'limitedToTestLeads': False,
            'fields': restli.Raw(leads.FIELDS),
            'count': _COUNT['lead_forms'],
            'start': start,
        }
        return self._with_role(lambda: self._get('leadFormResponses', params, method='FINDER'))

    def _lead_page(self, window: Window, entries: list[Any], place: str) -> Page:
        ids = [entry_id(entry) or json.dumps(entry) for entry in entries]
        times = [entry_time(entry, 'submittedAt') for entry in entries]
        fresh, window, more = window.step(ids, times, place)
        found = self._with_forms([entries[number] for number in fresh])
        return Page(*leads.read_page(found), window.cursor(), more)

    def _with_forms(self, entries: list[Any]) -> list[Any]:
        """Put the form beside each submission that came without: answers name questions by
        number."""
        known: dict[str, Any] = {}
        for entry in entries:
            number = leads.form_id(entry) if isinstance(entry, dict) else ''
            if number and not entry.get('form') and number not in known:
                with suppress(PermissionMissing, NotFound):
                    known[number] = self._get(f'leadForms/{restli.encode(number)}')
        return [
            {**entry, 'form': known[leads.form_id(entry)]}
            if isinstance(entry, dict) and not entry.get('form') and leads.form_id(entry) in known
            else entry
            for entry in entries
        ]


# --- pieces --------------------------------------------------------------------------------------


def _owner(urn: str) -> dict[str, Any]:
    kind = 'organization' if urn.startswith(ORGANIZATION) else 'sponsoredAccount'
    return {'owner': {kind: urn}}


def _time_range(window: Window) -> dict[str, int]:
    return {'start': milliseconds(window.since), 'end': milliseconds(window.until)}
