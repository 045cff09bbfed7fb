import logging
import re
from urllib.parse import quote

from odoo import SUPERUSER_ID, http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import LazyTranslate

from ..models.social_crm_app import CALLBACK_PATH
from ..providers.errors import AuthorizationLost, PermissionMissing, ProviderError, Rejected

_lt = LazyTranslate(__name__)
_logger = logging.getLogger(__name__)

# code -> (HTTP status, what happened, what to do)
PROBLEMS = {
    'denied': (
        403,
        _lt('You did not give permission'),
        _lt(
            'Nothing was connected. Start again, and press the button that allows access on the '
            "network's page."
        ),
    ),
    'state_missing': (
        400,
        _lt('This connection is not known here'),
        _lt(
            'The address lacks the proof that you started here. Start again from the list of '
            'accounts.'
        ),
    ),
    'state_replayed': (
        400,
        _lt('This connection was completed already'),
        _lt(
            'A connection page works once. Look into the list of accounts, and start again if '
            'yours is not there.'
        ),
    ),
    'state_expired': (
        400,
        _lt('This took longer than ten minutes'),
        _lt('For safety a connection has to be completed within ten minutes. Start again.'),
    ),
    'state_other_user': (
        403,
        _lt('Somebody else started this connection'),
        _lt(
            'It can only be completed by the user who started it. Sign in as that user, or start '
            'your own.'
        ),
    ),
    'exchange_refused': (
        400,
        _lt('The network refused to complete the connection'),
        _lt(
            "Start again. If it happens again, an administrator checks the app's client ID, "
            'secret and redirect URI.'
        ),
    ),
    'server_down': (
        502,
        _lt('The network does not answer'),
        _lt('Nothing was connected. Try again in a few minutes.'),
    ),
    'wrong_account': (
        409,
        _lt('This is another account'),
        _lt(
            'You signed in to the network with another account than the one to be connected '
            'again. Sign out there, then start again.'
        ),
    ),
    'no_brands': (
        409,
        _lt('There is no page to connect'),
        _lt('You signed in, but the network names no page that you may act for.'),
    ),
    'brand_gone': (
        409,
        _lt('This login does not act for the page any more'),
        _lt(
            "Sign in as somebody who manages the page, and leave it ticked on the network's page. "
            'Nothing was changed here.'
        ),
    ),
    'taken': (
        409,
        _lt('This account is in use already'),
        _lt('Ask its owner, or an administrator.'),
    ),
    'no_key': (
        500,
        _lt('The server cannot keep logins yet'),
        _lt('An administrator sets the key and restarts the server.'),
    ),
}


class HideQuery(logging.Filter):
    """Keep codes and states out of the server's access log, which notes each request's line."""

    # Quoted, it is what the log-in page is to lead back to.
    PATHS = (CALLBACK_PATH, quote(CALLBACK_PATH, safe=''))
    QUERY = re.compile(rf'((?:{"|".join(map(re.escape, PATHS))})(?:\?|%3F))[^\s"]*')

    def filter(self, record):
        text = record.getMessage()
        if any(path in text for path in self.PATHS):
            record.msg, record.args = self.QUERY.sub(r'\1[hidden]', text), ()
        return True


logging.getLogger('werkzeug').addFilter(HideQuery())


class SocialCrmOauth(http.Controller):
    @http.route(CALLBACK_PATH, type='http', auth='user', methods=['GET'])
    def callback(self, **params):
        """Complete a connection that was started in the dialog.

        The state is used up, and the outcome stored, in transactions of their own: Odoo may run a
        request again after a conflict, and a code can be exchanged once.
        """
        with self._cursor() as env:
            state, problem = env['social.crm.oauth.state']._take(
                params.get('state'), request.env.user
            )
            state_id, state_network = state.id, state.network
        if problem:
            return self._problem(problem)
        if params.get('error'):
            denied = params['error'] in (
                'access_denied',
                'user_cancelled_login',
                'user_cancelled_authorize',
            )
            return self._problem(
                'denied' if denied else 'exchange_refused',
                params.get('error_description') or params['error'],
            )
        try:
            with self._cursor() as env:
                state = env['social.crm.oauth.state'].browse(state_id)
                target = self._complete(state, params)
        except AuthorizationLost as error:
            return self._problem('exchange_refused', error.reason)
        except (Rejected, PermissionMissing) as error:
            return self._problem(
                error.code if error.code in PROBLEMS else 'exchange_refused',
                error.reason,
                network=state_network,
            )
        except ProviderError as error:
            _logger.info('connection %s not completed: %s', state_id, type(error).__name__)
            return self._problem('server_down', error.reason)
        except UserError as error:
            return self._problem('taken', str(error))
        return request.redirect(target)

    def _complete(self, state, params):
        """Trade the code for a login, ask who it is, and store both.

        :return: the address to go on to: the account, or the choice among several pages
        """
        env, app = state.env, state.app_id
        secret = env['social.crm.credential']._decrypt(state.secret)
        token = app._provider().exchange_code(
            code=params.get('code', ''),
            verifier=secret['verifier'],
            private=secret['private'],
            params=params,
        )
        provider = type(app._provider())(app._http(), app._as_app(), token)
        profile = provider.whoami()
        if 'brands' in provider.features and state.kind == 'brand':
            return self._complete_brands(state, app, profile, provider.brand_accounts())
        wanted = state.account_id
        if wanted and wanted.external_id and wanted.external_id != profile.external_id:
            raise Rejected(f'@{profile.handle}', 'wrong_account')
        account = self._accounts(state)._connect_identity(state, app, token, profile)
        return _address(account)

    def _complete_brands(self, state, app, login, brands):
        """Connect the page that is meant, or have the person choose among several."""
        if not brands:
            raise Rejected(f'@{login.handle}', 'no_brands')
        if state.account_id:
            brands = [
                brand
                for brand in brands
                if brand.profile.external_id == state.account_id.external_id
            ]
            if not brands:
                raise Rejected(f'@{login.handle}', 'brand_gone')
        if len(brands) > 1:
            state._offer(login, brands)
            return _address(state.env['social.crm.pick']._open_for(state))
        [brand] = brands
        account = self._accounts(state)._connect_identity(
            state, app, brand.token, brand.profile, login.external_id
        )
        return _address(account)

    def _accounts(self, state):
        return state.env['social.crm.account'].with_company(state.company_id)

    def _cursor(self):
        return _SuperuserEnvironment()

    def _problem(self, code, detail='', network=''):
        """Return a page in Odoo's look that says what happened and what to do."""
        status, what, todo = PROBLEMS[code]
        # sudo: whether there is a template of this network
        needed = request.env.ref(f'social_crm.needs_{network}', raise_if_not_found=False)
        needed = needed and needed.sudo().key
        response = request.render(
            'social_crm.oauth_problem',
            {
                'code': code,
                'what': str(what),
                'todo': str(todo),
                'detail': detail[:300],
                'needed': needed if code == 'no_brands' else False,
            },
        )
        response.status_code = status
        return response


class _SuperuserEnvironment:
    """An environment on a cursor of its own: committed at the end, rolled back on an error.

    Superuser, since nobody has rights on connections under way and logins; the language stays.
    """

    def __enter__(self):
        self.cursor = request.env.registry.cursor()
        return request.env(cr=self.cursor, user=SUPERUSER_ID)

    def __exit__(self, kind, error, traceback):
        with self.cursor:
            if kind:
                self.cursor.rollback()


def _address(record):
    """Return where the web client shows a record."""
    action = 'account' if record._name == 'social.crm.account' else 'pick'
    return f'/odoo/action-social_crm.social_crm_{action}_action/{record.id}'
