from datetime import datetime, time

from dateutil import rrule

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools.misc import format_duration

from .. import walltime
from ..tools import first_line, without_defaults
from .social_crm_weekdays_mixin import WEEKDAYS

LIVE = ('running', 'halted', 'ended')
RULE = {'every', 'unit', 'end', 'until', 'count', 'time', 'tz', *WEEKDAYS}


class SocialCrmPostSeries(models.Model):
    """A post that repeats: the rule, and what its repetitions say.

    Repetitions are ordinary posts, made five weeks ahead in the name of who set the series up, so
    that what needs approval waits for it. Days and time are wall time in the series' zone. The
    other parts: ``social_crm_post_series_content.py``, ``social_crm_post_series_plan.py``.
    """

    _name = 'social.crm.post.series'
    _description = 'Repeating Post'
    _inherit = ['social.crm.accounts.mixin', 'social.crm.weekdays.mixin']
    _order = 'id desc'
    _check_company_auto = True

    origin_id = fields.Many2one(
        'social.crm.post',
        'Made From',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
        help='The post whose content is repeated.',
    )
    post_ids = fields.One2many('social.crm.post', 'series_id', 'Posts', readonly=True)
    every = fields.Integer(default=1, required=True, aggregator=None)
    unit = fields.Selection(
        [('day', 'Days'), ('week', 'Weeks'), ('month', 'Months')],
        default='week',
        required=True,
    )
    end = fields.Selection(
        [('never', 'Never'), ('until', 'On a Day'), ('count', 'After a Number of Posts')],
        'Ends',
        default='never',
        required=True,
    )
    until = fields.Date('Last Day')
    count = fields.Integer('Number of Posts', default=10, aggregator=None)
    first_date = fields.Date('From', readonly=True)
    time = fields.Float(aggregator=None)
    tz = fields.Selection(
        selection=lambda self: self.env['social.crm.post']._selection_tz(),
        string='Time Zone',
    )
    state = fields.Selection(
        [
            ('draft', 'Not Started'),
            ('running', 'Running'),
            ('halted', 'Halted'),
            ('ended', 'All Planned'),
            ('stopped', 'Stopped'),
        ],
        'Status',
        default='draft',
        required=True,
        readonly=True,
    )
    next_date = fields.Date('Next to Plan', readonly=True)
    deleted_days = fields.Json(readonly=True, help='Days whose post was deleted by hand.')
    halt_reason = fields.Char('Why It Halted', readonly=True)
    user_id = fields.Many2one('res.users', 'Set Up By', readonly=True, index='btree_not_null')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True)
    summary = fields.Char(compute='_compute_summary')

    _due = models.Index("(next_date) WHERE state = 'running'")

    # === COMPUTE METHODS === #

    @api.depends('content')
    def _compute_display_name(self):
        for series in self:
            text = (series.content or {}).get('text')
            series.display_name = first_line(text, 60) or self.env._('Repeating post')

    @api.depends(*RULE)
    def _compute_summary(self):
        for series in self:
            series.summary = ', '.join(filter(None, (series._rhythm(), series._end_in_words())))

    def _rhythm(self):
        number = self.every
        if self.unit == 'day':
            text = self.env._('Every day') if number == 1 else self.env._('Every %s days', number)
        elif self.unit == 'week':
            text = self.env._('Every week') if number == 1 else self.env._('Every %s weeks', number)
            text = f'{text} ({", ".join(self._weekday_labels())})'
        else:
            text = self.env._('Every month')
            if number != 1:
                text = self.env._('Every %s months', number)
        return f'{text}, {format_duration(self.time)} {self.tz or ""}'

    def _end_in_words(self):
        if self.end == 'until' and self.until:
            return self.env._('until %s', fields.Date.to_string(self.until))
        return self.env._('%s times', self.count) if self.end == 'count' else ''

    # === CONSTRAINT METHODS === #

    @api.constrains(*RULE)
    def _check_rule(self):
        for series in self:
            if not 1 <= series.every <= 99:
                raise ValidationError(self.env._('It repeats every 1 to 99 days, weeks or months.'))
            if series.unit == 'week' and not series._weekdays():
                raise ValidationError(self.env._('Tick the days of the week on which it repeats.'))
            if not 0 <= series.time < 24 or not series.tz:
                raise ValidationError(self.env._('A time of day lies between 00:00 and 23:59.'))
            if series.end == 'count' and series.count < 2:
                raise ValidationError(self.env._('A post that repeats goes out at least twice.'))
            if series.end == 'until' and (not series.until or series.until <= series.first_date):
                raise ValidationError(
                    self.env._('Choose a last day after the first, %s.', series.first_date)
                )

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields_list):
        """Take the time of the post, and its day of the week."""
        values = super().default_get(fields_list)
        post = self.env['social.crm.post'].browse(self.env.context.get('default_origin_id'))
        return values | (self._time_of(post) if post and post.scheduled_date else {})

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            origin_id = vals.get('origin_id') or self.env.context.get('default_origin_id')
            if not origin_id or not self.env.su and vals.keys() - RULE - {'origin_id'}:
                raise AccessError(self.env._('A series is made from a post, by its button.'))
            post = self.env['social.crm.post'].browse(origin_id)
            post._check_may_repeat()
            vals.update({**self._time_of(post, not vals.keys() & set(WEEKDAYS)), **vals})
            vals.update({**self._content_of(post), 'first_date': post.scheduled_date})
            vals['user_id'] = self.env.uid
        bare = without_defaults(self)  # they would say that it runs, and from when
        all_series = super(SocialCrmPostSeries, bare).create(vals_list).with_env(self.env)
        for series in all_series:
            series._adopt(series.origin_id)
            series._keep_files()
            if series.origin_id.step != 'draft':
                series._start()
        return all_series

    def write(self, vals):
        """Plan anew what another rule wants otherwise."""
        if not self.env.su and vals.keys() - RULE:
            raise AccessError(self.env._('The rule of a series can be changed, by its form.'))
        result = super().write(vals)
        if vals.keys() & RULE:
            self._claim()
            for series in self.filtered(lambda series: series.state in LIVE):
                series._plan_anew()
        return result

    # === ACTION METHODS === #

    def action_stop(self):
        """Repeat no more; repetitions that are not out yet go."""
        self.check_access('write')
        for series in self:
            series._lock()
            series._remove_planned(series._last_past_day())
            # sudo: the state follows from these methods only; rights were checked
            series.sudo().write({'state': 'stopped', 'next_date': False, 'halt_reason': False})

    def action_go_on(self):
        """Repeat again, from now on."""
        self.check_access('write')
        self._claim()
        for series in self:
            series._plan_anew()

    # === DAYS === #

    @api.model
    def _time_of(self, post, weekday=True):
        day = post.scheduled_date
        values = {'time': post.scheduled_time, 'tz': post.tz, 'first_date': day}
        return values | ({WEEKDAYS[day.weekday()]: True} if weekday else {})

    def _day_after(self, day):
        """Return the next day of the rule behind a day; ``False`` when it has ended."""
        made = len(self.sudo().post_ids) + len(self.deleted_days or ())  # sudo: to count only
        if self.end == 'count' and made >= self.count:
            return False
        found = self._rule().after(datetime.combine(day, time()))
        if not found or self.end == 'until' and found.date() > self.until:
            return False
        return found.date()

    def _rule(self):
        options = {}
        if self.unit == 'week':
            options = {'byweekday': self._weekdays(), 'wkst': rrule.MO}
        elif self.unit == 'month' and self.first_date.day > 28:
            # The 31st is the last day of shorter months.
            options = {'bymonthday': range(28, self.first_date.day + 1), 'bysetpos': -1}
        unit = {'day': rrule.DAILY, 'week': rrule.WEEKLY, 'month': rrule.MONTHLY}[self.unit]
        first = datetime.combine(self.first_date, time())
        return rrule.rrule(unit, dtstart=first, interval=self.every, **options)

    def _wall_on(self, day):
        """Return when it goes out on a day, as naive wall time, and whether the clock moved it.

        An hour that is skipped or comes twice gives way to the next good time.
        """
        wall = walltime.combine(day, self.time)
        try:
            walltime.to_utc(wall, self.tz)
        except walltime.ClockChange as change:
            return change.after, True
        return wall, False
