from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import LazyTranslate

from .. import listening

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

    social_crm_blocked_words = fields.Text(
        'Words Not to Use',
        help=(
            'One word or phrase a line; answers and posts with one of them are not sent. A star '
            'stands for any ending.'
        ),
    )

    social_crm_post_approval = fields.Boolean(
        'Approval of Posts',
        help='Posts on brand accounts wait until somebody approves them.',
    )

    social_crm_track_links = fields.Boolean(
        'Tracked Links',
        default=True,
        help='Links in answers, and in new posts unless switched off there, count their clicks.',
    )

    social_crm_domain_is_staff = fields.Boolean(
        'Addresses of the Company Are Colleagues',
        help="Contacts with an address of the company's own e-mail domain make no leads.",
    )

    @api.constrains('social_crm_blocked_words')
    def _check_social_crm_blocked_words(self):
        for company in self:
            try:
                company._social_crm_blocked_query()
            except listening.QueryError as error:
                line = (company.social_crm_blocked_words or '').splitlines()[error.index]
                raise ValidationError(
                    self.env._('This is no word or phrase to look for: %s', line)
                ) from error

    def write(self, vals):
        result = super().write(vals)
        if 'active' in vals:
            # sudo: whoever owns them
            self.env['social.crm.account'].sudo()._follow_companies(self, bool(vals['active']))
        return result

    def _social_crm_blocked_query(self):
        """Return the query for the words that must not go out, ``None`` when there are none."""
        self.ensure_one()
        # sudo: whoever writes an answer is checked against it
        return listening.any_of(keywords=(self.sudo().social_crm_blocked_words or '').splitlines())

    @api.model
    def _social_crm_capability_labels(self):
        """Return what each capability is called: code -> lazily translated text."""
        return CAPABILITY_LABELS

    def _social_crm_capabilities(self):
        """Return the capabilities that are switched on: only their scopes are asked for."""
        self.ensure_one()
        switches = {
            'hashtags': self.social_crm_use_search,
            'search': self.social_crm_use_search,
            'messages': self.social_crm_use_messages,
            'reply': self.social_crm_use_reply,
            'publish': self.social_crm_use_publish,
            'metrics': self.social_crm_use_publish,
            'lead_forms': self.social_crm_use_lead_forms,
        }
        return [name for name in CAPABILITY_LABELS if switches.get(name, True)]
