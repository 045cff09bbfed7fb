from markupsafe import Markup

from odoo import api, fields, models

NOTIFY_SINGLY = 5  # more at once than this are told in one message


class CrmLead(models.Model):
    _name = 'crm.lead'
    _inherit = ['crm.lead', 'social.crm.source.mixin']

    social_form_id = fields.Many2one(
        'social.crm.lead.form',
        'Lead Form',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
        copy=False,
    )
    social_consents = fields.Text('Consents', readonly=True, copy=False)
    social_attribution = fields.Json(readonly=True, copy=False)
    social_attribution_text = fields.Text('Brought By', compute='_compute_social_attribution_text')
    social_mention_ids = fields.One2many('social.crm.mention', 'lead_id', 'Mentions', readonly=True)

    @api.depends('social_attribution')
    def _compute_social_attribution_text(self):
        """Show the network's ids and names of ad and campaign, one line each."""
        for lead in self:
            rows = sorted((lead.social_attribution or {}).items())
            lead.social_attribution_text = '\n'.join(f'{name}: {value}' for name, value in rows)

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
