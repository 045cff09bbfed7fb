"""The two sides of a match, and the keys by which they find each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from .addresses import Email, Site, own_domain, parse_email, parse_site, split_handle
from .compare import company_words, name_words
from .details import phones, stated_emails
from .fold import joined
from .nicknames import variants

_MAX_KEYS = 100


@dataclass(frozen=True)
class Contact:
    """What the CRM knows of somebody. ``company`` is the employer's name, empty for companies."""

    id: int
    name: str = ''
    email: str = ''
    phone: str = ''
    website: str = ''
    is_company: bool = False
    company: str = ''
    company_website: str = ''
    job: str = ''
    city: str = ''

    @cached_property
    def address(self) -> Email | None:
        """The e-mail address."""
        return parse_email(self.email)

    @cached_property
    def site(self) -> Site | None:
        """The website."""
        return parse_site(self.website)

    @cached_property
    def domains(self) -> frozenset[str]:
        """The domains that are this contact's or the employer's."""
        sites = (self.site, parse_site(self.company_website))
        found = {own_domain(self.address), *(site.domain for site in sites if site)}
        return frozenset(found - {''})

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The phone numbers, with country code."""
        return frozenset(phones(self.phone))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the name, as they are compared."""
        return company_words(self.name) if self.is_company else name_words(self.name)


@dataclass(frozen=True)
class Link:
    """A link of a profile; ``verified``: the network has checked that it points back."""

    url: str
    verified: bool = False


@dataclass(frozen=True)
class Person:
    """What a network tells of somebody. ``messages`` is what they wrote to us in private.

    ``domain_handle``: the handle is a domain, and the network has checked who owns it.
    """

    id: int
    network: str
    handle: str
    name: str = ''
    headline: str = ''
    bio: str = ''
    location: str = ''
    url: str = ''
    links: tuple[Link, ...] = ()
    messages: str = ''
    bot: bool = False
    domain_handle: bool = False

    @cached_property
    def local(self) -> str:
        """The handle's own part."""
        return split_handle(self.handle, self.domain_handle)[0]

    @cached_property
    def host(self) -> str:
        """The handle's host, empty on networks of one host."""
        return split_handle(self.handle, self.domain_handle)[1]

    @cached_property
    def text(self) -> str:
        """All that the profile says in public."""
        links = ' '.join(link.url for link in self.links)
        return f'{self.name} \n {self.headline} \n {self.bio} \n {links}'[:20_000]

    @cached_property
    def addresses(self) -> dict[str, Email]:
        """The e-mail addresses that are given in the profile or in a message, by key."""
        texts = f'{self.text} \n {self.messages}'
        found = (parse_email(text) for text in stated_emails(texts))
        return {email.key: email for email in found if email}

    @cached_property
    def phones(self) -> frozenset[str]:
        """The phone numbers that are given in the profile or in a message."""
        return frozenset(phones(f'{self.text} \n {self.messages}'))

    @cached_property
    def sites(self) -> tuple[tuple[Site, bool], ...]:
        """The websites that the profile links to, with whether the network has checked them."""
        links = [(parse_site(link.url), link.verified) for link in self.links]
        links += [(parse_site(word), False) for word in _addresses_in(self.bio)]
        return tuple((site, verified) for site, verified in links if site)

    @cached_property
    def page(self) -> str:
        """The profile's own address, as a key."""
        site = parse_site(self.url)
        return site.page if site else ''

    @cached_property
    def display(self) -> str:
        """The name, or the handle's own part where there is no name in the display name."""
        return self.name if name_words(self.name) else re.sub(r'[_.\d-]+', ' ', self.local)


def _addresses_in(text: str) -> Iterable[str]:
    return re.findall(r'(?<![\w@.])(?:https?://|www\.)[^\s<>"\']{3,300}', text[:5_000])[:20]


def contact_keys(contact: Contact, forms: bool = False) -> frozenset[str]:
    """Return the keys of a contact: those to store, with ``forms`` those to look profiles up by.

    The latter also hold the other forms of the given name.
    """
    keys = set()
    if contact.address:
        keys.add(f'email:{contact.address.key}')
        if not contact.address.role:
            keys.add(f'handle:{joined(contact.address.local)}')
    keys.update(f'phone:{number}' for number in contact.numbers)
    if contact.site:
        keys |= _site_keys(contact.site)
    if contact.is_company:
        keys.add(f'name:{"".join(contact.words)}')
    else:
        keys |= _name_keys(contact.words, forms)
    return _sane(keys)


def person_keys(person: Person, forms: bool = False) -> frozenset[str]:
    """Return the keys of a profile; ``forms`` as in :func:`contact_keys`."""
    keys = {f'email:{key}' for key in person.addresses}
    if person.host and not person.domain_handle:
        email = parse_email(f'{person.local}@{person.host}')
        keys.update([f'email:{email.key}'] if email else ())
    elif person.host:
        keys |= _site_keys(parse_site(person.host))
    local = joined(person.local)
    keys.update((f'handle:{local}', f'name:{local}'))
    keys.update(f'phone:{number}' for number in person.phones)
    for site, _verified in person.sites:
        keys |= _site_keys(site)
    if person.page:
        keys.add(f'site:{person.page}')
    keys |= _name_keys(name_words(person.display), forms)
    keys.add(f'name:{"".join(company_words(person.display))}')
    return _sane(keys)


def _site_keys(site: Site | None) -> set[str]:
    if not site:
        return set()
    return {f'site:{site.domain or site.page}', f'site:{site.page}'}


def _name_keys(words: tuple[str, ...], forms: bool) -> set[str]:
    """Return keys of a name: all its words in one piece, and each pair of words in order."""
    keys = {f'name:{"".join(words)}', f'name:{"".join(reversed(words))}'}
    long_words = [word for word in words if len(word) > 1][:4]
    for one, other in combinations(long_words, 2):
        keys.add(f'name:{" ".join(sorted((one, other)))}')
        if forms:
            keys.update(f'name:{" ".join(sorted((form, other)))}' for form in variants(one))
            keys.update(f'name:{" ".join(sorted((one, form)))}' for form in variants(other))
    return keys


def _sane(keys: set[str]) -> frozenset[str]:
    """Leave out what is too short to tell anything, and the end of what is endless."""
    kept = sorted(key[:200] for key in keys if len(key.partition(':')[2]) > 2)
    return frozenset(sorted(kept, key=lambda key: key.startswith('name:'))[:_MAX_KEYS])
