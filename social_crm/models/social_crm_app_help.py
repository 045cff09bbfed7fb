from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..providers import adapter_class
from ..providers.errors import NotSupported, ProviderError, Rejected
from .social_crm_account_version import version_warning
from .social_crm_app_webhook import WEBHOOK_PATH


class SocialCrmApp(models.Model):
    """What an administrator needs to set a client up on a network's developer page."""

    _inherit = 'social.crm.app'

    registers = fields.Boolean(compute='_compute_help', help='Registers itself at its server.')
    needs_secret = fields.Boolean(compute='_compute_help')
    needed_scopes = fields.Text('Permissions to Ask For', compute='_compute_help')
    howto = fields.Html('How to Set It Up', compute='_compute_help', sanitize=False)
    version_warning = fields.Char(compute='_compute_help')
    settings = fields.Text(
        'More Settings', help='For this network alone; one a line, such as: config_id = 12345'
    )

    @api.depends('network', 'company_id')
    def _compute_help(self):
        for app in self:
            adapter = adapter_class(app.network) if app.network else None
            features = adapter.features if adapter else ()
            app.registers = 'register' in features
            app.needs_secret = 'public_client' not in features
            app.needed_scopes = app._needed_scopes(adapter) if adapter else False
            app.version_warning = version_warning(self.env, adapter) if adapter else False
            app.howto = app._howto() if adapter and not app.registers else False

    def _needed_scopes(self, adapter):
        """Return the permissions for each capability that is switched on, one line each."""
        labels = self.env['res.company']._social_crm_capability_labels()
        lines = [f'{self.env._("Sign-in")}: {" ".join(adapter.identity_scopes)}']
        lines += [
            f'{labels[name]}: {" ".join(adapter.capabilities[name])}'
            for name in (self.company_id or self.env.company)._social_crm_capabilities()
            if adapter.capabilities.get(name)
        ]
        return '\n'.join(lines)

    def _howto(self):
        """Return the steps on the network's developer page; general ones where none are written."""
        template = f'social_crm.howto_{self.network}'
        if not self.env.ref(template, raise_if_not_found=False):
            template = 'social_crm.howto_general'
        url = f'{self.get_base_url()}{WEBHOOK_PATH}/{self.network}'
        return self.env['ir.qweb']._render(
            template, {'deauthorize_url': f'{url}/deauthorize', 'delete_url': f'{url}/delete'}
        )

    @api.constrains('settings')
    def _check_settings(self):
        for app in self:
            for line in (app.settings or '').splitlines():
                if line.strip() and not line.partition('=')[2].strip():
                    raise ValidationError(
                        self.env._('Write each setting as: name = value. This is none: %s', line)
                    )

    def _more_settings(self):
        """Return the settings by name."""
        pairs = (line.partition('=') for line in (self.settings or '').splitlines())
        return {name.strip(): value.strip() for name, _sign, value in pairs if name.strip()}

    def action_test(self):
        """Ask the network whether it knows the client, or say what could be checked here."""
        self.ensure_one()
        self.check_access('write')
        if not self._is_complete():
            return self._tell('warning', self.env._('Enter the client ID and the secret first.'))
        try:
            if 'check_app' not in adapter_class(self.network).features:
                raise NotSupported()
            self._provider().check_app()
        except NotSupported:
            return self._tell('info', self._checked_here())
        except Rejected as error:
            return self._tell(
                'danger',
                self.env._('The network does not take this client ID and secret: %s', error.reason),
            )
        except ProviderError as error:
            return self._tell('warning', self.env['social.crm.account']._explain(error))
        return self._tell(
            'success',
            self.env._(
                'The network knows this client ID and secret. It compares the redirect URI when '
                'somebody connects.'
            ),
        )

    def _checked_here(self):
        """Say what is known without asking the network."""
        if not (self.redirect_uri or '').startswith('https://'):
            return self.env._(
                'The client ID and secret are stored. The redirect URI does not start with '
                'https://, which most networks refuse: set the address of this server first.'
            )
        return self.env._(
            'The client ID and secret are stored, and the redirect URI is a secure address. This '
            'network tells whether it knows them only when somebody connects.'
        )

    def _tell(self, kind, message):
        return self.env['social.crm.account']._notify(kind, message)
