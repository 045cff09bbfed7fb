from odoo import api, fields, models
from odoo.tools import email_normalize, escape_psql

from .social_crm_source_mixin import STAFF

#: Who may read profiles.
READERS = (
    'social_crm.social_crm_group_user,sales_team.group_sale_salesman,'
    'helpdesk_mgmt.group_helpdesk_user_own'
)


class ResPartner(models.Model):
    _inherit = 'res.partner'

    social_profile_ids = fields.One2many(
        'social.crm.profile', 'partner_id', 'Social Profiles', groups=READERS
    )
    social_mention_count = fields.Integer(
        compute='_compute_social_mention_count',
        groups='social_crm.social_crm_group_user',
    )
    social_is_customer = fields.Boolean(
        'Known Customer',
        groups=STAFF,
        help=(
            'Social mentions of known customers make no sales leads. Ticked by hand; a won '
            'opportunity counts as well.'
        ),
    )

    def _compute_social_mention_count(self):
        groups = self.env['social.crm.mention']._read_group(
            [('author_id.partner_id', 'in', self.ids)],
            ['author_id'],
            ['__count'],
        )
        counts = dict.fromkeys(self.ids, 0)
        for profile, number in groups:
            counts[profile.partner_id.id] += number
        for partner in self:
            partner.social_mention_count = counts.get(partner.id, 0)

    def action_social_answer(self):
        """Open the composer for a direct message."""
        self.ensure_one()
        return self.env['social.crm.compose']._open_for(self)

    def action_view_social_mentions(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_mention_action'
        )
        action.update(domain=[('author_id.partner_id', '=', self.id)], context={})
        return action

    @api.model
    def _social_customer_domain(self):
        """Return the domain of known customers; modules that know more extend it."""
        domain = fields.Domain('social_is_customer', '=', True) | fields.Domain(
            'opportunity_ids.won_status', '=', 'won'
        )
        if 'customer_rank' in self._fields:  # account: has been invoiced
            domain |= fields.Domain('customer_rank', '>', 0)
        return domain

    @api.model
    def _social_colleague_domain(self):
        """Return the domain of the company's own people; modules that know more extend it."""
        domain = fields.Domain('user_ids.share', '=', False)
        if 'employee_ids' in self._fields:  # hr
            domain |= fields.Domain('employee_ids', '!=', False)
        company = self.env.company
        address = email_normalize(company.email) if company.social_crm_domain_is_staff else False
        if address:
            host = address.rpartition('@')[2]
            domain |= fields.Domain('email_normalized', '=like', f'%@{escape_psql(host)}')
        return domain

    def _social_colleagues(self):
        """Return those of these contacts who work for the company: they are no leads."""
        if not self:
            return self
        # sudo: who works here must not depend on who asks
        partners = self.sudo().with_context(active_test=False)
        found = partners.search(
            fields.Domain('id', 'in', self.ids) & self.sudo()._social_colleague_domain()
        )
        return self.filtered(lambda partner: partner.id in found._ids)

    def _social_customers(self):
        """Return those of these contacts who, themselves or by their company, are customers."""
        if not self:
            return self
        # sudo: whether somebody is a customer must not depend on who asks
        everybody = (self | self.commercial_partner_id).sudo()
        customers = everybody.search(
            fields.Domain('id', 'in', everybody.ids) & self._social_customer_domain()
        )
        return self.filtered(
            lambda partner: {partner.id, partner.commercial_partner_id.id} & set(customers.ids)
        )
