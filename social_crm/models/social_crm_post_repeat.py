from odoo import fields, models
from odoo.exceptions import UserError

from .social_crm_post_series import LIVE


class SocialCrmPost(models.Model):
    """A post of a series: an ordinary one, that knows where it comes from."""

    _inherit = 'social.crm.post'

    series_id = fields.Many2one(
        'social.crm.post.series',
        'Repeats',
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='set null',
    )
    series_date = fields.Date('Day in the Series', readonly=True, copy=False)
    series_summary = fields.Char(related='series_id.summary')
    series_state = fields.Selection(related='series_id.state', string='Repetition')

    _unique_series_date = models.UniqueIndex(
        '(series_id, series_date) WHERE series_id IS NOT NULL',
        'A series has one post a day.',
    )

    # === CRUD METHODS === #

    def unlink(self):
        """A series that has not begun goes with the post it was to begin with."""
        posts = self.sudo()  # sudo: they are deleted by somebody who may
        begun = posts.series_id.filtered(
            lambda series: series.state != 'draft' or series.origin_id not in self
        )
        (posts.series_id - begun).unlink()
        if not self._is_own_write():
            for series in begun:
                series._note_deleted((posts & series.post_ids).mapped('series_date'))
        return super().unlink()

    # === ACTION METHODS === #

    def action_submit(self):
        """Let a series begin with its first post."""
        result = super().action_submit()
        for post in self:
            if post.series_id.state == 'draft' and post.series_id.origin_id == post:
                post.series_id._start()
        return result

    def action_repeat(self):
        """Ask how this post repeats, or show it."""
        self.ensure_one()
        if not self.series_id:
            self._check_may_repeat()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._('Repeat'),
            'res_model': 'social.crm.post.series',
            'res_id': self.series_id.id,
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_origin_id': self.id},
        }

    def action_repeat_this(self):
        """Let all following repetitions say what this post says."""
        self.ensure_one()
        self.check_access('write')
        series = self.series_id
        series.check_access('write')
        series._claim()
        series.sudo().write(series._content_of(self))  # sudo: not written by hand
        series._keep_files()
        if series.state in LIVE:
            series._plan_anew(self.series_date)
        return True

    # === HELPERS === #

    def _check_may_repeat(self):
        """Raise unless this user may have this post repeated."""
        self.ensure_one()
        self.check_access('write')
        self._check_may_edit()
        if self.series_id:
            raise UserError(self.env._('This post repeats already.'))
        if self.schedule != 'later' or not self.due_at:
            raise UserError(self.env._('Choose at which time the post goes out, then repeat it.'))

    def _ask_for_approval(self):
        """Ask once for the repetitions that are made together."""
        if self.env.context.get('social_crm_one_request'):
            return None
        return super()._ask_for_approval()
