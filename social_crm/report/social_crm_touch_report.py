from odoo import fields, models
from odoo.tools import SQL

PARTS = 10_000  # a lead is shared out in ten-thousandths


class SocialCrmTouchReport(models.Model):
    """The touches of each social lead's person, and what each of them is worth by three models.

    A touch is what the person did: a mention, a reply, a direct message, a lead form, a click on a
    link in a direct message to them, or the click that brought the lead to the website (a lead
    with the medium *social* that no mention made). Touches count up to the day on which the lead
    was won; a merged or linked contact brings the touches of all their profiles. Answers of ours
    are none.

    *First touch* and *last touch* give all to one of them, *linear* gives all of them the same.
    Shares of a lead add up to one, and shares of its revenue to its revenue, to the cent: the
    cents that cannot be divided go to the earliest touches, one each.
    """

    _name = 'social.crm.touch.report'
    _inherit = 'social.crm.report.mixin'
    _auto = False
    _description = 'Attribution by Touches'
    _rec_name = 'lead_id'

    lead_id = fields.Many2one('crm.lead', readonly=True)
    profile_id = fields.Many2one('social.crm.profile', readonly=True)
    mention_id = fields.Many2one('social.crm.mention', readonly=True)
    rule_id = fields.Many2one(
        'social.crm.rule', readonly=True, help='The first of the rules that the mention matched.'
    )
    kind = fields.Selection(
        selection=lambda self: [
            *self.env['social.crm.mention']._fields['kind']._description_selection(self.env),
            ('click', self.env._('Click')),
        ],
        string='Touch',
        readonly=True,
    )
    place = fields.Integer(readonly=True, aggregator=None)
    is_won = fields.Boolean('Won', readonly=True)
    won_at = fields.Datetime('Won On', readonly=True)
    lead_first = fields.Float('Leads, First Touch', readonly=True, digits=(16, 2))
    lead_last = fields.Float('Leads, Last Touch', readonly=True, digits=(16, 2))
    lead_linear = fields.Float('Leads, Linear', readonly=True, digits=(16, 2))
    revenue_first = fields.Monetary('Revenue, First Touch', readonly=True)
    revenue_last = fields.Monetary('Revenue, Last Touch', readonly=True)
    revenue_linear = fields.Monetary('Revenue, Linear', readonly=True)

    @property
    def _table_query(self):
        cents = 10**self.env.company.currency_id.decimal_places
        return SQL(
            """
            WITH lead AS (%(leads)s),
            person AS (
                SELECT id AS lead_id, profile_id FROM lead WHERE profile_id IS NOT NULL
                 UNION
                SELECT lead.id, p.id FROM lead JOIN social_crm_profile p
                    ON p.partner_id = lead.partner_id
                   AND (p.company_id = lead.company_id OR lead.company_id IS NULL)
            ),
            touch AS (%(touches)s),
            placed AS (
                SELECT touch.*, lead.company_id, lead.won_at, lead.revenue,
                       row_number() OVER earliest AS place,
                       COUNT(*) OVER (PARTITION BY lead.id) AS n
                  FROM touch JOIN lead ON lead.id = touch.lead_id
                 WHERE touch.date <= COALESCE(lead.won_at, 'infinity')
                WINDOW earliest AS (PARTITION BY lead.id ORDER BY touch.date, touch.id)
            )
            SELECT id, %(currency)s AS currency_id, lead_id, profile_id, mention_id, rule_id, date,
                   kind, campaign_id,
                   company_id, owner_id, account_id, network, place, won_at,
                   won_at IS NOT NULL AS is_won,
                   CASE WHEN place = 1 THEN 1 ELSE 0 END AS lead_first,
                   CASE WHEN place = n THEN 1 ELSE 0 END AS lead_last,
                   %(lead_linear)s AS lead_linear,
                   CASE WHEN place = 1 THEN revenue ELSE 0 END AS revenue_first,
                   CASE WHEN place = n THEN revenue ELSE 0 END AS revenue_last,
                   %(revenue_linear)s AS revenue_linear
              FROM placed
            """,
            currency=self.env.company.currency_id.id,
            leads=self._social_leads(),
            touches=SQL(' UNION ALL ').join([self._mentions(), self._clicks(), self._visits()]),
            lead_linear=self._shared(SQL('1'), PARTS),
            revenue_linear=self._shared(SQL('revenue'), cents),
        )

    def _shared(self, amount, parts):
        """Return SQL of an even share of ``amount``; what is left over goes to the first ones."""
        whole = SQL('ROUND(%s * %s)', amount, parts)
        even = SQL('FLOOR(%s / n)', whole)
        left = SQL('%s - %s * n', whole, even)
        return SQL(
            '(%s + CASE WHEN place <= %s THEN 1 ELSE 0 END) / %s::numeric', even, left, parts
        )

    def _mentions(self):
        return SQL(
            """SELECT m.id::bigint * 4 AS id, person.lead_id, person.profile_id,
                      m.id AS mention_id,
                      (SELECT MIN(rule_id) FROM social_crm_mention_rule_rel r
                        WHERE r.mention_id = m.id) AS rule_id,
                      m.posted_at AS date, m.kind, m.campaign_id, m.owner_id, m.account_id,
                      m.network
                 FROM person JOIN social_crm_mention m ON m.author_id = person.profile_id
                WHERE m.deleted_at IS NULL"""
        )

    def _clicks(self):
        return SQL(
            """SELECT c.id::bigint * 4 + 1, person.lead_id, person.profile_id, NULL::int, NULL::int,
                      c.create_date, 'click', c.campaign_id,
                      CASE WHEN a.kind = 'personal' THEN a.user_id END, a.id, a.network
                 FROM person JOIN social_crm_engagement e
                   ON e.profile_id = person.profile_id AND e.kind = 'message'
                 JOIN link_tracker_click c ON c.social_engagement_id = e.id
                 JOIN social_crm_account a ON a.id = e.account_id"""
        )

    def _visits(self):
        return SQL(
            """SELECT lead.id::bigint * 4 + 2, lead.id, NULL::int, NULL::int, NULL::int,
                      lead.created_at, 'click', lead.campaign_id, NULL::int, NULL::int, lead.network
                 FROM lead WHERE lead.profile_id IS NULL AND lead.mention_id IS NULL"""
        )
