"""What all calls of the Mastodon adapter share: the server, the token, the own account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from . import mastodon_servers as servers
from .base import Provider
from .errors import AuthorizationLost, NotFound, PermissionMissing, Rejected, Transient
from .mastodon_items import BAD, Reader, domain_of
from .types import Profile, Token


class Client(Provider):
    """Calls of one account on one server; ``app.metadata`` is what ``discover`` found."""

    def whoami(self) -> Profile:
        """Return the profile of the token's account.

        :raise AuthorizationLost: also for what a dead token gets here from Pleroma and Pixelfed
            (403) and from snac (422).
        """
        try:
            account = self._get('/api/v1/accounts/verify_credentials')
        except PermissionMissing as error:
            if 'bad_token_403' in self._quirks:
                raise AuthorizationLost(error.reason, error.code) from None
            raise
        except Rejected as error:
            if error.code == '422':
                raise AuthorizationLost(error.reason, error.code) from None
            raise
        return self._profile(account)

    @property
    def _quirks(self) -> frozenset[str]:
        return servers.quirks_of(self.app)

    @property
    def _domain(self) -> str:
        return str(self.app.metadata.get('domain') or domain_of(self.app.server))

    @property
    def _grant(self) -> Token:
        if not self.token or not self.token.access_token:
            raise AuthorizationLost('There is no token', 'no_token')
        return self.token

    @property
    def _me(self) -> str:
        """Return the local id of the connected account, asked for once where nobody told it."""
        if not self.me or not self.me.local_id:
            self.me = self.whoami()
        return self.me.local_id

    def _reader(self) -> Reader:
        me = self.me.local_id if self.me else ''
        return Reader(self._domain, me, self._quirks)

    def _profile(self, account: Mapping[str, Any]) -> Profile:
        try:
            return self._reader().profile(account)
        except BAD:
            raise Transient('The server sent no readable profile', 'bad_answer') from None

    def _endpoint(self, name: str) -> str:
        endpoints = self.app.metadata.get('endpoints')
        path = {'authorize': '/oauth/authorize', 'token': '/oauth/token', 'revoke': '/oauth/revoke'}
        known = endpoints.get(name) if isinstance(endpoints, Mapping) else None
        return str(known or f'{self.app.server}{path[name]}')

    def _get(self, path: str, expect: type = dict, **kwargs: Any) -> Any:
        return self._call('GET', path, expect, **kwargs)

    def _call(
        self, method: str, path: str, expect: type | tuple[type, ...] = (), **kwargs: Any
    ) -> Any:
        url, token = f'{self.app.server}{path}', self._grant.access_token
        try:
            if not expect:
                return self.http.request(method, url, token=token, **kwargs)
            return self.http.json(method, url, expect, token=token, **kwargs)
        except PermissionMissing:
            if 'bad_token_403' in self._quirks and not path.endswith('verify_credentials'):
                self.whoami()  # tells a dead grant from a missing right
            raise

    def _mention(self, handle: str) -> str:
        """Return how to name an account so that every server understands it.

        Without a host for accounts of this server: a host with a port is not understood.
        """
        user, _, host = handle.lstrip('@').partition('@')
        return f'@{user}' if not host or host.lower() == self._domain else f'@{user}@{host}'

    def _local_id(self, external_id: str) -> str:
        """Return this server's id of a status by its address; raise NotFound without one."""
        params = {'q': external_id, 'type': 'statuses', 'resolve': 'true', 'limit': 1}
        for status in self._get('/api/v2/search', params=params).get('statuses') or ():
            if external_id in {status.get('uri'), status.get('url')}:
                return str(status['id'])
        raise NotFound('The server does not know this post', '404')

    def _context(self, local_id: str) -> list[Any]:
        found = self._get(f'/api/v1/statuses/{quote(local_id, safe="")}/context')
        parts = (found.get('ancestors'), found.get('descendants'))
        return [entry for part in parts if isinstance(part, list) for entry in part]
