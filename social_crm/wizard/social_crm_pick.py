from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools import clean, clean_url


class SocialCrmPick(models.TransientModel):
    """The choice among the pages that a login may act for.

    Only what everybody may see of a page comes here. Its token stays with the connection under
    way, encrypted, for ten minutes and for the one user who signed in.
    """

    _name = 'social.crm.pick'
    _description = 'Choose What to Connect'

    state_id = fields.Many2one(
        'social.crm.oauth.state', groups=fields.NO_ACCESS, ondelete='set null'
    )
    network = fields.Char(readonly=True)
    line_ids = fields.One2many('social.crm.pick.line', 'pick_id')

    @api.depends('network')
    def _compute_display_name(self):
        for pick in self:
            pick.display_name = self.env._('Choose What to Connect')

    @api.model
    def _open_for(self, state):
        """Return a dialog's record for the pages on offer, owned by the user who signed in."""
        _login_id, brands = state._offered()
        known = dict(
            state.env['social.crm.account']
            .with_context(active_test=False)
            ._read_group(
                [
                    ('company_id', '=', state.company_id.id),
                    ('network', '=', state.network),
                    ('external_id', 'in', list(brands)),
                    ('state', '=', 'connected'),
                ],
                ['external_id'],
                ['__count'],
            )
        )
        labels = dict(state.env['social.crm.app']._selection_network())
        # sudo: the record holds what the user may not read, the reference to the connection
        return (
            self.with_user(state.user_id)
            .sudo()
            .create(
                {
                    'state_id': state.id,
                    'network': labels[state.network],
                    'line_ids': [
                        fields.Command.create(
                            {
                                'external_id': external_id,
                                'name': clean(brand.profile.name or brand.profile.handle, 200),
                                'handle': clean(brand.profile.handle, 200),
                                'url': clean_url(brand.profile.url, 500),
                                'connected': external_id in known,
                            }
                        )
                        for external_id, brand in brands.items()
                    ],
                }
            )
        )

    # === ACTION METHODS === #

    def action_connect(self):
        """Connect each page that was ticked, with its own token."""
        self.ensure_one()
        chosen = self.line_ids.filtered('chosen').mapped('external_id')
        if not chosen:
            raise UserError(self.env._('Tick at least one page.'))
        state = self._locked_state()
        login_id, brands = state._offered()
        if not set(chosen) <= brands.keys():
            raise UserError(
                self.env._('The ten minutes to choose are over. Start the connection again.')
            )
        Account = state.env['social.crm.account'].with_company(state.company_id)
        accounts = Account.browse()
        for external_id in chosen:
            brand = brands[external_id]
            accounts |= Account._connect_identity(
                state, state.app_id, brand.token, brand.profile, login_id
            )
        state.unlink()
        return {
            **self.env['ir.actions.act_window']._for_xml_id('social_crm.social_crm_account_action'),
            'domain': [('id', 'in', accounts.ids)],
            'target': 'main',
        }

    def action_cancel(self):
        """Forget the pages and their tokens at once."""
        self.ensure_one()
        self._locked_state().unlink()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_account_action'
        )
        return {**action, 'target': 'main'}

    # === BUSINESS METHODS === #

    def _locked_state(self):
        """Return the connection under way, as superuser; none if it is another user's or over.

        :raise AccessError: when it is another user's
        """
        # sudo: nobody has rights on connections under way; whose it is is checked here
        state = self.sudo().state_id
        if state and state.user_id != self.env.user:
            raise AccessError(self.env._('Somebody else started this connection.'))
        if not state:
            raise UserError(self.env._('This choice was made already. Look at the accounts.'))
        state.lock_for_update()
        return state.with_user(self.env.ref('base.user_root')).sudo()


class SocialCrmPickLine(models.TransientModel):
    _name = 'social.crm.pick.line'
    _description = 'Page to Connect'

    pick_id = fields.Many2one('social.crm.pick', required=True, ondelete='cascade', index=True)
    chosen = fields.Boolean('Connect')
    external_id = fields.Char(required=True, readonly=True)
    name = fields.Char(readonly=True)
    handle = fields.Char(readonly=True)
    url = fields.Char('Public Page', readonly=True)
    connected = fields.Boolean('Connected Already', readonly=True)
