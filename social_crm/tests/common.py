"""Users, accounts and a stubbed network for the tests."""

import re
import uuid
from contextlib import contextmanager
from datetime import timedelta

import responses

from odoo import SUPERUSER_ID, Command, fields
from odoo.tests import TransactionCase, new_test_user
from odoo.tests.common import _super_send

from odoo.addons.social_crm.providers.types import Profile, Token

from .mastodon_stub import HOST, MastodonStub


class StubbedNetwork:
    """Lets ``responses`` answer instead of Odoo's refusal of all outside requests."""

    @classmethod
    def _request_handler(cls, s, r, /, **kw):
        # What is not stubbed is refused by `responses` itself; this machine stays reachable.
        return _super_send(s, r, **kw)

    def start_stub(self):
        """Start a stubbed Mastodon server at https://HOST; return it."""
        stub = MastodonStub()
        mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        mock.start()
        self.addCleanup(mock.stop, allow_assert=False)
        mock.add_passthru('http://127.0.0.1')
        for method in ('GET', 'POST', 'PUT', 'DELETE'):
            mock.add_callback(method, re.compile(f'https://{HOST}/.*'), callback=stub.handle)
        return stub


def make_app(company):
    """Return an app at the stubbed server, as registering there makes it."""
    return company.env['social.crm.app'].create(
        {
            'network': 'mastodon',
            'server': f'https://{HOST}',
            'company_id': company.id,
            'client_id': 'client-1',
            'client_secret': 'secret-1',
            'scopes': 'read write',
        }
    )


def connect(app, user, kind='brand', username='acme', number='77'):
    """Connect an account without the pages of the network, as the callback does it."""
    env = app.env
    state = env['social.crm.oauth.state'].create(
        {
            'state_hash': uuid.uuid4().hex,
            'secret': 'x',
            'network': 'mastodon',
            'app_id': app.id,
            'user_id': user.id,
            'company_id': app.company_id.id,
            'kind': kind,
            'capabilities': 'mentions messages reply',
            'expires_at': fields.Datetime.now() + timedelta(minutes=10),
        }
    )
    token = Token(access_token='token-of-acme', scopes=('read', 'write'))
    profile = Profile(
        external_id=f'https://{HOST}/users/{username}',
        handle=f'{username}@{HOST}',
        name=username.title(),
        url=f'https://{HOST}/@{username}',
        local_id=number,
    )
    return env['social.crm.account']._connect_identity(state, app, token, profile)


def disconnect(account, user, **choices):
    """Disconnect an account as a user does it in the dialog."""
    account = account.with_user(user)
    account.action_disconnect()
    wizard = account.env['social.crm.disconnect'].create({'account_id': account.id, **choices})
    wizard.action_confirm()
    return wizard


class Loops:
    """Runs the loops as the cron does."""

    @contextmanager
    def loop(self, model):
        """Give a model as a loop has it: superuser, and commits that do not leave the test."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            yield self.env(cr=cr, user=SUPERUSER_ID)[model]
        self.env.invalidate_all()

    def make_due(self):
        self.env['social.crm.stream'].search([]).write(
            {
                'next_due': fields.Datetime.now() - timedelta(seconds=1),
                'lease_until': False,
            }
        )
        self.env.flush_all()

    def receive(self):
        """Look for new items once, all pages, and act on them."""
        self.make_due()
        with self.loop('social.crm.stream') as Stream:
            while Stream._receive_due():
                pass
            Stream._act_on_new()
            Stream.env['social.crm.mention']._cron_act()  # what would take longer


class SocialCrmCase(StubbedNetwork, Loops, TransactionCase):
    """A company with users of the three roles, and one brand account on the stubbed server."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.user = new_test_user(
            cls.env, 'sc_user', 'social_crm.social_crm_group_user,sales_team.group_sale_salesman'
        )
        cls.marketing = new_test_user(
            cls.env, 'sc_marketing', 'social_crm.social_crm_group_marketing'
        )
        cls.manager = new_test_user(cls.env, 'sc_manager', 'social_crm.social_crm_group_manager')
        cls.app = cls.make_app(cls.company)
        cls.account = cls.connect(cls.app, cls.manager)
        cls.streams = cls.account.stream_ids

    def setUp(self):
        super().setUp()
        self.stub = self.start_stub()

    # --- building --------------------------------------------------------------------------------

    @classmethod
    def make_app(cls, company):
        return make_app(company)

    @classmethod
    def connect(cls, app, user, **values):
        return connect(app, user, **values)

    @classmethod
    def make_rule(cls, actions=(), **values):
        """Create a rule; ``actions`` are dictionaries of action values, in order."""
        return cls.env['social.crm.rule'].create(
            {
                'name': 'Test rule',
                'company_id': cls.company.id,
                'action_ids': [
                    Command.create({'sequence': index, **action})
                    for index, action in enumerate(actions)
                ],
                **values,
            }
        )

    def mentions(self, **domain):
        return self.env['social.crm.mention'].search(
            [(key, '=', value) for key, value in domain.items()]
        )

    def stream(self, kind='notifications'):
        return self.account.stream_ids.filtered(lambda stream: stream.kind == kind)
