from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain


class SocialCrmRule(models.Model):
    """What has come of a rule: matches, leads, tickets, answers, won revenue, false hits."""

    _inherit = 'social.crm.rule'

    match_count = fields.Integer(compute='_compute_counts')
    lead_count = fields.Integer(compute='_compute_counts')
    ticket_count = fields.Integer(compute='_compute_counts')
    answer_count = fields.Integer(compute='_compute_outcome')
    won_count = fields.Integer(compute='_compute_outcome')
    won_revenue = fields.Monetary(
        compute='_compute_outcome',
        currency_field='company_currency_id',
        help='Of the won leads that came of this rule, in the currency of the company.',
    )
    false_hit_count = fields.Integer(compute='_compute_outcome')
    company_currency_id = fields.Many2one(related='company_id.currency_id')

    @api.depends_context('uid')
    def _compute_counts(self):
        groups = self.env['social.crm.mention']._read_group(
            [('rule_ids', 'in', self.ids)],
            ['rule_ids'],
            ['__count', 'lead_id:count_distinct', 'ticket_id:count_distinct'],
        )
        counts = {rule.id: numbers for rule, *numbers in groups}
        for rule in self:
            rule.match_count, rule.lead_count, rule.ticket_count = counts.get(
                rule._origin.id, (0, 0, 0)
            )

    @api.depends_context('uid')
    def _compute_outcome(self):
        answers, won, hits = self._count_answers(), self._won_leads(), self._count_false_hits()
        for rule in self:
            number = rule._origin.id
            leads = won.get(number, self.env['crm.lead'])
            rule.answer_count = answers.get(number, 0)
            rule.won_count = len(leads)
            rule.won_revenue = rule._revenue_of(leads)
            rule.false_hit_count = hits.get(number, 0)

    def _count_answers(self):
        """Return how many answers to matches stand on a network: dict of rule id -> number."""
        self.env['social.crm.engagement'].flush_model(['mention_id', 'delivery_state'])
        self.env['social.crm.mention'].flush_model(['rule_ids'])
        self.env.cr.execute(
            """SELECT r.rule_id, count(*)
                 FROM social_crm_mention_rule_rel r
                 JOIN social_crm_mention m ON m.id = r.mention_id
                 JOIN social_crm_engagement e ON e.mention_id = r.mention_id
                WHERE r.rule_id = ANY(%s) AND e.delivery_state = 'sent'
                  AND COALESCE(m.owner_id, %s) = %s -- those of a personal account are its owner's
             GROUP BY r.rule_id""",
            [self.ids, self.env.uid, self.env.uid],
        )
        return dict(self.env.cr.fetchall())

    def _won_leads(self):
        """Return the won leads that came of each rule: dict of rule id -> leads, as superuser."""
        self.env['crm.lead'].flush_model(['won_status'])
        self.env['social.crm.mention'].flush_model(['lead_id', 'rule_ids'])
        self.env.cr.execute(
            """SELECT DISTINCT r.rule_id, l.id
                 FROM social_crm_mention_rule_rel r
                 JOIN social_crm_mention m ON m.id = r.mention_id
                 JOIN crm_lead l ON l.id = m.lead_id
                WHERE r.rule_id = ANY(%s) AND l.won_status = 'won'""",
            [self.ids],
        )
        by_rule = defaultdict(list)
        for rule_id, lead_id in self.env.cr.fetchall():
            by_rule[rule_id].append(lead_id)
        # sudo: who writes rules may know their sum, without a right to the single leads
        Lead = self.env['crm.lead'].sudo()
        everything = Lead.browse(lead for leads in by_rule.values() for lead in leads)
        return {
            rule_id: Lead.browse(leads).with_prefetch(everything.ids)
            for rule_id, leads in by_rule.items()
        }

    def _revenue_of(self, leads):
        """Return what the leads brought, in the currency of this rule's company."""
        company = self.company_id or self.env.company
        total = 0.0
        for lead in leads:
            total += lead.company_currency._convert(
                lead.expected_revenue,
                company.currency_id,
                company,
                lead.date_closed or fields.Date.context_today(self),
            )
        return total

    def _count_false_hits(self):
        groups = self.env['social.crm.false.hit']._read_group(
            [('rule_id', 'in', self.ids)], ['rule_id'], ['__count']
        )
        return {rule.id: number for rule, number in groups}

    # === ACTION METHODS === #

    def action_view_mentions(self):
        """Open the mentions that matched."""
        return self._view('social_crm.social_crm_mention_action', [('rule_ids', 'in', self.ids)])

    def action_view_leads(self):
        """Open the leads of this rule."""
        return self._view('crm.crm_lead_all_leads', self._lead_domain())

    def action_view_won(self):
        """Open the won leads of this rule."""
        won = Domain('won_status', '=', 'won')
        return self._view('crm.crm_lead_all_leads', self._lead_domain() & won)

    def action_view_tickets(self):
        """Open the tickets of this rule."""
        return self._view(
            'helpdesk_mgmt.helpdesk_ticket_action',
            [('social_mention_ids.rule_ids', 'in', self.ids)],
        )

    def action_view_answers(self):
        """Open what was answered to the matches."""
        return self._view(
            'social_crm.social_crm_engagement_action',
            [('mention_id.rule_ids', 'in', self.ids), ('delivery_state', '=', 'sent')],
        )

    def action_view_false_hits(self):
        """Open what somebody said is no lead."""
        return self._view(
            'social_crm.social_crm_false_hit_action', [('rule_id', 'in', self.ids)], {}
        )

    def action_view_costs(self):
        """Open what this rule brought beside what that cost, month by month."""
        return self._view(
            'social_crm.social_crm_rule_report_action',
            [('rule_id', 'in', self.ids)],
            {'pivot_row_groupby': ['date:month'], 'graph_groupbys': ['date:month']},
        )

    def _lead_domain(self):
        return Domain('social_mention_ids.rule_ids', 'in', self.ids)

    def _view(self, xmlid, domain, context=None):
        action = self.env['ir.actions.act_window']._for_xml_id(xmlid)
        action.update(
            domain=list(domain), context={'active_test': False} if context is None else context
        )
        return action
