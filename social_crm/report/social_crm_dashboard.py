from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models

from ..tools import naive

MARKETING = 'social_crm.social_crm_group_marketing'
TONES = ('positive', 'neutral', 'negative', 'unknown')
SHOWN = 8  # rules and campaigns
SLOTS = 3
LEAST_POSTS = 2  # at one weekday and hour, to tell anything


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
        end = self._midnight(today + timedelta(days=1))
        start = self._midnight(today - timedelta(days=days - 1))
        before = self._midnight(today - timedelta(days=2 * days - 1))
        data = {
            'days': days,
            'tiles': self._tiles(start, end, before),
            'trend': self._trend(start, end, today - timedelta(days=days - 1), days),
            'networks': self._networks(start, end),
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

    def _tiles(self, start, end, before):
        """Return the numbers on top: name -> value, value of the period before."""
        names = ('mention_count', 'answered_count', 'lead_count', 'ticket_count')
        aggregates = [*(f'{name}:sum' for name in names), 'response_hours:avg', 'sentiment:avg']
        Hourly = self.env['social.crm.mention.hourly']
        rows = [
            Hourly._read_group(self._within(*period), [], aggregates)[0]
            for period in ((start, end), (before, start))
        ]
        tiles = {
            name: [values[place] or 0 for values in rows]
            for place, name in enumerate((*names, 'response_hours', 'sentiment'))
        }
        Metric = self.env['social.crm.metric']
        gains = [f'{name}_gain:sum' for name in ('likes', 'comments', 'shares')]
        tiles['engagement'] = [
            sum(
                value or 0
                for value in Metric._read_group(self._within(*period, 'measured_at'), [], gains)[0]
            )
            for period in ((start, end), (before, start))
        ]
        return tiles

    def _trend(self, start, end, first, days):
        """Return the mentions of each day by tone: ``labels`` and one row per tone."""
        rows = self.env['social.crm.mention.hourly']._read_group(
            self._within(start, end), ['hour:day', 'sentiment_label'], ['mention_count:sum']
        )
        labels = [str(first + timedelta(days=number)) for number in range(days)]
        places = {label: place for place, label in enumerate(labels)}
        tones = {tone: [0] * days for tone in TONES}
        for day, tone, count in rows:
            place = places.get(str(day.date()))
            if place is not None:
                tones[tone or 'unknown'][place] += count
        names = dict(self.env['social.crm.mention.hourly']._selection_sentiment_label())
        series = [{'tone': tone, 'name': names[tone], 'counts': tones[tone]} for tone in TONES]
        return {'labels': labels, 'series': series}

    def _networks(self, start, end):
        """Return (network, name, mentions, average sentiment), the largest first."""
        names = dict(self.env['social.crm.app']._selection_network())
        rows = self.env['social.crm.mention.hourly']._read_group(
            self._within(start, end),
            ['network'],
            ['mention_count:sum', 'sentiment:avg'],
            order='mention_count:sum DESC',
        )
        return [
            {'network': code, 'name': names.get(code, code), 'count': count, 'sentiment': tone or 0}
            for code, count, tone in rows
        ]

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
                {'id': campaign.id, 'name': campaign.display_name,
                 **dict(zip(names, values, strict=True))}
                for campaign, *values in rows[:SHOWN]
            ],
        }  # fmt: skip

    def _slots(self):
        """Return when own posts did best, by weekday (0: Sunday) and hour of the user's zone."""
        rows = self.env['social.crm.publication']._read_group(
            [('kind', '=', 'post'), ('delivery_state', '=', 'sent'), ('sent_at', '>=', '-365d')],
            ['sent_at:day_of_week', 'sent_at:hour_number'],
            ['__count', 'likes:sum', 'comments:sum', 'shares:sum'],
        )
        slots = [
            {'weekday': int(weekday), 'hour': int(hour), 'posts': count,
             'average': round(sum(filter(None, reactions)) / count, 1)}
            for weekday, hour, count, *reactions in rows
            if count >= LEAST_POSTS and any(reactions)
        ]  # fmt: skip
        return sorted(slots, key=lambda slot: -slot['average'])[:SLOTS]
