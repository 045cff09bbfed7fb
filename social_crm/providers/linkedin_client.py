"""What all calls of the LinkedIn adapter share: the API's version, the token, who acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, ClassVar

from . import restli
from .answers import network_words
from .base import Provider
from .errors import (
    AuthorizationLost,
    Duplicate,
    NotFound,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)
from .http import Answer, http_error
from .linkedin_items import BAD, ORGANIZATION, PERSON, organization_profile, person_profile
from .types import BrandAccount, Profile, Token

API = 'https://api.linkedin.com'
OAUTH = 'https://www.linkedin.com/oauth/v2'
#: How many organisations, people, posts are asked for in one call; LinkedIn names no limit.
BATCH = 20
_PAGE = 100
#: `serviceErrorCode` of a quota that is used up.
_THROTTLED = 101


def version_ends(version: str) -> date:
    """Return the last day that a monthly version (``YYYYMM``) is surely served: a year on."""
    return date(int(version[:4]) + 1, int(version[4:6]), 15)


class Client(Provider):
    """Calls as a member, or as an organisation that the member administers.

    A token acts for the organisation that ``token.extra['organization']`` names (a URN).
    """

    #: LinkedIn publishes one each month and serves it for a year; then every call is refused with
    #: 426. To raise it, read what changed since, then change it here: nowhere else is it named.
    api_version = '202607'
    api_ends: ClassVar[date | None] = version_ends(api_version)

    # --- who acts --------------------------------------------------------------------------------

    def whoami(self) -> Profile:
        """Return the organisation that the token acts for, else the member."""
        organization = str(self._grant.extra.get('organization') or '')
        if organization:
            number = organization.rpartition(':')[2]
            return self._read(organization_profile, self._get(f'organizations/{number}'))
        return self._member_who_signed_in()

    def _member_who_signed_in(self) -> Profile:
        # Apps with Community Management have r_basicprofile, apps with Sign In have openid; the
        # one call is refused to the other kind.
        if self._grant.scopes and 'r_basicprofile' not in self._grant.scopes:
            return self._userinfo()
        try:
            return self._read(person_profile, self._call_json('GET', f'{API}/v2/me'))
        except PermissionMissing:
            return self._userinfo()

    def _userinfo(self) -> Profile:
        """Return the member by OpenID Connect; it has no address of the profile."""
        found = self.http.json(
            'GET', f'{API}/v2/userinfo', token=self._grant.access_token, errors=self._error
        )
        return self._read(person_profile, found)

    def brand_accounts(self) -> tuple[BrandAccount, ...]:
        """Return the organisations that the member administers; the token is the member's."""
        if not self._granted('rw_organization_admin', 'r_organization_admin'):
            return ()
        found: dict[str, None] = {}
        params = {'q': 'roleAssignee', 'role': 'ADMINISTRATOR', 'state': 'APPROVED'}
        for entry in self._all('organizationAcls', params):
            # The second name is that of older versions.
            urn = entry.get('organization') or entry.get('organizationalTarget')
            if isinstance(urn, str) and urn.startswith(ORGANIZATION):
                found[urn] = None
        known = self._organizations(found)
        accounts = []
        for urn in found:
            profile = known.get(urn) or organization_profile({'id': urn.rpartition(':')[2]})
            extra = {**self._grant.extra, 'organization': urn}
            accounts.append(BrandAccount(profile, replace(self._grant, extra=extra)))
        return tuple(accounts)

    def _organizations(self, urns: Iterable[str]) -> dict[str, Profile]:
        """Return the public part of organisations by URN; what is hidden is left out."""
        ids = [urn.rpartition(':')[2] for urn in urns]
        found: dict[str, Profile] = {}
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            answer = self._get('organizationsLookup', {'ids': batch}, method='BATCH_GET')
            for entry in _values(answer.get('results')):
                with suppress(*BAD):
                    profile = organization_profile(entry)
                    found[profile.external_id] = profile
        return found

    def _people(self, urns: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return what members show to this app, by URN; often nothing, and then nobody minds."""
        ids = [{'id': urn.rpartition(':')[2]} for urn in urns]
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            try:
                answer = self._get('people', {'ids': batch}, method='BATCH_GET')
            except (PermissionMissing, Rejected, RateLimited, Transient):
                break
            for entry in _values(answer.get('results')):
                found[f'{PERSON}{entry.get("id")}'] = entry
        return found

    @property
    def _me(self) -> str:
        """Return the URN that this acts as."""
        organization = self._grant.extra.get('organization')
        if organization:
            return str(organization)
        if not self.me or not self.me.external_id:
            self.me = self.whoami()
        return self.me.external_id

    @property
    def _is_organization(self) -> bool:
        return self._me.startswith(ORGANIZATION)

    @property
    def _grant(self) -> Token:
        if not self.token or not self.token.access_token:
            raise AuthorizationLost('There is no token', 'no_token')
        return self.token

    def _granted(self, *scopes: str) -> bool:
        """Return whether one of the scopes was granted, as far as is known."""
        return self._grant.scopes is None or bool(set(scopes) & set(self._grant.scopes))

    # --- calls -----------------------------------------------------------------------------------

    def _get(
        self, path: str, params: Mapping[str, Any] | None = None, *, method: str = ''
    ) -> dict[str, Any]:
        found: dict[str, Any] = self._call_json('GET', _url(path, params), method=method)
        return found

    def _all(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the entries of all pages of a list, however the list tells its end."""
        start = 0
        for _page in range(50):
            answer = self._get(path, {**params, 'start': start, 'count': _PAGE}, method='FINDER')
            entries = elements(answer)
            yield from (entry for entry in entries if isinstance(entry, dict))
            start += len(entries)
            if not has_more(answer, start, _PAGE):
                return

    def _call(self, verb: str, url: str, *, method: str = '', **kwargs: Any) -> Answer:
        return self.http.request(verb, url, **self._arguments(method, kwargs))

    def _call_json(self, verb: str, url: str, *, method: str = '', **kwargs: Any) -> Any:
        return self.http.json(verb, url, **self._arguments(method, kwargs))

    def _arguments(self, method: str, kwargs: dict[str, Any]) -> dict[str, Any]:
        headers = {
            'LinkedIn-Version': self.api_version,
            'X-Restli-Protocol-Version': '2.0.0',
            'X-RestLi-Method': method,
        }
        return {
            'token': self._grant.access_token,
            'headers': headers,
            'errors': self._error,
            **kwargs,
        }

    def _read(self, reader: Any, found: Any) -> Profile:
        try:
            profile: Profile = reader(found)
        except BAD:
            raise Transient('The server sent no readable profile', 'bad_answer') from None
        return profile

    def _error(self, answer: Answer, writes: bool) -> ProviderError | None:
        """Return the error that an answer stands for, by LinkedIn's codes."""
        error = http_error(answer, writes)
        if error is None:
            return None
        body = answer.json()
        body = body if isinstance(body, dict) else {}
        codes = [body.get('code'), *_input_codes(body)]
        if answer.status == 426 or 'NONEXISTENT_VERSION' in codes:
            return Rejected(
                f'LinkedIn no longer serves version {self.api_version} of its API. Update this '
                'module: a newer one speaks a newer version.',
                'NONEXISTENT_VERSION',
            )
        if 'DUPLICATE_POST' in codes:
            return Duplicate(network_words(body), 'DUPLICATE_POST')
        if answer.status == 409:  # somebody else changes it at this moment; nothing was done
            return Transient(error.reason, '409')
        if isinstance(error, RateLimited) and body.get('serviceErrorCode') == _THROTTLED:
            # The quota of a day; there is no header that tells its end.
            error.until = error.until or next_midnight()
        return error


def _url(path: str, params: Mapping[str, Any] | None = None) -> str:
    return f'{API}/rest/{path}' + (f'?{restli.query(params)}' if params else '')


def elements(answer: Mapping[str, Any]) -> list[Any]:
    """Return the entries of a list's page; raise Transient when it is none."""
    found = answer.get('elements')
    if not isinstance(found, list):
        raise Transient('The server sent no list', 'bad_answer')
    return found


def has_more(answer: Mapping[str, Any], end: int, asked: int) -> bool:
    """Return whether a list goes on after ``end`` entries.

    :param answer: a page; ``paging.total`` is told by some lists only, and ``paging.count`` may be
        less than what was asked for
    """
    paging = answer.get('paging')
    paging = paging if isinstance(paging, dict) else {}
    total, count = paging.get('total'), paging.get('count')
    got = len(elements(answer))
    if isinstance(total, int):
        return bool(got) and end < total
    return bool(got) and got >= min(count if isinstance(count, int) and count > 0 else asked, asked)


def next_midnight() -> datetime:
    """Return when LinkedIn's quotas of a day begin anew."""
    tomorrow = datetime.now(timezone.utc).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), timezone.utc)


def _input_codes(body: Mapping[str, Any]) -> Sequence[Any]:
    details = body.get('errorDetails')
    inputs = details.get('inputErrors') if isinstance(details, dict) else None
    entries = inputs if isinstance(inputs, list) else []
    return [entry.get('code') for entry in entries if isinstance(entry, dict)]


def _values(results: Any) -> list[dict[str, Any]]:
    found = results.values() if isinstance(results, dict) else ()
    return [entry for entry in found if isinstance(entry, dict)]


def not_found(handle: str) -> NotFound:
    """Return the error for a profile that is not there, or not to be seen."""
    return NotFound(f'There is no such profile: {handle[:100]}', '404')
