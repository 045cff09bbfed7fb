"""Facebook Pages and Instagram from sign-in to revocation, with their networks in memory."""

import hashlib
import hmac
import io
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from PIL import Image

from odoo import Command, fields
from odoo.tests import Form, HttpCase, new_test_user, tagged

from .common import Loops, StubbedNetwork, disconnect
from .meta_networks import SECRET, start_fake

CALLBACK = '/social_crm/oauth/callback'
INSTAGRAM = '17841400000000001'


class MetaCase(StubbedNetwork, Loops, HttpCase):
    """An administrator who connects pages, and answers and posts in their name."""

    network = ''

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['ir.config_parameter'].set_param('web.base.url', 'https://odoo.example')
        cls.manager = new_test_user(
            cls.env,
            'sc_manager',
            'social_crm.social_crm_group_manager,sales_team.group_sale_salesman_all_leads,'
            'helpdesk_mgmt.group_helpdesk_user',
        )
        cls.app = cls.env['social.crm.app'].create(
            {
                'network': cls.network,
                'client_id': 'app-1',
                'client_secret': SECRET,
                'redirect_uri': 'https://odoo.example/cb',
            }
        )

    def connect(self):
        """Sign in at the network; return the account that came of it."""
        self.authenticate('sc_manager', 'sc_manager')
        wizard = (
            self.env['social.crm.connect']
            .with_user(self.manager)
            .create({'network': self.network, 'kind': 'brand'})
        )
        query = parse_qs(urlsplit(wizard.action_connect()['url']).query)
        back = urlencode({'state': query['state'][0], 'code': 'code-1b2c'})
        response = self.url_open(f'{CALLBACK}?{back}', allow_redirects=False)
        self.assertEqual(response.status_code, 303, response.text)
        return self.env['social.crm.account'].search([('network', '=', self.network)])

    def mentions(self, **values):
        domain = [('network', '=', self.network)] + [(k, '=', v) for k, v in values.items()]
        return self.env['social.crm.mention'].search(domain)

    def deliver(self, model):
        self.env.flush_all()
        with self.loop(model) as Model:
            Model._deliver_due()

    def answer(self, mention, text):
        action = mention.with_user(self.manager).action_answer()
        form = Form(
            self.env['social.crm.compose'].with_user(self.manager).with_context(**action['context'])
        )
        form.text = text
        wizard = form.save()
        wizard.action_send()
        self.deliver('social.crm.engagement')
        sent = self.env['social.crm.engagement'].browse(wizard.sent_id.id)
        self.assertEqual(sent.delivery_state, 'sent', sent.failure_reason)

    def post(self, account, **values):
        post = (
            self.env['social.crm.post']
            .with_user(self.manager)
            .create({'text': 'New bread', 'account_ids': account.ids, **values})
        )
        post.action_submit()
        self.deliver('social.crm.publication')
        return post.publication_ids

    def push(self, body):
        """Push as the network does: signed with the client's secret."""
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        self.env.flush_all()
        return self.url_open(
            f'/social_crm/webhook/{self.network}',
            body,
            headers={
                'Content-Type': 'application/json',
                'X-Hub-Signature-256': f'sha256={signature}',
            },
        )


