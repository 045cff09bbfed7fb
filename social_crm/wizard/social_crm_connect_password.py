from odoo import api, fields, models
from odoo.exceptions import UserError

from ..providers import adapter_class
from ..providers.errors import ProviderError


class SocialCrmConnect(models.TransientModel):
    """Connecting with a password that the network made for the purpose, without its pages."""

    _inherit = 'social.crm.connect'

    by_app_password = fields.Boolean(
        help="For servers without a public https address. Make one in the network's settings, with "
        'access to direct messages if they are wanted; your own password is not taken.'
    )
    app_password = fields.Char(
        compute='_compute_app_password', inverse='_inverse_app_password', copy=False
    )
    secret = fields.Text(groups=fields.NO_ACCESS, copy=False)

    # === COMPUTE METHODS === #

    def _compute_app_password(self):
        self.app_password = False

    def _inverse_app_password(self):
        encrypt = self.env['social.crm.credential']._encrypt
        for wizard in self.filtered('app_password'):
            # sudo: nobody may read the column; it is emptied when it is used
            wizard.sudo().secret = encrypt({'password': wizard.app_password})
        self.invalidate_recordset(['app_password'], flush=False)

    # === ACTION METHODS === #

    def action_connect_by_app_password(self):
        """Sign in from here, and open the account."""
        self.ensure_one()
        self._check_may_start()
        adapter = adapter_class(self.network)
        typed = self.account_id.handle or self.server or ''
        try:
            app = self._app(client=False)
            # sudo: the client is the company's, and used on the server only
            token, profile = app._provider().sign_in(typed, self._take_app_password())
        except ProviderError as error:
            raise UserError(self._explain_refusal(error)) from error
        account = self.account_id
        if account.external_id and account.external_id != profile.external_id:
            raise UserError(
                self.env._('This is another account than the one to be connected again.')
            )
        # sudo: rights were checked; user and company are kept in the state, as after signing in
        # on a page
        State = self.env['social.crm.oauth.state'].with_user(self.env.user).sudo()
        state = State._signed_in(app, self.kind, self._wanted(), account)
        Account = self.env['social.crm.account'].sudo().with_company(app.company_id)
        account = Account._connect_identity(state, app, token, profile)
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'social.crm.account',
            'name': adapter.label,
            'view_mode': 'form',
            'views': [(False, 'form')],
            'res_id': account.id,
        }

    # === BUSINESS METHODS === #

    def _take_app_password(self):
        """Return the password that was typed, and forget it here."""
        wizard = self.sudo()  # sudo: nobody may read the column
        if not wizard.secret:
            raise UserError(self.env._('Type the app password.'))
        password = self.env['social.crm.credential']._decrypt(wizard.secret)['password']
        wizard.secret = False
        return password

    @api.model
    def _refusals(self):
        return {
            'no_app_password': self.env._(
                'This is no app password: it has the form xxxx-xxxx-xxxx-xxxx. Make one in the '
                "network's settings; your own password is better kept to yourself."
            ),
            'AuthenticationRequired': self.env._(
                'The network does not know this handle with this app password. It may have been '
                'deleted there: make a new one.'
            ),
        }

    def _explain_refusal(self, error):
        return self._refusals().get(error.code) or self._explain(error)
