from odoo import api, models
from odoo.tools import ormcache

from odoo.addons.base_automation.models.base_automation import CREATE_TRIGGERS


class SocialCrmMention(models.Model):
    """Automation rules on new mentions.

    Mentions are inserted in bulk, past the hook by which Odoo tells automation rules of new
    records. The act loop tells them instead, in the transaction in which the listening rules'
    actions are done: an automation finds the lead or ticket in place, and runs once.
    """

    _inherit = 'social.crm.mention'

    @api.model
    @ormcache()
    def _automations_wait(self):
        """Return whether an automation rule wants to hear of new mentions."""
        return bool(self._creation_automations())

    @api.model
    def _creation_automations(self):
        return self.env['base.automation']._get_actions(self.browse(), CREATE_TRIGGERS)

    def _hold_automations(self, automations):
        """Return these mentions so that writing to them does not set the automations off yet."""
        return self.with_context(__action_done=dict.fromkeys(automations, self))

    def _run_automations(self, automations):
        """Tell automation rules of these new mentions, as Odoo's create does it."""
        mentions = self.with_env(automations.env)
        for automation in automations.with_context(old_values=None):
            automation._process(automation._filter_post(mentions, feedback=True))