@tagged('post_install', '-at_install')
class TestFacebook(MetaCase):
    network = 'facebook'

    def setUp(self):
        super().setUp()
        self.fake = start_fake(self, 'fake_facebook:FakeFacebook')

    def test_from_sign_in_to_revocation(self):
        account = self.connect()
        self.assertRecordValues(
            account, [{'handle': 'demobakery', 'external_id': '1001', 'login_id': '218471'}]
        )
        self.assertFalse(account.missing_capabilities)
        self.assertEqual(
            set(account.stream_ids.mapped('kind')),
            {'comments', 'mentions', 'messages', 'lead_forms'},
        )
        self.fake.put('comments', 'Do you ship?', minutes_ago=9)
        self.fake.put('messages', 'Are you open?', minutes_ago=8)
        self.receive()
        self.assertFalse(account.last_error)
        self.assertEqual(
            {(one.kind, one.author_id.name) for one in self.mentions()},
            {('comment', 'Jana Novak'), ('message', 'Jana Novak')},
        )
        self.answer(self.mentions(kind='comment'), 'Yes, we do')
        self.answer(self.mentions(kind='message'), 'Yes')
        row = self.post(account, first_comment='Order here')
        self.assertEqual(row.mapped('delivery_state'), ['sent', 'sent'])
        self.assertEqual(self.fake.sent, ['Yes, we do', 'Yes', 'New bread', 'Order here'])
        before = self.mentions()
        self.receive()  # own answers come back, and are no mentions
        self.assertEqual(self.mentions(), before)
        disconnect(account, self.manager)
        with self.loop('social.crm.revocation') as Revocation:
            Revocation._cron_revoke()
        self.assertEqual((account.revocation, self.fake.tokens), ('done', {}))

    def test_what_is_filled_in_becomes_a_lead_with_its_consent(self):
        account = self.connect()
        with self.loop('social.crm.account') as Account:
            Account._cron_setup()
        self.assertIn('leadgen', self.fake.nodes['1001']['subscribed'])
        number = self.fake.put('lead_forms', 'large', minutes_ago=7)
        self.receive()
        self.assertFalse(account.last_error)
        lead = self.mentions(external_id=number).lead_id
        self.assertEqual(lead.contact_name, 'Jana Novak')
        self.assertTrue(lead.email_from.endswith('@example.org'))
        self.assertIn('Send me news', lead.social_consents)
        self.assertEqual(lead.campaign_id.name, 'Autumn')

    def test_what_is_pushed_and_polled_comes_once(self):
        account = self.connect()
        number = self.fake.put('comments', 'Open on Sunday?', minutes_ago=5)
        value = {
            'item': 'comment',
            'verb': 'add',
            'from': {'id': '7700', 'name': 'Jana Novak'},
            'post_id': '1001_2002',
            'parent_id': '1001_2002',
            'message': 'Open on Sunday?',
            'comment_id': number,
            'created_time': 1793610000,
        }
        entry = {'id': '1001', 'time': 1, 'changes': [{'field': 'feed', 'value': value}]}
        body = json.dumps({'object': 'page', 'entry': [entry]}).encode()
        self.assertEqual(self.push(body).status_code, 200)
        self.assertEqual(self.mentions().text, 'Open on Sunday?')
        self.receive()
        self.assertEqual(len(self.mentions()), 1)
        self.assertFalse(account.last_error)

    def test_what_was_not_granted_is_not_asked_for(self):
        self.fake.granted.remove('leads_retrieval')
        account = self.connect()
        self.assertTrue(account.missing_capabilities)
        self.assertNotIn('lead_forms', account.stream_ids.mapped('kind'))


