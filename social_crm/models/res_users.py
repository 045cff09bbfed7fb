from odoo import fields, models


class ResUsers(models.Model):
    _inherit = 'res.users'

    social_crm_message_toast = fields.Boolean(
        'Direct Messages Pop Up',
        default=True,
        help='A direct message from a social network that concerns you shows at once, wherever '
        'you are in Odoo.',
    )

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, 'social_crm_message_toast']

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, 'social_crm_message_toast']
