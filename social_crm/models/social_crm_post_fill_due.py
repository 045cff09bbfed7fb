import contextlib
import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import LockError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)


class SocialCrmPost(models.Model):
    """A post that a template made is filled in once more when it is due, or held back."""

    _inherit = 'social.crm.post'

    fill_pending = fields.Boolean(
        readonly=True, copy=False, help='It is filled in once more before it goes out.'
    )
    held_back_reason = fields.Text(readonly=True, copy=False)

    _to_fill = models.Index('(id) WHERE fill_pending')

    # === COMPUTE METHODS === #

    @api.depends('held_back_reason')
    def _compute_failure_summary(self):
        result = super()._compute_failure_summary()
        for post in self.filtered('held_back_reason'):
            lines = [self.env._('Held back: %s', post.held_back_reason), post.failure_summary]
            post.failure_summary = '\n'.join(filter(None, lines))
        return result

    # === LOOP === #

    def _enqueue(self):
        # sudo: the queue is the module's own
        self.sudo().filtered('template_id').fill_pending = True
        return super()._enqueue()

    def _dequeue(self):
        self.sudo().filtered('fill_pending').fill_pending = False  # sudo: see _enqueue
        return super()._dequeue()

    def _fill_due(self):
        """Fill in posts that are due, or hold them back; called by the loop, as superuser."""
        for post in self:
            try:
                with self.env.cr.savepoint():
                    post._fill_before_sending()
                continue
            except LockError:  # somebody changes it at this very moment: see the next round
                continue
            except psycopg2.OperationalError:  # another worker was quicker: the loop tries again
                raise
            except Exception as error:  # the boundary of the loop: one must not stop the others
                _logger.exception('%s cannot be filled in', post)
                reason = f'{type(error).__name__}: {error}'
            with contextlib.suppress(LockError), self.env.cr.savepoint():
                post._hold_back(reason)

    def _fill_before_sending(self):
        self.ensure_one()
        obstacle, changed = self._refill() if self.template_id else ('', False)
        rows = self.publication_ids.filtered(lambda row: row.delivery_state == 'queued')
        if changed and not obstacle:
            obstacle = '\n'.join(filter(None, rows.mapped('problems')))
        if obstacle:
            self._hold_back(obstacle)
        elif changed and self.needs_approval:
            self._withdraw_approval(
                self.env._(
                    'The record that this is about has changed, and the post with it: it has to '
                    'be approved again.'
                )
            )
        else:
            self.fill_pending = False
            if changed:
                rows._track_links()
                self.message_post(body=self.env._('Filled in anew: the record had changed.'))

    def _hold_back(self, reason):
        """Take it out of the queue, and tell who is responsible."""
        post = self.with_context(lang=self.user_id.lang or self.env.lang)
        post._back_to_draft(post.env._('Held back: %s', reason))
        post.held_back_reason = reason
        user = self.user_id or self.filler_id
        if user.active:
            post.activity_schedule(
                'social_crm.mail_activity_type_failed',
                user_id=user.id,
                summary=post.env._('Held back: "%s"', self.name),
                note=reason,
            )


class SocialCrmPublication(models.Model):
    """Nothing that a template made goes out before it was filled in once more."""

    _inherit = 'social.crm.publication'

    @api.model
    def _claim(self, task, lease, limit, landed=()):
        if task == 'send':
            self._posts_to_fill(limit)._fill_due()
            self.env.flush_all()
        return super()._claim(task, lease, limit, landed)

    @api.model
    def _posts_to_fill(self, limit):
        """Return posts that are due and wait to be filled in, locked; no other worker's."""
        self.flush_model()
        self.env['social.crm.post'].flush_model(['fill_pending'])
        rows = self.env.execute_query(
            SQL(
                """SELECT d.post_id FROM social_crm_post p
                     JOIN social_crm_publication d ON d.post_id = p.id
                    WHERE p.fill_pending AND d.delivery_state = 'queued' AND d.due_at <= %s
                      AND %s
                    GROUP BY d.post_id ORDER BY min(d.due_at) LIMIT %s""",
                fields.Datetime.now(),
                self._not_held_otherwise(),
                limit,
            )
        )
        posts = self.env['social.crm.post'].browse(row[0] for row in rows)
        return posts.try_lock_for_update(allow_referencing=True) if posts else posts

    @api.model
    def _not_held(self):
        free = super()._not_held()
        if self.env.context.get('social_crm_to_fill'):
            return free
        return SQL(
            """(%s AND NOT EXISTS (
                SELECT 1 FROM social_crm_post f WHERE f.id = d.post_id AND f.fill_pending))""",
            free,
        )

    @api.model
    def _not_held_otherwise(self):
        return self.with_context(social_crm_to_fill=True)._not_held()

    @api.model
    def _next_due(self):
        """What is to be filled in first wants attention at its time as well."""
        model = self.with_context(social_crm_to_fill=True)
        return super(SocialCrmPublication, model)._next_due()
