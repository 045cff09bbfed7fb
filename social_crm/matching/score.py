"""How sure it is that a profile is a contact's, and why.

The points are a judgement, written as a table; the limits are the rule: a link without a person's
consent needs something that only the contact could have written there *and* the name, with nothing
that speaks against it. What a team or several people share, and what a name alone tells, is never
enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from .addresses import own_domain, parse_email, registrable
from .compare import (
    NameMatch,
    compare_companies,
    compare_people,
    name_words,
    names_company,
    names_place,
)
from .fold import joined
from .subjects import Contact, Person

LINK = 0.9  #: from here on a profile is linked without asking
SUGGEST = 0.5  #: from here on somebody is asked
_BELOW_LINK = 0.89

POINTS = {
    'email': 0.60,  # the contact's address, in the profile or a message
    'email_shared': 0.40,  # the same, but a team's or several contacts' address, or the handle is
    'handle_is_email': 0.60,  # @ada@acme.example, and mail goes to ada@acme.example
    'handle_is_site': 0.60,  # a handle that is the contact's own domain
    'site_verified': 0.60,  # the network has checked that the contact's site points back
    'page_on_file': 0.60,  # the profile's address stands on the contact
    'phone': 0.50,
    'site': 0.35,
    'employer_site': 0.25,
    'handle_domain': 0.30,  # an account on the employer's own server
    'handle_rare': 0.40,  # a handle that is no name, and begins the e-mail address as well
    'handle_local': 0.10,
    'company': 0.20,
    'city': 0.15,
    'job': 0.05,
}
NAME_POINTS = {
    NameMatch.EQUAL: 0.35,
    NameMatch.STRONG: 0.30,
    NameMatch.INITIAL: 0.15,
    NameMatch.SINGLE: 0.10,
    NameMatch.GIVEN: -0.10,  # people marry
    NameMatch.NONE: 0.0,
    NameMatch.FAMILY: -0.35,
    NameMatch.CONFLICT: -0.10,  # people write under other names, and for others
}
CAUTIONS = {
    'homonyms': -0.05,  # several contacts have this name
    'employer': -0.60,  # it is the page of the contact's company
    'parody': -0.50,
    'bot': -0.15,
    'team_address': 0.0,
    'shared': 0.0,
}
#: One of these, with the name, is enough.
_PROOF = frozenset(('email', 'handle_is_email', 'handle_is_site', 'site_verified', 'page_on_file'))
#: The network or a domain vouches for these; an address in a profile is only said.
_VOUCHED = _PROOF - {'email'}
#: These can belong to all people of a name who work at one place.
_PLACES = frozenset(('handle_is_site', 'site_verified', 'page_on_file'))
_PARODY = re.compile(
    r'\b(?:parod(?:y|ie)|fan ?(?:page|account|club)|unofficial|inoffiziell|not affiliated|'
    r'back ?up (?:account|profile)|second account|fake|tribute|not the real|in memory of|satire)\b',
    re.I,
)
#: Words of an address name no company.
_ADDRESS = re.compile(r'@|://|www\.')


class Reason(NamedTuple):
    """One piece of evidence: its code, what it counts, and the words it rests on."""

    code: str
    points: float
    detail: str = ''


@dataclass(frozen=True)
class Crowd:
    """What else is known around a pair.

    :param shared_emails: keys of addresses that several contacts have
    :param homonyms: several contacts have this name
    """

    shared_emails: frozenset[str] = frozenset()
    homonyms: bool = False


ALONE = Crowd()


@dataclass(frozen=True)
class Score:
    """How sure it is, from 0 to 1, and why."""

    value: float
    reasons: tuple[Reason, ...]

    @property
    def links(self) -> bool:
        """Tell whether nobody needs to be asked."""
        return self.value >= LINK

    @property
    def suggests(self) -> bool:
        """Tell whether somebody is to be asked."""
        return SUGGEST <= self.value < LINK

    @property
    def proven(self) -> bool:
        """Tell whether the network, or a domain, vouches for it: more than words of a profile."""
        return any(reason.code in _VOUCHED for reason in self.reasons)

    def doubted(self, code: str) -> Score:
        """Return this score with a reason for which somebody has to be asked in any case."""
        return Score(min(self.value, _BELOW_LINK), (*self.reasons, Reason(code, 0.0)))


#: What colleagues have in common.
_COMMON = frozenset(('site', 'employer_site', 'site_verified', 'handle_domain', 'handle_is_site'))


def score(contact: Contact, person: Person, crowd: Crowd = ALONE) -> Score:
    """Return how sure it is that a profile is a contact's, with the reasons."""
    name = _name_match(contact, person)
    found = [*_identity(contact, person, crowd)]
    if name in (NameMatch.NONE, NameMatch.CONFLICT, NameMatch.FAMILY):
        found = [reason for reason in found if reason.code not in _COMMON]
    else:
        found += _context(contact, person)
    if NAME_POINTS[name]:
        found.append(Reason(f'name_{name.name.lower()}', NAME_POINTS[name], person.display))
    found += _cautions(contact, person, crowd, {reason.code for reason in found})
    total = round(min(max(sum(reason.points for reason in found), 0), 1), 2)
    if total >= LINK and not _is_sure(found, name):
        total = _BELOW_LINK
    return Score(total, tuple(found))


def _is_sure(found: list[Reason], name: NameMatch) -> bool:
    """Tell whether nobody needs to be asked, whatever the sum of the points."""
    codes = {reason.code for reason in found}
    proof = codes & _PROOF
    if 'homonyms' in codes:
        proof -= _PLACES
    return bool(proof) and name >= NameMatch.STRONG and not codes & (CAUTIONS.keys() - {'homonyms'})


