from odoo import api, fields, models


class SocialCrmPostTemplateText(models.Model):
    """The text of a template for one network."""

    _name = 'social.crm.post.template.text'
    _description = "Text of a Post's Template for One Network"
    _inherit = ['mail.render.mixin']
    _order = 'network, id'
    _unrestricted_rendering = True  # who may write code is checked when it is saved

    template_id = fields.Many2one(
        'social.crm.post.template', required=True, index=True, ondelete='cascade'
    )
    model = fields.Char(related='template_id.model')
    network = fields.Selection(selection='_selection_network', required=True)
    text = fields.Text(required=True)

    _unique_network = models.UniqueIndex(
        '(template_id, network)', 'A template has one text per network.'
    )

    @api.model
    def _selection_network(self):
        return self.env['social.crm.account']._selection_network()

    @api.depends('template_id.model')
    def _compute_render_model(self):
        for line in self:
            line.render_model = line.template_id.model

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.template_id._check_rendering()
        return lines

    def write(self, vals):
        """Render what changed once."""
        result = super().write(vals)
        self.template_id._check_rendering()
        return result
