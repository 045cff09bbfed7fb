from odoo import fields, models

from .social_crm_source_mixin import STAFF


class HelpdeskTicket(models.Model):
    _name = 'helpdesk.ticket'
    _inherit = ['helpdesk.ticket', 'social.crm.source.mixin']

    social_mention_id = fields.Many2one(string='Opened From')
    social_mention_ids = fields.One2many(
        'social.crm.mention', 'ticket_id', 'Mentions', readonly=True, groups=STAFF
    )
