from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from .. import walltime

SCALARS = ('text', 'link', 'track_links', 'first_comment', 'media_description')


class SocialCrmPostSeries(models.Model):
    """What a series repeats: kept apart from its posts, so that an edit of one is of that one."""

    _inherit = 'social.crm.post.series'

    content = fields.Json(readonly=True)
    account_ids = fields.Many2many(readonly=True)
    campaign_id = fields.Many2one(
        'utm.campaign',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
    )
    attachment_ids = fields.Many2many('ir.attachment', readonly=True)

    @api.model
    def _content_of(self, post):
        """Return the values that keep what a post says."""
        rows = post.publication_ids.filtered(lambda row: row.kind == 'post' and row.text)
        files = post._files()
        return {
            'origin_id': post.id,
            'content': {
                **{name: post[name] for name in SCALARS},
                'user_id': post.user_id.id,
                'texts': [[row.account_id.id, row.text] for row in rows],
            },
            'account_ids': [Command.set(post.account_ids.ids)],
            'campaign_id': post.campaign_id.id,
            'company_id': post.company_id.id,
            # Copies: a file goes with the post to which it was uploaded.
            'attachment_ids': [Command.set(self._copy_files(files, self._name).ids)],
        }

    @api.model
    def _copy_files(self, files, model, res_id=0):
        copies = files.browse()
        for file in files:
            copies |= file.copy({'res_model': model, 'res_id': res_id, 'name': file.name})
        return copies

    def _exchange_account(self, account, other=None):
        """Let another account repeat it instead of one; with none, the remaining ones do."""
        for series in self:
            series._lock()
            content, commands = series.content, [Command.unlink(account.id)]
            if other:
                commands.append(Command.link(other.id))
                if other not in series.account_ids:
                    texts = [
                        [other.id if account_id == account.id else account_id, text]
                        for account_id, text in content['texts']
                    ]
                    content = {**content, 'texts': texts}
            series.write({'account_ids': commands, 'content': content})

    def _adopt(self, post):
        """Make a post one of the series."""
        # sudo: what belongs to a series is not written by hand
        post.sudo().write({'series_id': self.id, 'series_date': post.scheduled_date})

    def _keep_files(self):
        """Tie the copies to the series, so that they stay as long as it does."""
        # sudo: its own copies, of files that the user could read
        self.sudo().attachment_ids.filtered(lambda file: not file.res_id).res_id = self.id

    def _make_post(self, day, wall, moved):
        """Make the post of a day and let it go the way of any other, in its maker's name.

        :raise UserError: when that user could not do so now
        """
        user = self.user_id
        if not user.active and not user._is_superuser():
            raise UserError(self.env._('%s, who set this up, is no user any more.', user.name))
        Post = self.env['social.crm.post'].with_user(user).with_company(self.company_id)
        Post = Post.with_context(lang=user.lang, social_crm_one_request=True)
        due_at = walltime.to_utc(wall, self.tz)
        post = Post.create({**self._post_values(Post), **Post._wall_values(due_at, self.tz)})
        # sudo: what belongs to a series is not written by hand
        post.sudo().write({'series_id': self.id, 'series_date': day})
        if moved:
            post.message_post(
                body=self.env._(
                    'The clock is changed that day, so that it goes out at %s.', f'{wall:%H:%M}'
                )
            )
        post.action_submit()
        return self.env['social.crm.post'].browse(post.id)

    def _post_values(self, Post):
        content = self.content
        texts = dict(map(tuple, content['texts']))
        files = self.with_user(Post.env.user).sudo().attachment_ids  # sudo: kept by the series
        responsible = self.env['res.users'].browse(content['user_id']).exists()
        return {
            **{name: content[name] for name in SCALARS},
            'account_ids': [Command.set(self.account_ids.ids)],
            'publication_ids': [
                Command.create({'account_id': account.id, 'text': texts.get(account.id, False)})
                for account in self.account_ids
            ],
            'attachment_ids': [Command.set(self._copy_files(files, 'social.crm.post').ids)],
            'campaign_id': self.campaign_id.id,
            'user_id': responsible.filtered('active').id or Post.env.uid,
            'company_id': self.company_id.id,
        }
