from odoo import api, fields, models

STAFF = 'base.group_user'  # customers see their tickets, and not how those came about


class SocialCrmSourceMixin(models.AbstractModel):
    """What a record that is made of mentions knows of them: who it was, what they wrote, and why.

    The inheriting model has the other end of ``social_mention_ids`` on the mention.
    """

    _name = 'social.crm.source.mixin'
    _description = 'Made of Social Mentions'

    social_profile_id = fields.Many2one(
        'social.crm.profile',
        index='btree_not_null',
        ondelete='set null',
        check_company=True,
        groups=STAFF,
    )
    social_mention_id = fields.Many2one(
        'social.crm.mention',
        'Captured From',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
        copy=False,
        groups=STAFF,
    )
    social_mention_count = fields.Integer(
        compute='_compute_social_mention_count', groups='social_crm.social_crm_group_user'
    )
    social_sentiment_label = fields.Selection(
        related='social_mention_id.sentiment_label', string='Sentiment', groups=STAFF
    )
    social_network = fields.Selection(
        related='social_profile_id.network', string='Social Network', groups=STAFF
    )
    social_url = fields.Char(related='social_mention_id.url', string='Original Post', groups=STAFF)
    social_explanation = fields.Html(
        related='social_mention_id.explanation',
        sanitize=False,
        string='Why It Was Captured',
        groups=STAFF,
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_social_source(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_social_source(vals)
        return super().write(vals)

    @api.model
    def _check_social_source(self, vals):
        """Refuse to point at what the user may not read: what was written there shows here."""
        for name in ('social_mention_id', 'social_profile_id'):
            if vals.get(name) and not self.env.su:
                self.env[self._fields[name].comodel_name].browse(vals[name]).check_access('read')

    @api.depends('social_mention_ids')
    def _compute_social_mention_count(self):
        inverse = self._fields['social_mention_ids'].inverse_name
        counts = dict(
            self.env['social.crm.mention']._read_group(
                [(inverse, 'in', self.ids)], [inverse], ['__count']
            )
        )
        for record in self:
            record.social_mention_count = counts.get(record, 0)

    def action_social_answer(self):
        """Open the composer on the last mention, or for a direct message where there is none."""
        self.ensure_one()
        return self.env['social.crm.compose']._open_for(self)

    def action_view_social_mentions(self):
        """Open the inbox with the mentions of this record."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_mention_action'
        )
        inverse = self._fields['social_mention_ids'].inverse_name
        action.update(domain=[(inverse, '=', self.id)], context={})
        return action
