"""LinkedIn: members, and the organisations that they administer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from . import oauth2, restli
from .errors import NotSupported, PermissionMissing, Rejected
from .linkedin_client import OAUTH, elements, not_found
from .linkedin_items import ORGANIZATION, PERSON, organization_profile, person_profile
from .linkedin_listening import Listening
from .linkedin_webhook import Webhook
from .types import Authorization, Limits, Profile, Token

_REFRESH_ENDS = 'refresh_token_expires_in'
#: Scopes of products that most apps do not have: asked for only where the app names them, as one
#: scope too many makes LinkedIn refuse the whole consent.
_SELDOM = {'openid', 'profile', 'r_member_postAnalytics', 'w_member_social_feed'}
#: A scope on the left is as good as one on the right: newer apps have rights over comments apart,
#: older ones within those over posts; members and organisations have their own.
_AS_GOOD = {
    'r_organization_social': {'r_organization_social_feed'},
    'w_organization_social': {'w_organization_social_feed', 'w_member_social'},
    'w_member_social': {'w_organization_social_feed', 'w_organization_social'},
    'w_member_social_feed': {'w_organization_social_feed'},
    'r_basicprofile': {'openid', 'profile'},
    'profile': {'r_basicprofile', 'openid'},
    'openid': {'r_basicprofile', 'profile'},
}


class LinkedIn(Webhook, Listening):
    """A member, or an organisation.

    LinkedIn has no search, no direct messages for apps, and nothing to listen to on a member's own
    posts: what comes in is what happens on an organisation's posts, its mentions, and its leads.
    """

    code = 'linkedin'
    label = 'LinkedIn'
    capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'mentions': (
            'rw_organization_admin',
            'r_organization_social',
            'r_organization_social_feed',
        ),
        'reply': ('w_organization_social', 'w_organization_social_feed'),
        'publish': ('w_organization_social', 'w_member_social'),
        'metrics': ('r_organization_social', 'r_organization_social_feed'),
        'profile': ('rw_organization_admin',),
        'lead_forms': ('r_marketing_leadgen_automation', 'r_ads', 'rw_organization_admin'),
    }
    identity_scopes = ('r_basicprofile', 'openid', 'profile')
    features = frozenset(
        {
            'revoke',
            'refresh',
            'find_sent',
            'thread',
            'delete',
            'webhook',
            'brands',
            'own_account',
            'own_scopes',
        }
    )
    stream_capabilities: ClassVar[Mapping[str, str]] = {
        'notifications': 'mentions',
        'lead_forms': 'lead_forms',
    }
    refresh_ahead = timedelta(days=7)
    #: A member's calls are 100 a day before LinkedIn has reviewed the app.
    poll_interval = 900
    default_limits = Limits(
        text_length=3000,
        media_count=20,
        image_types=('image/jpeg', 'image/png', 'image/gif'),
        image_pixels=36_152_320,
        video_types=('video/mp4',),
        video_size=500 << 20,
        video_duration=30 * 60,
    )

    # --- connect ---------------------------------------------------------------------------------

    @classmethod
    def covers(cls, granted: Iterable[str], scopes: Iterable[str]) -> bool:
        """See :meth:`.Provider.covers`; which of two scopes an app has depends on its products."""
        have = set(granted)
        for scope in tuple(have):
            have |= _AS_GOOD.get(scope, set())
        return set(scopes) <= have

    def authorize_url(
        self, *, state: str, challenge: str, scopes: Sequence[str], hint: str = ''
    ) -> Authorization:
        """See :meth:`.Provider.authorize_url`; LinkedIn takes PKCE from native apps only.

        ``app.scopes`` are those that the app owns ("Auth" in its settings at LinkedIn): no other
        is asked for. Without them, those of an app with Community Management are.
        """
        owned = set(self.app.scopes)
        asked = [s for s in scopes if (s in owned if owned else s not in _SELDOM)]
        url = oauth2.authorize_url(
            f'{OAUTH}/authorization',
            client_id=self.app.client_id,
            redirect_uri=self.app.redirect_uri,
            scopes=asked,
            state=state,
        )
        return Authorization(url, {'scopes': asked})

    def exchange_code(
        self, *, code: str, verifier: str, private: Mapping[str, object], params: Mapping[str, str]
    ) -> Token:
        """See :meth:`.Provider.exchange_code`; a code works once and for half an hour."""
        error = oauth2.callback_error({**params, 'code': code})
        if error:
            raise error
        answer = oauth2.request_token(
            self.http,
            f'{OAUTH}/accessToken',
            grant_type='authorization_code',
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
            code=code,
            redirect_uri=self.app.redirect_uri,
        )
        return self._with_end(oauth2.read_token(answer, extra=(_REFRESH_ENDS,)))

    def refresh(self) -> Token:
        """See :meth:`.Provider.refresh`; the refresh token stays the same and ends a year after
        the consent. The last token comes without one, so that its end is told in time."""
        return self._with_end(
            oauth2.refresh(
                self.http,
                f'{OAUTH}/accessToken',
                self._grant,
                client_id=self.app.client_id,
                client_secret=self.app.client_secret,
                extra=(_REFRESH_ENDS,),
            )
        )

    @classmethod
    def _with_end(cls, token: Token) -> Token:
        """Keep when the refresh token ends, and leave it out where it will not serve any more."""
        extra = dict(token.extra)
        end = oauth2.expiry(extra.pop(_REFRESH_ENDS, None))
        if end:
            extra['refresh_ends'] = end.isoformat(timespec='seconds')
        ends = extra.get('refresh_ends')
        last = (
            ends
            and token.expires_at
            and token.expires_at - cls.refresh_ahead >= datetime.fromisoformat(str(ends))
        )
        return replace(token, extra=extra, refresh_token='' if last else token.refresh_token)

    def revoke(self) -> None:
        """See :meth:`.Provider.revoke`; this ends all accounts of the same login."""
        oauth2.revoke(
            self.http,
            f'{OAUTH}/revoke',
            self._grant.access_token,
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
        )

    # --- profiles --------------------------------------------------------------------------------

    def profile(self, handle: str) -> Profile:
        """Look up ``company/name`` (or ``name``), ``in/name``, a URN, or the address of one."""
        kind, name = _split_handle(handle)
        if not name:
            raise not_found(handle)
        if kind == 'in':
            return self._member(self._member_id(name), handle)
        if kind == PERSON:
            return self._member(name, handle)
        if kind == ORGANIZATION or name.isdigit():
            found = self._organizations([f'{ORGANIZATION}{name}']).get(f'{ORGANIZATION}{name}')
        else:
            answer = self._get(
                'organizations', {'q': 'vanityName', 'vanityName': name}, method='FINDER'
            )
            entries = elements(answer)
            found = self._read(organization_profile, entries[0]) if entries else None
        if not found:
            raise not_found(handle)
        return self._with_followers(found)

    def _with_followers(self, profile: Profile) -> Profile:
        path = f'networkSizes/{restli.encode(profile.external_id)}'
        try:
            found = self._get(path, {'edgeType': 'COMPANY_FOLLOWED_BY_MEMBER'})
        except (PermissionMissing, Rejected):
            return profile
        size = found.get('firstDegreeSize')
        return replace(profile, followers=size if isinstance(size, int) and size >= 0 else None)

    def _member_id(self, name: str) -> str:
        """Return a member's id by the name in their address; only organisations may ask."""
        if not self._is_organization:
            raise NotSupported('LinkedIn shows members to organisations only', 'profile')
        params = {
            'q': 'vanityUrlAsOrganization',
            'vanityUrl': f'https://www.linkedin.com/in/{name}',
            'organization': self._me,
        }
        for entry in elements(self._get('vanityUrl', params, method='FINDER')):
            urn = entry.get('member') if isinstance(entry, dict) else None
            if isinstance(urn, str) and urn.startswith(PERSON):
                return urn.rpartition(':')[2]
        raise not_found(name)

    def _member(self, number: str, handle: str) -> Profile:
        try:
            found = self._get(f'people/{restli.value({"id": number})}')
        except PermissionMissing:  # so it answers for those who hide outside of LinkedIn
            raise not_found(handle) from None
        return self._read(person_profile, found)


def _split_handle(handle: str) -> tuple[str, str]:
    """Return the kind (``in``, ``company``, the start of a URN) and the name in a handle."""
    text = handle.strip().lstrip('@')
    for start in (PERSON, ORGANIZATION):
        if text.startswith(start):
            return start, text[len(start) :]
    if '://' in text:
        parts = urlsplit(text)
        host = parts.hostname or ''
        if host != 'linkedin.com' and not host.endswith('.linkedin.com'):
            return '', ''
        text = unquote(parts.path).strip('/')
    kind, slash, name = text.partition('/')
    if not slash:
        return 'company', '' if '@' in text else text
    name = name.partition('/')[0]
    known = {'in': 'in', 'company': 'company', 'school': 'company', 'showcase': 'company'}
    return known.get(kind.lower(), ''), name
