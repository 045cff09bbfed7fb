"""Made-up people for matching: a CRM as it grows by hand, and the profiles that write to it.

Everybody is invented, and drawn by a seeded generator, so that each run is about the same people.
Each profile carries the truth: the contact it belongs to, or none. ``evidence`` says whether it
shows anything beyond a name; without that nobody could tell, and nobody should.
"""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path

#: Names, companies, towns, … to draw from.
POOLS = json.loads((Path(__file__).parent / 'people.json').read_text(encoding='utf-8'))


@dataclass
class MadeContact:
    """A contact to create; ``parent`` is the place of its company in the list."""

    name: str
    email: str = ''
    phone: str = ''
    website: str = ''
    is_company: bool = False
    parent: int | None = None
    function: str = ''
    city: str = ''


@dataclass
class MadeProfile:
    """A profile to receive; ``truth`` is the place of its contact in the list, or ``None``."""

    kind: str
    network: str
    handle: str
    name: str
    truth: int | None = None
    evidence: bool = False
    bio: str = ''
    headline: str = ''
    location: str = ''
    links: list = field(default_factory=list)
    messages: list = field(default_factory=list)
    bot: bool = False


def make_people(seed=2026, households=60):
    """Return (contacts, profiles), the same for the same arguments."""
    world = World(random.Random(seed))
    world.companies()
    for _household in range(households):
        world.household()
    world.namesakes()
    world.strangers(households * 3)
    world.random.shuffle(world.profiles)
    return world.contacts, world.profiles


