from odoo import api, fields, models
from odoo.tools import SQL


class SocialCrmMentionDaily(models.Model):
    """How many mentions came in, by the day in UTC: the hours of a day put together.

    For figures over months, where reading every hour would take its time. It is made of the hours,
    not of the mentions: so it stays as it is when old mentions are deleted.
    """

    _name = 'social.crm.mention.daily'
    _inherit = 'social.crm.sums.mixin'
    _description = 'Mentions by the Day'
    _order = 'day desc, id'
    _rec_name = 'day'

    day = fields.Date(required=True, readonly=True, index=True, help='In UTC.')
    campaign_id = fields.Many2one(
        'utm.campaign', readonly=True, index='btree_not_null', ondelete='set null'
    )

    _bucket = models.Index('(company_id, day)')

    def init(self):
        """Have all days put together where that was not done before."""
        result = super().init()
        self.env.cr.execute(
            """INSERT INTO social_crm_hour_mark (company_id, hour)
               SELECT DISTINCT company_id, date_trunc('day', hour) FROM social_crm_mention_hourly
                WHERE NOT EXISTS (SELECT FROM social_crm_mention_daily)"""
        )
        return result

    @api.model
    def _renew_days(self, hours):
        """Put the days together of which some hours were summed up anew.

        :param hours: pairs of company id and naive UTC time
        """
        days = sorted({(company_id, hour.date()) for company_id, hour in hours})
        if not days:
            return
        keys = SQL(
            'unnest(%s::int[], %s::date[]) AS due(company_id, day)',
            [company_id for company_id, _day in days],
            [day for _company_id, day in days],
        )
        self.env.cr.execute(
            SQL(
                'DELETE FROM social_crm_mention_daily AS old USING %s '
                'WHERE old.company_id = due.company_id AND old.day = due.day',
                keys,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO social_crm_mention_daily (
                       company_id, day, owner_id, account_id, network, kind, sentiment_label,
                       campaign_id, mention_count, scored_count, sentiment, answered_count,
                       response_hours, lead_count, ticket_count)
                SELECT h.company_id, due.day, h.owner_id, h.account_id, h.network, h.kind,
                       h.sentiment_label, h.campaign_id, SUM(h.mention_count),
                       SUM(h.scored_count),
                       COALESCE(SUM(h.sentiment * h.scored_count)
                                / NULLIF(SUM(h.scored_count), 0), 0),
                       SUM(h.answered_count),
                       COALESCE(SUM(h.response_hours * h.answered_count)
                                / NULLIF(SUM(h.answered_count), 0), 0),
                       SUM(h.lead_count), SUM(h.ticket_count)
                  FROM %(keys)s
                 CROSS JOIN LATERAL (
                       SELECT * FROM social_crm_mention_hourly one
                        WHERE one.company_id = due.company_id AND one.hour >= due.day
                          AND one.hour < due.day + interval '1 day' OFFSET 0) h
                 GROUP BY h.company_id, due.day, h.owner_id, h.account_id, h.network, h.kind,
                       h.sentiment_label, h.campaign_id
                """,
                keys=keys,
            )
        )
        self.invalidate_model()
