import pytz

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

MOST_PER_DAY = 500


class SocialCrmPost(models.Model):
    """What the calendar loads: a month with thousands of posts opens like one with a few."""

    _inherit = 'social.crm.post'

    @api.model
    def calendar_posts(self, domain, field_names, zone, per_day):
        """Return the first posts of each day, trouble ahead and drafts last, and how many more.

        :param str zone: the time zone whose days are meant: the browser's
        :param int per_day: how many posts of a day to load
        :return: ``{'records': as of read, 'more': {day: number}}``
        """
        zone = zone if zone in pytz.all_timezones_set else 'UTC'
        query = self._search(Domain(domain) & Domain('due_at', '!=', False))
        due_at, state = (self._field_to_sql(self._table, f, query) for f in ('due_at', 'state'))
        day = SQL("((%s AT TIME ZONE 'UTC') AT TIME ZONE %s)::date", due_at, zone)
        rows = self.env.execute_query(
            SQL(
                'SELECT id, day, number FROM (%s) days WHERE place <= %s ORDER BY due_at, id',
                query.select(
                    SQL.identifier(self._table, 'id'),
                    due_at,
                    SQL('%s AS day', day),
                    SQL('count(*) OVER (PARTITION BY %s) AS number', day),
                    SQL(
                        """row_number() OVER (PARTITION BY %s ORDER BY
                           CASE WHEN %s IN ('failed', 'partial') THEN 0
                                WHEN %s IN ('draft', 'cancelled') THEN 2 ELSE 1 END,
                           %s, %s) AS place""",
                        day,
                        state,
                        state,
                        due_at,
                        SQL.identifier(self._table, 'id'),
                    ),
                ),
                min(per_day, MOST_PER_DAY),
            )
        )
        numbers = {day: number for _id, day, number in rows}
        shown = dict.fromkeys(numbers, 0)
        for _id, day, _number in rows:
            shown[day] += 1
        more = {str(day): numbers[day] - shown[day] for day in numbers if numbers[day] > shown[day]}
        records = self.browse(row[0] for row in rows)
        return {'records': records.read(field_names), 'more': more}