class World:
    """Draws people one after the other."""

    def __init__(self, rng):
        self.random = rng
        self.contacts, self.profiles = [], []
        self.handles = set()

    # --- drawing ---------------------------------------------------------------------------------

    def pick(self, values):
        return self.random.choice(values)

    def draw(self, pool):
        return self.random.choice(POOLS[pool])

    def chance(self, share):
        return self.random.random() < share

    def person(self, family=None):
        given, short = self.draw('given')
        second = f' {self.draw("given")[0]}' if self.chance(0.1) else ''
        return given, short, second, family or self.draw('family')

    def add(self, contact):
        self.contacts.append(contact)
        return len(self.contacts) - 1

    def handle(self, wanted, server=None):
        """Return a fediverse handle that nobody has yet."""
        server = server or self.draw('servers')
        name = wanted
        while f'{name}@{server}' in self.handles:
            name = f'{wanted}{self.random.randrange(2, 99)}'
        self.handles.add(f'{name}@{server}')
        return f'{name}@{server}'

    def show(self, kind, handle, name, **values):
        self.profiles.append(MadeProfile(kind, 'mastodon', handle, name, **values))

    def bio(self, words=''):
        return self.draw('bios').replace('{x}', words) or words

    def messy(self, given, short, second, family):
        """Return a name as people show it."""
        whole = f'{given}{second} {family}'
        return self.pick(
            [
                whole,
                whole,
                f'{given} {family}',
                f'{given} {family}',
                f'{given} {family} {self.draw("emoji")}',
                f'Dr. {given} {family}',
                f'{family} {given}',
                f'{given} {family}'.upper(),
                f'{given} {family} (she/her)',
                f'{given} {family} | {self.draw("jobs")}',
                f'{short or given} {family}',
                f'{given[0]}. {family}',
                f'{given} {family[0]}.',
                given,
                f'{given.lower()}.{slug(family)}',
                f'{given}-{self.draw("given")[0]} {family}',
                f'{given} {self.draw("family")}',
                f'{given} {family}-{self.draw("family")}',
                f'{self.draw("emoji")} {self.draw("hobbies")} {self.draw("emoji")}',
                f':verified: {given} {family}',
            ]
        )

    def spelled(self, email):
        """Return an address as people write it."""
        local, domain = email.split('@')
        return self.pick(
            [
                email,
                email,
                f'Mail: {email}',
                f'{local} [at] {domain}',
                f'✉ {email.upper()}',
                f'{local}(at){domain}',
                f'{local} AT {domain.replace(".", " DOT ")}',
                f'📧{email}',
                f'{local} ät {domain}',
            ]
        )

    # --- companies and their people --------------------------------------------------------------

    def companies(self):
        for name, domain in POOLS['companies']:
            host = f'{domain}.example'
            city = self.draw('cities')
            office = f'{self.pick(["info", "office", "hello", "kontakt"])}@{host}'
            place = self.add(
                MadeContact(name, office, website=f'https://www.{host}', is_company=True, city=city)
            )
            links = [('Web', f'https://{host}/', self.chance(0.5))]
            plain = name.split(' GmbH')[0].split(' AG')[0]
            shown = self.pick([name, plain, f'{plain} (official)', f'{plain} 🏔'])
            self.show(
                'company',
                self.handle(slug(domain)),
                shown,
                truth=place,
                evidence=True,
                links=links,
                bio=f'Write to {office}',
            )
            if self.chance(0.4):
                self.show(
                    'fan page',
                    self.handle(f'{slug(domain)}fans'),
                    f'{plain} Fans',
                    bio=f'About https://{host}',
                )
            if self.chance(0.4):
                self.show(
                    'branch',
                    self.handle(f'{slug(domain)}bcn'),
                    f'{plain} Barcelona',
                    links=[('Web', f'https://{host}/bcn', True)],
                )
            for _employee in range(self.random.randrange(3, 8)):
                self.employee(place, name, host, office, city)

    def employee(self, place, company, host, office, city):
        given, short, second, family = who = self.person()
        local = self.pick(
            [
                f'{slug(given)}.{slug(family)}',
                f'{slug(given)[0]}.{slug(family)}',
                slug(given),
                f'{slug(family)}{slug(given)[0]}',
            ]
        )
        email = office if self.chance(0.15) else f'{local}@{host}'
        known = MadeContact(
            f'{self.pick(["", "", "", "Mag. "])}{given}{second} {family}',
            email,
            phone=self.phone() if self.chance(0.4) else '',
            website=f'https://{host}' if self.chance(0.3) else '',
            parent=place,
            function=self.draw('jobs'),
            city=city,
        )
        if self.chance(0.7):
            truth = self.add(known)
            self.worker(truth, known, who, company, host)
        else:  # a colleague whom we do not know
            self.worker(None, known, who, company, host)

    def worker(self, truth, known, who, company, host):
        if self.chance(0.35):
            return
        given, _short, _second, family = who
        handle = self.handle(
            self.pick(
                [
                    f'{slug(given)}{slug(family)}',
                    f'{slug(given)}_{slug(family)[0]}',
                    self.draw('hobbies'),
                ]
            )
        )
        values = {}
        kind = self.random.randrange(7)
        if kind == 0:
            values = {'bio': self.bio(self.spelled(known.email))}
        elif kind == 1:
            values = {'links': [('Work', f'https://{host}/team', self.chance(0.5))]}
        elif kind == 2:
            handle = self.handle(known.email.split('@')[0], host)
        elif kind == 3:
            handle = self.handle(f'{slug(given)}x', f'social.{host}')
        elif kind == 4:
            values = {'headline': f'{known.function} at {company}', 'location': known.city}
        elif kind == 5 and known.phone:
            values = {'messages': [f'Please call me back: {known.phone}']}
        elif kind == 6:
            values = {'messages': [f'my mail is {known.email}, thank you']}
        self.show(
            'colleague' if truth is None else 'employee',
            handle,
            self.messy(*who),
            truth=truth,
            evidence=bool(values) or kind in (2, 3),
            **{'bio': self.bio(), **values},
        )

    def phone(self):
        return f'+43 316 {self.random.randrange(100_000, 999_999)}'

    # --- private people, freelancers, families, impostors -----------------------------------------

    def household(self):
        given, short, second, family = who = self.person()
        city = self.draw('cities')
        number = self.random.randrange(10, 9_999)
        own = f'{slug(given)}-{slug(family)}{number}.example'
        kind = self.pick(['private', 'private', 'freelancer', 'family', 'nickname'])
        email = {
            'private': f'{slug(given)}.{slug(family)}{number % 100}@{self.draw("freemail")}',
            'freelancer': f'{self.pick([slug(given), "mail", "hello", "studio"])}@{own}',
            'family': f'familie.{slug(family)}{number}@{self.draw("freemail")}',
            'nickname': f'{self.draw("hobbies")}{number}@{self.draw("freemail")}',
        }[kind]
        known = MadeContact(
            f'{given}{second} {family}',
            email,
            phone=self.phone() if self.chance(0.5) else '',
            website=f'http://{own}' if kind == 'freelancer' else '',
            city=city,
        )
        truth = self.add(known)
        if kind == 'family':
            self.relatives(known, family, city)
        for _profile in range(self.random.randrange(0, 3)):
            self.private(truth, known, who, kind, own)
        if self.chance(0.25):
            self.impostor(known, who, own)

    def private(self, truth, known, who, kind, own):
        given, _short, _second, family = who
        local = known.email.split('@')[0]
        handle = self.handle(
            self.pick(
                [
                    f'{slug(given)}{slug(family)}',
                    local.replace('.', ''),
                    self.draw('hobbies'),
                    slug(given),
                ]
            )
        )
        values, way = {}, self.random.randrange(7)
        if way == 0:
            values = {'bio': self.bio(self.spelled(known.email))}
        elif way == 1:
            values = {'messages': ['hello?', f'you can reach me at {known.email}']}
        elif way == 2 and kind == 'freelancer':
            values = {
                'links': [
                    ('Portfolio', f'https://www.{own}/', True),
                    ('Tips', 'https://ko-fi.com/x', False),
                ]
            }
        elif way == 3 and kind == 'freelancer':
            values = {'bio': self.bio(f'https://{own}')}
        elif way == 4:
            values = {
                'location': f'{known.city}, somewhere',
                'links': [('Mail', f'mailto:{known.email}', False)],
            }
        elif way == 5 and known.phone:
            values = {'messages': [f'my number: {known.phone}']}
        elif way == 6:
            values = {'location': known.city}
        self.show(
            kind,
            handle,
            self.messy(*who),
            truth=truth,
            evidence=bool(values),
            **{'bio': self.bio(), **values},
        )

    def relatives(self, known, family, city):
        for _relative in range(self.random.randrange(1, 3)):
            given, short, second, _family = self.person(family)
            contact = MadeContact(
                f'{given} {family}', known.email if self.chance(0.7) else '', city=city
            )
            truth = self.add(contact) if self.chance(0.6) else None
            self.show(
                'relative',
                self.handle(f'{slug(given)}{slug(family)}'),
                self.pick([f'{given} {family}', f'{given[0]}. {family}']),
                truth=truth,
                evidence=True,
                bio=self.bio(known.email),
                location=city,
            )

    def impostor(self, known, who, own):
        """Somebody with a contact's name: for fun, for fraud, or by chance."""
        given, _short, _second, family = who
        name, handle = f'{given} {family}', self.handle(f'{slug(given)}{slug(family)}')
        way = self.random.randrange(6)
        if way == 0:
            self.show('parody', handle, f'{name} (parody)', bio=f'Not the real one. {known.email}')
        elif way == 1:
            self.show('impostor', handle, name, bio=f'Official. https://{own}')
        elif way == 2:  # copies the whole profile of somebody who is there as well
            bio = self.bio(known.email)
            self.show('impostor', handle, name, bio=bio, location=known.city)
            self.show(
                'copied',
                self.handle(f'{slug(given)}_{slug(family)}'),
                name,
                truth=self.contacts.index(known),
                evidence=True,
                bio=bio,
                location=known.city,
            )
        elif way == 3:
            self.show(
                'agent', handle, f'Booking {given}', bio=f'For dates with {name}: {known.email}'
            )
        elif way == 4:
            self.show(
                'impostor',
                handle,
                name,
                location=known.city,
                bio='Your favourite. DM me for crypto',
            )
        else:
            self.show(
                'backup', handle, name, bio=f'Backup account, old one was hacked! {known.email}'
            )

    # --- people of one name -----------------------------------------------------------------------

    def namesakes(self):
        """Several people of one name: at two firms, at one (father and son), and strangers."""
        firms = [place for place, contact in enumerate(self.contacts) if contact.is_company]
        for _name in range(15):
            given, _short, _second, family = self.person()
            name = f'{given} {family}'
            one, other = self.random.sample(firms, 2)
            if self.chance(0.3):
                other = one
            truths = []
            for number, firm in enumerate((one, other)):
                company = self.contacts[firm]
                host = company.website.removeprefix('https://www.')
                local = f'{slug(given)}.{slug(family)}{number or ""}'
                truths.append(
                    self.add(
                        MadeContact(
                            name,
                            f'{local}@{host}',
                            website=company.website,
                            parent=firm,
                            city=company.city,
                        )
                    )
                )
            place = self.pick(truths)
            known = self.contacts[place]
            host = known.email.split('@')[1]
            way = self.random.randrange(4)
            values = [
                {'bio': self.bio(self.spelled(known.email))},
                {'links': [('Work', f'https://{host}', True)]},
                {'headline': f'at {self.contacts[known.parent].name}'},
                {'location': known.city},
            ][way]
            self.show(
                'namesake',
                self.handle(f'{slug(given)}.{slug(family)}'),
                name,
                truth=place,
                evidence=way < 3,
                **values,
            )
            self.show(
                'stranger namesake',
                self.handle(f'{slug(family)}.{slug(given)}'),
                name,
                location=self.draw('cities'),
            )

    def strangers(self, number):
        """People whom nobody knows; by chance they have a contact's name, town or trade."""
        for _stranger in range(number):
            who = self.person()
            given, _short, _second, family = who
            values = {}
            way = self.random.randrange(6)
            if way == 0:
                values = {'bio': self.bio(f'{slug(given)}.{slug(family)}@{self.draw("freemail")}')}
            elif way == 1:
                values = {'links': [('Site', f'https://{slug(family)}.example', True)]}
            elif way == 2:
                company, domain = self.draw('companies')
                values = {
                    'headline': f'ex {company}',
                    'bio': self.bio(f'Bought this at https://{domain}.example'),
                }
            elif way == 3:
                values = {
                    'links': [('All', f'https://linktr.ee/{slug(given)}', False)],
                    'bot': self.chance(0.3),
                }
            elif way == 4:
                _company, domain = self.draw('companies')
                values = {'bio': self.bio(f'I only ever complain to info@{domain}.example')}
            handle = self.handle(
                self.pick([f'{slug(given)}{slug(family)}', slug(given), self.draw('hobbies')])
            )
            self.show(
                'stranger',
                handle,
                self.messy(*who),
                location=self.pick([*POOLS['cities'], '', '', 'the internet']),
                **{'bio': self.bio(), **values},
            )


_LETTERS = str.maketrans(
    {
        'ä': 'ae',
        'ö': 'oe',
        'ü': 'ue',
        'ß': 'ss',
        'á': 'a',
        'é': 'e',
        'í': 'i',
        'ó': 'o',
        'ń': 'n',
        'ą': 'a',
        'è': 'e',
        'ë': 'e',
        'ø': 'o',
        'å': 'a',
        'ş': 's',
        'ç': 'c',
        'ć': 'c',
        'ô': 'o',
        "'": '',
        ' ': '',
        '-': '',
    }
)


def slug(name):
    """Return a name as addresses and handles hold it."""
    return name.lower().translate(_LETTERS)
