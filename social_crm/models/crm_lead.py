from markupsafe import Markup

from odoo import api, fields, models

NOTIFY_SINGLY = 5  # more at once than this are told in one message


class CrmLead(models.Model):
    _inherit = 'crm.lead'

    social_profile_id = fields.Many2one(
        'social.crm.profile',
        index='btree_not_null',
        ondelete='set null',
        check_company=True,
    )
    social_mention_id = fields.Many2one(
        'social.crm.mention',
        'Captured From',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
        copy=False,
    )
    social_mention_ids = fields.One2many('social.crm.mention', 'lead_id', 'Mentions', readonly=True)
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
        related='social_mention_id.explanation', sanitize=False, string='Why This Lead'
    )

    @api.depends('social_mention_ids')
    def _compute_social_mention_count(self):
        counts = dict(
            self.env['social.crm.mention']._read_group(
                [('lead_id', 'in', self.ids)],
                ['lead_id'],
                ['__count'],
            )
        )
        for lead in self:
            lead.social_mention_count = counts.get(lead, 0)

    def action_social_answer(self):
        """Open the composer on the last mention, or for a direct message where there is none."""
        self.ensure_one()
        return self.env['social.crm.compose']._open_for(self)

    def action_view_social_mentions(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_mention_action'
        )
        action.update(domain=[('lead_id', '=', self.id)], context={})
        return action

    def _social_notify_assigned(self):
        """Tell people of leads captured for them: each singly, many in one message."""
        for user, leads in self.filtered('user_id').grouped('user_id').items():
            if user == self.env.user:
                continue
            singly = leads if len(leads) <= NOTIFY_SINGLY else leads[:1]
            for lead in singly:
                more = (
                    self.env._('and %s more from social networks', len(leads) - 1)
                    if lead not in leads[1:] and len(singly) < len(leads)
                    else ''
                )
                lead.message_notify(
                    partner_ids=user.partner_id.ids,
                    subject=self.env._('A lead from a social network: %s', lead.name),
                    body=Markup('<p>%s %s</p>') % (lead._get_html_link(), more),
                )
