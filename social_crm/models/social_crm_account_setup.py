from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..providers import adapter_class
from ..providers.errors import AuthorizationLost, NotSupported, ProviderError
from ..tools import each_committed

SETUP_EVERY = timedelta(days=1)
SETUP_AGAIN = timedelta(minutes=10)  # after an error, or for a form that is not known


class SocialCrmAccount(models.Model):
    """What is arranged with the network once connected and daily: pushes, and its lead forms."""

    _inherit = 'social.crm.account'

    setup_due = fields.Datetime(readonly=True, copy=False, default=fields.Datetime.now)
    setup_at = fields.Datetime('Set Up On', readonly=True, copy=False)
    setup_error = fields.Char(readonly=True, copy=False)
    form_count = fields.Integer(compute='_compute_form_count', compute_sudo=True)

    def _compute_form_count(self):
        counts = dict(
            self.env['social.crm.lead.form']._read_group(
                [('account_id', 'in', self.ids)], ['account_id'], ['__count']
            )
        )
        for account in self:
            account.form_count = counts.get(account, 0)

    def action_view_forms(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_lead_form_action'
        )
        return {**action, 'domain': [('account_id', '=', self.id)]}

    def _want_setup(self, now=False):
        """Have the network asked soon; not more often than every ten minutes unless ``now``."""
        moment = fields.Datetime.now()
        for account in self.sudo():  # sudo: a mark for the loop
            due = moment if now or not account.setup_at else account.setup_at + SETUP_AGAIN
            if not account.setup_due or account.setup_due > max(due, moment):
                account.setup_due = max(due, moment)
        self.env.ref('social_crm.ir_cron_setup').sudo()._trigger(  # sudo: wake the loop only
            max(self.sudo().mapped('setup_due'), default=moment)
        )

    @api.model
    def _cron_setup(self):
        """Arrange what is due, account by account, each committed."""
        accounts = self.search(
            [('state', '=', 'connected'), ('setup_due', '<=', fields.Datetime.now())]
        )
        each_committed(accounts, type(self)._set_up)

    def _set_up(self):
        self.ensure_one()
        now = fields.Datetime.now()
        errors = []
        for step in (self._set_up_pushes, self._set_up_forms):
            try:
                step()
            except AuthorizationLost as error:
                self._lose_login(error)
                return
            except NotSupported:
                continue
            except (ProviderError, UserError) as error:
                errors.append(self._explain(error))
        self.write(
            {
                'setup_at': now,
                'setup_due': now + (SETUP_AGAIN if errors else SETUP_EVERY),
                'setup_error': '; '.join(errors)[:500] or False,
            }
        )

    def _set_up_pushes(self):
        """Have the network push what happens; some end that by themselves after a while."""
        if 'webhook' in adapter_class(self.network).features:
            with self._counted('setup') as provider:
                provider.subscribe()

    def _set_up_forms(self):
        if self._permits('lead_forms'):
            with self._counted('setup') as provider:
                forms = provider.lead_forms()
            self.env['social.crm.lead.form']._sync(self, forms)

    def _permits(self, capability):
        """Return whether a capability was asked for and granted."""
        wanted = (self.wanted_capabilities or '').split()
        offered = adapter_class(self.network).capabilities
        return (
            capability in offered
            and capability in wanted
            and capability not in self._missing_capabilities()
        )
