from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

BATCH = 500  # hours summed up in one transaction
#: Fields that are told from the hour in the reader's time zone, as PostgreSQL's to_char does it.
PARTS = {'weekday': 'ID', 'clock': 'HH24'}


class SocialCrmHourlyMixin(models.AbstractModel):
    """Sums of mentions by the hour: what reports read instead of every mention.

    An hour is summed up as a whole, from the mentions, whenever one of its mentions came in or
    changed (see :class:`.SocialCrmHourMark`). Hours, not days: so a day is the day of the reader's
    time zone, and weekday and time of day can be told.
    """

    _name = 'social.crm.hourly.mixin'
    _inherit = 'social.crm.sums.mixin'
    _description = 'Mentions by the Hour'
    _order = 'hour desc, id'
    _rec_name = 'hour'

    hour = fields.Datetime(required=True, readonly=True, index=True)
    # The web client groups by days and longer only, and does not know the names of weekdays.
    weekday = fields.Selection(
        [
            ('1', 'Monday'),
            ('2', 'Tuesday'),
            ('3', 'Wednesday'),
            ('4', 'Thursday'),
            ('5', 'Friday'),
            ('6', 'Saturday'),
            ('7', 'Sunday'),
        ],
        compute='_compute_parts',
        search='_search_weekday',
    )
    clock = fields.Selection(
        [(f'{hour:02}', f'{hour:02}:00') for hour in range(24)],
        'Time of Day',
        compute='_compute_parts',
        search='_search_clock',
    )

    # === COMPUTE METHODS === #

    @api.depends('hour')
    @api.depends_context('tz')
    def _compute_parts(self):
        for row in self:
            hour = fields.Datetime.context_timestamp(self, row.hour)
            row.weekday, row.clock = str(hour.isoweekday()), f'{hour:%H}'

    # === SEARCH METHODS === #

    @api.model
    def _search_weekday(self, operator, value):
        return self._search_part('hour.day_of_week', operator, value, lambda day: int(day) % 7)

    @api.model
    def _search_clock(self, operator, value):
        return self._search_part('hour.hour_number', operator, value, int)

    @api.model
    def _search_part(self, path, operator, value, number):
        if operator != 'in':
            return NotImplemented
        return Domain(path, 'in', [number(part) for part in value if part])

    def _field_to_sql(self, alias, field_expr, query=None):
        """Let reports group by weekday and time of day, in the reader's time zone."""
        if field_expr not in PARTS:
            return super()._field_to_sql(alias, field_expr, query)
        zoned = self._fields['hour'].property_to_sql(
            super()._field_to_sql(alias, 'hour', query), 'tz', self, alias, query
        )
        return SQL('to_char(%s, %s)', zoned, PARTS[field_expr])

    # === LOOP === #

    @api.model
    def _cron_sum_up(self):
        """Sum up the hours in which something changed."""
        while done := self._sum_up():
            if not self.env['ir.cron']._commit_progress(done):
                return

    @api.model
    def _sum_up(self):
        """Sum up some of the marked hours, in one transaction that the caller commits.

        :return: number of hours
        """
        self.env.flush_all()
        marked = self.env['social.crm.hour.mark']._take(BATCH)
        hours = self.env['social.crm.retention']._whole_hours(marked)
        for name in ('social.crm.mention.hourly', 'social.crm.rule.hourly'):
            self.env[name]._renew(hours)
        self.env['social.crm.mention.daily']._renew_days(marked)
        return len(marked)

    @api.model
    def _renew(self, hours):
        """Replace the sums of some hours by what the mentions are now."""
        if not hours:
            return
        keys = SQL(
            'unnest(%s::int[], %s::timestamp[]) AS due(company_id, hour)',
            [company_id for company_id, _hour in hours],
            [hour for _company_id, hour in hours],
        )
        table = SQL.identifier(self._table)
        self.env.cr.execute(
            SQL(
                'DELETE FROM %s AS old USING %s '
                'WHERE old.company_id = due.company_id AND old.hour = due.hour',
                table,
                keys,
            )
        )
        extra, sums = self._extra_columns(), self._extra_sums()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s (
                       company_id, hour, owner_id, account_id, network, kind, sentiment_label,
                       %(names)s, mention_count, scored_count, sentiment, answered_count,
                       response_hours, lead_count, ticket_count%(sum_names)s)
                SELECT m.company_id, due.hour, m.owner_id, m.account_id, m.network, m.kind,
                       m.sentiment_label, %(values)s, COUNT(*),
                       COUNT(*) FILTER (WHERE m.sentiment_label <> 'unknown'),
                       COALESCE(AVG(m.sentiment) FILTER (WHERE m.sentiment_label <> 'unknown'), 0),
                       COUNT(m.answered_at),
                       COALESCE(AVG(GREATEST(
                           EXTRACT(EPOCH FROM m.answered_at - m.posted_at), 0))
                           FILTER (WHERE m.answered_at IS NOT NULL) / 3600, 0),
                       COUNT(m.lead_id), COUNT(m.ticket_id)%(sums)s
                  FROM %(keys)s
                       -- OFFSET 0 keeps it apart: an index scan for each hour, never a join of
                       -- all mentions of the company with all hours.
                 CROSS JOIN LATERAL (
                       SELECT * FROM social_crm_mention one
                        WHERE one.company_id = due.company_id AND one.posted_at >= due.hour
                          AND one.posted_at < due.hour + interval '1 hour' OFFSET 0) m
                       %(join)s
                 WHERE m.deleted_at IS NULL
                 GROUP BY m.company_id, due.hour, m.owner_id, m.account_id, m.network, m.kind,
                       m.sentiment_label, %(values)s
                """,
                table=table,
                names=SQL(', ').join(map(SQL.identifier, extra)),
                values=SQL(', ').join(extra.values()),
                sum_names=SQL().join(SQL(', %s', SQL.identifier(name)) for name in sums),
                sums=SQL().join(SQL(', %s', value) for value in sums.values()),
                keys=keys,
                join=self._extra_join(),
            )
        )
        self.invalidate_model()

    # === HOOKS === #

    @api.model
    def _extra_columns(self):
        """Return what else this model tells apart: name of the column -> SQL of its value."""
        raise NotImplementedError

    @api.model
    def _extra_sums(self):
        """Return what else this model adds up: name of the column -> SQL of its aggregate."""
        return {}

    @api.model
    def _extra_join(self):
        """Return a join that the extra columns need."""
        return SQL()
