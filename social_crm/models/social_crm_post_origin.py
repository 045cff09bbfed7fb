import hashlib

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.tools.mimetypes import guess_mimetype

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
    """A post that a template made of a record; ``social_crm_post_fill_due.py`` has its way out.

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
            context = template._filler_context(self.env.user, post.company_id)
            template = template.with_context(**context)
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
        context = template._filler_context(user, self.company_id)
        template = template.with_user(user).with_context(**context)
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
