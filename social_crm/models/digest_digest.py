from odoo import fields, models
from odoo.exceptions import AccessError

USER = 'social_crm.social_crm_group_user'


class DigestDigest(models.Model):
    _inherit = 'digest.digest'

    kpi_social_mentions = fields.Boolean('Social Mentions')
    kpi_social_mentions_value = fields.Integer(compute='_compute_kpi_social_mentions_value')
    kpi_social_answers = fields.Boolean('Social Answers')
    kpi_social_answers_value = fields.Integer(compute='_compute_kpi_social_answers_value')
    kpi_social_leads = fields.Boolean('Leads from Social Networks')
    kpi_social_leads_value = fields.Integer(compute='_compute_kpi_social_leads_value')

    def _compute_kpi_social_mentions_value(self):
        self._check_social_kpi(USER)
        self._calculate_company_based_kpi(
            'social.crm.mention', 'kpi_social_mentions_value', date_field='posted_at'
        )

    def _compute_kpi_social_answers_value(self):
        self._check_social_kpi(USER)
        self._calculate_company_based_kpi(
            'social.crm.engagement',
            'kpi_social_answers_value',
            date_field='sent_at',
            additional_domain=[('delivery_state', '=', 'sent')],
        )

    def _compute_kpi_social_leads_value(self):
        self._check_social_kpi('sales_team.group_sale_salesman')
        self._calculate_company_based_kpi(
            'crm.lead',
            'kpi_social_leads_value',
            additional_domain=[('social_profile_id', '!=', False)],
        )

    def _check_social_kpi(self, group):
        if not self.env.user.has_group(group):
            raise AccessError(self.env._('These figures are not for this user: left out.'))

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        menu = self.env.ref('social_crm.social_crm_menu').id
        for kpi, action in (
            ('mentions', 'social_crm_mention_action'),
            ('answers', 'social_crm_engagement_action'),
        ):
            actions[f'kpi_social_{kpi}'] = f'social_crm.{action}?menu_id={menu}'
        actions['kpi_social_leads'] = 'crm.crm_lead_action_pipeline'
        return actions
