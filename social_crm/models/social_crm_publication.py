import hashlib
import re
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import listening, tracking
from ..providers import adapter_class
from ..providers.types import Media, Outgoing
from ..tools import public_url

OWN_FIELDS = {'text', 'account_id', 'post_id', 'kind'}
KEYS = ('account_id', 'post_id', 'kind')
FIRST_MEASURE = timedelta(hours=1)


class SocialCrmPublication(models.Model):
    """A post's copy on one account: what is sent, and the figures of it.

    ``kind`` is *post*, or *comment* for the first comment: a delivery of its own, made in the
    transaction that stores that the post stands there, hence exactly once.
    """

    _name = 'social.crm.publication'
    _description = 'Publication of a Social Post'
    _inherit = ['social.crm.delivery.mixin']
    _order = 'due_at desc, id'
    _check_company_auto = True

    post_id = fields.Many2one('social.crm.post', required=True, index=True, ondelete='cascade')
    kind = fields.Selection(
        [('post', 'Post'), ('comment', 'First Comment')],
        default='post',
        required=True,
        readonly=True,
    )
    parent_id = fields.Many2one(
        'social.crm.publication',
        'Below',
        readonly=True,
        index='btree_not_null',
        ondelete='cascade',
    )
    due_at = fields.Datetime(default=False, readonly=True)
    network = fields.Selection(related='account_id.network', store=True)
    campaign_id = fields.Many2one(related='post_id.campaign_id', store=True, index='btree_not_null')
    user_id = fields.Many2one(related='post_id.user_id', store=True)
    text = fields.Text('Own Text', help='For this account alone; empty: the text of the post.')
    full_text = fields.Text('Text as Sent', compute='_compute_full_text')
    fingerprint = fields.Char(
        compute='_compute_fingerprint',
        store=True,
        precompute=True,
        index='btree_not_null',
    )
    status = fields.Char('Progress', compute='_compute_status')

    _unique_account = models.UniqueIndex(
        "(post_id, account_id) WHERE kind = 'post'",
        'A post has one publication per account.',
    )
    _unique_comment = models.UniqueIndex(
        '(parent_id) WHERE parent_id IS NOT NULL',
        'There is one first comment.',
    )

    _unique_external = models.UniqueIndex(
        '(account_id, external_id) WHERE external_id IS NOT NULL',
        'Another publication has this address on the network.',
    )
    _local = models.Index('(account_id, local_id) WHERE local_id IS NOT NULL')

    # === COMPUTE METHODS === #

    @api.depends('account_id', 'post_id.name')
    def _compute_display_name(self):
        for row in self:
            row.display_name = f'{row.post_id.name} – {row.account_id.display_name}'

    @api.depends('text', 'kind', 'post_id.text', 'post_id.first_comment')
    def _compute_full_text(self):
        for row in self:
            comment = row.kind == 'comment'
            row.full_text = row.post_id.first_comment if comment else row.text or row.post_id.text

    @api.depends('text', 'kind', 'post_id.text', 'post_id.link')
    def _compute_fingerprint(self):
        for row in self:
            row.fingerprint = row._fingerprint() if row.kind == 'post' else False

    def _fingerprint(self):
        words = re.sub(r'\W+', ' ', f'{self.full_text or ""} {self.post_id.link or ""}').strip()
        return words and hashlib.sha256(words.casefold().encode()).hexdigest()[:32]

    @api.depends('delivery_state', 'due_at')
    def _compute_status(self):
        """A publication that nobody submitted yet is *queued* without a time: a draft to people."""
        labels = dict(self._fields['delivery_state']._description_selection(self.env))
        for row in self:
            draft = row.delivery_state == 'queued' and not row.due_at
            row.status = self.env._('Draft') if draft else labels[row.delivery_state]

    # === CONSTRAINT METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        if not self.env.su and 'sent' in self.mapped('delivery_state'):
            raise UserError(self.env._('What went out is kept, with its figures.'))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_own_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        """People write the text of their account here; all else is written by the module."""
        self._check_own_fields(vals)
        if not self.env.su and any(
            row._fields[name].convert_to_write(row[name], row) != vals[name]
            for row in self
            for name in KEYS
            if name in vals
        ):
            raise AccessError(self.env._('Choose the accounts of the post instead.'))
        edit = 'text' in vals and self.filtered(lambda row: row.text != vals['text'])
        if edit:
            edit._check_may_change()
        result = super().write(vals)
        if edit:
            edit.post_id._after_edit(content=True)
        return result

    def _check_own_fields(self, vals):
        if not self.env.su and vals.keys() - OWN_FIELDS:
            raise AccessError(self.env._('What was sent, and when, is not written by hand.'))

    def _check_may_change(self):
        """Raise unless these texts may still change: that of a failed one may, to be sent again."""
        for row in self:
            owner = row.post_id.owner_id
            if not self.env.su and owner and owner != self.env.user:
                raise AccessError(self.env._('Only %s may change this post.', owner.name))
            if row.post_id.step != 'draft':
                row.sudo().lock_for_update()  # sudo: the loop must not take it up meanwhile
            if row.delivery_state in ('sending', 'unconfirmed', 'sent'):
                raise UserError(
                    self.env._('This is out already, so it cannot be changed any more.')
                )

    # === ACTION METHODS === #

    def action_retry(self):
        """Send again; what was wrong with it is checked before."""
        for row in self:
            if row.post_id.step != 'approved':
                raise UserError(self.env._('The post was not submitted, or was taken back.'))
            if row.kind == 'post' and row.problems:
                raise UserError(
                    self.env._(
                        '%(account)s: %(problems)s',
                        account=row.account_id.display_name,
                        problems=row.problems,
                    )
                )
        self.filtered(lambda row: row.delivery_state == 'failed')._track_links()
        return super().action_retry()

    def action_open_url(self):
        """Open it on its network."""
        return self._open_url()

    # === DELIVERY === #

    def _outgoing(self, media=True):
        """Return this as the adapters' value; without media where only the text counts."""
        self.ensure_one()
        text = (self.full_text or '').strip()
        language = media and listening.detect(text) or ''
        values = {'language': language, 'text': self._tracked(text)}
        if self.kind == 'comment':
            parent = self.parent_id
            return Outgoing(
                kind='comment',
                target=parent.external_id or '',
                target_local_id=parent.local_id or '',
                **values,
            )
        fetched = 'fetches_media' in adapter_class(self.account_id.network).features
        files = tuple(self.post_id._media(public=fetched)) if media else ()
        link = self._tracked((self.post_id.link or '').strip())
        return Outgoing(kind='post', link=link, media=files, **values)

    def _comment_as_sent(self):
        """Return the first comment below this, with short links."""
        text = (self.post_id.first_comment or '').strip()
        sent = self.post_id.publication_ids.filtered(lambda row: row.parent_id == self)
        return sent._tracked(text) if sent else tracking.replace(text, self._stand_in)

    def _texts_with_links(self):
        return [self.full_text, self.post_id.link if self.kind == 'post' else '']

    def _is_draft(self):
        return self.delivery_state == 'queued' and not self.due_at

    def _wants_tracking(self):
        return self.post_id.track_links and super()._wants_tracking()

    def _delivered(self, sent):
        """Log it on the post, queue the first comment, begin to read its figures."""
        for row in self:
            row.next_metric_at = row.sent_at + FIRST_MEASURE if row.kind == 'post' else False
            row.post_id._log_sent(row)
            known = row.post_id.publication_ids.parent_id  # a look-up may find it a second time
            if row.kind == 'post' and row.post_id.first_comment and row not in known:
                self.create(
                    {
                        'post_id': row.post_id.id,
                        'account_id': row.account_id.id,
                        'kind': 'comment',
                        'parent_id': row.id,
                        'due_at': fields.Datetime.now(),
                    }
                )._track_links()
        return super()._delivered(sent)

    def _not_delivered(self, error):
        for row in self:
            row.post_id._log_failed(row)
        return super()._not_delivered(error)

    def _not_confirmed(self):
        for row in self:
            row.post_id._log_failed(row)
        return super()._not_confirmed()


