"""YouTube, Data API version 3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from . import oauth2
from .errors import NotFound
from .types import Authorization, Limits, Profile, Token
from .youtube_listening import Listening
from .youtube_quota import UNITS
from .youtube_sending import Sending

_SCOPE = 'https://www.googleapis.com/auth/'
_READ = f'{_SCOPE}youtube.readonly'
_COMMENT = f'{_SCOPE}youtube.force-ssl'
_UPLOAD = f'{_SCOPE}youtube.upload'
#: What a scope includes beside itself.
_INCLUDES = {
    _COMMENT: {_READ, _UPLOAD},
    f'{_SCOPE}youtube': {_READ, _UPLOAD},
}
_TOKEN = 'https://oauth2.googleapis.com/token'
_CHANNEL_LENGTH = 24


class YouTube(Listening, Sending):
    """One channel. There are no direct messages, no mentions elsewhere, and nothing is pushed.

    ``usage`` counts calls; ``spent`` is what they took of the day's quota, see
    :mod:`.youtube_quota`.
    """

    code = 'youtube'
    label = 'YouTube'
    capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'mentions': (_READ, _COMMENT),
        'search': (_READ,),
        'reply': (_COMMENT,),
        'publish': (_READ, _UPLOAD),
        'metrics': (_READ,),
        'profile': (_READ,),
    }
    identity_scopes = (_READ,)
    features = frozenset(
        {'pkce', 'revoke', 'refresh', 'find_sent', 'thread', 'delete', 'brands', 'own_account'}
    )
    stream_capabilities: ClassVar[Mapping[str, str]] = {'comments': 'mentions'}
    costs = UNITS
    cost_unit = 'units'
    default_limits = Limits(
        text_length=5000,
        media_count=1,
        video_types=('video/mp4', 'video/quicktime', 'video/webm', 'video/x-msvideo', 'video/mpeg'),
        video_size=2 << 30,
        media_required=True,
    )

    # --- connect ---------------------------------------------------------------------------------

    @classmethod
    def covers(cls, granted: Iterable[str], scopes: Iterable[str]) -> bool:
        """See :meth:`.Provider.covers`; some scopes include others."""
        known = set(granted)
        for scope in tuple(known):
            known |= _INCLUDES.get(scope, set())
        return set(scopes) <= known

    def authorize_url(
        self, *, state: str, challenge: str, scopes: Sequence[str], hint: str = ''
    ) -> Authorization:
        """See :meth:`.Provider.authorize_url`.

        Consent is always asked for: only then Google gives a refresh token. The channel is chosen
        on its pages.
        """
        extra = {
            'access_type': 'offline',
            'prompt': 'select_account consent',
            'include_granted_scopes': 'true',
        }
        if hint:
            extra['login_hint'] = hint
        url = oauth2.authorize_url(
            'https://accounts.google.com/o/oauth2/v2/auth',
            client_id=self.app.client_id,
            redirect_uri=self.app.redirect_uri,
            scopes=scopes,
            state=state,
            challenge=challenge,
            extra=extra,
        )
        return Authorization(url)

    def exchange_code(
        self, *, code: str, verifier: str, private: Mapping[str, object], params: Mapping[str, str]
    ) -> Token:
        """See :meth:`.Provider.exchange_code`; the person may have granted less than asked."""
        error = oauth2.callback_error({**params, 'code': code})
        if error:
            raise error
        answer = oauth2.request_token(
            self.http,
            _TOKEN,
            grant_type='authorization_code',
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
            code=code,
            code_verifier=verifier,
            redirect_uri=self.app.redirect_uri,
        )
        return oauth2.read_token(answer)

    def refresh(self) -> Token:
        """See :meth:`.Provider.refresh`; the refresh token stays the same as a rule."""
        return oauth2.refresh(
            self.http,
            _TOKEN,
            self._grant,
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
        )

    def revoke(self) -> None:
        """See :meth:`.Provider.revoke`; ends everything that this person granted to this client,
        other channels included."""
        grant = self._grant
        oauth2.revoke(
            self.http,
            'https://oauth2.googleapis.com/revoke',
            grant.refresh_token or grant.access_token,
            client_id='',
        )

    # --- people ----------------------------------------------------------------------------------

    def profile(self, handle: str) -> Profile:
        """See :meth:`.Provider.profile`; also takes the id of a channel (``UC…``)."""
        handle = handle.strip().lstrip('@')
        is_id = handle.startswith('UC') and len(handle) == _CHANNEL_LENGTH
        found = self._channels({'id' if is_id else 'forHandle': handle}) if handle else []
        if not found:
            raise NotFound('There is no such channel', 'channelNotFound')
        return found[0]
