from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import escape_psql

from .. import matching
from ..providers import adapter_class
from ..tools import is_web

# What a network tells stays as it tells it; what was entered by hand is free until known there.
OBSERVED_FIELDS = frozenset(
    (
        'network',
        'external_id',
        'handle',
        'name',
        'url',
        'avatar_url',
        'headline',
        'bio',
        'location',
        'followers',
        'following',
        'posts',
        'verified',
        'bot',
        'links',
        'refreshed_at',
        'company_id',
    )
)

IDENTITY = frozenset(('external_id', 'verified', 'refreshed_at'))


class SocialCrmProfile(models.Model):
    """A person or page on a network, as its public profile tells."""

    _name = 'social.crm.profile'
    _description = 'Social Profile'
    _inherit = ['mail.thread', 'avatar.mixin']
    _order = 'name, handle, id'
    _rec_names_search = ['handle', 'name']
    _check_company_auto = True

    network = fields.Selection(
        selection='_selection_network',
        required=True,
        default=lambda self: self._selection_network()[0][0],
    )
    external_id = fields.Char(readonly=True, copy=False)
    handle = fields.Char(
        required=True, index=True, help='As the network writes it, such as: ada@mastodon.social'
    )
    name = fields.Char(readonly=True)
    url = fields.Char('Public Page', readonly=True)
    avatar_url = fields.Char(readonly=True)
    headline = fields.Char(readonly=True)
    bio = fields.Text(readonly=True)
    location = fields.Char(readonly=True)
    followers = fields.Integer('Followers on the Network', readonly=True, aggregator=None)
    following = fields.Integer(readonly=True, aggregator=None)
    posts = fields.Integer(readonly=True, aggregator=None)
    verified = fields.Boolean(readonly=True)
    bot = fields.Boolean(readonly=True)
    links = fields.Json(readonly=True)
    card = fields.Html(compute='_compute_card', compute_sudo=True, sanitize=False)
    refreshed_at = fields.Datetime(readonly=True)
    company_id = fields.Many2one(
        'res.company',
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.company,
    )
    partner_id = fields.Many2one(
        'res.partner',
        'Contact',
        index='btree_not_null',
        tracking=True,
        ondelete='set null',
    )
    lead_id = fields.Many2one(
        'crm.lead',
        'Latest Lead',
        readonly=True,
        ondelete='set null',
        index='btree_not_null',
        help=(
            'Written under a lock by whoever captures a lead, so that an author never has two '
            'open ones.'
        ),
    )
    ticket_id = fields.Many2one(
        'helpdesk.ticket',
        'Latest Ticket',
        readonly=True,
        ondelete='set null',
        index='btree_not_null',
    )
    contacted_at = fields.Datetime('Last Written To', readonly=True, copy=False)
    blocked = fields.Boolean(
        tracking=True, help='Mentions of a blocked author make no work for anybody.'
    )
    mention_ids = fields.One2many('social.crm.mention', 'author_id', readonly=True)
    mention_count = fields.Integer(compute='_compute_mention_count')

    _entered = models.Index('(company_id, network, handle) WHERE external_id IS NULL')
    _unique_profile = models.UniqueIndex(
        '(company_id, network, external_id) WHERE external_id IS NOT NULL',
        'This profile is known already.',
    )

    # === COMPUTE METHODS === #

    @api.depends('name', 'handle')
    def _compute_display_name(self):
        for profile in self:
            handle = f'@{profile.handle}'
            profile.display_name = f'{profile.name} ({handle})' if profile.name else handle

    def _compute_mention_count(self):
        counts = dict(
            self.env['social.crm.mention']._read_group(
                [('author_id', 'in', self.ids)],
                ['author_id'],
                ['__count'],
            )
        )
        for profile in self:
            profile.mention_count = counts.get(profile, 0)

    @api.depends(
        'name',
        'handle',
        'network',
        'url',
        'headline',
        'bio',
        'location',
        'followers',
        'following',
        'posts',
        'verified',
        'bot',
        'links',
        'partner_id',
    )
    def _compute_card(self):
        """Render who this is, as it stands on mentions, leads, tickets and contacts."""
        customers = self.partner_id._social_customers()
        for profile in self:
            profile.card = self.env['ir.qweb']._render(
                'social_crm.profile_card', profile._card_values(profile.partner_id, customers)
            )

    def _card_values(self, partner, customers):
        """Return what the template of the card needs.

        :param partner: the contact, as far as it may be shown
        :param customers: the contacts that are known customers
        """
        self.ensure_one()
        return {
            'profile': self,
            'partner': partner,
            'network': dict(self._selection_network()).get(self.network, ''),
            'url': is_web(self.url) and self.url,
            'links': [link for link in self.links or [] if is_web(link.get('url'))],
            'customer': partner in customers,
        }

    def _compute_avatar(self, avatar_field, image_field):
        """Show the contact's picture as long as the network's is not stored here, else initials.

        Nothing is loaded from the network by the browser: that would tell it who looks at whom.
        """
        pictured = self.filtered(
            lambda profile: not profile[image_field] and profile.partner_id[image_field]
        )
        for profile in pictured:
            profile[avatar_field] = profile.partner_id[image_field]
        return super(SocialCrmProfile, self - pictured)._compute_avatar(avatar_field, image_field)

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Add profiles; one entered by hand that is known already is linked."""
        if self.env.su:
            return super().create(vals_list)
        profiles = self.browse()
        self._check_entered(*vals_list)
        for vals in vals_list:
            vals = {**vals, 'handle': self._clean_handle(vals.get('handle'), vals.get('network'))}
            known = self._find_by_handle(vals)
            if known:
                known._link_contact(vals.get('partner_id'))
            profiles |= known or super().create([vals])
        return profiles

    def write(self, vals):
        observed = OBSERVED_FIELDS & vals.keys()
        if observed and not self.env.su and any(profile.external_id for profile in self):
            raise AccessError(
                self.env._('What a network tells about a person cannot be changed here.')
            )
        if not self.env.su:
            self._check_entered(vals)
        if not self.env.su and vals.get('handle'):
            network = vals.get('network') or self[:1].network
            vals = {**vals, 'handle': self._clean_handle(vals['handle'], network)}
        return super().write(vals)

    @api.model
    def _check_entered(self, *vals_list):
        """Who somebody is on the network is told by the network: it finds what is entered."""
        if any(IDENTITY & vals.keys() for vals in vals_list):
            raise AccessError(
                self.env._('What a network tells about a person cannot be changed here.')
            )

    # === ACTION METHODS === #

    def action_block(self):
        """Block the authors: their waiting mentions are ignored, new ones make no work."""
        self.write({'blocked': True})
        waiting = self.env['social.crm.mention'].search(
            [
                ('author_id', 'in', self.ids),
                ('state', 'in', ['new', 'open']),
            ]
        )
        waiting.write({'state': 'ignored'})

    def action_unblock(self):
        self.write({'blocked': False})

    def action_unlink_contact(self):
        self.write({'partner_id': False})

    def action_view_mentions(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_mention_action'
        )
        action.update(domain=[('author_id', '=', self.id)], context={})
        return action

    # === BUSINESS METHODS === #

    def _network_label(self):
        """Return the network's name, as people know it."""
        return dict(self._selection_network()).get(self.network, self.network)

    @api.model
    def _clean_handle(self, text, network=None):
        """Return a handle as it is stored, for what a person typed: @me, a URL, in any case."""
        adapter = adapter_class(network or self.default_get(['network'])['network'])
        return matching.read_handle(text, 'servers' in adapter.features)

    @api.model
    def _find_by_handle(self, vals):
        network = vals.get('network') or self.default_get(['network'])['network']
        return self.search(
            [
                ('company_id', '=', vals.get('company_id') or self.env.company.id),
                ('network', '=', network),
                ('handle', '=ilike', escape_psql(vals['handle'])),
            ],
            limit=1,
        )

    def _link_contact(self, partner_id):
        """Link a profile that is known already.

        :raise ValidationError: when it belongs to another contact
        """
        self.ensure_one()
        if self.partner_id and partner_id and self.partner_id.id != partner_id:
            raise ValidationError(
                self.env._(
                    '@%(handle)s is linked to %(contact)s already. Remove the link there first, '
                    'or merge the contacts.',
                    handle=self.handle,
                    contact=self.partner_id.display_name,
                )
            )
        if partner_id:
            self.partner_id = partner_id

    def _open_leads(self):
        """Return the authors' open leads: dict of profile -> lead, for those who have one."""
        own = Domain('social_profile_id', 'in', self.ids) | Domain('id', 'in', self.lead_id.ids)
        leads = self.env['crm.lead'].search(own & Domain('won_status', '=', 'pending'), order='id')
        named = {lead.social_profile_id: lead for lead in leads}
        # A lead into which those of several authors were merged names one of them.
        merged = {profile: profile.lead_id for profile in self if profile.lead_id in leads}
        return merged | {profile: lead for profile, lead in named.items() if profile in self}

    def _make_partner(self):
        """Create a contact for this profile and link it."""
        self.ensure_one()
        # sudo: whoever may open a ticket from a mention may have its contact made
        partner = (
            self.env['res.partner']
            .sudo()
            .create(
                {
                    **self._partner_name_values(),
                    'website': self.url,
                    'company_id': self.company_id.id,
                }
            )
        )
        self.sudo().partner_id = partner
        return partner