class SocialCrmPost(models.Model):
    """What a post gives to its publications, and hears from them."""

    _inherit = 'social.crm.post'

    def _media(self, public=False):
        """Yield the files as the adapters' values, each with its description.

        :param public: with an address too, for networks that fetch files themselves
        """
        lines = (self.media_description or '').splitlines()
        for place, file in enumerate(self._files()):
            yield Media(
                mimetype=file.mimetype or '',
                filename=file.name or '',
                content=file.raw or b'',
                description=lines[place].strip() if place < len(lines) else '',
                url=public_url(file) if public else '',
            )

    def _files(self):
        """Return the attachments in the order in which they were added."""
        readable = self.attachment_ids._origin.sudo(False)._filtered_access('read')
        return readable.sudo().sorted('id')  # sudo: whoever reads on has no more rights than that

    def _log_sent(self, row):
        link = Markup('<a href="%s" rel="noopener noreferrer" target="_blank">%s</a>') % (
            row.url or '#',
            row.account_id.display_name,
        )
        text = self.env._('Published on %s.')
        if row.kind == 'comment':
            text = self.env._('First comment posted on %s.')
        self.message_post(body=Markup('<p>%s</p>') % (Markup(text) % link))
        if not self.publication_ids.filtered(lambda one: one.delivery_state == 'failed'):
            self.activity_unlink(['social_crm.mail_activity_type_failed'])

    def _log_failed(self, row):
        """Tell which account it was and why, in the chatter and as work for the author."""
        post = self.with_context(lang=self.user_id.lang or self.env.lang)
        summary = post.env._('Not published on %s', row.account_id.display_name)
        reason = row.failure_reason or row.failure_code or ''
        post.message_post(body=Markup('<p><b>%s</b><br/>%s</p>') % (summary, reason))
        if self.user_id:
            post.activity_schedule(
                'social_crm.mail_activity_type_failed',
                user_id=self.user_id.id,
                summary=summary,
                note=reason,
            )
