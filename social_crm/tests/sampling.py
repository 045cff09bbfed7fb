"""A company on the sample network, for tests."""

from unittest.mock import patch

from odoo import fields
from odoo.tests import new_test_user

from odoo.addons.social_crm.providers import base

from . import sample_network
from .common import Loops


def make_sample_app(company, secret=sample_network.SECRET):
    return company.env['social.crm.app'].create(
        {
            'network': sample_network.CODE,
            'company_id': company.id,
            'client_id': f'client-of-{company.id}',
            'client_secret': secret,
        }
    )


def connect_page(app, user, page, login_id='person-1'):
    """Connect a page without the pages of the network."""
    env = app.env
    state = env['social.crm.oauth.state'].create(
        {
            'state_hash': f'{page.external_id}-{app.id}',
            'secret': 'x',
            'network': app.network,
            'app_id': app.id,
            'user_id': user.id,
            'company_id': app.company_id.id,
            'kind': 'brand',
            'capabilities': 'mentions reply publish lead_forms',
            'expires_at': fields.Datetime.now(),
        }
    )
    provider = sample_network.Sample
    token = sample_network.Token(f'page-token-{page.external_id}', scopes=sample_network.SCOPES)
    assert provider.code == app.network
    account = env['social.crm.account']._connect_identity(state, app, token, page)
    account.login_id = login_id
    return account


class SampleNetwork(Loops):
    """Mix into a test case of Odoo: the network is registered, with one connected page."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(
            patch.dict(base._ADAPTERS, {sample_network.CODE: sample_network.ADAPTER})
        )
        cls.company = cls.env.company
        cls.manager = new_test_user(
            cls.env, 'sample_manager', 'social_crm.social_crm_group_manager'
        )
        cls.app = make_sample_app(cls.company)
        cls.page = sample_network.page('1001', 'Demo Bakery')
        cls.account = connect_page(cls.app, cls.manager, cls.page)

    def setUp(self):
        super().setUp()
        self.world = sample_network.World(pages=[self.page])
        self.patch(sample_network.Sample, 'world', self.world)

    def mentions(self):
        return self.env['social.crm.mention'].search([('network', '=', sample_network.CODE)])

    def stream(self, kind, account=None):
        streams = (account or self.account).with_context(active_test=False).stream_ids
        return streams.filtered(lambda stream: stream.kind == kind)
