from odoo import models
from odoo.exceptions import AccessError, UserError

MANAGER = 'social_crm.social_crm_group_manager'
#: What people set of an account that they may connect.
SETTINGS = frozenset(('user_id', 'message_user_ids', 'poll_interval', 'active'))


class SocialCrmAccount(models.Model):
    """Who may do what with an account: whose it is, and where its login goes, is not written."""

    _inherit = 'social.crm.account'

    def write(self, vals):
        self._check_may_set(vals)
        return super().write(vals)

    def _check_may_set(self, vals):
        """Let people change the settings alone; all else follows from signing in.

        An account that is pointed at another app would have its login sent to that app's server.
        """
        if self.env.su:
            return
        if any(name in self._fields and self._fields[name].readonly for name in vals):
            raise AccessError(
                self.env._('What the network tells of an account is not written by hand.')
            )
        if SETTINGS & vals.keys():
            self._check_may_connect()
        if 'user_id' in vals and 'personal' in self.mapped('kind'):
            raise AccessError(
                self.env._(
                    'A personal account stays with its owner: disconnect it, and have the other '
                    'person connect it.'
                )
            )

    def _check_may_connect(self):
        """Owners manage their personal accounts, administrators the brand accounts."""
        self.check_access('read')
        for account in self:
            own = account.kind == 'personal' and account.user_id == self.env.user
            if not (own or account.kind == 'brand' and self.env.user.has_group(MANAGER)):
                raise AccessError(
                    self.env._(
                        'A personal account is managed by its owner, a brand account by a Social '
                        'CRM administrator.',
                    )
                )

    def _check_may_renew(self, state, app, profile):
        """Refuse that a connection takes over an account that is somebody else's.

        :param state: the ``social.crm.oauth.state`` that the person came back with
        :raise UserError: with the reason
        """
        if self.kind == 'personal' and self.user_id != state.user_id:
            raise UserError(
                self.env._(
                    '@%(handle)s is connected already, as a personal account of %(owner)s.',
                    handle=profile.handle,
                    owner=self.user_id.name,
                )
            )
        if self.kind == 'brand' and not state.user_id.has_group(MANAGER):
            raise UserError(
                self.env._(
                    '@%s is a brand account here: a Social CRM administrator connects it.',
                    profile.handle,
                )
            )
        # Who signed in is told by the server itself: it could name an account of another server.
        if self.app_id.server != app.server and self and not state.account_id:
            raise UserError(
                self.env._(
                    '@%(handle)s is connected already, by %(server)s. Open that account, and press '
                    'Reconnect there.',
                    handle=profile.handle,
                    server=self.app_id.server or '',
                )
            )
