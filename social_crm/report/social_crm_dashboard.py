from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import pytz

from odoo import api, fields, models

from ..tools import naive

MARKETING = 'social_crm.social_crm_group_marketing'
TONES = ('positive', 'neutral', 'negative', 'unknown')
SHOWN = 8  # rules and campaigns
SLOTS = 3
LEAST_POSTS = 2  # at one weekday and hour, to tell anything


COUNTS = ('mention_count', 'answered_count', 'lead_count', 'ticket_count', 'scored_count')


class Sums(NamedTuple):
    """The sums of a day, a network and a tone."""

    day: date
    network: str
    tone: str
    mention_count: int
    answered_count: int
    lead_count: int
    ticket_count: int
    scored_count: int
    sentiment: float
    response_hours: float


class SocialCrmDashboard(models.AbstractModel):
    """What the dashboard shows, in one call: from sums, whatever the number of mentions."""

    _name = 'social.crm.dashboard'
    _description = 'Social Dashboard'

    @api.model
    def get_data(self, days=30):
        """Return what the dashboard shows of the last ``days`` days (1 to 730), as plain JSON.

        Figures that a user may not see (money, for others than marketing) are left out.
        """
        self.env['social.crm.mention.hourly'].check_access('read')
        days = min(max(int(days), 1), 730)
        today = fields.Datetime.context_timestamp(self, fields.Datetime.now()).date()
        first = today - timedelta(days=days - 1)
        end = self._midnight(today + timedelta(days=1))
        start = self._midnight(first)
        before = self._midnight(first - timedelta(days=days))
        sums = self._sums(before, end)
        recent = [row for row in sums if row.day >= first]
        earlier = [row for row in sums if row.day < first]
        data = {
            'days': days,
            'tiles': {
                **self._tiles(recent, earlier),
                'engagement': [self._engagement(start, end), self._engagement(before, start)],
            },
            'trend': self._trend(recent, first, days),
            'networks': self._networks(recent),
            'voice': self._voice(start, end),
            'slots': self._slots(),
            'campaigns': None,
        }
        if self.env.user.has_group(MARKETING):
            data['campaigns'] = self._campaigns(start, end)
        return data

    @api.model
    def _midnight(self, day):
        """Return the start of a day of the user's time zone, as naive UTC."""
        zone = pytz.timezone(self.env.context.get('tz') or self.env.user.tz or 'UTC')
        return naive(zone.localize(datetime.combine(day, time())))

    @api.model
    def _within(self, start, end, field='hour'):
        return [(field, '>=', start), (field, '<', end)]

    # === PARTS === #

    def _sums(self, start, end):
        """Return the sums of each day, network and tone: all that is shown is read once."""
        rows = self.env['social.crm.mention.hourly']._read_group(
            self._within(start, end),
            ['hour:day', 'network', 'sentiment_label'],
            [*(f'{name}:sum' for name in COUNTS), 'sentiment:avg', 'response_hours:avg'],
        )
        return [
            Sums(day.date(), network, tone or 'unknown', *(value or 0 for value in values))
            for day, network, tone, *values in rows
        ]

    def _tiles(self, recent, earlier):
        """Return the numbers on top: name -> value, value of the period before."""
        periods = (recent, earlier)
        tiles = {
            name: [sum(getattr(row, name) for row in rows) for rows in periods] for name in COUNTS
        }
        tiles['response_hours'] = [
            _average(rows, 'response_hours', 'answered_count') for rows in periods
        ]
        tiles['sentiment'] = [_average(rows, 'sentiment', 'scored_count') for rows in periods]
        del tiles['scored_count']
        return tiles

    def _engagement(self, start, end):
        """Return the likes, comments and shares that own posts got."""
        gains = [f'{name}_gain:sum' for name in ('likes', 'comments', 'shares')]
        Metric = self.env['social.crm.metric']
        values = Metric._read_group(self._within(start, end, 'measured_at'), [], gains)[0]
        return sum(value or 0 for value in values)

    def _trend(self, rows, first, days):
        """Return the mentions of each day by tone: ``labels`` and one row per tone."""
        tones = {tone: [0] * days for tone in TONES}
        for row in rows:
            place = (row.day - first).days
            if place < days:
                tones[row.tone][place] += row.mention_count
        labels = [str(first + timedelta(days=number)) for number in range(days)]
        names = dict(self.env['social.crm.mention.hourly']._selection_sentiment_label())
        series = [{'tone': tone, 'name': names[tone], 'counts': tones[tone]} for tone in TONES]
        return {'labels': labels, 'series': series}

    def _networks(self, rows):
        """Return network, name, mentions and average sentiment, the largest first."""
        names = dict(self.env['social.crm.app']._selection_network())
        by_network = {}
        for row in rows:
            by_network.setdefault(row.network, []).append(row)
        networks = [
            {
                'network': code,
                'name': names.get(code, code),
                'count': sum(row.mention_count for row in some),
                'sentiment': _average(some, 'sentiment', 'scored_count'),
            }
            for code, some in by_network.items()
        ]
        return sorted(networks, key=lambda network: -network['count'])

    def _voice(self, start, end):
        """Return the share of voice: rules by the mentions that they matched."""
        rows = self.env['social.crm.rule.hourly']._read_group(
            self._within(start, end),
            ['rule_id'],
            ['mention_count:sum', 'sentiment:avg'],
            order='mention_count:sum DESC',
            limit=SHOWN,
        )
        return [
            {'id': rule.id, 'name': rule.display_name, 'count': count, 'sentiment': tone or 0}
            for rule, count, tone in rows
        ]

    def _campaigns(self, start, end):
        """Return the campaigns in which most happened, with clicks, leads and money."""
        names = ('mention_count', 'click_count', 'lead_count', 'revenue', 'cost')
        rows = self.env['social.crm.campaign.report']._read_group(
            [('campaign_id', '!=', False), *self._within(start, end, 'date')],
            ['campaign_id'],
            [f'{name}:sum' for name in names],
        )
        rows.sort(key=lambda row: (-row[4], -row[3], -row[2], -row[1]))
        return {
            'currency_id': self.env.company.currency_id.id,
            'rows': [
                {
                    'id': campaign.id,
                    'name': campaign.display_name,
                    **dict(zip(names, values, strict=True)),
                }
                for campaign, *values in rows[:SHOWN]
            ],
        }

    def _slots(self):
        """Return when own posts did best, by weekday (0: Sunday) and hour of the user's zone."""
        rows = self.env['social.crm.publication']._read_group(
            [('kind', '=', 'post'), ('delivery_state', '=', 'sent'), ('sent_at', '>=', '-365d')],
            ['sent_at:day_of_week', 'sent_at:hour_number'],
            ['__count', 'likes:sum', 'comments:sum', 'shares:sum'],
        )
        slots = [
            {
                'weekday': int(weekday),
                'hour': int(hour),
                'posts': count,
                'average': round(sum(filter(None, reactions)) / count, 1),
            }
            for weekday, hour, count, *reactions in rows
            if count >= LEAST_POSTS and any(reactions)
        ]
        return sorted(slots, key=lambda slot: -slot['average'])[:SLOTS]


def _average(rows, name, weight):
    """Return the average of averages, weighed by the numbers that they are of."""
    total = sum(getattr(row, weight) for row in rows)
    return total and sum(getattr(row, name) * getattr(row, weight) for row in rows) / total
