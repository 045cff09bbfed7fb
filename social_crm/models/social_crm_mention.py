from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools import excerpt, is_web

EXCERPT = 80

# What came in stays as it came in: people work on a mention, they do not rewrite it.
INBOUND_FIELDS = frozenset(
    (
        'network',
        'external_id',
        'local_id',
        'account_id',
        'stream_id',
        'company_id',
        'owner_id',
        'kind',
        'text',
        'url',
        'author_id',
        'posted_at',
        'edited_at',
        'deleted_at',
        'language',
        'sentiment',
        'parent_external_id',
        'parent_local_id',
        'parent_id',
        'conversation_id',
        'visibility',
        'act_state',
        'act_error',
        'rule_ids',
        'no_lead_reason',
        'lead_form_id',
        'submission',
        'is_test',
        'context',
        'has_context',
        'context_due',
        'context_tries',
        'media',
        'media_due',
        'media_tries',
        'composing_user_id',
        'composing_until',
        'answered_at',
        'answered_by',
    )
)


class SocialCrmMention(models.Model):
    """An inbound item: mention, search hit, comment, reply, message, lead-form submission."""

    _name = 'social.crm.mention'
    _description = 'Social Mention'
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _order = 'posted_at desc, id desc'
    _check_company_auto = True

    kind = fields.Selection(
        [
            ('mention', 'Mention'),
            ('reply', 'Reply'),
            ('comment', 'Comment'),
            ('message', 'Direct message'),
            ('search', 'Search hit'),
            ('lead_form', 'Lead form'),
        ],
        required=True,
        readonly=True,
    )
    network = fields.Selection(selection='_selection_network', required=True, readonly=True)
    external_id = fields.Char(required=True, readonly=True, copy=False)
    local_id = fields.Char(readonly=True, copy=False)
    account_id = fields.Many2one(
        'social.crm.account',
        required=True,
        readonly=True,
        index=True,
        ondelete='restrict',
        check_company=True,
    )
    stream_id = fields.Many2one('social.crm.stream', readonly=True, ondelete='set null')
    company_id = fields.Many2one('res.company', required=True, readonly=True)
    owner_id = fields.Many2one(
        'res.users',
        readonly=True,
        help='Owner of the personal account that it came in by; empty for brand accounts.',
    )
    author_id = fields.Many2one(
        'social.crm.profile', required=True, readonly=True, index=True, ondelete='restrict'
    )
    author_name = fields.Char(related='author_id.name', string='Author Name')
    author_handle = fields.Char(related='author_id.handle', string='Author Handle')
    author_blocked = fields.Boolean(related='author_id.blocked')
    author_mention_count = fields.Integer(related='author_id.mention_count', related_sudo=False)
    partner_id = fields.Many2one(related='author_id.partner_id', string='Contact')
    text = fields.Text(readonly=True)
    url = fields.Char('Link', readonly=True)
    posted_at = fields.Datetime('Posted On', required=True, readonly=True)
    edited_at = fields.Datetime('Edited On', readonly=True)
    deleted_at = fields.Datetime('Deleted On', readonly=True)
    visibility = fields.Selection(
        [
            ('public', 'Public'),
            ('unlisted', 'Unlisted'),
            ('followers', 'Followers only'),
            ('direct', 'Direct'),
        ],
        readonly=True,
    )
    language = fields.Char(
        readonly=True, help='Two-letter code, as the network gave it or as detected.'
    )
    sentiment = fields.Float(
        readonly=True, digits=(4, 3), aggregator='avg', help='From -1 (negative) to 1 (positive).'
    )
    sentiment_label = fields.Selection(
        [
            ('positive', 'Positive'),
            ('neutral', 'Neutral'),
            ('negative', 'Negative'),
            ('unknown', 'Unknown'),
        ],
        tracking=True,
        help='Correct it by hand where the machine is wrong.',
    )
    parent_external_id = fields.Char(readonly=True, index='btree_not_null')
    parent_id = fields.Many2one('social.crm.mention', 'In Reply To', compute='_compute_parent_id')
    conversation_id = fields.Char(readonly=True, index='btree_not_null')
    media = fields.Json(readonly=True, copy=False)

    state = fields.Selection(
        [('new', 'New'), ('open', 'In Progress'), ('done', 'Done'), ('ignored', 'Ignored')],
        default='new',
        required=True,
        tracking=True,
        index=True,
        group_expand=True,
    )
    user_id = fields.Many2one(
        'res.users',
        'Assigned To',
        tracking=True,
        index='btree_not_null',
        domain=[('share', '=', False)],
    )
    tag_ids = fields.Many2many('crm.tag', string='Tags')
    campaign_id = fields.Many2one(
        'utm.campaign', tracking=True, index='btree_not_null', ondelete='set null'
    )
    rule_ids = fields.Many2many(
        'social.crm.rule',
        'social_crm_mention_rule_rel',
        'mention_id',
        'rule_id',
        string='Matched Rules',
        readonly=True,
    )
    lead_id = fields.Many2one(
        'crm.lead', index='btree_not_null', tracking=True, ondelete='set null'
    )
    no_lead_reason = fields.Char(
        'Why No Lead',
        readonly=True,
        copy=False,
        help='Why a rule that makes leads made none of this.',
    )
    ticket_id = fields.Many2one(
        'helpdesk.ticket', index='btree_not_null', tracking=True, ondelete='set null'
    )
    ticket_number = fields.Char(related='ticket_id.number')
    act_state = fields.Selection(
        [('none', 'Nothing to do'), ('pending', 'Waiting'), ('done', 'Done'), ('failed', 'Failed')],
        'Actions',
        default='none',
        required=True,
        readonly=True,
        copy=False,
    )
    act_error = fields.Char('Action Error', readonly=True, copy=False)

    # One row for all who use the brand accounts, one for each owner of a personal account.
    _unique_item = models.UniqueIndex(
        '(company_id, network, external_id, COALESCE(owner_id, 0))',
        'This item is stored already.',
    )
    _posted = models.Index('(company_id, posted_at DESC)')
    _pending = models.Index("(id) WHERE act_state = 'pending'")

    # === COMPUTE METHODS === #

    @api.depends('author_id', 'text')
    def _compute_display_name(self):
        for mention in self:
            author = mention.author_id.name or mention.author_id.handle or ''
            mention.display_name = f'{author}: {mention._excerpt()}'

    @api.depends('parent_external_id')
    def _compute_parent_id(self):
        parents = self.search(
            [('external_id', 'in', list(filter(None, self.mapped('parent_external_id'))))]
        )
        by_key = {
            (parent.company_id, parent.network, parent.external_id): parent for parent in parents
        }
        for mention in self:
            mention.parent_id = by_key.get(
                (mention.company_id, mention.network, mention.parent_external_id)
            )

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    # === CRUD METHODS === #

    def write(self, vals):
        if not self.env.su and INBOUND_FIELDS & vals.keys():
            raise AccessError(
                self.env._('What a person wrote on a network cannot be changed here.')
            )
        return super().write(vals)

    # === ACTION METHODS === #

    def action_assign_to_me(self):
        self.write({'user_id': self.env.uid, 'state': 'open'})

    def action_done(self):
        self.write({'state': 'done'})
        self.activity_feedback(['mail.mail_activity_data_todo'])

    def action_ignore(self):
        self.write({'state': 'ignored'})

    def action_reopen(self):
        self.write({'state': 'open'})

    def action_block_author(self):
        self.author_id.action_block()

    def action_create_lead(self):
        """Make a lead of each selected mention, or join the author's open one."""
        self._lock_authors()
        # Who sees own leads only cannot make one for the team's leader.
        sees_all = self.env.user.has_group('sales_team.group_sale_salesman_all_leads')
        self._capture_leads(user=None if sees_all else self.env.user, force=True)
        return self._open_records(self.lead_id)

    def action_create_ticket(self):
        """Make a ticket of each selected mention, or join the author's recent open one."""
        self._lock_authors()
        self._open_tickets({})
        return self._open_records(self.ticket_id)

    def action_view_lead(self):
        return self._open_records(self.lead_id)

    def action_view_ticket(self):
        return self._open_records(self.ticket_id)

    def action_view_author_mentions(self):
        return self.author_id.action_view_mentions()

    def action_open_url(self):
        """Open the item on its network."""
        self.ensure_one()
        if not is_web(self.url):
            raise UserError(self.env._('The network gives no address for this.'))
        return {'type': 'ir.actions.act_url', 'url': self.url, 'target': 'new'}

    def action_retry(self):
        """Run the rules' actions again that failed."""
        self.check_access('write')
        # sudo: the state of the actions is the module's, people may only ask for another try
        self.sudo().filtered(lambda mention: mention.act_state == 'failed').write(
            {'act_state': 'pending'}
        )
        self.env.ref('social_crm.ir_cron_act').sudo()._trigger()  # sudo: wake the loop only

    def _open_records(self, records):
        if len(records) != 1:
            return {'type': 'ir.actions.client', 'tag': 'soft_reload'}
        return {
            'type': 'ir.actions.act_window',
            'res_model': records._name,
            'res_id': records.id,
            'view_mode': 'form',
            'views': [(False, 'form')],
        }

    # === HELPERS === #

    def _excerpt(self):
        return excerpt(self.text, EXCERPT)
