import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..tools import first_line

CONTENT = {
    'text',
    'link',
    'track_links',
    'first_comment',
    'attachment_ids',
    'media_description',
    'account_ids',
}
TIME = {'schedule', 'scheduled_date', 'scheduled_time', 'tz', 'due_at'}
GUARDED = {
    'step',
    'approved_by_id',
    'approved_at',
    'state',
    'owner_id',
    'needs_approval',
    'series_id',
    'series_date',
}
STATES = [
    ('draft', 'Draft'),
    ('waiting', 'Waiting for Approval'),
    ('scheduled', 'Scheduled'),
    ('publishing', 'Publishing'),
    ('published', 'Published'),
    ('partial', 'Partly Published'),
    ('failed', 'Failed'),
    ('cancelled', 'Cancelled'),
]
COLORS = {
    'draft': 12,
    'waiting': 3,
    'scheduled': 4,
    'publishing': 8,
    'published': 10,
    'partial': 2,
    'failed': 1,
    'cancelled': 20,
}


class SocialCrmPost(models.Model):
    """A composed post; it has one publication per account, and they are what is sent.

    ``step`` is what people decided (draft, waiting, approved, cancelled); ``state`` adds what came
    of the publications. The other parts: ``social_crm_post_schedule.py`` (time zones),
    ``social_crm_post_flow.py`` (submit, approve, edit, cancel), ``social_crm_post_preview.py``.
    """

    _name = 'social.crm.post'
    _description = 'Social Post'
    _inherit = ['social.crm.accounts.mixin', 'mail.thread', 'mail.activity.mixin']
    _order = 'due_at desc, id desc'
    _check_company_auto = True

    name = fields.Char('Title', compute='_compute_name', store=True, precompute=True)
    text = fields.Text()
    link = fields.Char(help='Put below the text where the text does not hold it.')
    track_links = fields.Boolean(
        default=lambda self: self.env.company.social_crm_track_links,
        help='Send short links of this server instead, so that clicks are counted, with the '
        'campaign and the post in them.',
    )
    first_comment = fields.Text(help='Posted below the post once it stands there.')
    attachment_ids = fields.Many2many('ir.attachment', string='Pictures and Videos')
    media_description = fields.Text(
        'Descriptions',
        help='What can be seen, for people who cannot: one line per file, in their order.',
    )
    publication_ids = fields.One2many('social.crm.publication', 'post_id', copy=False)
    campaign_id = fields.Many2one('utm.campaign', index='btree_not_null', tracking=True)
    user_id = fields.Many2one(
        'res.users',
        'Responsible',
        default=lambda self: self.env.user,
        tracking=True,
        index=True,
        domain=[('share', '=', False)],
    )
    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    step = fields.Selection(
        [
            ('draft', 'Draft'),
            ('waiting', 'Waiting for Approval'),
            ('approved', 'Approved'),
            ('cancelled', 'Cancelled'),
        ],
        default='draft',
        required=True,
        readonly=True,
        copy=False,
    )
    state = fields.Selection(
        STATES,
        'Status',
        compute='_compute_state',
        store=True,
        compute_sudo=True,
        index=True,
        tracking=True,
        group_expand=True,
    )
    color = fields.Integer(compute='_compute_state', store=True, compute_sudo=True)
    failure_summary = fields.Text('What Went Wrong', compute='_compute_failure_summary')
    sent_count = fields.Integer(compute='_compute_state', store=True, compute_sudo=True)
    publication_count = fields.Integer(compute='_compute_state', store=True, compute_sudo=True)

    _due = models.Index('(company_id, due_at)')

    # === COMPUTE METHODS === #

    @api.depends('text')
    def _compute_name(self):
        for post in self:
            post.name = first_line(post.text, 60) or self.env._('New post')

    @api.depends('step', 'publication_ids.delivery_state')
    def _compute_state(self):
        for post in self:
            main = post.publication_ids.filtered(lambda row: row.kind == 'post')
            states = set(main.mapped('delivery_state'))
            state = self._state_of(states) if post.step == 'approved' else post.step
            comments = (post.publication_ids - main).mapped('delivery_state')
            if state == 'published' and 'failed' in comments:
                state = 'partial'
            post.state, post.color = state, COLORS[state]
            post.publication_count = len(main)
            post.sent_count = len(main.filtered(lambda row: row.delivery_state == 'sent'))

    @api.model
    def _state_of(self, states):
        """Return the state of an approved post whose publications have these states."""
        states = states - {'cancelled'}
        if not states:
            return 'cancelled'
        if states == {'queued'}:
            return 'scheduled'
        if states & {'queued', 'sending', 'unconfirmed'}:
            return 'publishing'
        return {('sent',): 'published', ('failed',): 'failed'}.get(tuple(states), 'partial')

    @api.depends('publication_ids.delivery_state', 'publication_ids.failure_reason')
    def _compute_failure_summary(self):
        for post in self:
            lines = [
                f'{row.account_id.display_name}: {row.failure_reason or row.failure_code}'
                for row in post.publication_ids
                if row.delivery_state in ('failed', 'unconfirmed')
            ]
            post.failure_summary = '\n'.join(lines)

    # === CONSTRAINT METHODS === #

    @api.constrains('link')
    def _check_link(self):
        for post in self:
            if post.link and not re.fullmatch(r'https?://[^\s<>"]+', post.link.strip()):
                raise ValidationError(self.env._('A link starts with https:// and has no blanks.'))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_out(self):
        rows = self.sudo().publication_ids  # sudo: those of colleagues' accounts count as well
        if rows.filtered(lambda row: row.delivery_state in ('sending', 'unconfirmed', 'sent')):
            raise UserError(
                self.env._('A post that went out is kept, with its figures. Cancel or archive it.')
            )

    # === ONCHANGE METHODS === #

    @api.onchange('account_ids')
    def _onchange_account_ids(self):
        """Show one line per account, so that each can have a text of its own."""
        accounts, rows = self.account_ids._origin, self.publication_ids
        self.publication_ids -= rows.filtered(
            lambda row: row.kind == 'post' and row.account_id._origin not in accounts
        )
        Publication = self.env['social.crm.publication']
        for account in accounts - self.publication_ids.account_id._origin:
            self.publication_ids += Publication.new({'account_id': account.id, 'kind': 'post'})

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields_list):
        """A click in the calendar gives the moment: show it as wall time in the user's zone."""
        values = super().default_get(fields_list)
        if values.get('due_at'):
            values |= self._wall_values(
                fields.Datetime.to_datetime(values['due_at']), values.get('tz')
            )
        return values

    @api.model_create_multi
    def create(self, vals_list):
        defaults = {
            name.removeprefix('default_')
            for name in self.env.context
            if name.startswith('default_')
        }
        for vals in vals_list:
            self._check_guarded(defaults.union(vals))
        posts = super().create(vals_list)
        posts._check_accounts()
        posts._claim_attachments()
        posts._sync_publications()
        return posts

    def write(self, vals):
        """Guard what people decided and what is out, and withdraw an approval on an edit."""
        self._check_guarded(vals.keys())
        content, time = bool(vals.keys() & CONTENT), bool(vals.keys() & TIME)
        if content or time:
            self._check_may_edit()
        result = super().write(vals)
        if 'company_id' in vals:
            self.check_access('write')  # there, too
        if 'account_ids' in vals:
            self._check_accounts()
        if 'attachment_ids' in vals:
            self._claim_attachments()
        if vals.keys() & {'account_ids', 'publication_ids'}:
            self._sync_publications()
        if 'campaign_id' in vals:
            self.sudo().publication_ids._move_trackers()  # sudo: of colleagues' accounts as well
        if content or time:
            self._after_edit(content)
        return result

    @api.model
    def _check_guarded(self, names):
        if not self.env.su and names & GUARDED:
            raise AccessError(self.env._('Submit, approve or cancel the post by its buttons.'))

    def _sync_publications(self):
        """Keep one publication per account; what went out stays."""
        for post in self.sudo():  # sudo: publications are the post's own, and it was just written
            rows = post.publication_ids.filtered(lambda row: row.kind == 'post')
            if not post.account_ids and rows:
                post.account_ids = rows.account_id
                continue
            rows.filtered(
                lambda row, post=post: (
                    row.account_id not in post.account_ids
                    and row.delivery_state in ('queued', 'failed', 'cancelled')
                )
            ).unlink()
            missing = post.account_ids - rows.exists().account_id
            self.env['social.crm.publication'].sudo().create(
                [{'post_id': post.id, 'account_id': account.id} for account in missing]
            )

    def _check_accounts(self):
        """Refuse personal accounts of others: nobody publishes in another person's name.

        :raise AccessError: for those
        """
        # sudo: others' accounts would not be found by the user's own rights
        self.sudo().account_ids.with_env(self.env).check_access('read')

    def _claim_attachments(self):
        """Tie uploaded files to the post, so that whoever sees the post sees them.

        :raise AccessError: for files that the user may not read
        """
        for post in self:
            post.attachment_ids.check_access('read')
            # sudo: fresh uploads of this user; others' files without a record stay as they are
            fresh = post.sudo().attachment_ids.filtered(
                lambda file: not file.res_id and file.create_uid == self.env.user
            )
            fresh.write({'res_model': self._name, 'res_id': post.id})
