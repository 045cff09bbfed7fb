from odoo import api, fields, models
from odoo.tools import SQL

SOURCES = 4  # more than there are; keeps the ids of rows of different sources apart


class SocialCrmRuleReport(models.Model):
    """What each listening rule brought, and what that cost.

    What was spent on a campaign is spread over the mentions that it brought in the month (UTC) of
    the cost, so that what is told of a month stays when the campaign goes on; where that month
    brought none, over all of them so far. Of a cost that names a network its mentions alone count.
    Each bears the same. A mention that several rules matched is shared evenly between them, and so
    are its lead and the revenue: everything adds up to the totals of the campaign. What no rule
    matched keeps its part, without a rule. A cost that was entered for a rule is that rule's alone.

    How many mentions there are is read from the hourly and daily sums, whatever their number.
    """

    _name = 'social.crm.rule.report'
    _inherit = 'social.crm.report.mixin'
    _auto = False
    _description = 'Cost per Lead of Listening Rules'
    _rec_name = 'rule_id'

    rule_id = fields.Many2one(
        'social.crm.rule', readonly=True, help='Empty: what no rule has matched.'
    )
    match_count = fields.Integer(
        'Matches', readonly=True, help='A mention counts for each of its rules.'
    )
    lead_count = fields.Float(
        'Leads',
        readonly=True,
        digits=(16, 2),
        help='A lead whose mention several rules matched counts for each in equal parts.',
    )
    won_count = fields.Float(
        'Won Leads', readonly=True, digits=(16, 2), help='Shared between rules as leads are.'
    )
    revenue = fields.Monetary(
        'Won Revenue', readonly=True, help='Shared between rules as leads are.'
    )
    cost = fields.Monetary(
        readonly=True,
        help='Of what was spent on a campaign in a month, each mention that it brought in that '
        'month bears the same (each of all so far, where it brought none); one that several rules '
        'matched is shared evenly between them. What was entered for a rule is its own.',
    )
    cost_per_lead = fields.Monetary(
        'Cost per Lead',
        readonly=True,
        aggregator='avg',
        help='The cost divided by the leads; 0 while there is none.',
    )

    def _read_group_select(self, aggregate_spec, query):
        """Divide the sums: an average of quotients would mean nothing."""
        if aggregate_spec != 'cost_per_lead:avg':
            return super()._read_group_select(aggregate_spec, query)
        return SQL(
            'SUM(%s) / NULLIF(SUM(%s), 0)',
            self._field_to_sql(self._table, 'cost', query),
            self._field_to_sql(self._table, 'lead_count', query),
        )

    @property
    def _table_query(self):
        return SQL(
            """SELECT id, %s AS currency_id, date, rule_id, campaign_id, company_id, owner_id,
                      account_id, network, match_count, lead_count, won_count, revenue, cost,
                      NULL::numeric AS cost_per_lead
                 FROM (%s) row""",
            self.env.company.currency_id.id,
            SQL(' UNION ALL ').join([self._matches(), self._leads(), self._won(), self._costs()]),
        )

    # === WHAT RULES BROUGHT === #

    def _matches(self):
        return SQL(
            """SELECT h.id::bigint * %s AS id, h.hour AS date, h.rule_id, h.campaign_id,
                      h.company_id, h.owner_id, h.account_id, h.network,
                      h.mention_count AS match_count, 0::numeric AS lead_count,
                      0::numeric AS won_count, 0::numeric AS revenue, 0::numeric AS cost
                 FROM social_crm_rule_hourly h""",
            SOURCES,
        )

    def _leads(self):
        return self._shared_leads(
            1, SQL('lead.created_at'), SQL('1.0 / r.n, 0::numeric, 0::numeric'), SQL('TRUE')
        )

    def _won(self):
        digits = self.env.company.currency_id.decimal_places
        return self._shared_leads(
            2,
            SQL('COALESCE(lead.won_at, lead.created_at)'),
            SQL(
                """0::numeric, CASE WHEN lead.won_at IS NULL THEN 0 ELSE 1.0 / r.n END,
                   ROUND(lead.revenue * r.place / r.n, %(digits)s)
                 - ROUND(lead.revenue * (r.place - 1) / r.n, %(digits)s)""",
                digits=digits,
            ),
            SQL('lead.won_at IS NOT NULL OR lead.revenue <> 0'),
        )

    def _shared_leads(self, source, date, values, condition):
        """Return SQL of the leads, a row for each of the rules that matched their mention.

        :param values: SQL of leads, won leads and revenue of a row
        """
        return SQL(
            """SELECT (lead.id::bigint * 1000 + r.place) * %s + %s, %s, r.rule_id,
                      lead.campaign_id, lead.company_id, lead.owner_id, lead.account_id,
                      lead.network, 0, %s, 0::numeric
                 FROM (%s) lead
                CROSS JOIN LATERAL (
                      SELECT rule_id, COUNT(*) OVER () AS n,
                             row_number() OVER (ORDER BY rule_id) AS place
                        FROM (SELECT lead.id AS lead_id) one
                        LEFT JOIN social_crm_mention_rule_rel x
                          ON x.mention_id = lead.mention_id) r
                WHERE %s""",
            SOURCES,
            source,
            date,
            values,
            self._social_leads(),
            condition,
        )

    # === WHAT THAT COST === #

    def _costs(self):
        """Spread each cost; the parts add up to it, to the last cent."""
        digits = self.env.company.currency_id.decimal_places
        return SQL(
            """SELECT row_number() OVER (ORDER BY source, id, network, rule_id) * %(sources)s + 3,
                      date, rule_id, campaign_id, company_id, NULL::int, NULL::int, network, 0,
                      0::numeric, 0::numeric, 0::numeric,
                      CASE WHEN total IS NULL THEN amount
                           ELSE ROUND(amount * upto / total, %(digits)s)
                              - ROUND(amount * (upto - share) / total, %(digits)s) END
                 FROM (SELECT cost.source, cost.id, cost.date, cost.campaign_id, cost.company_id,
                              cost.amount, COALESCE(cost.rule_id, part.rule_id) AS rule_id,
                              COALESCE(cost.network, part.network) AS network, part.share,
                              SUM(part.share) OVER (PARTITION BY cost.source, cost.id, part.month
                                  ORDER BY part.network, part.rule_id) AS upto,
                              SUM(part.share) OVER (
                                  PARTITION BY cost.source, cost.id, part.month) AS total,
                              part.month, BOOL_OR(part.month IS NOT NULL) OVER (
                                  PARTITION BY cost.source, cost.id) AS in_month
                         FROM (%(spent)s) cost
                         LEFT JOIN (%(parts)s) part
                           ON part.campaign_id = cost.campaign_id AND cost.rule_id IS NULL
                          AND part.company_id = cost.company_id
                          AND (cost.network IS NULL OR part.network = cost.network)
                          AND (part.month IS NULL OR part.month = date_trunc('month', cost.date))
                      ) spread
                WHERE month IS NOT NULL OR NOT in_month""",
            sources=SOURCES,
            digits=digits,
            spent=self._spent(),
            parts=self._parts(),
        )

    def _spent(self):
        """Return SQL of what was spent: costs entered by hand, and vendor bills where there are."""
        entered = SQL(
            """SELECT 0 AS source, c.id, c.date::timestamp AS date, c.campaign_id, c.company_id,
                      c.network, c.rule_id, %s AS amount
                 FROM social_crm_campaign_cost c""",
            self._converted(SQL('c.amount'), SQL('c.currency_id'), SQL('c.date')),
        )
        if not self._has('account.move', 'campaign_id'):
            return entered
        return SQL(
            """%s UNION ALL
               SELECT 1, l.id, l.date::timestamp, b.campaign_id, l.company_id, NULL, NULL, %s
                 FROM %s""",
            entered,
            self._bill_amount(),
            self._bill_lines(),
        )

    @api.model
    def _parts(self):
        """Return SQL of how many mentions a campaign brought, by network, rule and month.

        The sums of all months have none. Those of several rules are shared between them; those of
        none have no rule.
        """
        # Where all mentions have a rule, thirds that were rounded are left over.
        return SQL(
            """SELECT campaign_id, company_id, network, rule_id, month, SUM(share) AS share
                 FROM (SELECT campaign_id, company_id, network, NULL::int AS rule_id,
                              date_trunc('month', day::timestamp) AS month,
                              mention_count::numeric AS share
                         FROM social_crm_mention_daily WHERE campaign_id IS NOT NULL
                        UNION ALL
                       SELECT campaign_id, company_id, network, side.rule_id,
                              date_trunc('month', hour), side.share
                         FROM social_crm_rule_hourly h
                        CROSS JOIN LATERAL (VALUES (h.rule_id, h.share), (NULL, -h.share))
                              AS side(rule_id, share)
                        WHERE campaign_id IS NOT NULL) shares
                GROUP BY GROUPING SETS ((campaign_id, company_id, network, rule_id, month),
                                        (campaign_id, company_id, network, rule_id))
               HAVING SUM(share) > 0.001"""
        )
