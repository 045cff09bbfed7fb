"""Facebook's login, which Facebook Pages and one of Instagram's two ways in share.

A code becomes a short token of the person, that a long one (60 days), and that a token for each
page the person has a task on, made for calls. Those of a long token have no end; but 90 days after
the person's last look at the dialog no data of theirs can be read, and it is not sure that pages
are spared: that day is taken for the end. PKCE is documented for another variant of the dialog
only, and so left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, ClassVar

from . import oauth2
from .errors import NotFound, PermissionMissing, ProviderError, Rejected, Transient
from .meta import GRAPH_VERSION, graph_error
from .meta_client import GraphClient, rows_of
from .types import Authorization, Token

DIALOG = f'https://www.facebook.com/{GRAPH_VERSION}/dialog/oauth'
_MOST_PAGES = 20


class FacebookLogin(GraphClient):
    """The login of a person by Facebook, and the pages that the person may act for."""

    #: Fields of a page, wanted with its token.
    page_fields: ClassVar[str] = 'id,name,access_token'
    #: Kept with each token of this login.
    token_extra: ClassVar[Mapping[str, str]] = {}

    def check_app(self) -> None:
        """See :meth:`.Provider.check_app`."""
        if not self.app.client_id or not self.app.client_secret:
            raise Rejected('There is no app id or secret', 'no_secret')
        self._app_token()

    def _dialog(self, state: str, scopes: Sequence[str]) -> Authorization:
        config = str(self.app.metadata.get('config_id') or '')
        # A configuration (Facebook Login for Business) holds the scopes itself.
        extra = {'config_id': config} if config else {'auth_type': 'rerequest'}
        url = oauth2.authorize_url(
            DIALOG,
            client_id=self.app.client_id,
            redirect_uri=self.app.redirect_uri,
            scopes=() if config else scopes,
            state=state,
            separator=',',
            extra=extra,
        )
        return Authorization(url)

    def _facebook_token(self, code: str) -> Token:
        """Trade a code for the long token of a person, with the granted scopes."""
        short = self._token_call(code=code, redirect_uri=self.app.redirect_uri, writes=True)
        self.token = token = replace(self._long_token(short.access_token), extra=self.token_extra)
        person = self._get('me', fields='id')
        extra = {**token.extra, 'person_id': str(person.get('id') or ''), **self._told(token)}
        return replace(token, scopes=self._granted(), extra=extra)

    def _long_token(self, token: str) -> Token:
        return self._token_call(grant_type='fb_exchange_token', fb_exchange_token=token)

    def _app_token(self) -> Token:
        return self._token_call(grant_type='client_credentials')

    def _token_call(self, *, writes: bool = False, **params: str) -> Token:
        client = {'client_id': self.app.client_id, 'client_secret': self.app.client_secret}
        answer = self.http.json(
            'POST',
            f'{self.graph}/oauth/access_token',
            data={**client, **params},
            errors=graph_error,
            writes=writes,
        )
        return oauth2.read_token(answer)

    def _granted(self) -> tuple[str, ...]:
        """Return the permissions that the person gave; each can be unticked in the dialog."""
        rows = rows_of(self._get('me/permissions', limit=200))
        return tuple(
            str(row['permission'])
            for row in rows
            if row.get('status') == 'granted' and row.get('permission')
        )

    def _told(self, token: Token) -> dict[str, Any]:
        """Return what the network tells of a token, nothing where it does not.

        ``data_until``: the end of access to data (epoch). ``pages_of``: the ids of pages and
        accounts that a scope was given for, where it was not for all of them.
        """
        client = f'{self.app.client_id}|{self.app.client_secret}'
        try:
            asked = {'input_token': token.access_token}
            answer = self._call('GET', 'debug_token', token=client, params=asked)
        except ProviderError:
            return {}
        data = answer.get('data')
        if not isinstance(data, dict):
            return {}
        pages_of = _targets(data.get('granular_scopes'))
        until = data.get('data_access_expires_at')
        told: dict[str, Any] = {'pages_of': pages_of} if pages_of else {}
        return told | ({'data_until': until} if isinstance(until, int) and until > 0 else {})

    # --- pages -----------------------------------------------------------------------------------

    def _person_pages(self) -> Iterator[dict[str, Any]]:
        """Yield the pages with a token for each, also those that come through a business."""
        seen: set[str] = set()
        for page in self._all_pages():
            number = str(page.get('id') or '')
            if number and number not in seen and isinstance(page.get('access_token'), str):
                seen.add(number)
                yield page

    def _all_pages(self) -> Iterator[dict[str, Any]]:
        fields = self.page_fields
        for rows in self._pages('me/accounts', _MOST_PAGES, fields=fields, limit=100):
            yield from rows
        scopes = self._grant.scopes
        if scopes is not None and 'business_management' not in scopes:
            return
        try:
            businesses = rows_of(self._get('me/businesses', fields='id', limit=100))
            for business in businesses:
                for edge in ('owned_pages', 'client_pages'):
                    path = f'{business["id"]}/{edge}'
                    for rows in self._pages(path, _MOST_PAGES, fields=fields, limit=100):
                        yield from rows
        except (PermissionMissing, NotFound, Rejected):
            return  # the pages of the person are there all the same

    def _page_token(self, page: Mapping[str, Any], account: str = '') -> Token:
        """Return the token of a page, with the scopes that were given for it.

        :param account: the account on Instagram that is to be acted for
        """
        person = self._grant
        extra = dict(person.extra)
        pages_of, until = extra.pop('pages_of', {}), extra.pop('data_until', None)
        mine = {str(page['id']), account}
        scopes = person.scopes and tuple(
            scope for scope in person.scopes if mine & {*pages_of.get(scope, mine)}
        )
        return Token(
            page['access_token'],
            expires_at=datetime.fromtimestamp(until, timezone.utc) if until else None,
            scopes=scopes,
            extra={**extra, 'page_id': str(page['id']), 'person_token': person.access_token},
        )

    def _revoke_facebook(self) -> None:
        """Take the person's grant back, and with it the tokens of all pages it gave."""
        extra = self._grant.extra
        token = str(extra.get('person_token') or self._grant.access_token)
        person = str(extra.get('person_id') or 'me')
        try:
            answer = self._call('DELETE', f'{person}/permissions', token=token)
        except NotFound:
            return
        if answer.get('success') is False:
            raise Transient('The network did not take the grant back', 'not_revoked')


def _targets(rows: Any) -> dict[str, list[str]]:
    """Return the ids that scopes were given for: scope -> ids; those of all pages are left out."""
    return {
        str(row['scope']): [str(number) for number in row['target_ids']]
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and 'scope' in row and isinstance(row.get('target_ids'), list)
    }
