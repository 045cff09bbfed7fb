from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_datetime

from .. import walltime

PAST = timedelta(minutes=1)


class SocialCrmPost(models.Model):
    """When a post goes out: a wall time and its zone are kept, the moment follows from them."""

    _inherit = 'social.crm.post'

    schedule = fields.Selection(
        [('now', 'Now'), ('later', 'At a Time')],
        'When',
        default='now',
        required=True,
    )
    scheduled_date = fields.Date('Day', copy=False)
    scheduled_time = fields.Float('Time', copy=False, aggregator=None)
    tz = fields.Selection(
        selection='_selection_tz',
        string='Time Zone',
        required=True,
        default=lambda self: self._default_tz(),
    )
    due_at = fields.Datetime(
        'Goes Out',
        compute='_compute_due_at',
        inverse='_inverse_due_at',
        store=True,
        index=True,
        copy=False,
        tracking=True,
    )
    scheduled_wall = fields.Char('Wall Time', compute='_compute_scheduled_wall')
    schedule_note = fields.Char(compute='_compute_schedule_note')
    after_expiry = fields.Boolean(
        'After the Login Ends',
        compute='_compute_after_expiry',
        compute_sudo=True,
        help="An account's login ends before this is due.",
    )
    # The name is what the calendar looks for.
    is_hatched = fields.Boolean('Hatched in the Calendar', related='after_expiry')

    # === DEFAULTS AND SELECTIONS === #

    @api.model
    def _default_tz(self):
        return (
            self.env.context.get('tz')
            or self.env.user.tz
            or self.env.company.partner_id.tz
            or 'UTC'
        )

    @api.model
    def _selection_tz(self):
        return [(name, name) for name in pytz.all_timezones]

    # === COMPUTE METHODS === #

    @api.depends('schedule', 'scheduled_date', 'scheduled_time', 'tz')
    def _compute_due_at(self):
        for post in self:
            wall = post._wall()
            if wall:
                try:
                    post.due_at = walltime.to_utc(wall, post.tz)
                except walltime.ClockChange:
                    post.due_at = False  # the note and the check say why
            elif post.schedule == 'later':
                post.due_at = False
            else:
                post.due_at = post.due_at  # set when it is submitted

    def _inverse_due_at(self):
        """The calendar moved it: keep the zone, take over its wall time of that moment."""
        if self._is_own_write():
            return  # it goes out now, no wall time was given
        for post in self:
            if post.due_at:
                post.update(self._wall_values(post.due_at, post.tz))

    @api.depends('schedule', 'scheduled_date', 'scheduled_time', 'tz')
    def _compute_scheduled_wall(self):
        for post in self:
            wall = post._wall()
            post.scheduled_wall = wall.strftime('%Y-%m-%d %H:%M') if wall else False

    @api.depends('schedule', 'scheduled_date', 'scheduled_time', 'tz', 'due_at')
    def _compute_schedule_note(self):
        """Say what the wall time means: in UTC and to the user, or why it means nothing."""
        for post in self:
            wall = post._wall()
            post.schedule_note = False
            if not wall:
                continue
            try:
                moment = walltime.to_utc(wall, post.tz)
            except walltime.ClockChange as change:
                post.schedule_note = post._explain_clock_change(wall, change)
                continue
            own = self.env.user.tz or 'UTC'
            parts = [f'UTC{walltime.offset(moment, post.tz)}', f'{moment:%H:%M} UTC']
            if walltime.offset(moment, own) != walltime.offset(moment, post.tz):
                there = format_datetime(self.env, moment, tz=own, dt_format='short')
                parts.append(self.env._('%s for you', there))
            post.schedule_note = ' · '.join(parts)

    @api.depends('due_at', 'account_ids')
    def _compute_after_expiry(self):
        ends = {account.id: account.expires_at for account in self.account_ids._origin}
        ends = {account_id: end for account_id, end in ends.items() if end}
        for post in self:
            waits = ends and post.due_at and post.state in ('draft', 'waiting', 'scheduled')
            known = [ends.get(account_id) for account_id in post.account_ids._origin.ids if waits]
            post.after_expiry = any(end and end < post.due_at for end in known)

    # === CONSTRAINT METHODS === #

    @api.constrains('schedule', 'scheduled_date', 'scheduled_time', 'tz')
    def _check_wall_time(self):
        """Refuse a time that a clock change skips or repeats, and say what to choose instead."""
        for post in self:
            if post.schedule == 'later' and not 0 <= post.scheduled_time < 24:
                raise ValidationError(self.env._('A time of day lies between 00:00 and 23:59.'))
            wall = post._wall()
            try:
                if wall:
                    walltime.to_utc(wall, post.tz)
            except walltime.ClockChange as change:
                raise ValidationError(post._explain_clock_change(wall, change)) from None

    # === HELPERS === #

    def _wall(self):
        """Return the naive wall time that was asked for, ``None`` where there is none."""
        self.ensure_one()
        if self.schedule != 'later' or not self.scheduled_date or not self.tz:
            return None
        return walltime.combine(self.scheduled_date, self.scheduled_time)

    @api.model
    def _wall_values(self, moment, zone=None):
        zone = zone or self._default_tz()
        wall = walltime.to_wall(moment, zone)
        seconds = wall.hour * 3600 + wall.minute * 60 + wall.second
        return {
            'schedule': 'later',
            'scheduled_date': wall.date(),
            'scheduled_time': seconds / 3600,
            'tz': zone,
        }

    def _explain_clock_change(self, wall, change):
        values = {
            'time': f'{wall:%H:%M}',
            'day': f'{wall:%Y-%m-%d}',
            'zone': self.tz,
            'before': f'{change.before:%H:%M}',
            'after': f'{change.after:%H:%M}',
        }
        if change.missing:
            return self.env._(
                'There is no %(time)s on %(day)s in %(zone)s: the clock is put forward then. '
                'Choose %(before)s or earlier, or %(after)s or later.',
                **values,
            )
        return self.env._(
            '%(time)s comes twice on %(day)s in %(zone)s: the clock is put back then. Choose '
            '%(before)s or earlier, %(after)s or later, or give the time in UTC.',
            **values,
        )

    def _check_due(self):
        """Raise unless each post has a moment that lies ahead."""
        for post in self:
            if post.schedule == 'later' and not post.scheduled_date:
                raise ValidationError(self.env._('Choose the day on which the post goes out.'))
            post._check_wall_time()
            if post.schedule == 'later' and post.due_at < fields.Datetime.now() - PAST:
                raise ValidationError(
                    self.env._(
                        '%(wall)s (%(zone)s) has passed: choose a later time, or publish now.',
                        wall=post.scheduled_wall,
                        zone=post.tz,
                    )
                )
