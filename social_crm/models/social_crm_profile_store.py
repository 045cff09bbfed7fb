from typing import NamedTuple

from odoo import api, fields, models

from ..listening import Facts
from ..tools import clean, clean_name, clean_url, insert_skip_known, is_web


class Author(NamedTuple):
    """What listening wants to know of a profile; see :class:`Facts`."""

    id: int
    followers: int
    verified: bool
    blocked: bool
    location: str
    partner_id: int | None
    country: str

    def facts(self, customer_ids, **mention):
        """Return what the rules may ask about a mention of this author.

        :param customer_ids: ids of the contacts that are known customers
        """
        return Facts(
            author=self.id,
            followers=self.followers,
            verified=self.verified,
            blocked=self.blocked,
            location=self.location,
            country=self.country,
            customer=self.partner_id in customer_ids,
            **mention,
        )


class SocialCrmProfile(models.Model):
    """Profiles as they come in by the thousand: found or inserted, a page of items at a time."""

    _inherit = 'social.crm.profile'

    def _author(self):
        """Return what listening wants to know of this author."""
        self.ensure_one()
        return Author(
            self.id,
            self.followers,
            self.verified,
            self.blocked,
            (self.location or '').casefold(),
            self.partner_id.id,
            self.partner_id.country_id.code or '',
        )

    @api.model
    def _upsert(self, company, network, profiles):
        """Make sure that each of ``profiles`` (adapter values) is stored; once per page of items.

        Rows that exist are left alone here (the enrichment refreshes them): writing to them would
        make this loop wait for whoever captures a lead of the same author.

        :return: dict of external id -> Author
        """
        by_id = {profile.external_id: profile for profile in profiles}
        authors = self._find_authors(company, network, by_id)
        missing = [profile for key, profile in by_id.items() if key not in authors]
        if missing:
            authors |= self._insert(company, network, missing)
        return authors

    @api.model
    def _find_authors(self, company, network, by_id):
        """Return the authors that are stored already: dict of external id -> Author.

        A profile that a person entered by handle gets the id that the network has for it.
        """
        self.env.cr.execute(
            """SELECT p.external_id, p.handle, p.id, p.followers, p.verified, p.blocked,
                      lower(p.location),
                      p.partner_id, c.code
                 FROM social_crm_profile p
            LEFT JOIN res_partner r ON r.id = p.partner_id
            LEFT JOIN res_country c ON c.id = r.country_id
                WHERE p.company_id = %(company)s AND p.network = %(network)s
                  AND (p.external_id = ANY(%(ids)s)
                       OR p.external_id IS NULL AND p.handle = ANY(%(handles)s))""",
            {
                'company': company.id,
                'network': network,
                'ids': list(by_id),
                'handles': [profile.handle.lower() for profile in by_id.values()],
            },
        )
        authors, entered = {}, {}
        for (
            key,
            handle,
            number,
            followers,
            verified,
            blocked,
            location,
            partner,
            country,
        ) in self.env.cr.fetchall():
            author = Author(
                number,
                followers or 0,
                bool(verified),
                bool(blocked),
                location or '',
                partner,
                country or '',
            )
            if key:
                authors[key] = author
            else:
                entered[handle] = author
        for profile in by_id.values() if entered else ():
            author = entered.get(profile.handle.lower())
            if author and profile.external_id not in authors:
                self.browse(author.id).write(self._values(profile))
                authors[profile.external_id] = author
        return authors

    @api.model
    def _insert(self, company, network, profiles):
        rows = [
            {
                **self._values(profile),
                'company_id': company.id,
                'network': network,
                'blocked': False,
                'match_due': True,
                'picture_due': bool(profile.avatar_url),
            }
            for profile in profiles
        ]
        new = dict(insert_skip_known(self, rows, returning=('external_id', 'id')))
        return {
            row['external_id']: Author(
                new[row['external_id']],
                row['followers'],
                row['verified'],
                False,
                row['location'].casefold(),
                None,
                '',
            )
            for row in rows
        }

    @api.model
    def _values(self, profile):
        """Return the record's values for an adapter's profile, cut to sane sizes."""
        return {
            'external_id': profile.external_id,
            'handle': clean_name(profile.handle, 200) or profile.external_id[:200],
            'name': clean_name(profile.name, 200),
            'url': clean_url(profile.url, 500),
            'avatar_url': clean(profile.avatar_url, 1000),
            'headline': clean_name(profile.headline, 500),
            'bio': clean(profile.bio, 5000),
            'location': clean_name(profile.location, 200),
            'followers': _counter(profile.followers),
            'following': _counter(profile.following),
            'posts': _counter(profile.posts),
            'verified': profile.verified,
            'bot': profile.bot,
            'links': [
                {
                    'name': clean(link.name, 100),
                    'url': clean_url(link.url, 500),
                    'verified': link.verified,
                }
                for link in profile.links[:20]
                if is_web(link.url)
            ]
            or None,
            'refreshed_at': fields.Datetime.now(),
        }


def _counter(value):
    """Return a counter that fits PostgreSQL's integer."""
    return min(max(value or 0, 0), 2_147_483_647)
