from odoo import api, fields, models


class HelpdeskTicket(models.Model):
    _inherit = 'helpdesk.ticket'

    social_profile_id = fields.Many2one(
        'social.crm.profile',
        index='btree_not_null',
        ondelete='set null',
    )
    social_mention_id = fields.Many2one(
        'social.crm.mention',
        'Opened From',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
        copy=False,
    )
    social_mention_ids = fields.One2many(
        'social.crm.mention', 'ticket_id', 'Mentions', readonly=True
    )
    social_mention_count = fields.Integer(
        compute='_compute_social_mention_count',
        groups='social_crm.social_crm_group_user',
    )
    social_profile_card = fields.Html(related='social_profile_id.card', sanitize=False)
    social_sentiment_label = fields.Selection(
        related='social_mention_id.sentiment_label', string='Sentiment'
    )
    social_network = fields.Selection(related='social_profile_id.network', string='Social Network')
    social_url = fields.Char(related='social_mention_id.url', string='Original Post')
    social_explanation = fields.Html(
        related='social_mention_id.explanation', sanitize=False, string='Why This Ticket'
    )

    @api.depends('social_mention_ids')
    def _compute_social_mention_count(self):
        counts = dict(
            self.env['social.crm.mention']._read_group(
                [('ticket_id', 'in', self.ids)],
                ['ticket_id'],
                ['__count'],
            )
        )
        for ticket in self:
            ticket.social_mention_count = counts.get(ticket, 0)

    def action_social_answer(self):
        """Open the composer on the last mention, or for a direct message where there is none."""
        self.ensure_one()
        return self.env['social.crm.compose']._open_for(self)

    def action_view_social_mentions(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_mention_action'
        )
        action.update(domain=[('ticket_id', '=', self.id)], context={})
        return action
