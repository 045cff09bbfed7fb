from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import SocialCrmCase, disconnect


@tagged('post_install', '-at_install')
class TestRights(SocialCrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_user = new_test_user(cls.env, 'sc_other', 'social_crm.social_crm_group_user')
        cls.employee = new_test_user(cls.env, 'sc_employee', 'base.group_user')
        cls.portal = new_test_user(cls.env, 'sc_portal', 'base.group_portal')
        cls.public = cls.env.ref('base.public_user')
        cls.own = cls.connect(cls.app, cls.user, kind='personal', username='me', number='79')

    def receive_one(self):
        self.stub.mention('hello')
        self.receive()

    def test_nobody_reads_a_login(self):
        credential = self.env['social.crm.credential'].search(
            [('account_id', '=', self.account.id)]
        )
        self.assertNotIn('token-of-acme', credential.secret)
        for user in (self.user, self.marketing, self.manager, self.env.ref('base.user_admin')):
            with self.subTest(user.login), self.assertRaises(AccessError):
                credential.with_user(user).read(['secret'])
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.env['social.crm.oauth.state'].with_user(user).search([])

    def test_the_secret_of_an_app_is_written_and_never_read(self):
        app = self.app.with_user(self.manager)
        app.client_secret = 'new-secret'
        self.assertTrue(app.has_secret)
        self.assertFalse(app.client_secret)
        with self.assertRaises(AccessError):
            app.read(['secret'])
        self.assertNotIn('secret', app.read()[0])
        self.assertNotIn('new-secret', self.app.sudo().secret)
        self.assertEqual(self.app._as_app().client_secret, 'new-secret')

    def test_a_personal_account_is_seen_by_its_owner_alone(self):
        self.account.stream_ids.active = False
        self.receive_one()
        self.assertTrue(self.mentions(account_id=self.own.id))
        for user in (self.other_user, self.manager, self.env.ref('base.user_admin')):
            Account = self.env['social.crm.account'].with_user(user)
            self.assertNotIn(self.own, Account.search([]), user.login)
            self.assertFalse(
                self.env['social.crm.mention']
                .with_user(user)
                .search([('account_id', '=', self.own.id)])
            )
        mine = self.env['social.crm.account'].with_user(self.user).search([])
        self.assertEqual(mine, self.own | self.account)

    def test_what_a_personal_and_a_brand_account_both_receive_is_the_teams(self):
        self.account.stream_ids.active = False
        self.receive_one()
        mention = self.mentions(account_id=self.own.id)
        self.assertEqual(mention.owner_id, self.user)
        self.account.with_context(active_test=False).stream_ids.active = True
        self.receive()
        self.assertEqual(self.env['social.crm.mention'].search([]), mention)
        self.assertEqual((mention.account_id, mention.owner_id.id), (self.account, False))

    def test_two_owners_each_have_their_own(self):
        self.account.stream_ids.active = False
        theirs = self.connect(
            self.app, self.other_user, kind='personal', username='they', number='80'
        )
        self.receive_one()
        self.assertEqual(len(self.mentions(account_id=self.own.id)), 1)
        self.assertEqual(len(self.mentions(account_id=theirs.id)), 1)

    def test_who_may_disconnect(self):
        with self.assertRaises(AccessError):
            self.account.with_user(self.user).action_disconnect()
        with self.assertRaises(AccessError):
            self.own.with_user(self.manager).action_disconnect()
        disconnect(self.own, self.user)
        disconnect(self.account, self.manager)
        self.assertEqual((self.own.state, self.account.state), ('disconnected', 'disconnected'))
        self.assertFalse(self.env['social.crm.credential'].search([]))
        events = (
            self.env['social.crm.audit']
            .search([('account_id', '=', self.account.id)])
            .mapped('event')
        )
        self.assertIn('disconnect', events)

    def test_users_without_a_role_see_nothing(self):
        self.receive_one()
        for user in (self.employee, self.portal, self.public):
            for model in (
                'social.crm.account',
                'social.crm.mention',
                'social.crm.rule',
                'social.crm.app',
                'social.crm.audit',
            ):
                with self.subTest(f'{user.login} {model}'), self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])

    def test_what_each_role_may_change(self):
        rule = self.make_rule(keywords='x')
        with self.assertRaises(AccessError):
            rule.with_user(self.user).name = 'other'
        rule.with_user(self.marketing).name = 'other'
        with self.assertRaises(AccessError):
            self.env['social.crm.app'].with_user(self.marketing).search([])
        with self.assertRaises(AccessError):
            self.env['social.crm.audit'].with_user(self.marketing).search([])

    def test_people_work_on_a_mention_and_do_not_rewrite_it(self):
        self.receive_one()
        mention = self.mentions(account_id=self.account.id).with_user(self.user)
        mention.action_assign_to_me()
        self.assertEqual(mention.user_id, self.user)
        with self.assertRaises(AccessError):
            mention.text = 'something else'
        with self.assertRaises(AccessError):
            mention.unlink()

    def test_another_company_sees_nothing(self):
        company = self.env['res.company'].create({'name': 'Second'})
        stranger = new_test_user(
            self.env,
            'sc_stranger',
            'social_crm.social_crm_group_manager',
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.receive_one()
        for model in (
            'social.crm.account',
            'social.crm.mention',
            'social.crm.profile',
            'social.crm.app',
            'social.crm.audit',
        ):
            self.assertFalse(
                self.env[model].with_user(stranger).search([('company_id', '=', self.company.id)]),
                model,
            )

    def test_the_audit_log_is_append_only(self):
        row = self.env['social.crm.audit'].search([], limit=1)
        self.assertEqual(row.event, 'connect')
        with self.assertRaises(UserError):
            row.detail = 'nothing to see'
        with self.assertRaises(UserError):
            row.unlink()

    def test_an_account_with_history_is_not_deleted(self):
        with self.assertRaises(UserError):
            self.account.with_user(self.manager).unlink()

    def test_no_key_no_connection(self):
        self.patch(type(self.env['social.crm.credential']), '_keys', _no_key)
        wizard = (
            self.env['social.crm.connect']
            .with_user(self.manager)
            .create({'server': 'social.example.com'})
        )
        with self.assertRaisesRegex(UserError, 'social_crm_key'):
            wizard.action_connect()

    def test_an_expiring_login_is_refreshed_or_warned_of(self):
        credential = self.env['social.crm.credential'].search(
            [('account_id', '=', self.account.id)]
        )
        credential.expires_at = fields.Datetime.now() + timedelta(days=6)
        with self.loop('social.crm.account') as Account:
            Account._cron_refresh()
            Account._cron_refresh()
        if 'refresh' not in self.account._provider().features:
            self.assertEqual(len(self.account.activity_ids), 1)


def _no_key(self):
    raise UserError(self.env._('social_crm_key = '))
