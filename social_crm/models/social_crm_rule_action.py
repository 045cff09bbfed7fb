from datetime import timedelta

from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError

STAYING = frozenset(('tag', 'campaign'))  # kinds that show a mention to nobody else
NOTIFY_SINGLY = 5  # more matches at once than this are told in one message


class SocialCrmRuleAction(models.Model):
    """One thing that a listening rule does with a mention. Actions run in order, for many mentions
    at once, in one transaction with the mark that they are done."""

    _name = 'social.crm.rule.action'
    _description = 'Action of a Listening Rule'
    _order = 'sequence, id'
    _check_company_auto = True

    rule_id = fields.Many2one('social.crm.rule', required=True, ondelete='cascade', index=True)
    company_id = fields.Many2one(related='rule_id.company_id', store=True)
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [
            ('lead', 'Create a lead'),
            ('ticket', 'Create a ticket'),
            ('notify', 'Notify'),
            ('activity', 'Schedule an activity'),
            ('tag', 'Tag'),
            ('campaign', 'Attribute to a campaign'),
            ('server', 'Run a server action'),
        ],
        required=True,
        default='lead',
    )
    crm_team_id = fields.Many2one('crm.team', 'Sales Team', check_company=True)
    during_complaint = fields.Boolean(
        'Also During a Complaint',
        help=(
            'Make a lead even while the author has an open ticket, or a negative mention that '
            'somebody is working on.'
        ),
    )
    helpdesk_team_id = fields.Many2one('helpdesk.ticket.team')
    ticket_category_id = fields.Many2one('helpdesk.ticket.category', 'Category')
    ticket_tag_ids = fields.Many2many('helpdesk.ticket.tag', string='Ticket Tags')
    ticket_priority = fields.Selection(
        [('0', 'Low'), ('1', 'Medium'), ('2', 'High'), ('3', 'Very High')],
        default='1',
    )
    tag_ids = fields.Many2many('crm.tag', string='Tags')
    user_id = fields.Many2one('res.users', 'Responsible', domain=[('share', '=', False)])
    user_ids = fields.Many2many('res.users', string='People', domain=[('share', '=', False)])
    channel_id = fields.Many2one('discuss.channel', domain=[('channel_type', '=', 'channel')])
    activity_type_id = fields.Many2one(
        'mail.activity.type',
        domain=[('res_model', 'in', [False, 'social.crm.mention'])],
        default=lambda self: self.env.ref('mail.mail_activity_data_todo', raise_if_not_found=False),
    )
    activity_summary = fields.Char('Summary')
    activity_days = fields.Integer('Due in Days')
    campaign_id = fields.Many2one('utm.campaign')
    server_action_id = fields.Many2one(
        'ir.actions.server', domain=[('model_name', '=', 'social.crm.mention')]
    )
    summary = fields.Char('Details', compute='_compute_summary')

    # === COMPUTE METHODS === #

    @api.depends(
        'kind',
        'crm_team_id',
        'helpdesk_team_id',
        'ticket_category_id',
        'tag_ids',
        'user_id',
        'user_ids',
        'channel_id',
        'activity_type_id',
        'activity_summary',
        'campaign_id',
        'server_action_id',
    )
    def _compute_summary(self):
        for action in self:
            parts = {
                'lead': [action.crm_team_id.name, *action.tag_ids.mapped('name')],
                'ticket': [action.helpdesk_team_id.name, action.ticket_category_id.name],
                'notify': [*action.user_ids.mapped('name'), action.channel_id.display_name],
                'activity': [
                    action.activity_summary or action.activity_type_id.name,
                    action.user_id.name,
                ],
                'tag': action.tag_ids.mapped('name'),
                'campaign': [action.campaign_id.name],
                'server': [action.server_action_id.name],
            }[action.kind or 'lead']
            action.summary = ', '.join(part for part in parts if part)

    # === CONSTRAINT METHODS === #

    @api.constrains('kind', 'user_ids', 'channel_id', 'tag_ids', 'campaign_id', 'server_action_id')
    def _check_complete(self):
        for action in self:
            complete = {
                'notify': action.user_ids or action.channel_id,
                'tag': action.tag_ids,
                'campaign': action.campaign_id,
                'server': action.server_action_id,
            }.get(action.kind, True)
            if not complete:
                raise ValidationError(
                    self.env._(
                        'The action "%(action)s" of the rule "%(rule)s" lacks its details: fill '
                        'them in or remove it.',
                        action=dict(self._fields['kind']._description_selection(self.env))[
                            action.kind
                        ],
                        rule=action.rule_id.name,
                    )
                )

    @api.constrains('server_action_id')
    def _check_server_action(self):
        """It runs as superuser: only what is made for mentions, and what the user may run."""
        for action in self:  # as superuser, as all constraints: the user may not read them
            server, groups = action.server_action_id, action.server_action_id.group_ids
            if server and server.model_name != 'social.crm.mention':
                raise ValidationError(
                    self.env._('"%s" is no server action for social mentions.', server.name)
                )
            if groups and not groups & self.env.user.all_group_ids and self.env.uid != SUPERUSER_ID:
                raise ValidationError(
                    self.env._('You may not use the server action "%s".', server.name)
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()  # a rule with its first action starts to act
        return super().create(vals_list)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    # === BUSINESS METHODS === #

    def _run(self, mentions):
        """Do this for ``mentions``, all at once."""
        self.ensure_one()
        if self.kind not in STAYING:
            mentions = mentions._keep_confidential()
        if mentions:
            getattr(self, f'_run_{self.kind}')(mentions)

    def _run_lead(self, mentions):
        mentions._capture_leads(
            team=self.crm_team_id,
            user=self.user_id,
            tags=self.tag_ids,
            campaign=self.campaign_id or self.rule_id.campaign_id,
            during_complaint=self.during_complaint,
        )

    def _run_ticket(self, mentions):
        mentions._open_tickets(
            {
                'team_id': self.helpdesk_team_id.id,
                'category_id': self.ticket_category_id.id,
                'tag_ids': [fields.Command.set(self.ticket_tag_ids.ids)],
                'priority': self.ticket_priority,
                'user_id': self.user_id.id,
            }
        )

    def _run_notify(self, mentions):
        singly = mentions if len(mentions) <= NOTIFY_SINGLY else mentions[:1]
        for mention in singly:
            body = Markup('<p>%s</p><p>%s %s</p>') % (
                self.env._('Rule "%s" matched:', self.rule_id.name),
                mention._get_html_link(),
                self.env._('and %s more', len(mentions) - 1) if len(singly) < len(mentions) else '',
            )
            if self.channel_id:
                self.channel_id.message_post(
                    body=body, message_type='notification', subtype_xmlid='mail.mt_comment'
                )
            if self.user_ids:
                mention.message_notify(
                    partner_ids=self.user_ids.partner_id.ids,
                    body=body,
                    subject=self.rule_id.name,
                )

    def _run_activity(self, mentions):
        deadline = fields.Date.context_today(self) + timedelta(days=self.activity_days)
        summary = self.activity_summary or self.rule_id.name
        for record, user in self._activity_targets(mentions):
            if summary in record.activity_ids.mapped('summary'):
                continue  # a further mention on the same lead is the same piece of work
            record.activity_schedule(
                date_deadline=deadline,
                summary=summary,
                activity_type_id=self.activity_type_id.id,
                user_id=(self.user_id or user or self.env.user).id,
            )

    def _activity_targets(self, mentions):
        """An activity belongs where the work is: on the lead, else the ticket, else the mention."""
        for mention in mentions:
            if mention.lead_id:
                yield mention.lead_id, mention.lead_id.user_id
            elif mention.ticket_id:
                yield mention.ticket_id, mention.ticket_id.user_id
            else:
                yield mention, mention.user_id or mention.account_id.user_id

    def _run_tag(self, mentions):
        mentions.write({'tag_ids': [fields.Command.link(tag.id) for tag in self.tag_ids]})

    def _run_campaign(self, mentions):
        mentions.write({'campaign_id': self.campaign_id.id})
        mentions.lead_id.filtered(lambda lead: not lead.campaign_id).write(
            {'campaign_id': self.campaign_id.id}
        )

    def _run_server(self, mentions):
        self.server_action_id.with_context(
            active_model=mentions._name,
            active_ids=mentions.ids,
            active_id=mentions[:1].id,
        ).run()
