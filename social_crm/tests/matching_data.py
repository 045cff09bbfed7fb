"""The made-up people of :mod:`.people` in a database, and what matching makes of them."""

from dataclasses import dataclass

from odoo import SUPERUSER_ID, fields

from .people import make_people


@dataclass
class Outcome:
    """How many profiles were linked, suggested, missed; ``wrong`` are links to somebody else,
    ``useless`` profiles with suggestions of which none is right."""

    linked: int = 0
    suggested: int = 0
    missed: int = 0
    wrong: tuple = ()
    useless: int = 0

    @property
    def precision(self):
        """Share of the automatic links that are right."""
        links = self.linked + len(self.wrong)
        return self.linked / links if links else 1.0

    @property
    def recall(self):
        """Share of the profiles with evidence whose contact was linked or suggested."""
        known = self.linked + self.suggested + self.missed
        return (self.linked + self.suggested) / known if known else 1.0


def store_people(env, account, **options):
    """Create contacts and profiles; return the pairs (made profile, its record) and contacts."""
    contacts, profiles = make_people(**options)
    Partner = env['res.partner'].with_context(tracking_disable=True)
    records = []
    for made in contacts:  # in this order: companies come before their people
        records.append(
            Partner.create(
                {
                    'name': made.name,
                    'email': made.email,
                    'phone': made.phone,
                    'website': made.website,
                    'is_company': made.is_company,
                    'parent_id': records[made.parent].id if made.parent is not None else False,
                    'function': made.function,
                    'city': made.city,
                }
            )
        )
    Profile = env['social.crm.profile'].with_user(SUPERUSER_ID)
    found = Profile.create([_profile_values(account, made) for made in profiles])
    pairs = list(zip(profiles, found, strict=True))
    env['social.crm.mention'].with_user(SUPERUSER_ID).create(
        [
            {
                'network': made.network,
                'account_id': account.id,
                'company_id': account.company_id.id,
                'kind': 'message',
                'external_id': f'{profile.external_id}/{number}',
                'author_id': profile.id,
                'text': text,
                'posted_at': fields.Datetime.now(),
            }
            for made, profile in pairs
            for number, text in enumerate(made.messages)
        ]
    )
    env.flush_all()
    return pairs, records


def _profile_values(account, made):
    return {
        'network': made.network,
        'external_id': f'https://{made.handle.split("@")[1]}/users/{made.handle}',
        'handle': made.handle,
        'name': made.name,
        'headline': made.headline,
        'bio': made.bio,
        'location': made.location,
        'bot': made.bot,
        'links': [
            {'name': name, 'url': url, 'verified': verified} for name, url, verified in made.links
        ],
        'company_id': account.company_id.id,
    }


def judge(pairs, contacts):
    """Compare what was linked and suggested with the truth."""
    outcome, wrong = Outcome(), []
    for made, profile in pairs:
        truth = contacts[made.truth] if made.truth is not None else None
        suggested = profile.match_ids.filtered(lambda match: match.state == 'suggested').partner_id
        if profile.partner_id:
            if profile.partner_id == truth:
                outcome.linked += 1
            else:
                wrong.append((made, profile.partner_id.name))
        elif truth and truth in suggested:
            outcome.suggested += 1
        elif truth and made.evidence:
            outcome.missed += 1
        if suggested and (not truth or truth not in suggested):
            outcome.useless += 1
    outcome.wrong = tuple(wrong)
    return outcome
