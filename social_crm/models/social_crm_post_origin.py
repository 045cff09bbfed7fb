import contextlib
import hashlib
import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.tools import SQL
from odoo.tools.mimetypes import guess_mimetype

_logger = logging.getLogger(__name__)

ORIGIN = {
    'template_id',
    'record_model',
    'record_id',
    'filler_id',
    'filled',
    'fill_pending',
    'held_back_reason',
}
PICTURES = ('image/jpeg', 'image/png', 'image/gif', 'image/webp')


class SocialCrmPost(models.Model):
    """A post that a template made of a record: filled in again until it goes out.

    ``filled`` remembers what was filled in, so that what a person changed is left alone. Values
    are read with the rights of the user who had it filled in, also by the loop.
    """

    _inherit = 'social.crm.post'

    template_id = fields.Many2one(
        'social.crm.post.template',
        'Made by Template',
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='set null',
    )
    record_model = fields.Char(readonly=True, copy=False)
    record_id = fields.Many2oneReference(model_field='record_model', readonly=True, copy=False)
    record_ref = fields.Reference(
        selection='_selection_record_model', string='Made of', compute='_compute_record_ref'
    )
    filler_id = fields.Many2one(
        'res.users',
        'Filled in by',
        readonly=True,
        copy=False,
        help='The post tells what this user may read.',
    )
    filled = fields.Json(readonly=True, copy=False)
    fill_pending = fields.Boolean(
        readonly=True, copy=False, help='It is filled in once more before it goes out.'
    )
    held_back_reason = fields.Text(readonly=True, copy=False)

    _to_fill = models.Index('(id) WHERE fill_pending')

    # === COMPUTE METHODS === #

    @api.model
    def _selection_record_model(self):
        # sudo: names of models are no secret; users have no right to list them
        return [(one.model, one.name) for one in self.env['ir.model'].sudo().search([])]

    @api.depends('record_model', 'record_id')
    @api.depends_context('uid', 'allowed_company_ids')
    def _compute_record_ref(self):
        self.record_ref = False
        for model, posts in self.grouped('record_model').items():
            if model not in self.env:
                continue
            records = self.env[model].browse(filter(None, posts.mapped('record_id'))).exists()
            readable = set(records._filtered_access('read').ids)
            for post in posts:
                if post.record_id in readable:
                    post.record_ref = f'{model},{post.record_id}'

    @api.depends('held_back_reason')
    def _compute_failure_summary(self):
        result = super()._compute_failure_summary()
        for post in self.filtered('held_back_reason'):
            lines = [self.env._('Held back: %s', post.held_back_reason), post.failure_summary]
            post.failure_summary = '\n'.join(filter(None, lines))
        return result

    # === CRUD METHODS === #

    @api.model
    def _check_guarded(self, names):
        if not self.env.su and names & ORIGIN:
            raise AccessError(self.env._('What a post is made of is not written by hand.'))
        return super()._check_guarded(names)

    # === ACTION METHODS === #

    def action_submit(self):
        """Fill in what changed meanwhile, so that it is checked and approved as it goes out."""
        self.check_access('write')
        for post in self.filtered(lambda post: post.template_id and post.step == 'draft'):
            obstacle, _changed = post._refill()
            if obstacle and post.schedule == 'now':
                raise UserError(obstacle)
            post.sudo().held_back_reason = False  # sudo: written by these methods only
        return super().action_submit()

    def action_fill(self):
        """Fill in anew what the record says now, over what was changed by hand."""
        self.check_access('write')
        for post in self:
            post._check_may_edit()
            if not post.template_id or post.step != 'draft':
                raise UserError(self.env._('Only drafts that a template made are filled in.'))
            record = self.env[post.record_model].browse(post.record_id)
            template = post.template_id
            template = template.with_context(**template._filler_context(self.env.user))
            if not record.exists():
                raise UserError(template._obstacle(record))
            values = template._filled_values(record)[record.id]
            post._note_origin(template, record)
            post._fill_in(values, keep=False)
        return True

    # === FILL IN === #

    def _note_origin(self, template, record):
        self.ensure_one()
        # sudo: written by these methods only; rights on post and record were checked
        self.sudo().write(
            {
                'template_id': template.id,
                'record_model': record._name,
                'record_id': record.id,
                'filler_id': self.env.uid,
            }
        )

    def _refill(self):
        """Fill in what changed since.

        :return: why it should not go out now (``''`` for no reason), and whether it changed
        """
        self.ensure_one()
        user, template = self.filler_id, self.sudo().template_id  # sudo: to know its language
        if not user.sudo().active:  # sudo: whether a colleague is still there is no secret
            return self.env._('The user who filled the post in is not active any more.'), False
        template = template.with_user(user).with_context(**template._filler_context(user))
        record = template.env[self.record_model].browse(self.record_id)
        try:
            obstacle = template._obstacle(record)
            if obstacle:
                return obstacle, False
            return '', self._fill_in(template._filled_values(record)[record.id])
        except LockError:
            raise
        except UserError as error:
            return str(error), False

    def _fill_in(self, values, keep=True):
        """Write what a template made, and remember it.

        :param keep: leave alone what somebody changed since it was filled in
        :return: whether anything changed
        """
        self.ensure_one()
        # sudo: rights were checked, and the loop has none; own_write: this is no edit by a person
        post = self.sudo().with_context(social_crm_own_write=True)
        before = post.filled or {}
        changed = {
            name: values[name]
            for name in ('text', 'link')
            if (post[name] or '') != values[name]
            and (not keep or not before or (post[name] or '') == before[name])
        }
        if changed:
            post.write(changed)
        texts_before = before.get('own', {})
        for row in post.publication_ids.filtered(lambda row: row.kind == 'post'):
            text = values['own'].get(row.account_id.network, '')
            known = texts_before.get(str(row.account_id.id), '')
            if (row.text or '') != text and (not keep or (row.text or '') == known):
                row.text = text
                changed[row.id] = text
        image = post._fill_image(values['image'], before.get('image'), keep)
        changed |= {} if image == before.get('image') else {'image': image}
        post.filled = {
            'text': values['text'],
            'link': values['link'],
            'own': {
                str(row.account_id.id): values['own'].get(row.account_id.network, '')
                for row in post.publication_ids
                if row.kind == 'post'
            },
            'image': image,
        }
        return bool(changed)

    def _fill_image(self, content, before, keep):
        """Attach the record's picture in place of the one that was filled in.

        :param before: ``[attachment id, digest]`` of that one
        :return: the same of the one that is there now
        """
        mimetype = guess_mimetype(content) if content else ''
        if mimetype not in PICTURES:  # drawings may hold scripts
            content = b''
        digest = hashlib.sha256(content).hexdigest() if content else ''
        old = self.attachment_ids.filtered(lambda file: before and file.id == before[0])
        if digest == (before or [0, ''])[1] and (old or keep):
            return before
        if before and not old and keep:
            return before  # somebody took it out
        self.attachment_ids -= old
        old.unlink()
        if not content:
            return None
        kind = mimetype.rpartition('/')[2]
        file = self.env['ir.attachment'].create(
            {
                'name': f'{self.record_model}-{self.record_id}.{kind}',
                'raw': content,
                'res_model': self._name,
                'res_id': self.id,
            }
        )
        self.attachment_ids += file
        return [file.id, digest]

    # === WHEN IT IS DUE === #

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
