from odoo import api, fields, models
from odoo.tools import SQL


class SocialCrmReportMixin(models.AbstractModel):
    """What the reports about campaigns share: which leads are social, and money in one currency.

    Amounts are converted to the currency of the company that looks, at the rate of their own day,
    and rounded as that currency is.
    """

    _name = 'social.crm.report.mixin'
    _description = 'Report about Campaigns'
    _order = 'date desc'
    _rec_name = 'campaign_id'

    date = fields.Datetime(readonly=True)
    campaign_id = fields.Many2one('utm.campaign', readonly=True)
    company_id = fields.Many2one('res.company', readonly=True)
    owner_id = fields.Many2one('res.users', 'Owner of the Account', readonly=True)
    account_id = fields.Many2one('social.crm.account', readonly=True)
    network = fields.Selection(selection='_selection_network', readonly=True)
    currency_id = fields.Many2one(
        'res.currency', readonly=True, help='That of the company that looks.'
    )

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    @api.model
    def _has(self, model, *names):
        """Return whether a module that brings a model, or fields of it, is installed."""
        return model in self.env and set(names) <= self.env[model]._fields.keys()

    # === MONEY === #

    @api.model
    def _converted(self, amount, currency, date):
        """Return SQL that converts ``amount`` (SQL) from ``currency`` (SQL) at ``date`` (SQL)."""
        target = self.env.company.currency_id
        return SQL(
            'ROUND((CASE WHEN %(currency)s = %(target)s THEN %(amount)s '
            'ELSE %(amount)s * %(to)s / %(from)s END)::numeric, %(digits)s)',
            amount=amount,
            currency=currency,
            target=target.id,
            to=self._rate(SQL('%s', target.id), date),
            **{'from': self._rate(currency, date)},
            digits=target.decimal_places,
        )

    @api.model
    def _rate(self, currency, date):
        """Return SQL of a currency's rate at a day, as ``res.currency`` looks it up."""
        own = SQL(
            'SELECT rate.rate FROM res_currency_rate rate WHERE rate.currency_id = %s '
            'AND (rate.company_id IS NULL OR rate.company_id = %s)',
            currency,
            self.env.company.root_id.id,
        )
        return SQL(
            'COALESCE((%(own)s AND rate.name <= %(date)s ORDER BY rate.company_id, rate.name DESC '
            'LIMIT 1), (%(own)s ORDER BY rate.company_id, rate.name LIMIT 1), 1)',
            own=own,
            date=date,
        )

    # === BILLS === #

    @api.model
    def _bill_lines(self):
        """Return SQL of the lines ``l`` of campaigns' vendor bills and credit notes ``b``."""
        return SQL(
            """account_move_line l JOIN account_move b ON b.id = l.move_id
               JOIN res_company company ON company.id = l.company_id
               WHERE b.state = 'posted' AND b.campaign_id IS NOT NULL
                 AND b.move_type IN ('in_invoice', 'in_refund', 'in_receipt')
                 AND l.display_type = 'product'"""
        )

    @api.model
    def _bill_amount(self):
        """Return SQL of what the line ``l`` cost, without taxes."""
        return self._converted(SQL('l.balance'), SQL('company.currency_id'), SQL('l.date'))

    # === LEADS === #

    @api.model
    def _social_leads(self):
        """Return SQL of all social leads: those of a profile, and those with the medium *social*.

        Columns: id, company_id, campaign_id, partner_id, profile_id, mention_id, account_id,
        owner_id, network, created_at, won_at (null unless won), revenue (in the company currency
        of the one who looks): of its confirmed orders where sales are installed and there are any,
        else what was expected of a lead that is won.
        """
        currency = SQL('COALESCE(company.currency_id, %s)', self.env.company.currency_id.id)
        expected = SQL(
            "CASE WHEN l.won_status = 'won' THEN %s ELSE 0 END",
            self._converted(
                SQL('COALESCE(l.expected_revenue, 0)'),
                currency,
                SQL('COALESCE(l.date_closed, l.create_date)'),
            ),
        )
        ordered = None
        if self._has('sale.order', 'opportunity_id'):
            ordered = SQL(
                '(SELECT SUM(%s) FROM sale_order o WHERE o.opportunity_id = l.id '
                "AND o.state = 'sale')",
                self._order_amount(),
            )
        return SQL(
            """SELECT l.id, l.company_id, l.campaign_id, l.partner_id,
                      l.social_profile_id AS profile_id, l.social_mention_id AS mention_id,
                      m.account_id, m.owner_id,
                      COALESCE(p.network, %(network)s) AS network, l.create_date AS created_at,
                      CASE WHEN l.won_status = 'won'
                           THEN COALESCE(l.date_closed, l.write_date) END AS won_at,
                      %(revenue)s AS revenue, %(ordered)s IS NOT NULL AS has_orders
                 FROM crm_lead l
                 LEFT JOIN res_company company ON company.id = l.company_id
                 LEFT JOIN social_crm_mention m ON m.id = l.social_mention_id
                 LEFT JOIN social_crm_profile p ON p.id = l.social_profile_id
                WHERE l.social_profile_id IS NOT NULL OR l.medium_id = %(medium)s""",
            network=self._network_of_source(),
            revenue=SQL('COALESCE(%s, %s)', ordered, expected) if ordered else expected,
            ordered=ordered or SQL('NULL'),
            medium=self.env.ref('social_crm.utm_medium_social').id,
        )

    @api.model
    def _order_amount(self):
        """Return SQL of the untaxed amount of the sales order ``o``."""
        return self._converted(SQL('o.amount_untaxed'), SQL('o.currency_id'), SQL('o.date_order'))

    @api.model
    def _network_of_source(self):
        """Return SQL of the network that the source of the lead ``l`` stands for."""
        labels = {label: code for code, label in self._selection_network()}
        # sudo: the names of networks
        sources = self.env['utm.source'].sudo().search([('name', 'in', list(labels))])
        if not sources:
            return SQL('NULL')
        cases = [SQL('WHEN %s THEN %s', source.id, labels[source.name]) for source in sources]
        return SQL('CASE l.source_id %s END', SQL(' ').join(cases))
