from odoo import api, models

from ..providers import adapter_class

COLOURS = {
    'permitted': 'text-bg-success',
    'wanted': 'text-bg-info',
    'missing': 'text-bg-warning',
    'off': 'text-bg-light border',
    'never': 'text-bg-light border text-decoration-line-through',
}


class SocialCrmApp(models.Model):
    """What can be done on a network, and why the rest cannot: shown where people look for it."""

    _inherit = 'social.crm.app'

    @api.model
    def _capability_badges(self, network, account=None):
        """Return all capabilities of the module as badges, the reason on hover.

        :param account: whose permissions count; without one, what will be asked for
        """
        labels = self.env['res.company']._social_crm_capability_labels()
        badges = []
        for name, label in labels.items():
            state = self._capability_state(name, network, account)
            reason = self._capability_reason(state, network)
            badges.append({'label': str(label), 'colour': COLOURS[state], 'reason': reason})
        return self.env['ir.qweb']._render('social_crm.capability_badges', {'badges': badges})

    @api.model
    def _capability_state(self, name, network, account):
        if name not in adapter_class(network).capabilities:
            return 'never'
        if not account:
            return 'wanted' if name in self.env.company._social_crm_capabilities() else 'off'
        if name not in (account.wanted_capabilities or '').split():
            return 'off'
        return 'missing' if name in account._missing_capabilities() else 'permitted'

    @api.model
    def _capability_reason(self, state, network):
        label = adapter_class(network).label
        return {
            'permitted': self.env._('Permitted by this login.'),
            'wanted': self.env._('You will be asked to permit this.'),
            'missing': self.env._('Not permitted by this login: connect again and agree to it.'),
            'off': self.env._('Not asked for: switched off in Settings > Social CRM.'),
            'never': self.env._('%s does not let applications do this, or not for us.', label),
        }[state]