def _name_match(contact: Contact, person: Person) -> NameMatch:
    if contact.is_company:
        return compare_companies(contact.name, person.display)
    shown = compare_people(contact.name, person.display)
    if shown <= NameMatch.NONE and not name_words(person.name):
        shown = NameMatch.NONE
    if NameMatch.NONE <= shown < NameMatch.STRONG:
        # What the display name leaves open, the handle may tell: Anna H. is @annahuber.
        spelled = compare_people(contact.name, re.sub(r'[\d_.-]+', ' ', person.local))
        if spelled >= NameMatch.STRONG:
            return NameMatch.STRONG
    return shown


def namesakes(one: Contact, other: Contact) -> bool:
    """Tell whether a name can mean either of two contacts."""
    if one.is_company != other.is_company:
        return False
    compare = compare_companies if one.is_company else compare_people
    return compare(one.name, other.name) >= NameMatch.INITIAL


# --- what identifies somebody ---------------------------------------------------------------------


def _identity(contact: Contact, person: Person, crowd: Crowd) -> Iterable[Reason]:
    yield from _by_address(contact, person, crowd)
    yield from _by_site(contact, person)
    yield from _by_handle(contact, person)
    for number in person.phones & contact.numbers:
        yield Reason('phone', POINTS['phone'], number)
        break


def _by_address(contact: Contact, person: Person, crowd: Crowd) -> Iterable[Reason]:
    address = contact.address
    if not address:
        return
    shared = address.role or address.key in crowd.shared_emails
    handle = parse_email(f'{person.local}@{person.host}') if person.host else None
    if address.key in person.addresses:
        code = 'email_shared' if shared else 'email'
        yield Reason(code, POINTS[code], address.key)
    elif handle and handle.key == address.key and own_domain(handle) and not person.domain_handle:
        code = 'email_shared' if address.role else 'handle_is_email'
        yield Reason(code, POINTS[code], address.key)
    else:
        return
    if address.role:
        yield Reason('team_address', CAUTIONS['team_address'], address.key)
    elif shared:
        yield Reason('shared', CAUTIONS['shared'], address.key)


def _by_site(contact: Contact, person: Person) -> Iterable[Reason]:
    site = contact.site
    employer = [found.page for found, _ in person.sites if found.domain in contact.domains]
    if employer and not (site and registrable(employer[0].partition('/')[0]) == site.domain):
        yield Reason('employer_site', POINTS['employer_site'], employer[0])
    if not site:
        return
    if person.page and site.page == person.page:
        yield Reason('page_on_file', POINTS['page_on_file'], site.page)
        return
    if person.domain_handle and site.domain and person.host in (site.domain, site.host):
        yield Reason('handle_is_site', POINTS['handle_is_site'], person.host)
    same = [
        (verified, found.page)
        for found, verified in person.sites
        if (site.domain and found.domain == site.domain) or found.page == site.page
    ]
    if same:
        verified, page = max(same)
        code = 'site_verified' if verified else 'site'
        yield Reason(code, POINTS[code], page)


def _by_handle(contact: Contact, person: Person) -> Iterable[Reason]:
    host = person.host
    own = next((domain for domain in contact.domains if _within(host, domain)), '')
    address = contact.address
    whole = address and parse_email(f'{person.local}@{host}')
    if own and not (whole and address and whole.key == address.key):
        yield Reason('handle_domain', POINTS['handle_domain'], host)
    if not address or address.role or joined(address.local) != joined(person.local):
        return
    if whole and whole.key == address.key:
        return
    code = 'handle_rare' if _is_rare(person.local, contact) else 'handle_local'
    yield Reason(code, POINTS[code], person.local)


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f'.{domain}')


def _is_rare(handle: str, contact: Contact) -> bool:
    """Tell whether a handle is not made of a name, so that few people would choose it."""
    plain = joined(handle)
    letters = re.sub(r'\d', '', plain)
    return len(letters) >= 6 and not any(word in letters for word in contact.words if len(word) > 2)


# --- what goes with it, and what speaks against it ------------------------------------------------


def _context(contact: Contact, person: Person) -> Iterable[Reason]:
    words = f'{person.headline} \n {person.bio} \n {person.name}'
    words = ' '.join(word for word in words.split() if not _ADDRESS.search(word))
    if contact.company and names_company(words, contact.company):
        yield Reason('company', POINTS['company'], contact.company)
    if contact.city and names_place(f'{person.location} \n {words}', contact.city):
        yield Reason('city', POINTS['city'], contact.city)
    if contact.job and names_company(words, contact.job):
        yield Reason('job', POINTS['job'], contact.job)


def _cautions(contact: Contact, person: Person, crowd: Crowd, codes: set[str]) -> Iterable[Reason]:
    if (
        not contact.is_company
        and contact.company
        and compare_companies(contact.company, person.display) == NameMatch.EQUAL
    ):
        yield Reason('employer', CAUTIONS['employer'], contact.company)
    if match := _PARODY.search(f'{person.name} \n {person.headline} \n {person.bio}'):
        yield Reason('parody', CAUTIONS['parody'], match[0])
    if person.bot and not contact.is_company:
        yield Reason('bot', CAUTIONS['bot'])
    if crowd.homonyms:
        # An own address tells people of one name apart.
        points = 0.0 if codes & {'email', 'handle_is_email'} else CAUTIONS['homonyms']
        yield Reason('homonyms', points, contact.name)
