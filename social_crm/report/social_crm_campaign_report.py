from odoo import api, fields, models
from odoo.tools import SQL

MEASURES = (
    'post_count',
    'mention_count',
    'form_count',
    'like_count',
    'comment_count',
    'share_count',
    'view_count',
    'answer_count',
    'click_count',
    'lead_count',
    'won_count',
    'ticket_count',
    'quotation_count',
    'revenue',
    'cost',
)
SOURCES = 16  # more than there are; keeps the ids of rows of different sources apart
KEYS = ('campaign_id', 'company_id', 'owner_id', 'account_id', 'network')


class SocialCrmCampaignReport(models.Model):
    """Everything that social networks bring and cost, one row per thing that happened.

    A row has the day, the campaign, the network and the account of what happened, and a number in
    one of the measures; they add up by any of these. Rows come straight from their tables (mentions
    from the hourly sums), without grouping, so that a filter by campaign or day reaches the
    tables' own indexes.
    """

    _name = 'social.crm.campaign.report'
    _inherit = 'social.crm.report.mixin'
    _auto = False
    _description = 'Social Campaign Analysis'

    post_count = fields.Integer('Posts', readonly=True)
    mention_count = fields.Integer('Mentions', readonly=True)
    form_count = fields.Integer('Lead Forms', readonly=True)
    like_count = fields.Integer('Likes', readonly=True)
    comment_count = fields.Integer('Comments', readonly=True)
    share_count = fields.Integer('Shares', readonly=True)
    view_count = fields.Integer('Reach', readonly=True, help='Views, where a network tells them.')
    answer_count = fields.Integer('Answers', readonly=True)
    click_count = fields.Integer('Link Clicks', readonly=True)
    lead_count = fields.Integer('Leads', readonly=True)
    won_count = fields.Integer('Won Leads', readonly=True)
    ticket_count = fields.Integer('Tickets', readonly=True)
    quotation_count = fields.Integer('Quotations', readonly=True)
    revenue = fields.Monetary('Won Revenue', readonly=True)
    cost = fields.Monetary(readonly=True)

    @property
    def _table_query(self):
        legs = [
            self._posts(),
            self._metrics(),
            self._mentions(),
            self._answers(),
            self._clicks(),
            self._leads(),
            self._won_leads(),
            self._tickets(),
            self._costs(),
        ]
        if self._has('sale.order', 'opportunity_id'):
            legs.append(self._orders())
        if self._has('account.move', 'campaign_id'):
            legs.append(self._bills())
        return SQL(' UNION ALL ').join(leg(place) for place, leg in enumerate(legs))

    @api.model
    def _leg(self, source, row_id, date, keys, **measures):
        """Return a function that gives the SQL of one source, by its place among the sources.

        :param source: SQL of what follows FROM
        :param keys: SQL of what it belongs to, in the order of ``KEYS``
        :param measures: SQL of the measures that this source counts
        """
        values = [measures.get(name, SQL('0')) for name in MEASURES]
        names = [
            SQL('%s AS %s', value, SQL.identifier(name))
            for name, value in zip(MEASURES, values, strict=True)
        ]
        return lambda place: SQL(
            'SELECT %s::bigint * %s + %s AS id, %s AS date, %s AS currency_id, %s, %s FROM %s',
            row_id,
            SOURCES,
            place,
            date,
            self.env.company.currency_id.id,
            SQL(', ').join(
                SQL('%s AS %s', key, SQL.identifier(name))
                for name, key in zip(KEYS, keys, strict=True)
            ),
            SQL(', ').join(names),
            source,
        )

    @api.model
    def _own_keys(self, alias):
        """Return the keys of a source that has columns of their names."""
        return [SQL(f'{alias}.{key}') for key in KEYS]

    @api.model
    def _account_keys(self, campaign):
        """Return the keys of a source that is joined with the account ``a``."""
        owner = SQL("CASE WHEN a.kind = 'personal' THEN a.user_id END")
        return [SQL(campaign), SQL('a.company_id'), owner, SQL('a.id'), SQL('a.network')]

    @api.model
    def _spent_keys(self, alias, campaign, network):
        """Return the keys of a source of costs: it belongs to no account."""
        nobody = SQL('NULL::int')
        return [SQL(campaign), SQL(f'{alias}.company_id'), nobody, nobody, SQL(network)]

    # === WHAT HAPPENED ON THE NETWORKS === #

    def _posts(self):
        return self._leg(
            SQL(
                """social_crm_publication p JOIN social_crm_account a ON a.id = p.account_id
                   WHERE p.kind = 'post' AND p.delivery_state = 'sent'"""
            ),
            SQL('p.id'),
            SQL('p.sent_at'),
            self._account_keys('p.campaign_id'),
            post_count=SQL('1'),
        )

    def _metrics(self):
        return self._leg(
            SQL('social_crm_metric m JOIN social_crm_account a ON a.id = m.account_id'),
            SQL('m.id'),
            SQL('m.measured_at'),
            self._account_keys('m.campaign_id'),
            like_count=SQL('m.likes_gain'),
            comment_count=SQL('m.comments_gain'),
            share_count=SQL('m.shares_gain'),
            view_count=SQL('m.views_gain'),
        )

    def _mentions(self):
        return self._leg(
            SQL('social_crm_mention_hourly h'),
            SQL('h.id'),
            SQL('h.hour'),
            self._own_keys('h'),
            mention_count=SQL('h.mention_count'),
            form_count=SQL("CASE WHEN h.kind = 'lead_form' THEN h.mention_count ELSE 0 END"),
        )

    def _answers(self):
        return self._leg(
            SQL(
                """social_crm_engagement e JOIN social_crm_account a ON a.id = e.account_id
                   WHERE e.delivery_state = 'sent'"""
            ),
            SQL('e.id'),
            SQL('e.sent_at'),
            self._account_keys('e.campaign_id'),
            answer_count=SQL('1'),
        )

    def _clicks(self):
        return self._leg(
            SQL(
                """link_tracker_click c
                   LEFT JOIN social_crm_publication p ON p.id = c.social_publication_id
                   LEFT JOIN social_crm_engagement e ON e.id = c.social_engagement_id
                        JOIN social_crm_account a ON a.id = COALESCE(p.account_id, e.account_id)"""
            ),
            SQL('c.id'),
            SQL('c.create_date'),
            self._account_keys('c.campaign_id'),
            click_count=SQL('1'),
        )

    # === WHAT CAME OF IT === #

    def _leads(self):
        return self._leg(
            SQL('(%s) lead', self._social_leads()),
            SQL('lead.id'),
            SQL('lead.created_at'),
            self._own_keys('lead'),
            lead_count=SQL('1'),
        )

    def _won_leads(self):
        return self._leg(
            SQL('(%s) lead WHERE lead.won_at IS NOT NULL', self._social_leads()),
            SQL('lead.id'),
            SQL('lead.won_at'),
            self._own_keys('lead'),
            won_count=SQL('1'),
            revenue=SQL('CASE WHEN lead.has_orders THEN 0 ELSE lead.revenue END'),
        )

    def _orders(self):
        return self._leg(
            SQL(
                """sale_order o JOIN (%s) lead ON lead.id = o.opportunity_id
                   WHERE o.state <> 'cancel'""",
                self._social_leads(),
            ),
            SQL('o.id'),
            SQL('o.date_order'),
            self._own_keys('lead'),
            quotation_count=SQL('1'),
            revenue=SQL("CASE WHEN o.state = 'sale' THEN %s ELSE 0 END", self._order_amount()),
        )

    def _tickets(self):
        return self._leg(
            SQL("""helpdesk_ticket t JOIN social_crm_mention m ON m.id = t.social_mention_id"""),
            SQL('t.id'),
            SQL('t.create_date'),
            self._own_keys('m'),
            ticket_count=SQL('1'),
        )

    # === WHAT IT COST === #

    def _costs(self):
        return self._leg(
            SQL('social_crm_campaign_cost c'),
            SQL('c.id'),
            SQL('c.date::timestamp'),
            self._spent_keys('c', 'c.campaign_id', 'c.network'),
            cost=self._converted(SQL('c.amount'), SQL('c.currency_id'), SQL('c.date')),
        )

    def _bills(self):
        """Vendor bills of a campaign, less their credit notes; without taxes."""
        return self._leg(
            self._bill_lines(),
            SQL('l.id'),
            SQL('l.date::timestamp'),
            self._spent_keys('l', 'b.campaign_id', 'NULL::varchar'),
            cost=self._bill_amount(),
        )
