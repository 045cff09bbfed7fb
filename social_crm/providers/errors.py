"""Errors of the adapters, by what the caller should do about them.

Adapters raise these and nothing else for a network's answer. They carry codes and the network's own
words, never a translated sentence: the Odoo models translate.
"""

from __future__ import annotations

from datetime import datetime


class ProviderError(Exception):
    """Base of all errors of this package.

    :param reason: what the network said, in its own words; safe to show, holds no secret.
    :param code: the network's own error code or the HTTP status, as text.
    """

    def __init__(self, reason: str = '', code: str = ''):
        super().__init__(reason or code or type(self).__name__)
        self.reason = reason
        self.code = code


class AuthorizationLost(ProviderError):
    """The grant is dead: the person has to connect again."""


class PermissionMissing(ProviderError):
    """The grant is alive but lacks a scope or a role for this call."""


class RateLimited(ProviderError):
    """Too many calls; try again at ``until`` (aware UTC), or later when it is ``None``."""

    def __init__(self, reason: str = '', code: str = '', until: datetime | None = None):
        super().__init__(reason, code)
        self.until = until


class Transient(ProviderError):
    """The server or the way to it failed; nothing was changed there; try again later."""


class OutcomeUnknown(ProviderError):
    """A writing call was sent and its answer got lost: look it up before any second try."""


class Rejected(ProviderError):
    """The network refuses this very call and will refuse it again."""


class NotFound(Rejected):
    """What was asked for does not exist there, or is hidden from this account."""


class Duplicate(Rejected):
    """The network says that this was published already."""


class NotSupported(ProviderError):
    """The network cannot do this; callers ask ``capabilities`` and ``features`` first."""
