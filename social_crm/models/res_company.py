from odoo import api, fields, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

CAPABILITY_LABELS = {
    'mentions': _lt('Mentions, replies and comments'),
    'hashtags': _lt('Hashtags'),
    'search': _lt('Search'),
    'messages': _lt('Direct messages'),
    'reply': _lt('Answers'),
    'publish': _lt('Posts'),
    'metrics': _lt('Figures of posts'),
    'profile': _lt('Profiles'),
    'lead_forms': _lt('Lead forms'),
}


class ResCompany(models.Model):
    _inherit = 'res.company'

    social_crm_use_search = fields.Boolean('Search and Hashtags', default=True)
    social_crm_use_messages = fields.Boolean('Direct Messages', default=True)
    social_crm_use_reply = fields.Boolean('Answers', default=True)
    social_crm_use_publish = fields.Boolean('Posts', default=True)
    social_crm_use_lead_forms = fields.Boolean('Lead Forms', default=True)

    @api.model
    def _social_crm_capability_labels(self):
        """Return what each capability is called: code -> lazily translated text."""
        return CAPABILITY_LABELS

    def _social_crm_capabilities(self):
        """Return the capabilities that the administrators switched on: only their scopes are asked for."""
        self.ensure_one()
        switches = {
            'hashtags': self.social_crm_use_search, 'search': self.social_crm_use_search,
            'messages': self.social_crm_use_messages, 'reply': self.social_crm_use_reply,
            'publish': self.social_crm_use_publish, 'metrics': self.social_crm_use_publish,
            'lead_forms': self.social_crm_use_lead_forms,
        }
        return [name for name in CAPABILITY_LABELS if switches.get(name, True)]
