from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.social_crm.providers.errors import Rejected

from .delivering import DeliveryCase, FakeNetwork


@tagged('post_install', '-at_install')
class TestPostFlow(DeliveryCase):
    """Changing, cancelling and approving posts."""

    # --- edit and cancel

    def test_a_queued_post_is_changed_and_moved(self):
        post = self.post(**self.later(hours=2))
        post.action_submit()
        post.text = 'Changed'
        post.write(self.later(hours=4))
        self.assertEqual(post.publication_ids.due_at, post.due_at)
        self.pass_time(post.publication_ids, hours=4, minutes=5)
        self.deliver()
        self.assertEqual(self.network.texts, ['Changed'])

    def test_an_edit_of_a_queued_post_is_checked(self):
        self.networks[self.account.id] = FakeNetwork(text_length=20)
        post = self.post(**self.later(hours=2))
        post.action_submit()
        with self.assertRaisesRegex(ValidationError, 'too long'):
            post.text = 'Far more than twenty letters'

    def test_what_is_out_is_not_changed(self):
        self.networks[self.second.id] = FakeNetwork()
        post = self.post(accounts=self.account | self.second)
        post.action_submit()
        self.deliver()
        for values in ({'text': 'x'}, {'link': 'https://x.org'}, self.later(hours=1)):
            with self.subTest(values), self.assertRaisesRegex(UserError, 'out'):
                post.write(values)
        with self.assertRaises(UserError):
            post.unlink()
        with self.assertRaises(UserError):
            post.publication_ids[0].text = 'x'

    def test_the_text_of_a_failed_one_is_changed_and_sent_again(self):
        self.networks[self.second.id] = FakeNetwork()
        self.network.plan = [Rejected('No links please', '422')]
        post = self.post('With link', self.account | self.second)
        post.action_submit()
        self.deliver()
        self.assertEqual(post.state, 'partial')
        failed = post.publication_ids.filtered(lambda row: row.delivery_state == 'failed')
        failed.text = 'Without'
        post.action_retry()
        self.deliver()
        self.assertEqual((post.state, self.network.texts), ('published', ['Without']))

    def test_back_to_draft_and_cancel(self):
        post = self.post(**self.later(hours=2))
        post.action_submit()
        post.action_draft()
        self.assertEqual((post.state, post.publication_ids.due_at), ('draft', False))
        post.action_submit()
        post.action_cancel()
        self.assertEqual(post.state, 'cancelled')
        with self.assertRaises(UserError):
            post.text = 'x'
        post.action_draft()
        post.action_submit()
        self.assertEqual((post.state, post.publication_ids.delivery_state), ('scheduled', 'queued'))

    def test_a_copy_is_a_draft(self):
        post = self.post()
        post.action_submit()
        self.deliver()
        copy = post.copy()
        self.assertEqual(
            (copy.state, copy.account_ids, copy.publication_count), ('draft', self.account, 1)
        )
        self.assertFalse(copy.due_at)

    # --- approval

    def test_approval(self):
        self.company.social_crm_post_approval = True
        post = self.post(**self.later(hours=2))
        post.action_submit()
        self.assertEqual(post.state, 'waiting')
        self.assertIn(self.approver, post.activity_ids.user_id)
        self.assertFalse(post.publication_ids.due_at)
        with self.assertRaises(AccessError):
            post.action_approve()
        post.with_user(self.approver).action_approve()
        self.assertEqual((post.state, post.approved_by_id), ('scheduled', self.approver))
        self.assertFalse(post.activity_ids)
        post.text = 'Changed after all'
        self.assertEqual((post.state, post.approved_by_id.id), ('waiting', False))
        self.assertIn('approved again', ' '.join(post.message_ids.mapped('body')))
        self.pass_time(post.publication_ids, hours=3)
        self.deliver()
        self.assertFalse(self.network.posts)
        post.with_user(self.approver).action_approve()
        post.publication_ids.text = 'And a text of its own'
        self.assertEqual(post.state, 'waiting')
        post.with_user(self.approver).action_approve()
        post.write(self.later(hours=5))
        self.assertEqual(post.state, 'waiting', 'moved by somebody without the right')
        post.with_user(self.approver).action_send_back()
        self.assertEqual(post.state, 'draft')

    def test_an_approver_schedules_and_moves_at_once(self):
        self.company.social_crm_post_approval = True
        post = self.post(user=self.manager, **self.later(hours=2))
        post.action_submit()
        self.assertEqual(post.state, 'scheduled')
        post.write(self.later(hours=4))
        self.assertEqual(post.state, 'scheduled')
        post.text = 'But other words are other words'
        self.assertEqual(post.state, 'waiting')

    def test_own_accounts_need_no_approval(self):
        self.company.social_crm_post_approval = True
        own = self.connect(self.app, self.author, kind='personal', username='me', number='79')
        post = self.post(accounts=own)
        post.action_submit()
        self.assertEqual(post.state, 'scheduled')

    def test_nobody_decides_by_writing(self):
        post = self.post()
        for values in (
            {'step': 'approved'},
            {'state': 'published'},
            {'approved_by_id': self.author.id},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                post.write(values)
        with self.assertRaises(AccessError):
            self.post(step='approved')
        with self.assertRaises(AccessError):
            self.env['social.crm.publication'].with_user(self.author).create(
                {
                    'post_id': post.id,
                    'account_id': self.second.id,
                    'due_at': '2020-01-01',
                }
            )
