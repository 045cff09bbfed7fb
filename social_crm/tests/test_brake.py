"""The crisis brake: scheduled posts wait until somebody releases them."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .delivering import DeliveryCase


@tagged('post_install', '-at_install')
class TestBrake(DeliveryCase):
    def setUp(self):
        super().setUp()
        self.mine = self.post('Mine', **self.later(minutes=30))
        self.both = self.post('Both', self.account | self.second, **self.later(minutes=30))
        (self.mine | self.both).action_submit()

    def come_due(self):
        self.pass_time((self.mine | self.both).publication_ids, minutes=31)
        self.deliver()

    def texts(self, account):
        return self.networks.setdefault(account.id, type(self.network)()).texts

    def test_held_posts_wait_and_others_go_out(self):
        self.account.with_user(self.approver).action_hold_posts()
        self.assertTrue(self.mine.held)
        self.come_due()
        self.assertEqual((self.texts(self.account), self.texts(self.second)), ([], ['Both']))
        self.assertFalse(self.env['social.crm.publication']._next_due())  # the loop sleeps

    def test_released_all(self):
        self.account.with_user(self.approver).action_hold_posts()
        self.come_due()
        self.account.with_user(self.approver).action_release_posts()
        self.deliver()
        self.assertEqual(sorted(self.texts(self.account)), ['Both', 'Mine'])

    def test_released_one_by_one(self):
        self.account.with_user(self.approver).action_hold_posts()
        self.come_due()
        self.mine.with_user(self.approver).action_release()
        self.assertFalse(self.mine.held)
        self.deliver()
        self.assertEqual(self.texts(self.account), ['Mine'])

    def test_who_may(self):
        for user in (self.user, self.author):
            with self.assertRaises(AccessError):
                self.account.with_user(user).action_hold_posts()
        self.account.with_user(self.approver).action_hold_posts()
        with self.assertRaises(AccessError):
            self.mine.with_user(self.author).action_release()

    def test_the_list_of_what_waits(self):
        self.account.action_hold_posts()
        action = self.account.action_view_held()
        found = self.env['social.crm.post'].search(action['domain'])
        self.assertEqual(found, self.mine | self.both)
