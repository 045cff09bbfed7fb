from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, ormcache

PACE = 7  # days that tell how the month goes on


class SocialCrmUsage(models.Model):
    """How often networks were called, and what they charge or count for that.

    Rows are only ever added, several for the same day, account and purpose: nobody waits for
    anybody. They are put together from time to time, see :meth:`_put_together`; whoever reads them
    adds them up. What a call costs is an estimate by the adapter's list of prices.
    """

    _name = 'social.crm.usage'
    _description = 'Use of a Network'
    _order = 'day desc, network, account_id, purpose, id'
    _rec_name = 'day'
    _log_access = False

    day = fields.Date(required=True, readonly=True, help='In UTC.')
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='cascade')
    account_id = fields.Many2one(
        'social.crm.account', required=True, readonly=True, ondelete='cascade'
    )
    app_id = fields.Many2one('social.crm.app', readonly=True, ondelete='set null')
    network = fields.Selection(selection='_selection_network', readonly=True)
    purpose = fields.Selection(
        [
            ('listen', 'Listening'),
            ('item', 'Items Announced'),
            ('context', 'Conversations'),
            ('profile', 'Profiles'),
            ('metric', 'Figures of Posts'),
            ('send', 'Sending'),
            ('setup', 'Connection'),
        ],
        required=True,
        readonly=True,
    )
    stream_id = fields.Many2one(
        'social.crm.stream',
        'Listens To',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
    )
    call_count = fields.Integer('Calls', readonly=True)
    unit_count = fields.Float('Quota Units', readonly=True, digits=(16, 0))
    cost = fields.Monetary(
        readonly=True, help="By the network's list of prices; its own bill may be lower."
    )
    currency_id = fields.Many2one('res.currency', readonly=True)

    _account_day = models.Index('(account_id, day)')
    _app_day = models.Index('(app_id, day)')
    _day = models.Index('(day)')

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    # === WRITE === #

    @api.model
    def _add(self, purpose, used):
        """Store what adapters have used, in one statement; the caller commits.

        :param used: triples of account, adapter, and stream or ``None``
        """
        today = fields.Date.today()
        rows = []
        for account, provider, stream in used:
            spent = provider.spent
            if not provider.http.calls and not spent:
                continue
            currency = self._currency_of(provider.cost_unit)
            rows.append(
                (
                    today,
                    account.company_id.id,
                    account.id,
                    account.sudo().app_id.id or None,  # sudo: its number only
                    account.network,
                    purpose,
                    stream.id if stream else None,
                    provider.http.calls,
                    0 if currency else spent,
                    spent if currency else 0,
                    currency or None,
                )
            )
        if rows:
            # Past the ORM: it is done at each look, and prices have more decimals than currencies.
            self.env.cr.execute_values(
                """INSERT INTO social_crm_usage (
                       day, company_id, account_id, app_id, network, purpose, stream_id,
                       call_count, unit_count, cost, currency_id) VALUES %s""",
                rows,
            )

    @api.model
    @ormcache('unit')
    def _currency_of(self, unit):
        """Return the id of the currency that a network charges in, ``False`` for other units."""
        # sudo: currencies are shared; most are not active
        Currency = self.env['res.currency'].sudo().with_context(active_test=False)
        return bool(unit) and Currency.search([('name', '=', unit)], limit=1).id

    @api.model
    def _put_together(self):
        """Make one row of all that are of the same day, account, purpose and stream.

        Only rows that are there already are touched, and only one worker does this.
        """
        self.env.cr.execute(
            SQL(
                """
                WITH gone AS (
                    DELETE FROM social_crm_usage WHERE id IN (
                        SELECT id FROM (
                            SELECT id, count(*) OVER (
                                   PARTITION BY day, account_id, app_id, purpose, stream_id) AS n
                              FROM social_crm_usage WHERE day >= %s) AS row
                         WHERE n > 1)
                    RETURNING *)
                INSERT INTO social_crm_usage (
                       day, company_id, account_id, app_id, network, purpose, stream_id,
                       call_count, unit_count, cost, currency_id)
                SELECT day, company_id, account_id, app_id, network, purpose, stream_id,
                       SUM(call_count), SUM(unit_count), SUM(cost), currency_id
                  FROM gone
                 GROUP BY day, company_id, account_id, app_id, network, purpose, stream_id,
                       currency_id
                """,
                fields.Date.today() - timedelta(days=1),
            )
        )
        self.invalidate_model()

    # === READ === #

    @api.model
    def _this_month(self, field, records):
        """Return what each account or app used in this month (UTC).

        :param field: ``account_id`` or ``app_id``
        :return: dict of record id -> dict of ``calls``, ``units``, ``cost`` and ``forecast``, the
            cost until the end of the month if it goes on as in the last seven days
        """
        today = fields.Date.today()
        first, since = today.replace(day=1), today - timedelta(days=PACE)
        rows = self._read_group(
            [(field, 'in', records.ids), ('day', '>=', min(first, since))],
            [field, 'day:day'],
            ['call_count:sum', 'unit_count:sum', 'cost:sum'],
        )
        by_record = {}
        for record, day, *values in rows:
            by_record.setdefault(record.id, {})[day] = values
        found = {}
        for record_id, days in by_record.items():
            month = [values for day, values in days.items() if day >= first]
            calls, units, cost = (sum(values[place] for values in month) for place in range(3))
            costs = {day: values[2] for day, values in days.items()}
            forecast = cost + _pace(costs, today) * _days_left(today)
            found[record_id] = {'calls': calls, 'units': units, 'cost': cost, 'forecast': forecast}
        return found


def _pace(costs, today):
    """Return the cost of a day: the mean of the last seven before today that are known.

    On the first day it is what that day has cost so far.
    """
    past = {day: cost for day, cost in costs.items() if today - timedelta(days=PACE) <= day < today}
    if not past:
        return costs.get(today, 0)
    return sum(past.values()) / (today - min(past)).days


def _days_left(today):
    """Return the number of days of the month that follow on ``today``."""
    return (next_month(today) - today).days - 1


def next_month(day):
    """Return the first day of the next month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
