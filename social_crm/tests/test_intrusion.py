"""What somebody can do who knows ids and may send any call: every model, every public method."""

import inspect
import re
from contextlib import suppress

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from ..providers.types import Unreadable
from .common import SocialCrmCase

WORD = 'xyzzyplugh'
SECRET = re.compile(r'secret|token|password|verifier')
#: The word by which a network proves that it knows us: shown to administrators, to be copied.
SHOWN = {('social.crm.app', 'verify_token')}
#: Of no company: templates hold no data.
SHARED = {'social.crm.rule.template'}
#: They hand out nothing that is not read again with the user's own rights.
OPENERS = re.compile(r'action_(view_|open|use$|erase$|connect$)|get_screen_pop')


def ours(model):
    """Return the public methods that this module gives a model: name -> function."""
    found = {}
    for owner in type(model).mro():
        if not owner.__module__.startswith('odoo.addons.social_crm'):
            continue
        for name, function in vars(owner).items():
            if inspect.isfunction(function) and not name.startswith('_'):
                found.setdefault(name, function)
    return found


@tagged('post_install', '-at_install')
class TestIntrusion(SocialCrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        agent = 'social_crm.social_crm_group_user,sales_team.group_sale_salesman_all_leads'
        cls.colleague = new_test_user(
            cls.env, 'sc_colleague', f'{agent},helpdesk_mgmt.group_helpdesk_user_own'
        )
        cls.employee = new_test_user(cls.env, 'sc_employee', 'base.group_user')
        cls.portal = new_test_user(cls.env, 'sc_portal', 'base.group_portal')
        cls.second = cls.env['res.company'].create({'name': 'Second'})
        cls.stranger = new_test_user(
            cls.env,
            'sc_stranger',
            'social_crm.social_crm_group_manager,sales_team.group_sale_manager,'
            'helpdesk_mgmt.group_helpdesk_manager',
            company_id=cls.second.id,
            company_ids=[Command.set(cls.second.ids)],
        )
        cls.own = cls.connect(cls.app, cls.user, kind='personal', username='me', number='79')

    def setUp(self):
        super().setUp()
        self.rule = self.make_rule(keywords=WORD, actions=[{'kind': 'lead'}, {'kind': 'ticket'}])
        self.account.stream_ids.active = False
        ada = self.stub.account('ada', display_name='Ada Lovelace')
        self.stub.mention(f'{WORD} between us', ada, visibility='direct')
        self.receive()
        self.mention = self.mentions(account_id=self.own.id)
        self.ada = self.mention.author_id
        self.answer = self.env['social.crm.engagement'].create(
            {
                'kind': 'message',
                'account_id': self.own.id,
                'mention_id': self.mention.id,
                'profile_id': self.ada.id,
                'user_id': self.user.id,
                'text': f'{WORD} to you too',
                'delivery_state': 'failed',
            }
        )
        self.post = self.env['social.crm.post'].create(
            {
                'text': f'{WORD} draft',
                'account_ids': self.own.ids,
                'user_id': self.user.id,
                'schedule': 'later',
                'scheduled_date': '2099-01-01',
                'scheduled_time': 9.0,
            }
        )
        self.series = self.env['social.crm.post.series'].create({'origin_id': self.post.id})
        Parked = self.env['social.crm.parked.item']
        Parked._park(self.own.stream_ids[:1], Unreadable({'text': WORD}, 'odd', 'x'))
        self.parked = Parked.search([('account_id', '=', self.own.id)])

    # --- walks over all models -------------------------------------------------------------------

    def models(self):
        return [
            self.env[name]
            for name in sorted(self.env)
            if name.startswith('social.crm.') and not self.env[name]._abstract
        ]

    def test_no_role_reads_searches_groups_or_exports_a_secret(self):
        self.manager.group_ids = [Command.link(self.env.ref('base.group_allow_export').id)]
        found = 0
        for model in self.models():
            for name, field in model._fields.items():
                if not (SECRET.search(name) and field.store and field.type in ('char', 'text')):
                    continue
                if (model._name, name) in SHOWN:
                    continue
                found += 1
                for user in (self.manager, self.env.ref('base.user_admin')):
                    with self.subTest(f'{user.login} {model._name}.{name}'):
                        self.check_unreadable(model.with_user(user), name)
        self.assertGreater(found, 4)
        with self.assertRaises(AccessError):
            self.env['social.crm.account'].with_user(self.manager).search(
                [('app_id.secret', '=like', 'g%')]
            )

    def check_unreadable(self, model, name):
        calls = [
            lambda: model.search([(name, '=like', 'g%')]),
            lambda: model.formatted_read_group([], [name]),
            lambda: model.search([], order=f'{name} desc'),
        ]
        record = model.sudo().search([], limit=1).sudo(False)
        if record:
            calls += [lambda: record.read([name]), lambda: record.export_data([name])]
        for call in calls:
            with self.assertRaises(AccessError):
                call()

    def test_every_model_keeps_companies_and_dialogs_apart(self):
        for model in self.models():
            readers = self.env['ir.model.access'].search(
                [('model_id.model', '=', model._name), ('perm_read', '=', True)]
            )
            if not readers or model._name in SHARED:
                continue
            rules = self.env['ir.rule'].search(
                [('model_id.model', '=', model._name), ('groups', '=', False)]
            )
            with self.subTest(model._name):
                own = "('create_uid', '=', user.id)" if model._transient else 'company_id'
                self.assertIn(own, ' '.join(rules.mapped('domain_force')))
                self.assertFalse(
                    readers.filtered(lambda access: not access.group_id), 'rights for everybody'
                )

    def test_no_public_method_serves_somebody_else(self):
        private = (self.own, self.mention, self.answer, self.post, self.parked)
        records = [(record, (self.colleague, self.manager)) for record in private]
        others = (self.post.publication_ids, self.series)
        records += [(record, (self.colleague, self.manager)) for record in others]
        records += [
            (record, ())
            for record in (self.app, self.account, self.ada, self.rule, self.rule.action_ids)
        ]
        calls = 0
        for record, insiders in records:
            for name, function in ours(record).items():
                needed = [
                    one
                    for one in list(inspect.signature(function).parameters.values())[1:]
                    if one.default is one.empty and one.kind != one.VAR_KEYWORD
                ]
                if needed or getattr(function, '_api_model', False) or OPENERS.match(name):
                    continue
                for user in (*insiders, self.stranger, self.employee, self.portal):
                    calls += 1
                    with self.subTest(f'{user.login} {record._name}.{name}'):
                        mine = self.env[record._name].with_user(user)
                        with self.assertRaises(AccessError), self.env.cr.savepoint():
                            call_kw(mine, name, [record.ids], {})
        self.assertGreater(calls, 200)

    # --- what is private -------------------------------------------------------------------------

    def told_to(self, user):
        """Return all that the database would show a user of texts with the word."""
        shown = []
        for model in (
            'mail.message',
            'mail.activity',
            'crm.lead',
            'helpdesk.ticket',
            'social.crm.mention',
            'social.crm.engagement',
            'social.crm.post',
            'social.crm.publication',
            'social.crm.post.series',
            'social.crm.parked.item',
            'link.tracker',
        ):
            Model = self.env[model].with_user(user)
            if not Model.has_access('read'):
                continue
            fields_read = [
                name
                for name, field in Model._fields.items()
                if field.type in ('char', 'text', 'html', 'many2one', 'json')
                and Model._has_field_access(field, 'read')
            ]
            for row in Model.search([]).read(fields_read):
                shown += [
                    (model, name, value)
                    for name, value in row.items()
                    if WORD in str(value).lower() and name != 'social_explanation'
                ]
        return shown

    def test_private_words_stay_with_the_owner(self):
        self.ada.partner_id = self.env['res.partner'].create({'name': 'Ada Lovelace'})
        self.assertEqual(self.mention.act_state, 'done')
        self.assertFalse(self.mention.lead_id or self.mention.ticket_id)
        self.assertTrue(self.mention.no_lead_reason)
        self.answer._log_answer()
        self.assertTrue(self.told_to(self.user))
        for user in (self.colleague, self.marketing, self.manager):
            self.assertEqual(self.told_to(user), [], user.login)
        # Their owner may share one by hand.
        self.mention.with_user(self.user).action_create_lead()
        self.assertTrue(self.mention.lead_id)

    def test_names_of_records_that_point_to_it(self):
        mine = self.env['social.crm.compose'].with_user(self.colleague)
        for name, record in (('mention_id', self.mention), ('engagement_id', self.answer)):
            with self.subTest(name), suppress(AccessError):
                self.assertNotIn(WORD, str(mine.create({name: record.id}).read([name])))
            self.assertIn(WORD, record.with_user(self.user).display_name)
            self.assertNotIn(WORD, record.with_user(self.colleague).sudo().display_name)
        lead = self.env['crm.lead'].with_user(self.colleague).create({'name': 'Bait'})
        for values in ({'social_mention_id': self.mention.id}, {'social_mention_id': 0 or 1 << 30}):
            with self.assertRaises(Exception) as caught:
                lead.write(values)
            self.assertNotIn(WORD, str(caught.exception))
        with self.assertRaises(AccessError):
            lead.create({'name': 'Bait', 'social_mention_id': self.mention.id})
        self.assertNotIn(WORD, str(lead.read()))

    def test_a_mention_is_put_on_no_lead_or_ticket_of_others(self):
        """What is said there would be logged, and shown, on them."""
        mention = self.mention.copy(
            {'external_id': 'x', 'account_id': self.account.id, 'owner_id': False}
        )
        values = {'name': 'Theirs', 'user_id': self.manager.id}
        lead = self.env['crm.lead'].create(values)
        ticket = self.env['helpdesk.ticket'].create({**values, 'description': 'x'})
        for name, record, user in (
            ('lead_id', lead, self.user),
            ('ticket_id', ticket, self.colleague),
        ):
            mine = mention.with_user(user)
            with self.subTest(name), self.assertRaises(AccessError):
                mine.write({name: record.id})
            record.user_id = user
            mine.write({name: record.id})
            self.assertEqual(mention[name], record)

    def test_words_of_a_lead_that_is_not_mine_are_not_counted(self):
        lead = self.env['crm.lead'].create(
            {'name': 'Theirs', 'social_mention_id': self.mention.id, 'user_id': self.user.id}
        )
        self.mention.lead_id = lead
        Wizard = self.env['social.crm.not.lead'].with_user(self.colleague)
        wizard = Wizard.create({'lead_id': lead.id, 'words': WORD})
        self.assertNotIn(WORD, str(wizard.read(['text', 'mention_id', 'term_ids'])))
        self.assertEqual((wizard.hits_lost, wizard.read_count), (0, 0))
        other = self.env['crm.lead'].with_user(self.colleague).create({'name': 'Mine'})
        wizard = Wizard.create({'lead_id': other.id, 'rule_id': self.rule.id, 'words': 'all'})
        with self.assertRaises(AccessError):
            wizard.action_apply()
        self.assertFalse(self.rule.excluded)

    def test_answers_of_a_personal_account_are_counted_for_its_owner(self):
        self.answer.delivery_state = 'sent'
        self.assertEqual(self.rule.with_user(self.user).answer_count, 1)
        for user in (self.colleague, self.manager):
            self.assertEqual(self.rule.with_user(user).answer_count, 0, user.login)

    def test_links_in_private_messages_are_not_tracked(self):
        """Every employee may read tracked links, and who they were for."""
        values = {'text': f'https://{WORD}.example/offer', 'kind': 'message'}
        values |= {'profile_id': self.ada.id, 'delivery_state': 'failed'}
        own, brand = self.env['social.crm.engagement'].create(
            [{**values, 'account_id': account.id} for account in (self.own, self.account)]
        )
        (own | brand)._track_links()
        self.assertFalse(own.tracked_links)
        self.assertTrue(brand.tracked_links)
        self.assertFalse(self.env['link.tracker'].search([('social_engagement_id', '=', own.id)]))

    # --- what strangers write ------------------------------------------------------------------

    def test_addresses_from_a_network_run_no_script(self):
        bad = 'JavaScript:alert(1)//https://x'
        eve = self.stub.account(
            'eve', url=bad, fields=[{'name': 'Site', 'value': f'<a href="{bad}">{bad}</a>'}]
        )
        self.stub.mention('look', eve, url=bad)
        self.receive()
        mention = self.mentions(text='look')
        for place in range(2):  # as it comes in, and as it was stored before that was looked at
            record, author = mention.with_user(self.user), mention.author_id.with_user(self.user)
            with self.subTest(stored_before=bool(place)):
                with self.assertRaises(UserError):
                    record.action_open_url()
                html = author.card, author.get_screen_pop(), record.conversation, record._as_note()
                self.assertIn('Eve', str(html))
                self.assertNotRegex(str(html), 'href=["\']?(?i:javascript)')
            if not place:
                self.assertFalse(mention.url or author.url or author.links)
                mention.url = author.sudo().url = bad
                author.sudo().links = [{'name': 'Site', 'url': bad, 'verified': True}]
                self.env.invalidate_all()

    def test_names_do_not_turn_what_stands_behind_them(self):
        eve = self.stub.account('eve', display_name='Eve \u202egpj\u2066.exe\n\x00 of Acme')
        self.stub.mention('look', eve)
        self.receive()
        mention = self.mentions(text='look')
        self.assertEqual(mention.author_id.name, 'Eve gpj.exe of Acme')
        self.assertEqual(mention.display_name, 'Eve gpj.exe of Acme: look')

    # --- logins go where they belong -------------------------------------------------------------

    def test_an_account_is_not_turned_over(self):
        evil = self.env['social.crm.app'].create(
            {'network': 'mastodon', 'server': 'https://evil.example', 'client_id': 'x'}
        )
        for user in (self.colleague, self.manager):
            for values in (
                {'app_id': evil.id},
                {'kind': 'personal', 'user_id': user.id},
                {'state': 'connected'},
                {'external_id': 'x'},
                {'company_id': self.second.id},
            ):
                with self.subTest(f'{user.login} {values}'), self.assertRaises(AccessError):
                    self.account.with_user(user).write(values)
        with self.assertRaises(AccessError):
            self.account.with_user(self.colleague).poll_interval = 5
        with self.assertRaises(AccessError):
            self.own.with_user(self.user).user_id = self.colleague
        self.account.with_user(self.manager).poll_interval = 90
        self.own.with_user(self.user).poll_interval = 90
        with self.assertRaises(AccessError):
            self.account.create({'network': 'mastodon'}).with_user(self.manager).copy()
        app = self.app.with_user(self.manager)
        for values in (
            {'server': 'https://evil.example'},
            {'metadata': {'endpoints': {'token': 'https://evil.example'}}},
            {'company_id': self.second.id},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                app.write(values)
        self.app.metadata = {'token_endpoint': 'https://good.example'}
        app.settings = 'token_endpoint = https://evil.example'
        self.assertEqual(self.app._as_app().metadata['token_endpoint'], 'https://good.example')

    def test_a_connection_takes_over_nothing(self):
        evil = self.env['social.crm.app'].create(
            {'network': 'mastodon', 'server': 'https://evil.example', 'client_id': 'x'}
        )
        for app, user, kind in (
            (self.app, self.colleague, 'personal'),
            (evil, self.colleague, 'personal'),
            (evil, self.manager, 'brand'),
        ):
            with self.subTest(f'{app.server} {user.login}'), self.assertRaises(UserError):
                self.connect(app, user, kind=kind)  # says that it is @acme of the stub
        self.assertEqual((self.account.app_id, self.account.kind), (self.app, 'brand'))
        self.connect(self.app, self.manager, kind='personal')
        self.assertEqual(self.account.kind, 'brand')

    # --- publishing ------------------------------------------------------------------------------

    def test_nobody_publishes_in_another_name_or_past_the_approval(self):
        self.company.social_crm_post_approval = True
        mine = self.connect(self.app, self.marketing, kind='personal', username='ma', number='81')
        Post = self.env['social.crm.post'].with_user(self.marketing)
        with self.assertRaises(AccessError):
            Post.create({'text': 'As you', 'account_ids': (mine | self.own).ids})
        with self.assertRaises(AccessError):
            Post.with_context(default_step='approved').create({'text': 'By a default'})
        post = Post.create({'text': 'Mine', 'account_ids': mine.ids})
        for account in (self.own, self.account):
            with self.assertRaises(AccessError):
                post.publication_ids.write({'account_id': account.id})
        with self.assertRaises(AccessError):
            post.account_ids = mine | self.own
        # A copy on a brand account, put beside the accounts of the post.
        empty = Post.create({'text': 'None'})
        rows = self.env['social.crm.publication'].with_user(self.marketing)
        rows.create({'post_id': empty.id, 'account_id': self.account.id})
        empty.action_submit()
        self.assertEqual(empty.step, 'waiting')
        post.write({'schedule': 'later', 'scheduled_date': '2099-01-01', 'scheduled_time': 9.0})
        post.action_submit()
        rows.create({'post_id': post.id, 'account_id': self.account.id})
        post.scheduled_time = 10.0
        self.assertEqual(post.publication_ids.account_id, mine)
        # What was approved is what goes out.
        brand = Post.create(
            {
                'text': 'Approved',
                'account_ids': self.account.ids,
                'schedule': 'later',
                'scheduled_date': '2099-01-01',
                'scheduled_time': 9.0,
            }
        )
        brand.action_submit()
        brand.with_user(self.manager).action_approve()
        brand.with_context(social_crm_own_write=True).text = 'Something else'
        self.assertEqual(brand.step, 'waiting')
        brand.action_cancel()
        brand.publication_ids.text = 'Something else'
        with self.assertRaises(UserError):
            brand.publication_ids.action_retry()

    def test_defaults_of_a_request_send_nothing(self):
        self.company.social_crm_post_approval = True
        forged = {
            'default_due_at': '2020-01-01 00:00:00',
            'default_delivery_state': 'sent',
            'default_next_try': '2020-01-01 00:00:00',
            'default_external_id': 'x',
            'default_url': 'javascript:alert(1)',
            'default_released': True,
        }
        post = (
            self.env['social.crm.post']
            .with_user(self.marketing)
            .with_context(**forged)
            .create({'text': 'Draft', 'account_ids': self.account.ids})
        )
        own = self.connect(self.app, self.marketing, kind='personal', username='ma', number='81')
        post.with_context(**forged).account_ids = own
        row = post.publication_ids
        self.assertEqual(row.account_id, own)
        self.assertEqual((row.due_at, row.delivery_state, row.released), (False, 'queued', False))
        self.assertFalse(row.url or row.external_id)
        self.env['social.crm.rule'].search([]).unlink()
        self.account.with_context(active_test=False).stream_ids.active = True
        self.stub.mention('hello')
        self.receive()
        hello = self.mentions(text='hello', account_id=self.account.id)
        wizard = (
            self.env['social.crm.compose']
            .with_user(self.marketing)
            .with_context(**forged)
            .create({'mention_id': hello.id, 'text': 'Hello back'})
        )
        wizard.action_send()
        answer = wizard.sent_id
        self.assertEqual(answer.delivery_state, 'queued')
        self.assertFalse(answer.url or answer.external_id or answer.next_try)

    def test_files_of_others_are_not_taken(self):
        public = self.env['ir.attachment'].create({'name': 'logo.png', 'raw': b'x', 'public': True})
        post = (
            self.env['social.crm.post']
            .with_user(self.marketing)
            .create({'text': 'x', 'attachment_ids': public.ids})
        )
        self.assertFalse(public.res_id)
        post.unlink()
        self.assertTrue(public.exists())

    # --- rules and companies ---------------------------------------------------------------------

    def test_a_rule_runs_no_code_of_others(self):
        Server = self.env['ir.actions.server']
        model = self.env['ir.model']._get_id
        foreign = Server.create({'name': 'F', 'model_id': model('res.users'), 'state': 'code'})
        guarded = Server.create(
            {
                'name': 'G',
                'model_id': model('social.crm.mention'),
                'state': 'code',
                'group_ids': [Command.set(self.env.ref('base.group_system').ids)],
            }
        )
        fine = Server.create(
            {'name': 'O', 'model_id': model('social.crm.mention'), 'state': 'code'}
        )
        rule = self.rule.with_user(self.marketing)
        for action in (foreign, guarded):
            with self.subTest(action.name), self.assertRaises(UserError):
                rule.action_ids = [
                    Command.create({'kind': 'server', 'server_action_id': action.id})
                ]
        rule.action_ids = [Command.create({'kind': 'server', 'server_action_id': fine.id})]
        with self.assertRaises(AccessError):
            rule.account_ids = self.own
        with self.assertRaises(AccessError):
            self.ada.with_user(self.marketing).copy({'external_id': 'https://x/users/ceo'})

    def test_nothing_is_moved_to_another_company(self):
        self.env['social.crm.retention']._ensure_rows(self.company)
        cost = self.env['social.crm.campaign.cost'].create(
            {
                'campaign_id': self.env['utm.campaign'].create({'title': 'C'}).id,
                'name': 'Ads',
                'amount': 1,
            }
        )
        post = self.env['social.crm.post'].create({'text': 'x'})
        rows = self.env['social.crm.retention'].search([('company_id', '=', self.company.id)])
        for record in (self.rule, post, cost, rows[0]):
            with self.subTest(record._name), self.assertRaises(AccessError):
                record.with_user(self.manager).write({'company_id': self.second.id})

    def test_a_client_asks_for_erasure_in_its_own_company_alone(self):
        request = self.env['social.crm.erasure.request'].create(
            {
                'code': 'c',
                'network': 'mastodon',
                'external_id': self.ada.external_id,
                'company_id': self.second.id,
            }
        )
        request._process()
        self.assertTrue(self.ada.exists())
        self.assertEqual(request.state, 'done')

    def test_customers_see_nothing_of_it_on_their_ticket(self):
        self.ada.partner_id = self.portal.partner_id
        ticket = self.env['helpdesk.ticket'].create(
            {
                'name': 'Help',
                'description': 'x',
                'partner_id': self.portal.partner_id.id,
                'social_mention_id': self.mention.id,
                'social_profile_id': self.ada.id,
            }
        )
        for record in (ticket, self.portal.partner_id):
            mine = record.with_user(self.portal)
            names = [
                name
                for name, field in mine._fields.items()
                if name.startswith('social_') and mine._has_field_access(field, 'read')
            ]
            with self.subTest(record._name):
                self.assertEqual(names, [])
