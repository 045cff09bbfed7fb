from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .. import walltime
from ..tools import each_committed

AHEAD = timedelta(days=35)  # what a month of the calendar shows


class SocialCrmPostSeries(models.Model):
    """The repetitions of a series: made ahead, replaced by others, halted.

    ``next_date`` is the first day that has none yet; it moves in the transaction that makes one,
    hence each is made once.
    """

    _inherit = 'social.crm.post.series'

    # === PLANNING === #

    def _start(self):
        """Begin with the first post, as it is when people let go of it."""
        self.ensure_one()
        self._lock()
        post = self.origin_id
        # sudo: the state follows from these methods only; whoever submits may
        self.sudo().write({**self._time_of(post, weekday=False), **self._content_of(post)})
        self._adopt(post)
        self._keep_files()
        self._plan_from(post.scheduled_date)

    def _plan_anew(self, after=None):
        """Replace what is planned and not out yet.

        :param date after: leave posts up to this day; default: those whose time has come
        """
        self.ensure_one()
        self._lock()
        after = after or self._last_past_day()
        self._remove_planned(after)
        self._plan_from(after)

    def _plan_from(self, day):
        series = self.sudo()  # sudo: the state follows from these methods only; rights were checked
        series.write({'state': 'running', 'halt_reason': False, 'next_date': self._day_after(day)})
        series._make_ahead()

    def _last_past_day(self):
        """Return the last day whose post is due, or the first day of all: that one was written."""
        now = fields.Datetime.now()
        due = self.sudo().post_ids.filtered(lambda post: post.due_at and post.due_at <= now)
        return max([self.first_date, *filter(None, due.mapped('series_date'))])

    def _remove_planned(self, after):
        """Delete the posts behind a day that nobody cancelled and that are not (partly) out."""
        # sudo: they were made by the series; rights on it were checked
        posts = self.sudo().post_ids.filtered(lambda post: post.series_date > after)
        posts._lock_publications()
        posts.invalidate_recordset(['state'])
        posts = posts.filtered(lambda post: post.state in ('draft', 'waiting', 'scheduled'))
        posts.with_context(social_crm_own_write=True).unlink()

    def _note_deleted(self, days):
        """A day whose post a person deleted stays without one, like one that was cancelled."""
        self._lock()
        days = {fields.Date.to_string(day) for day in days}
        # sudo: not written by hand; the posts were deleted by somebody who may
        self.sudo().deleted_days = sorted(days.union(self.deleted_days or ()))

    def _lock(self):
        self.sudo().lock_for_update(allow_referencing=True)  # sudo: the lock only

    def _claim(self):
        """From now on the repetitions are made in the name of this user, who wanted them so."""
        self.sudo().user_id = self.env.uid  # sudo: not written by hand; rights were checked

    # === LOOP === #

    @api.model
    def _cron_make_ahead(self):
        """Make the posts that come into sight."""
        last = fields.Date.today() + AHEAD
        due = self.search(Domain('state', '=', 'running') & Domain('next_date', '<=', last))
        each_committed(
            due, lambda series: series.try_lock_for_update(allow_referencing=True)._make_ahead()
        )

    def _make_ahead(self):
        """Make what is missing up to the horizon; the series is locked."""
        last, made = fields.Date.today() + AHEAD, self.env['social.crm.post']
        for series in self:
            while series.state == 'running' and series.next_date and series.next_date <= last:
                made |= series._make_next()
            if series.state == 'running' and not series.next_date:
                series.state = 'ended'
        waiting = made.filtered(lambda post: post.step == 'waiting')
        if waiting:
            waiting[0]._ask_for_approval()

    def _make_next(self):
        """Make the post of the next day, unless there is or was one, or its time has passed.

        What it cannot be made for halts the series: the reason is told once, not every day.
        """
        day, post = self.next_date, self.env['social.crm.post']
        wall, moved = self._wall_on(day)
        known = day in self.post_ids.mapped('series_date')
        known = known or fields.Date.to_string(day) in (self.deleted_days or ())
        try:
            with self.env.cr.savepoint():
                if not known and walltime.to_utc(wall, self.tz) > fields.Datetime.now():
                    post = self._make_post(day, wall, moved)
        except UserError as error:
            self._halt(str(error))
            return post
        self.next_date = self._day_after(day)
        return post

    def _halt(self, reason):
        """Stop until a person looks at it: who set it up, or else who is near."""
        self.write({'state': 'halted', 'halt_reason': reason})
        post = self.post_ids.sorted('due_at')[-1:]
        people = self.user_id | post.user_id | self.account_ids.user_id
        for user in people.filtered('active')[:1]:
            post.activity_schedule(
                'social_crm.mail_activity_type_failed',
                user_id=user.id,
                summary=self.env._('This post does not repeat any more'),
                note=reason,
            )
