from odoo import api, fields, models
from odoo.tools import SQL

#: A key of more owners than this tells nobody apart: it is not followed.
MOST_OWNERS = 20
_QUERIES = {
    'partner_id': (
        'DELETE FROM social_crm_match_key WHERE partner_id = ANY(%s)',
        'INSERT INTO social_crm_match_key (key, partner_id, company_id) VALUES %s',
    ),
    'profile_id': (
        'DELETE FROM social_crm_match_key WHERE profile_id = ANY(%s)',
        'INSERT INTO social_crm_match_key (key, profile_id, company_id) VALUES %s',
    ),
}


class SocialCrmMatchKey(models.Model):
    """What contacts and profiles can find each other by: ``email:ada@acme.example``.

    Both sides are looked up by index, so that what a new profile costs does not depend on the
    number of contacts. See :mod:`..matching.subjects` for the keys.
    """

    _name = 'social.crm.match.key'
    _description = 'Key of a Contact or Social Profile'
    _rec_name = 'key'
    _log_access = False  # many rows, written by the module alone

    key = fields.Char(required=True)
    partner_id = fields.Many2one('res.partner', ondelete='cascade', index='btree_not_null')
    profile_id = fields.Many2one('social.crm.profile', ondelete='cascade', index='btree_not_null')
    #: Of a contact without one: empty, all companies see it.
    company_id = fields.Many2one('res.company', ondelete='cascade')

    _of_contact = models.Index('(key, company_id) WHERE partner_id IS NOT NULL')
    _of_profile = models.Index('(key, company_id) WHERE profile_id IS NOT NULL')
    _one_owner = models.Constraint(
        'CHECK (num_nonnulls(partner_id, profile_id) = 1)',
        'A key is that of a contact or of a profile.',
    )

    @api.model
    def _replace(self, owner_field, keys, companies):
        """Store the keys of some owners, in place of those that they had.

        :param str owner_field: ``partner_id`` or ``profile_id``
        :param dict keys: owner id -> keys, empty for an owner that is to be found by nothing
        :param dict companies: owner id -> company id or ``None``
        """
        delete, insert = _QUERIES[owner_field]
        self.env.cr.execute(delete, [list(keys)])
        rows = [
            (key, owner, companies.get(owner))
            for owner, its_keys in keys.items()
            for key in sorted(its_keys)
        ]
        if rows:
            self.env.cr.execute_values(insert, rows, page_size=1000)

    @api.model
    def _find_contacts(self, wanted):
        """Look contacts up for profiles.

        :param wanted: list of (profile id, key, company id)
        :return: dict of (profile id, key) -> set of contact ids, ``None`` where they are too many
        """
        return self._find(
            wanted,
            SQL(
                """(SELECT partner_id AS found FROM social_crm_match_key
                     WHERE key = w.key AND partner_id IS NOT NULL AND company_id = w.company
                     LIMIT %(limit)s)
                   UNION ALL
                   (SELECT partner_id FROM social_crm_match_key
                     WHERE key = w.key AND partner_id IS NOT NULL AND company_id IS NULL
                     LIMIT %(limit)s)""",
                limit=MOST_OWNERS + 1,
            ),
        )

    @api.model
    def _find_profiles(self, wanted):
        """Look profiles up for contacts.

        :param wanted: list of (contact id, key, company id or ``None`` for all companies)
        :return: as :meth:`_find_contacts`
        """
        return self._find(
            wanted,
            SQL(
                """SELECT profile_id AS found FROM social_crm_match_key
                    WHERE key = w.key AND profile_id IS NOT NULL
                      AND (w.company IS NULL OR company_id = w.company)
                    LIMIT %(limit)s""",
                limit=MOST_OWNERS + 1,
            ),
        )

    @api.model
    def _find(self, wanted, lookup):
        if not wanted:
            return {}
        owners, keys, companies = (list(column) for column in zip(*wanted, strict=True))
        self.env.cr.execute(
            SQL(
                """SELECT w.owner, w.key, k.found
                     FROM unnest(%(owners)s::int[], %(keys)s::text[], %(companies)s::int[])
                          AS w(owner, key, company)
               CROSS JOIN LATERAL (%(lookup)s) k""",
                owners=owners,
                keys=keys,
                companies=companies,
                lookup=lookup,
            )
        )
        found = {}
        for owner, key, number in self.env.cr.fetchall():
            found.setdefault((owner, key), set()).add(number)
        return {
            place: numbers if len(numbers) <= MOST_OWNERS else None
            for place, numbers in found.items()
        }