@tagged('post_install', '-at_install')
class TestInstagram(MetaCase):
    network = 'instagram'

    def picture(self):
        content = io.BytesIO()
        Image.new('RGB', (40, 30), 'teal').save(content, 'JPEG')
        return (
            self.env['ir.attachment']
            .with_user(self.manager)
            .create(
                {
                    'name': 'bread.jpg',
                    'raw': content.getvalue(),
                    'mimetype': 'image/jpeg',
                    'res_model': 'social.crm.post',
                }
            )
        )

    def check_route(self, route):
        self.fake = start_fake(self, 'fake_instagram:FakeInstagram', route=route)
        account = self.connect()
        self.assertRecordValues(account, [{'handle': 'demo_bakery', 'external_id': INSTAGRAM}])
        self.assertFalse(account.missing_capabilities)
        self.fake.put('comments', 'Do you ship?', minutes_ago=9)
        self.fake.put('messages', 'Are you open?', minutes_ago=8)
        self.receive()
        self.assertFalse(account.last_error)
        self.assertEqual(set(self.mentions().mapped('kind')), {'comment', 'message'})
        self.answer(self.mentions(kind='comment'), 'Yes, we do')
        self.answer(self.mentions(kind='message'), 'Yes')
        file = self.picture()
        row = self.post(account, attachment_ids=[Command.set(file.ids)])
        self.assertEqual(row.delivery_state, 'sent', row.failure_reason)
        (container,) = self.fake.of_kind('ShadowIGMediaBuilder')
        self.assertIn(
            f'https://odoo.example/web/content/{file.id}/', container['asked']['image_url']
        )
        self.assertEqual(self.fake.sent, ['Yes, we do', 'Yes', 'New bread'])

    def test_by_its_own_login(self):
        self.check_route('instagram')

    def test_a_login_of_sixty_days_is_renewed_days_ahead(self):
        self.fake = start_fake(self, 'fake_instagram:FakeInstagram')
        account = self.connect()
        credential = self.env['social.crm.credential'].search([('account_id', '=', account.id)])
        for days, token in ((8, 'long-token-1'), (6, 'long-token-2')):
            credential.expires_at = fields.Datetime.now() + timedelta(days=days)
            self.env.flush_all()
            with self.loop('social.crm.account') as Account:
                Account._cron_refresh()
            self.assertEqual(credential._token().access_token, token)
        self.assertGreater(credential.expires_at, fields.Datetime.now() + timedelta(days=59))

    def test_by_facebooks_login(self):
        self.app.metadata = {'login': 'facebook'}
        self.check_route('facebook')
        self.check_mentions_elsewhere()

    def push_mention(self, **value):
        entry = {'id': INSTAGRAM, 'time': 1, 'changes': [{'field': 'mentions', 'value': value}]}
        body = json.dumps({'object': 'instagram', 'entry': [entry]}).encode()
        self.assertEqual(self.push(body).status_code, 200)
        calls = len(self.fake.calls)
        with self.loop('social.crm.parked.item') as Item:
            Item._cron_complete()
        return len(self.fake.calls) - calls

    def check_mentions_elsewhere(self):
        """What a push only names is fetched by the loop; what is not shown is told of."""
        post = self.fake.put_elsewhere('Best bread: @demo_bakery')
        for _twice in range(2):
            self.push_mention(media_id=post)
        mention = self.mentions(external_id=post)
        self.assertEqual(mention.text, 'Best bread: @demo_bakery')
        self.assertEqual(mention.author_id.handle, 'jana.n')
        self.assertEqual(self.push_mention(media_id='404404'), 1, 'asked for once')
        gone = self.env['social.crm.parked.item'].search([('external_id', '=', '404404')])
        self.assertEqual((gone.state, gone.item_due), ('parked', False))
        gone.with_user(self.manager).action_replay()
        self.assertEqual(gone.state, 'named')


@tagged('post_install', '-at_install')
class TestThreads(MetaCase):
    network = 'threads'

    def test_from_sign_in_to_disconnection(self):
        self.fake = start_fake(self, 'fake_threads:FakeThreads')
        account = self.connect()
        self.assertRecordValues(
            account, [{'handle': 'demo_bakery', 'external_id': '17840000000000001'}]
        )
        self.assertFalse(account.missing_capabilities)
        reply = self.fake.put('replies', 'Any rye left?', minutes_ago=9)
        self.fake.put('mentions', 'best rye in town', minutes_ago=8)
        self.receive()
        self.assertFalse(account.last_error)
        self.assertEqual(
            {(one.kind, one.text, one.author_id.handle) for one in self.mentions()},
            {
                ('reply', 'Any rye left?', 'jana.n'),
                ('mention', '@demo_bakery best rye in town', 'jana.n'),
            },
        )
        self.answer(self.mentions(external_id=reply), 'Yes, come by')
        (answer,) = [post for post in self.fake.posts if post.get('published')]
        self.assertEqual((answer['text'], answer['replied_to']['id']), ('Yes, come by', reply))
        self.assertEqual(self.post(account).mapped('delivery_state'), ['sent'])
        self.assertEqual(self.fake.sent, ['Yes, come by', 'New bread'])
        before = self.mentions()
        self.receive()  # own answers come back, and are no mentions
        self.assertEqual(self.mentions(), before)
        disconnect(account, self.manager)
        self.assertFalse(
            self.env['social.crm.credential'].search([('account_id', '=', account.id)])
        )
