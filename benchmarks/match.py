"""Matching of contacts and profiles: how right it is, and whether it slows down as a CRM grows.

- ``match.precision``: share of the automatic links that are right, of made-up people with messy
  names, namesakes, relatives, team addresses and impostors (several draws, so no lucky one);
- ``match.recall``: share of the profiles with evidence whose contact was linked or suggested;
- ``match.growth``: milliseconds for a new profile among 100,000 contacts; the floor is the same
  among 1,000, in the same run.
"""

import random
import time
from statistics import median

from odoo import SUPERUSER_ID

from odoo.addons.social_crm.tests.common import connect, make_app
from odoo.addons.social_crm.tests.matching_data import judge, store_people
from odoo.addons.social_crm.tests.people import POOLS, slug
from odoo.addons.social_crm.tools import insert_skip_known

SEEDS = (1, 2, 3)
FEW, MANY = 1_000, 100_000
PROFILES = 200
ROUNDS = 5


def run(bench):
    env = bench.env
    app = make_app(env.company)
    yield from quality(env)
    yield growth(env, app)


def quality(env):
    """Draw people, each draw in a company of its own, and compare with the truth."""
    outcomes = []
    for seed in SEEDS:
        company = env['res.company'].create({'name': f'Draw {seed}'})
        account = connect(make_app(company), env.user)
        pairs, contacts = store_people(env, account, seed=seed)
        for contact in contacts:
            contact.company_id = company
        env.cr.commit()
        env(user=SUPERUSER_ID)['social.crm.profile']._cron_match()
        env.invalidate_all()
        outcomes.append(judge(pairs, contacts))
    linked = sum(outcome.linked for outcome in outcomes)
    suggested = sum(outcome.suggested for outcome in outcomes)
    missed = sum(outcome.missed for outcome in outcomes)
    wrong = sum(len(outcome.wrong) for outcome in outcomes)
    useless = sum(outcome.useless for outcome in outcomes)
    yield {
        'figure': 'match.precision',
        'value': round(linked / (linked + wrong), 4),
        'unit': 'share',
        'linked': linked,
        'wrong': wrong,
        'wrong_in_draws': [len(outcome.wrong) for outcome in outcomes],
    }
    yield {
        'figure': 'match.recall',
        'value': round((linked + suggested) / (linked + suggested + missed), 4),
        'unit': 'share',
        'linked': linked,
        'suggested': suggested,
        'missed': missed,
        'suggestions_without_the_right_one': useless,
    }


def growth(env, app):
    """Measure the same batch of new profiles among few and among many contacts."""
    account = connect(app, env.user)
    crowd = Crowd(env)
    crowd.grow(FEW)
    few = measure(env, account, crowd, 'few')
    crowd.grow(MANY)
    many = measure(env, account, crowd, 'many')
    return {
        'figure': 'match.growth',
        'value': round(many, 2),
        'unit': 'ms per profile',
        'floor': round(few, 2),
        'ratio': round(many / few, 3),
        'contacts': MANY,
    }


class Crowd:
    """Contacts with the names and addresses of a big CRM, and profiles of some of them."""

    def __init__(self, env):
        self.env = env
        self.random = random.Random(7)
        self.emails = []

    def grow(self, size):
        """Add contacts until there are ``size``, with their keys."""
        rows = []
        for number in range(len(self.emails), size):
            given, family = self.name()
            email = f'{slug(given)}.{slug(family)}{number}@firm{number % 5_000}.example'
            self.emails.append((f'{given} {family}', email))
            name = f'{given} {family}'
            rows.append({'name': name, 'complete_name': name, 'email': email})
        Partner = self.env['res.partner']
        shared = {'active': True, 'type': 'contact', 'is_company': False, 'social_match_due': True}
        insert_skip_known(Partner, [{**row, **shared} for row in rows])
        self.env.cr.commit()
        while Partner._social_match_batch():
            self.env.cr.commit()
        self.env.cr.execute('ANALYZE social_crm_match_key')
        self.env.cr.commit()

    def name(self):
        """Return a name; family names are made of two, so that there are some thousands."""
        given = self.random.choice(POOLS['given'])[0]
        first, second = self.random.choice(POOLS['family']), self.random.choice(POOLS['family'])
        return given, f'{first}{slug(second)}'

    def profiles(self, account, mark):
        """Return values of new profiles: half are contacts' with their address, half strangers."""
        values = []
        for number in range(PROFILES):
            name, email = self.random.choice(self.emails[:FEW])
            if number % 2:
                name, email = ' '.join(self.name()), f'{number}@nowhere.example'
            values.append(
                {
                    'network': 'mastodon',
                    'external_id': f'https://bench.example/{mark}/{number}',
                    'handle': f'{mark}{number}@bench.example',
                    'name': name,
                    'bio': f'Hello, {email}',
                    'company_id': account.company_id.id,
                }
            )
        return values


def measure(env, account, crowd, mark):
    """Return the milliseconds that a new profile takes, the median of some batches."""
    Profile = env(user=SUPERUSER_ID)['social.crm.profile']
    took = []
    for turn in range(ROUNDS + 1):
        profiles = Profile.create(crowd.profiles(account, f'{mark}{turn}'))
        env.cr.commit()
        begin = time.perf_counter()
        assert Profile._match_due_batch() == PROFILES
        env.cr.commit()
        took.append((time.perf_counter() - begin) / PROFILES * 1000)
        found = profiles.filtered('partner_id') | profiles.filtered('match_ids')
        assert len(found) >= PROFILES // 4, 'the profiles of contacts are found'
        profiles.unlink()
        env.cr.commit()
    return median(took[1:])
