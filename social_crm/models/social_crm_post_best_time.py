from datetime import datetime, time, timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .. import best_time, walltime

SETTLED = timedelta(days=2)  # most of what a post is going to get, it has got by then
LOOK_BACK = timedelta(days=365)
WEEKS = 4


class SocialCrmPost(models.Model):
    """When to post, from what own posts of these accounts have got at each hour of the week."""

    _inherit = 'social.crm.post'

    # === ACTION METHODS === #

    def action_best_time(self):
        """Schedule this for the next best hour of the week; say so where too little is known."""
        self.ensure_one()
        self.check_access('write')
        if not self.account_ids:
            raise UserError(self.env._('Choose at least one account.'))
        figures = self._figures_by_hour()
        hours = best_time.rank(figures)
        for hour in hours:
            moment = self._next_free_at(hour)
            if moment:
                self.write(self._wall_values(moment, self.tz))
                return self._tell(self._best_in_words(hour, figures), 'success')
        return self._tell(self._no_best_in_words(hours, figures), 'warning')

    # === HELPERS === #

    def _figures_by_hour(self):
        """Return account id -> [(hour of the week in this post's zone, engagement)].

        Views are left out: not all networks tell them, and they say less.
        """
        self.env['social.crm.publication'].flush_model()
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """SELECT account_id,
                          (extract(isodow FROM wall)::int - 1) * 24 + extract(hour FROM wall)::int,
                          engagement
                     FROM (SELECT account_id,
                                  sent_at AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s AS wall,
                                  COALESCE(likes, 0) + COALESCE(comments, 0) + COALESCE(shares, 0)
                                  + COALESCE(clicks, 0) AS engagement
                             FROM social_crm_publication
                            WHERE account_id IN %(accounts)s AND kind = 'post'
                              AND delivery_state = 'sent' AND measured_at IS NOT NULL
                              AND sent_at BETWEEN %(first)s AND %(last)s) posts""",
                zone=self.tz,
                accounts=tuple(self.account_ids.ids),
                first=now - LOOK_BACK,
                last=now - SETTLED,
            )
        )
        figures = {account.id: [] for account in self.account_ids}
        for account_id, hour, engagement in rows:
            figures[account_id].append((hour, engagement))
        return figures

    def _next_free_at(self, hour):
        """Return the next moment at such an hour at which these accounts post nothing else."""
        now = fields.Datetime.now()
        today = walltime.to_wall(now, self.tz).date()
        taken = self._taken_moments(now)
        first = today + timedelta(days=(hour.weekday - today.weekday()) % 7)
        for week in range(WEEKS + 1):
            wall = datetime.combine(first + timedelta(weeks=week), time(hour.hour))
            try:
                moment = walltime.to_utc(wall, self.tz)
            except walltime.ClockChange:
                continue
            if moment > now and moment not in taken:
                return moment
        return None

    def _best_in_words(self, hour, figures):
        text = self.env._(
            '%(day)s, %(hour)s (%(zone)s): %(count)s posts at that hour got %(factor)s times the '
            'usual likes, comments, shares and clicks.',
            day=self.env['social.crm.weekdays.mixin']._weekday_label(hour.weekday),
            hour=f'{hour.hour:02}:00',
            zone=self.tz,
            count=hour.posts,
            factor=f'{hour.factor:.1f}',
        )
        return ' '.join([text, *self._thin_in_words(figures)])

    def _no_best_in_words(self, hours, figures):
        thin = self._thin_in_words(figures)
        if len(thin) == len(figures):
            return ' '.join([self.env._('It is too early to tell a best time.'), *thin])
        if hours:
            return self.env._('At the best hours of the coming weeks a post is planned already.')
        text = self.env._('No hour of the week stands out by more than chance explains.')
        return ' '.join([text, *thin])

    def _thin_in_words(self, figures):
        """Return a sentence for each account of which too little is known."""
        few = best_time.thin(figures)
        return [
            self.env._(
                '%(account)s has %(count)s posts with figures so far, and %(least)s are needed.',
                account=account.display_name,
                count=few[account.id],
                least=best_time.MIN_POSTS,
            )
            for account in self.account_ids
            if account.id in few
        ]

    def _tell(self, message, kind):
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'title': self.env._('Best Time'),
                'message': message,
                'type': kind,
                'sticky': kind == 'warning',
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }
