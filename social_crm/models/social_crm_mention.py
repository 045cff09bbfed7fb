import logging
from datetime import timedelta

import psycopg2.errors
from babel import Locale
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import plaintext2html

from .. import listening

_logger = logging.getLogger(__name__)

ACT_BATCH = 100
JOIN_TICKET = timedelta(hours=24)
EXCERPT = 80

# What came in stays as it came in: people work on a mention, they do not rewrite it.
INBOUND_FIELDS = frozenset((
    'network', 'external_id', 'local_id', 'account_id', 'stream_id', 'company_id', 'owner_id', 'kind',
    'text', 'url', 'author_id', 'posted_at', 'edited_at', 'deleted_at', 'language', 'sentiment',
    'parent_external_id', 'parent_local_id', 'parent_id', 'conversation_id', 'visibility', 'act_state',
    'act_error', 'rule_ids', 'context', 'has_context', 'answered_at', 'answered_by',
))


class SocialCrmMention(models.Model):
    """An inbound item: mention, search hit, comment, reply, direct message, lead-form submission."""

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
        required=True, readonly=True,
    )
    network = fields.Selection(selection='_selection_network', required=True, readonly=True)
    external_id = fields.Char(required=True, readonly=True, copy=False)
    local_id = fields.Char(readonly=True, copy=False)
    account_id = fields.Many2one(
        'social.crm.account', required=True, readonly=True, index=True, ondelete='restrict', check_company=True,
    )
    stream_id = fields.Many2one('social.crm.stream', readonly=True, ondelete='set null')
    company_id = fields.Many2one('res.company', required=True, readonly=True)
    owner_id = fields.Many2one(
        'res.users', readonly=True, help='Owner of the personal account that it came in by; empty for brand accounts.',
    )
    author_id = fields.Many2one('social.crm.profile', required=True, readonly=True, index=True, ondelete='restrict')
    author_avatar_url = fields.Char(related='author_id.avatar_url')
    author_name = fields.Char(related='author_id.name', string='Author Name')
    author_handle = fields.Char(related='author_id.handle', string='Author Handle')
    author_blocked = fields.Boolean(related='author_id.blocked')
    author_card = fields.Html(related='author_id.card', sanitize=False)
    author_mention_count = fields.Integer(related='author_id.mention_count', related_sudo=False)
    partner_id = fields.Many2one(related='author_id.partner_id', string='Contact')
    text = fields.Text(readonly=True)
    url = fields.Char('Link', readonly=True)
    posted_at = fields.Datetime('Posted On', required=True, readonly=True)
    edited_at = fields.Datetime('Edited On', readonly=True)
    deleted_at = fields.Datetime('Deleted On', readonly=True)
    visibility = fields.Selection(
        [('public', 'Public'), ('unlisted', 'Unlisted'), ('followers', 'Followers only'), ('direct', 'Direct')],
        readonly=True,
    )
    language = fields.Char(readonly=True, help='Two-letter code, as the network gave it or as detected.')
    language_name = fields.Char('Written In', compute='_compute_language_name')
    sentiment = fields.Float(readonly=True, digits=(4, 3), aggregator='avg', help='From -1 (negative) to 1 (positive).')
    sentiment_label = fields.Selection(
        [('positive', 'Positive'), ('neutral', 'Neutral'), ('negative', 'Negative'), ('unknown', 'Unknown')],
        tracking=True, help='Correct it by hand where the machine is wrong.',
    )
    parent_external_id = fields.Char(readonly=True, index='btree_not_null')
    parent_id = fields.Many2one('social.crm.mention', 'In Reply To', compute='_compute_parent_id')
    conversation_id = fields.Char(readonly=True, index='btree_not_null')
    media = fields.Json(readonly=True)

    state = fields.Selection(
        [('new', 'New'), ('open', 'In Progress'), ('done', 'Done'), ('ignored', 'Ignored')],
        default='new', required=True, tracking=True, index=True, group_expand=True,
    )
    user_id = fields.Many2one(
        'res.users', 'Assigned To', tracking=True, index='btree_not_null', domain=[('share', '=', False)],
    )
    tag_ids = fields.Many2many('crm.tag', string='Tags')
    campaign_id = fields.Many2one('utm.campaign', tracking=True, index='btree_not_null', ondelete='set null')
    rule_ids = fields.Many2many(
        'social.crm.rule', 'social_crm_mention_rule_rel', 'mention_id', 'rule_id', string='Matched Rules', readonly=True,
    )
    lead_id = fields.Many2one('crm.lead', index='btree_not_null', tracking=True, ondelete='set null')
    ticket_id = fields.Many2one('helpdesk.ticket', index='btree_not_null', tracking=True, ondelete='set null')
    ticket_number = fields.Char(related='ticket_id.number')
    act_state = fields.Selection(
        [('none', 'Nothing to do'), ('pending', 'Waiting'), ('done', 'Done'), ('failed', 'Failed')],
        'Actions', default='none', required=True, readonly=True, copy=False,
    )
    act_error = fields.Char('Action Error', readonly=True, copy=False)
    explanation = fields.Html(
        'Why This Matched', compute='_compute_explanation', compute_sudo=True, sanitize=False,
    )

    # One row for all who use the brand accounts, one for each owner of a personal account.
    _unique_item = models.UniqueIndex(
        '(company_id, network, external_id, COALESCE(owner_id, 0))', 'This item is stored already.',
    )
    _posted = models.Index('(company_id, posted_at DESC)')
    _pending = models.Index("(id) WHERE act_state = 'pending'")

    # === COMPUTE METHODS === #

    @api.depends('author_id', 'text')
    def _compute_display_name(self):
        for mention in self:
            author = mention.author_id.name or mention.author_id.handle or ''
            mention.display_name = f'{author}: {mention._excerpt()}'

    @api.depends('language')
    @api.depends_context('lang')
    def _compute_language_name(self):
        names = Locale.parse(self.env.lang or 'en_US').languages
        for mention in self:
            mention.language_name = names.get(mention.language, mention.language)

    @api.depends('parent_external_id')
    def _compute_parent_id(self):
        parents = self.search([('external_id', 'in', list(filter(None, self.mapped('parent_external_id'))))])
        by_key = {(parent.company_id, parent.network, parent.external_id): parent for parent in parents}
        for mention in self:
            mention.parent_id = by_key.get((mention.company_id, mention.network, mention.parent_external_id))

    @api.depends('rule_ids', 'text')
    def _compute_explanation(self):
        for mention in self:
            mention.explanation = self.env['ir.qweb']._render('social_crm.mention_explanation', {
                'mention': mention,
                'rules': [(rule, rule._highlight(mention, rule._query())) for rule in mention.rule_ids],
            }) if mention.rule_ids else False

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    # === CRUD METHODS === #

    def write(self, vals):
        if not self.env.su and INBOUND_FIELDS & vals.keys():
            raise AccessError(self.env._('What a person wrote on a network cannot be changed here.'))
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
        self._capture_leads(force=True)
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
        if not (self.url or '').startswith(('https://', 'http://')):
            raise UserError(self.env._('The network gives no address for this.'))
        return {'type': 'ir.actions.act_url', 'url': self.url, 'target': 'new'}

    def action_retry(self):
        """Run the rules' actions again that failed."""
        # sudo: the state of the actions is the module's, people may only ask for another try
        self.sudo().filtered(lambda mention: mention.act_state == 'failed').write({'act_state': 'pending'})
        self.env.ref('social_crm.ir_cron_act').sudo()._trigger()  # sudo: wake the loop only

    def _open_records(self, records):
        if len(records) != 1:
            return {'type': 'ir.actions.client', 'tag': 'soft_reload'}
        return {
            'type': 'ir.actions.act_window', 'res_model': records._name, 'res_id': records.id,
            'view_mode': 'form', 'views': [(False, 'form')],
        }

    # === LISTENING === #

    def _listening_text(self):
        """Return the text as the rules read it."""
        self.ensure_one()
        return listening.Text(self.text or '', handles=self._addressed_handles())

    def _addressed_handles(self):
        """What is sent to an account mentions it, even where the text does not repeat its handle."""
        return (self.account_id.handle,) if self.kind not in ('search', 'lead_form') else ()

    def _facts(self):
        """Return what the rules may ask about each mention: dict of id -> Facts."""
        customer_ids = set(self.author_id.partner_id._social_customers().ids)
        return {
            mention.id: mention.author_id._author().facts(
                customer_ids, account=mention.account_id.id, kind=mention.kind, language=mention.language or '',
                sentiment=mention.sentiment_label or 'unknown',
            )
            for mention in self
        }

    # === ACT === #

    @api.model
    def _cron_act(self):
        """Do what the rules ask for, for all mentions that wait."""
        while True:
            done = self._act_batch()
            left = self.env['ir.cron']._commit_progress(done, remaining=int(done == ACT_BATCH))
            if done < ACT_BATCH or not left:
                return

    @api.model
    def _act_batch(self):
        """Act on the next mentions, in one transaction that the caller commits.

        The mention and its author are locked. An author that another worker is busy with waits for
        its next turn, so one author never gets two leads at once.

        :return: number of mentions taken
        """
        self.env.cr.execute(
            """SELECT m.id FROM social_crm_mention m JOIN social_crm_profile p ON p.id = m.author_id
                WHERE m.act_state = 'pending' ORDER BY m.id LIMIT %s
                  FOR NO KEY UPDATE OF m, p SKIP LOCKED""",
            [ACT_BATCH],
        )
        mentions = self.browse([row[0] for row in self.env.cr.fetchall()])
        for company, group in mentions.grouped('company_id').items():
            group.with_company(company)._act()
        return len(mentions)

    def _act(self):
        """Run the matched rules' actions, all mentions at once; one by one where that fails."""
        try:
            with self.env.cr.savepoint():
                self._act_together()
        except psycopg2.errors.SerializationFailure:
            raise
        except Exception as error:
            if len(self) == 1:
                _logger.warning('actions of mention %s failed', self.id, exc_info=True)
                self._act_apart()
                return
            _logger.info('a batch of %s mentions failed (%s), taking them one by one', len(self), error)
            for mention in self:
                mention._act()

    def _act_together(self):
        """Run step by step: the first action of each mention, then the second, ..."""
        plans = {mention: mention._planned_actions() for mention in self}
        for step in range(max(map(len, plans.values()), default=0)):
            by_action = {}
            for mention, actions in plans.items():
                if step < len(actions):
                    by_action[actions[step]] = by_action.get(actions[step], self.browse()) | mention
            for action, mentions in by_action.items():
                action._run(mentions)
        self.write({'act_state': 'done', 'act_error': False})
        self.env.flush_all()

    def _act_apart(self):
        """Run each action on its own, so that one that fails does not stop the others."""
        self.ensure_one()
        errors = []
        for action in self._planned_actions():
            try:
                with self.env.cr.savepoint():
                    action._run(self)
                    self.env.flush_all()
            except psycopg2.errors.SerializationFailure:
                raise
            except Exception as error:
                errors.append(f'{action.rule_id.name}: {error}')
        self.write({'act_state': 'failed' if errors else 'done', 'act_error': '; '.join(errors)[:500]})

    def _planned_actions(self):
        """Return the actions of the matched rules, in the order of the rules and then their own."""
        if self.author_id.blocked and not any(self.rule_ids.mapped('match_blocked')):
            return self.env['social.crm.rule.action']
        rules = self.rule_ids.filtered(lambda rule: rule.active and not rule.paused).sorted()
        return rules.action_ids.sorted(lambda action: (action.rule_id.sequence, action.rule_id.id, action.sequence, action.id))

    # === LEADS === #

    def _lock_authors(self):
        """Lock the authors before their open lead or ticket is looked for.

        :raise LockError: when somebody else is capturing the same author right now
        """
        self.author_id.sudo().lock_for_update(allow_referencing=True)  # sudo: a lock, nothing is read

    def _capture_leads(self, team=None, user=None, tags=None, campaign=None, force=False):
        """Put each mention on a lead: the author's open one, else a new one.

        The authors must be locked. A known customer gets no lead unless ``force``; the mention
        shows on the contact then.
        """
        waiting = self.filtered(lambda mention: not mention.lead_id).with_context(tracking_disable=True)
        customers = self.env['res.partner'] if force else waiting.author_id.partner_id._social_customers()
        open_leads = waiting.author_id._open_leads()
        fresh = {}
        for mention in waiting:
            if mention.partner_id in customers:
                mention.partner_id._message_log(body=mention._as_note(), **mention._note_author())
            elif lead := open_leads.get(mention.author_id):
                mention.lead_id = lead
                lead._message_log(body=mention._as_note(), **mention._note_author())
            else:
                fresh.setdefault(mention.author_id, []).append(mention)
        if fresh:
            waiting._create_leads(fresh, team, user, tags, campaign)

    def _create_leads(self, fresh, team, user, tags, campaign):
        """Create one lead for each author in ``fresh`` (author -> mentions), all at once."""
        Lead = self.env['crm.lead'].with_context(
            tracking_disable=False, mail_create_nosubscribe=True, mail_create_nolog=True,
            mail_auto_subscribe_no_notify=True, default_user_id=False,
        )
        team = team or Lead.env['crm.team']._get_default_team_id(user_id=False, domain=[('use_leads', '=', True)])
        if not user and not Lead._is_rule_based_assignment_activated():
            user = team.user_id  # what _assign_userless_lead_in_team would do, without a second write
        shared = {
            'team_id': team.id,
            'user_id': user.id if user else False,
            'tag_ids': [fields.Command.set(tags.ids)] if tags else [],
        }
        utm = self._utm()
        leads = Lead.create([
            {
                **shared, **utm[mentions[0].network], **mentions[0]._lead_values(),
                'campaign_id': (mentions[0].campaign_id or campaign or self.env['utm.campaign']).id,
            }
            for mentions in fresh.values()
        ])
        bodies = {}
        for lead, (author, mentions) in zip(leads, fresh.items()):
            # sudo: kept by the module; the write makes a parallel worker on the same author try again
            author.sudo().lead_id = lead
            for mention in mentions:
                mention.lead_id = lead
                if not mention.campaign_id and lead.campaign_id:
                    mention.campaign_id = lead.campaign_id
            bodies[lead.id] = Markup('').join(mention._as_note() for mention in mentions)
        leads._message_log_batch(bodies)
        leads._assign_userless_lead_in_team(self.env._('social mention'))
        leads._social_notify_assigned()
        return leads

    def _lead_values(self):
        """Return what a new lead gets from this mention."""
        self.ensure_one()
        author, partner = self.author_id, self.partner_id
        values = {
            'name': self.display_name,
            'description': plaintext2html(self.text or ''),
            'contact_name': author.name or author.handle,
            'website': author.links[0]['url'] if author.links else False,
            'company_id': self.company_id.id,
            'social_profile_id': author.id,
            'social_mention_id': self.id,
        }
        if partner:
            values.update(partner_id=partner.id, contact_name=partner.name)
        return values

    def _utm(self):
        """Return the source (the network) and the medium (social) by network, as values of a lead."""
        labels = dict(self._selection_network())
        # sudo: the UTM records are shared constants, made when first needed
        medium = self.env['utm.medium'].sudo()._fetch_or_create_utm_medium('Social', module='social_crm')
        find = self.env['utm.mixin'].sudo()._find_or_create_record
        return {
            network: {'source_id': find('utm.source', labels[network]).id, 'medium_id': medium.id}
            for network in set(self.mapped('network'))
        }

    # === TICKETS === #

    def _open_tickets(self, values):
        """Put each mention on a ticket: the author's open one of the last 24 hours, else a new one.

        :param dict values: what the rule says about a new ticket
        """
        for mention in self.filtered(lambda mention: not mention.ticket_id):
            ticket = mention._recent_ticket()
            if ticket:
                ticket.message_post(
                    body=mention._as_note(), message_type='comment', subtype_xmlid='mail.mt_note', **mention._note_author(),
                )
            else:
                ticket = self.env['helpdesk.ticket'].create({**mention._ticket_values(), **_given(values)})
            mention.with_context(tracking_disable=True).ticket_id = ticket
            # sudo: kept by the module; the write makes a parallel worker on the same author try again
            mention.author_id.sudo().ticket_id = ticket

    def _recent_ticket(self):
        """Return the author's open ticket on the same account that is younger than 24 hours."""
        return self.search([
            ('author_id', '=', self.author_id.id), ('account_id', '=', self.account_id.id),
            ('ticket_id.closed', '=', False), ('ticket_id.create_date', '>=', fields.Datetime.now() - JOIN_TICKET),
        ], limit=1).ticket_id

    def _ticket_values(self):
        """Return what a new ticket gets from this mention; a contact stub is made where none is known."""
        self.ensure_one()
        author = self.author_id
        partner = author.partner_id or author._make_partner()
        return {
            'name': self._excerpt() or self.display_name,
            'description': self._as_note(),
            'partner_id': partner.id,
            'partner_name': partner.name,
            'partner_email': partner.email,
            'company_id': self.company_id.id,
            'channel_id': self.env.ref('social_crm.helpdesk_ticket_channel_social').id,
            'social_profile_id': author.id,
            'social_mention_id': self.id,
            # The loop's own user must not become the responsible by a default of the helpdesk.
            **({'user_id': False} if self.env.su else {}),
        }

    # === HELPERS === #

    def _excerpt(self):
        line = ' '.join((self.text or '').split())
        return line if len(line) <= EXCERPT else f'{line[:EXCERPT].rsplit(" ", 1)[0]}…'

    def _as_note(self):
        """Return the mention as it stands in the timeline of a lead, ticket or contact."""
        self.ensure_one()
        kind = dict(self._fields['kind']._description_selection(self.env))[self.kind]
        network = dict(self._selection_network())[self.network]
        link = Markup('<a href="%s" rel="noopener noreferrer" target="_blank">%s</a>') % (self.url, network) if self.url else network
        return Markup('<p><b>%s</b> (%s, %s)</p>%s') % (
            self.author_id.display_name, kind, link, plaintext2html(self.text or ''),
        )

    def _note_author(self):
        """Return the author arguments of a message: the contact, else the name that the profile has."""
        partner = self.partner_id
        if partner:
            return {'author_id': partner.id, 'email_from': partner.email_formatted}
        return {'author_id': False, 'email_from': self.author_id.display_name}


def _given(values):
    """Return the values that a rule really gives; the ticket's own defaults stand for the others."""
    return {key: value for key, value in values.items() if value}
