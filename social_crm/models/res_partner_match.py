from odoo import api, fields, models

from .. import matching
from ..tools import take_marked
from .social_crm_source_mixin import STAFF

BATCH = 500
#: Changes of these may make a profile fit, or fit no more.
TELLING_FIELDS = frozenset(
    (
        'name',
        'email',
        'phone',
        'website',
        'function',
        'city',
        'is_company',
        'type',
        'parent_id',
        'company_name',
        'company_id',
        'active',
        'social_no_enrichment',
    )
)


class ResPartner(models.Model):
    """Contacts as matching knows them; those that changed are *due* for the loop."""

    _inherit = 'res.partner'

    social_match_due = fields.Boolean(
        default=True,
        readonly=True,
        copy=False,
        export_string_translation=False,
        groups=STAFF,
    )
    social_no_enrichment = fields.Boolean(
        'No Social Enrichment',
        tracking=True,
        groups=STAFF,
        help=(
            'This person does not want to be looked up on social networks: no profile is matched, '
            'suggested or refreshed. What was linked automatically is taken back; what somebody '
            'linked by hand stays.'
        ),
    )
    social_match_ids = fields.One2many(
        'social.crm.match',
        'partner_id',
        'Suggested Profiles',
        domain=[('state', '=', 'suggested')],
        groups='social_crm.social_crm_group_user',
    )

    social_merge_ids = fields.One2many(
        'social.crm.identity.merge',
        'partner_id',
        'Merged Identities',
        domain=[('undone_at', '=', False)],
        groups='social_crm.social_crm_group_user',
    )

    _social_match_due = models.Index('(id) WHERE social_match_due')

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        self.env['social.crm.profile']._wake_matching()
        return partners

    def write(self, vals):
        if TELLING_FIELDS & vals.keys():
            vals = {**vals, 'social_match_due': True}
            self.env['social.crm.profile']._wake_matching()
        result = super().write(vals)
        if vals.get('social_no_enrichment'):
            self._social_forget()
        return result

    def action_social_match(self):
        """Look for profiles of these contacts, and bring those that they have up to date."""
        self.check_access('write')
        self.social_match_due = True
        self.env['social.crm.profile']._wake_matching()
        return self.social_profile_ids.action_refresh()

    def _social_forget(self):
        """Take back what the module has found out by itself about these contacts."""
        self.env['social.crm.match.key']._replace('partner_id', dict.fromkeys(self.ids, ()), {})
        # sudo: whoever may write the contact may say that it is not to be enriched
        matches = (
            self.env['social.crm.match']
            .sudo()
            .search([('partner_id', 'in', self.ids), ('state', 'in', ['suggested', 'linked'])])
        )
        matches.filtered(lambda match: match.state == 'linked').profile_id.partner_id = False
        matches.unlink()

    # === LOOP === #

    @api.model
    def _social_match_batch(self):
        """Store the keys of up to :data:`BATCH` contacts that are due; mark who they may be.

        :return: number of contacts
        """
        partners = take_marked(self, 'social_match_due', BATCH)
        if partners:
            partners._social_find_profiles()
        return len(partners)

    def _social_find_profiles(self):
        """Store the keys of these contacts, and have the profiles looked at that they may be."""
        Key = self.env['social.crm.match.key']
        contacts = self._as_contacts()
        companies = {partner.id: partner.company_id.id or None for partner in self}
        keys = {number: matching.contact_keys(contact) for number, contact in contacts.items()}
        Key._replace('partner_id', {number: keys.get(number, ()) for number in self.ids}, companies)
        found = Key._find_profiles(
            [
                (number, key, companies[number])
                for number, contact in contacts.items()
                for key in matching.contact_keys(contact, forms=True)
            ]
        )
        profile_ids = set().union(*(some for some in found.values() if some))
        suggested = self.env['social.crm.match'].search(
            [('partner_id', 'in', self.ids), ('state', '=', 'suggested')]
        )
        profile_ids.update(suggested.profile_id.ids)
        if profile_ids:
            self.env.cr.execute(
                """UPDATE social_crm_profile SET match_due = TRUE
                    WHERE id = ANY(%s) AND partner_id IS NULL""",
                [list(profile_ids)],
                log_exceptions=False,
            )

    def _as_contacts(self):
        """Return those of these contacts that may be matched: dict of id -> Contact.

        Addresses of a contact, archived ones and those without consent are none.
        """
        self.env.cr.execute(
            """SELECT p.id, p.name, p.email, COALESCE(p.phone_sanitized, p.phone), p.website,
                      p.is_company, COALESCE(firm.name, p.company_name), firm.website, p.function,
                      p.city
                 FROM res_partner p
            LEFT JOIN res_partner firm ON firm.id = p.commercial_partner_id AND firm.id != p.id
                WHERE p.id = ANY(%s) AND p.active AND COALESCE(p.type, 'contact') = 'contact'
                  AND p.social_no_enrichment IS NOT TRUE""",
            [self.ids],
        )
        return {
            row[0]: matching.Contact(
                id=row[0],
                name=row[1] or '',
                email=row[2] or '',
                phone=row[3] or '',
                website=row[4] or '',
                is_company=bool(row[5]),
                company='' if row[5] else row[6] or '',
                company_website=row[7] or '',
                job=row[8] or '',
                city=row[9] or '',
            )
            for row in self.env.cr.fetchall()
        }
