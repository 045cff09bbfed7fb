"""The two ways into Instagram: its own login, or Facebook's with a page that the account hangs on.

An app is for one of them: ``app.metadata['login']`` is ``facebook`` for the second. The ways differ
in hosts, tokens and the names of scopes; ids of accounts are the same. Scopes are named here as
Instagram's own login has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

from . import oauth2
from .answers import Answer
from .errors import AuthorizationLost, NotSupported, PermissionMissing, Rejected, Transient
from .facebook_items import read_person, readable
from .instagram_items import read_account
from .meta import FACEBOOK_GRAPH, INSTAGRAM_GRAPH, graph_error
from .meta_client import rows_of
from .meta_login import FacebookLogin
from .types import Authorization, BrandAccount, Profile, Token

_DIALOG = 'https://www.instagram.com/oauth/authorize'
_CODES = 'https://api.instagram.com/oauth/access_token'
_TOKENS = 'https://graph.instagram.com'

#: What Facebook's login calls the scopes of Instagram's own.
FACEBOOK_SCOPES: Mapping[str, tuple[str, ...]] = {
    'instagram_business_basic': ('instagram_basic', 'pages_show_list', 'pages_read_engagement'),
    'instagram_business_content_publish': ('instagram_content_publish',),
    'instagram_business_manage_comments': ('instagram_manage_comments', 'pages_manage_metadata'),
    'instagram_business_manage_messages': ('instagram_manage_messages', 'pages_manage_metadata'),
    'instagram_business_manage_insights': ('instagram_manage_insights',),
}
_OWN = (
    'user_id,username,name,account_type,profile_picture_url,followers_count,follows_count,'
    'media_count,biography,website'
)
ACCOUNT = (
    'id,username,name,profile_picture_url,followers_count,follows_count,media_count,biography,'
    'website'
)
_PUSHED = 'comments,messages,messaging_postbacks'


class InstagramLogin(FacebookLogin):
    """Connects an account by either way."""

    token_extra: ClassVar[Mapping[str, str]] = {'login': 'facebook'}
    page_fields: ClassVar[str] = f'id,name,access_token,instagram_business_account{{{ACCOUNT}}}'

    @property
    def _by_facebook(self) -> bool:
        if self.token:
            return self.token.extra.get('login') == 'facebook'
        return self.app.metadata.get('login') == 'facebook'

    @property
    def _base(self) -> str:
        return FACEBOOK_GRAPH if self._by_facebook else INSTAGRAM_GRAPH

    @property
    def _me(self) -> str:
        """Return the id of the account."""
        known = self._grant.extra.get('user_id') or (self.me and self.me.external_id)
        return str(known or self.whoami().external_id)

    @property
    def _messenger(self) -> str:
        return str(self._grant.extra['page_id']) if self._by_facebook else 'me'

    def _proof(self, token: str) -> dict[str, str]:
        """Return the proof; Instagram's own host is asked with one only where somebody wants it."""
        wanted = self._by_facebook or self.app.metadata.get('appsecret_proof')
        return super()._proof(token) if wanted else {}

    # --- scopes ----------------------------------------------------------------------------------

    @classmethod
    def covers(cls, granted: Iterable[str], scopes: Iterable[str]) -> bool:
        """See :meth:`.Provider.covers`; Facebook's scopes count for Instagram's own."""
        has = set(granted)
        return all(
            scope in has or (scope in FACEBOOK_SCOPES and set(FACEBOOK_SCOPES[scope]) <= has)
            for scope in scopes
        )

    # --- connect ---------------------------------------------------------------------------------

    def check_app(self) -> None:
        """See :meth:`.Provider.check_app`; Instagram's own login has no call for that."""
        if not self._by_facebook:
            raise NotSupported('Instagram tells only at the first login', 'check_app')
        super().check_app()

    def authorize_url(
        self, *, state: str, challenge: str, scopes: Sequence[str], hint: str = ''
    ) -> Authorization:
        """See :meth:`.Provider.authorize_url`; neither dialog takes PKCE."""
        if self._by_facebook:
            asked = [name for scope in scopes for name in FACEBOOK_SCOPES.get(scope, (scope,))]
            return self._dialog(state, tuple(dict.fromkeys(asked)))
        url = oauth2.authorize_url(
            _DIALOG,
            client_id=self.app.client_id,
            redirect_uri=self.app.redirect_uri,
            scopes=scopes,
            state=state,
            separator=',',
            extra={'force_reauth': 'true'},
        )
        return Authorization(url)

    def exchange_code(
        self, *, code: str, verifier: str, private: Mapping[str, object], params: Mapping[str, str]
    ) -> Token:
        """See :meth:`.Provider.exchange_code`; by Facebook, a person's token: see
        :meth:`brand_accounts`."""
        code = code.removesuffix('#_')
        error = oauth2.callback_error({**params, 'code': code})
        if error:
            raise error
        if self._by_facebook:
            return self._facebook_token(code)
        return self._instagram_token(code)

    def _instagram_token(self, code: str) -> Token:
        form = {
            'client_id': self.app.client_id,
            'client_secret': self.app.client_secret,
            'grant_type': 'authorization_code',
            'redirect_uri': self.app.redirect_uri,
            'code': code,
        }
        # A form in parts: the URL-encoded one is said to be refused.
        answer: dict[str, Any] = self.http.json(
            'POST',
            _CODES,
            files={name: (None, value) for name, value in form.items()},
            errors=graph_error,
            writes=True,
        )
        rows = answer.get('data')
        short = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else answer
        granted = oauth2.read_scopes(short.get('permissions'))
        token = self._own_token(
            'access_token',
            grant_type='ig_exchange_token',
            client_secret=self.app.client_secret,
            access_token=oauth2.read_token(short).access_token,
        )
        extra = {'login': 'instagram', 'person_id': str(short.get('user_id') or '')}
        return Token(token.access_token, token.access_token, token.expires_at, granted, extra)

    def _own_token(self, path: str, **params: str) -> Token:
        answer = self.http.json('GET', f'{_TOKENS}/{path}', params=params, errors=_token_error)
        return oauth2.read_token(answer)

    def refresh(self) -> Token:
        """See :meth:`.Provider.refresh`; the token is 24 hours old at least, and renews itself.

        By Facebook there is nothing to renew: a page's token has no end.
        """
        old = self._grant
        if not old.refresh_token:
            raise AuthorizationLost('There is nothing to renew', 'no_refresh_token')
        fresh = self._own_token(
            'refresh_access_token', grant_type='ig_refresh_token', access_token=old.access_token
        )
        token = fresh.access_token
        return Token(token, token, fresh.expires_at, old.scopes, old.extra)

    def whoami(self) -> Profile:
        """Return the account; of a person's token by Facebook, the person, who is no account."""
        if not self._by_facebook:
            return readable(read_account, self._get('me', fields=_OWN))
        number = self._grant.extra.get('user_id')
        if not number:
            return readable(read_person, self._get('me', fields='id,name'))
        return readable(read_account, self._get(str(number), fields=ACCOUNT))

    def brand_accounts(self) -> tuple[BrandAccount, ...]:
        """Return the accounts that hang on the person's pages; by Instagram's own login, the one
        that signed in."""
        if not self._by_facebook:
            return (BrandAccount(self.whoami(), self._grant),)
        found = []
        for page in self._person_pages():
            account = page.get('instagram_business_account')
            if isinstance(account, dict) and account.get('username'):
                number = str(account['id'])
                token = self._page_token(page, number)
                token = replace(token, extra={**token.extra, 'user_id': number})
                found.append(BrandAccount(read_account(account), token))
        return tuple(found)

    def revoke(self) -> None:
        """Take the grant back; by Instagram's own login, only the pushes end.

        :raise NotSupported: the person has to take it back in Instagram's settings
        """
        # Nothing was subscribed, or not by this token: the grant ends all the same.
        with suppress(Rejected, PermissionMissing, AuthorizationLost):
            self._call('DELETE', f'{self._messenger}/subscribed_apps')
        if not self._by_facebook:
            raise NotSupported('It is taken back in the settings of Instagram', 'revoke')
        self._revoke_facebook()

    def subscribe(self) -> None:
        """See :meth:`.Provider.subscribe`.

        By Facebook, any field of the page switches the account on. A list replaces the one before,
        so that a page that was subscribed for its own sake is left alone.
        """
        path = f'{self._messenger}/subscribed_apps'
        if self._by_facebook and rows_of(self._get(path)):
            return
        fields = 'feed' if self._by_facebook else _PUSHED
        self._post(path, writes=False, data={'subscribed_fields': fields})


def _token_error(answer: Answer, writes: bool) -> Any:
    """Return the error of a renewal: every refusal means that the token is no good any more."""
    error = graph_error(answer, writes)
    if isinstance(error, Rejected) and not isinstance(error, Transient):
        return AuthorizationLost(error.reason, error.code)
    return error
