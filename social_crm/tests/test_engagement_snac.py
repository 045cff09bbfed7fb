"""Answers against a real fediverse server, snac: what stands there, and what stands here."""

import time
import unittest

from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tests.common import _super_send

from odoo.addons.social_crm.providers.types import Token

from .common import Loops

try:
    from tools import servers
except ImportError:  # run by Odoo itself, outside of the repository
    servers = None


@unittest.skipUnless(servers, 'needs the tools of the repository')
@tagged('post_install', '-at_install')
class TestEngagementSnac(Loops, TransactionCase):
    """A customer and the brand on one server; the brand is connected to Odoo."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        running = servers.snac()
        cls.server = running.__enter__()
        cls.addClassCleanup(running.__exit__, None, None, None)
        cls.agent = new_test_user(
            cls.env, 'sc_agent', 'social_crm.social_crm_group_user', name='Ann Agent'
        )
        cls.account = cls._connect('brand')

    @classmethod
    def _request_handler(cls, s, r, /, **kw):
        return _super_send(s, r, **kw)

    @classmethod
    def _connect(cls, login):
        """Connect as the callback does, with a login that the server gave."""
        App = cls.env['social.crm.app']
        scopes = App._adapter_class('mastodon').scopes_for(['mentions', 'messages', 'reply'])
        app = App._for_server('mastodon', cls.server.url, cls.env.company, scopes)
        token = Token(access_token=cls.server.token(login), scopes=('read', 'write'))
        state = cls.env['social.crm.oauth.state'].create(
            {
                'state_hash': f'snac-{login}',
                'secret': 'x',
                'network': 'mastodon',
                'app_id': app.id,
                'user_id': cls.env.uid,
                'company_id': cls.env.company.id,
                'kind': 'brand',
                'capabilities': 'mentions messages reply',
                'expires_at': '2099-01-01',
            }
        )
        provider = type(app._provider())(app._http(), app._as_app(), token)
        return cls.env['social.crm.account']._connect_identity(state, app, token, provider.whoami())

    def receive(self):
        """Receive, and fetch the conversations around what came in."""
        received = super().receive()
        with self.loop('social.crm.mention') as Mention:
            Mention._fetch_contexts()
        return received

    # --- steps ------------------------------------------------------------------------------------

    def ask(self, text, **values):
        """The customer writes to the brand; return the mention as the agent sees it."""
        note = self.server.note('customer', f'@brand {text}', **values)
        Mention = self.env['social.crm.mention'].with_user(self.agent)
        for _try in range(40):  # the server hands it over by a queue
            self.receive()
            mention = Mention.search([('external_id', '=', note['uri'])])
            if mention:
                return mention
            time.sleep(0.25)
        raise AssertionError(f'no mention of {note["uri"]} came in')

    def answer(self, mention, text):
        action = mention.action_answer()
        form = Form(
            self.env['social.crm.compose'].with_user(self.agent).with_context(**action['context'])
        )
        form.text = text
        wizard = form.save()
        wizard.action_send()
        self.env.flush_all()
        with self.loop('social.crm.engagement') as Engagement:
            Engagement._deliver_due()
        return self.env['social.crm.engagement'].browse(wizard.sent_id.id)

    def below(self, mention):
        """Return the addresses of what stands below a mention, as the customer sees it."""
        path, token = f'/api/v1/statuses/{mention.local_id}/context', self.server.token('customer')
        for _try in range(40):  # the server hands it over by a queue
            found = self.server.call('GET', path, token=token)['descendants']
            if found:
                break
            time.sleep(0.25)
        return [status['uri'] for status in found]

    def status(self, engagement):
        """Return what stands on the server, as the customer reads it."""
        path = f'/api/v1/statuses/{engagement.local_id}'
        return self.server.call('GET', path, token=self.server.token('customer'))

    # --- tests ------------------------------------------------------------------------------------

    def test_an_answer_stands_threaded_on_both_sides(self):
        mention = self.ask('do you ship to Graz?')
        engagement = self.answer(mention, 'Yes, by tomorrow!')
        self.assertEqual(engagement.delivery_state, 'sent', engagement.failure_reason)
        status = self.status(engagement)
        self.assertEqual(status['in_reply_to_id'], mention.local_id)
        self.assertIn('Yes, by tomorrow!', status['content'])
        self.assertEqual(status['visibility'], 'public')
        self.assertEqual((mention.state, mention.answered_by), ('done', self.agent))
        self.assertIn(engagement.external_id, self.below(mention))

        again = self.ask('and to Linz?', in_reply_to_id=engagement.local_id)
        entries = self.env['social.crm.conversation'].with_user(self.agent)._of_mention(again)
        self.assertEqual(
            [(entry.own, entry.depth) for entry in entries], [(False, 0), (True, 1), (False, 2)]
        )
        self.assertTrue(again.has_context)
        same = self.env['social.crm.engagement'].search(
            [('external_id', '=', engagement.external_id)]
        )
        self.assertEqual(same, engagement)  # not taken for one given in the network's own app

    def test_a_direct_message_stays_private(self):
        mention = self.ask('this is my order number: 4711', visibility='direct')
        self.assertEqual(mention.kind, 'message')
        engagement = self.answer(mention, 'Thank you, we have it')
        self.assertEqual(engagement.delivery_state, 'sent', engagement.failure_reason)
        status = self.status(engagement)
        self.assertEqual(status['in_reply_to_id'], mention.local_id)
        self.assertIn(status['visibility'], ('direct', 'private'))  # snac has one word for both
        self.assertIn('customer', status['content'])
        self.assertEqual(mention.state, 'done')

    def test_an_answer_in_the_native_app_is_recognised(self):
        mention = self.ask('are you open today?')
        note = self.server.note('brand', '@customer until six', in_reply_to_id=mention.local_id)
        for _try in range(20):
            self.receive()
            if mention.answered_at:
                break
            time.sleep(0.25)
        native = self.env['social.crm.engagement'].search([('external_id', '=', note['uri'])])
        self.assertEqual((native.origin, native.mention_id), ('native', mention))
        self.assertEqual((mention.state, mention.answered_by.id), ('done', False))
