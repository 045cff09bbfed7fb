"""Disconnecting: what hangs on the account, the login's end here and at the network, the proof."""

from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SocialCrmCase, disconnect
from .delivering import DeliveryCase

REVOKE = ('POST', '/oauth/revoke', {})


@tagged('post_install', '-at_install')
class TestRevocation(SocialCrmCase):
    """The login's end: here at once, at the network with three tries."""

    def revoke(self):
        """Let the time of the next try come, and run the loop."""
        self.waiting().next_try = fields.Datetime.now() - timedelta(seconds=1)
        self.env.flush_all()
        with self.loop('social.crm.revocation') as Revocation:
            Revocation._cron_revoke()

    def waiting(self):
        return self.env['social.crm.revocation'].search([('account_id', '=', self.account.id)])

    def events(self):
        rows = self.env['social.crm.audit'].search(
            [('account_id', '=', self.account.id)], order='id'
        )
        return rows.mapped('event')

    def down(self, status=503):
        self.stub.fail['/oauth/revoke'] = lambda _request: (status, {}, 'no')

    def test_erased_here_at_once_and_revoked_there(self):
        disconnect(self.account, self.manager)
        self.assertFalse(self.env['social.crm.credential'].search([]))
        self.assertEqual(self.account.state, 'disconnected')
        self.assertEqual(self.account.revocation, 'waiting')
        self.assertNotIn(REVOKE, self.stub.calls)  # nobody waits for a network
        self.revoke()
        self.assertIn(REVOKE, self.stub.calls)
        self.assertEqual(self.account.revocation, 'done')
        self.assertFalse(self.waiting())
        self.assertEqual(self.events()[-2:], ['disconnect', 'revoke'])
        audit = self.env['social.crm.audit'].search([('event', '=', 'revoke')], limit=1)
        self.assertEqual(audit.user_id, self.manager)

    def test_a_server_that_is_down_is_asked_three_times(self):
        self.down()
        disconnect(self.account, self.manager)
        for tries in (1, 2):
            self.revoke()
            self.assertEqual(self.waiting().attempts, tries)
            self.assertGreater(self.waiting().next_try, fields.Datetime.now())
            self.assertEqual(self.account.revocation, 'waiting')
        self.revoke()
        self.assertFalse(self.waiting())
        self.assertEqual(self.stub.calls.count(REVOKE), 3)
        self.assertEqual(self.account.revocation, 'failed')
        self.assertEqual(self.events()[-2:], ['disconnect', 'revoke_failed'])
        self.assertIn(
            '3 tries', self.env['social.crm.audit'].search([], order='id desc', limit=1).detail
        )

    def test_a_server_that_comes_back_is_told(self):
        self.down()
        disconnect(self.account, self.manager)
        self.revoke()
        self.stub.fail.clear()
        self.revoke()
        self.assertEqual(self.account.revocation, 'done')
        self.assertEqual(self.events()[-1], 'revoke')

    def test_a_worker_that_dies_in_the_call_has_used_a_try(self):
        disconnect(self.account, self.manager)
        self.waiting().write(
            {'attempts': 1, 'next_try': fields.Datetime.now() - timedelta(seconds=1)}
        )
        self.revoke()
        self.assertEqual(self.account.revocation, 'done')

    def test_connecting_again_keeps_the_grant(self):
        disconnect(self.account, self.manager)
        self.connect(self.app, self.manager)
        self.assertFalse(self.waiting())
        self.assertFalse(self.account.revocation)
        with self.loop('social.crm.revocation') as Revocation:
            Revocation._cron_revoke()
        self.assertNotIn(REVOKE, self.stub.calls)

    def test_the_sealed_login_is_nobodys_to_read(self):
        disconnect(self.account, self.manager)
        self.assertNotIn('token-of-acme', self.waiting().secret)
        for user in (self.manager, self.env.ref('base.user_admin')):
            with self.assertRaises(AccessError):
                self.waiting().with_user(user).read(['secret'])

    def test_keys_are_rotated_there_too(self):
        disconnect(self.account, self.manager)
        before = self.waiting().secret
        self.env['social.crm.credential']._rotate_keys()
        self.assertNotEqual(self.waiting().secret, before)
        self.revoke()
        self.assertEqual(self.account.revocation, 'done')

    def test_nothing_is_asked_of_the_network_any_more(self):
        self.stub.mention('before')
        self.receive()
        disconnect(self.account, self.manager)
        self.revoke()
        self.stub.calls.clear()
        self.stub.mention('after')
        self.receive()
        self.assertFalse(self.stub.calls)
        self.assertEqual(len(self.mentions()), 1)  # what was here stays

    def test_a_page_under_way_is_not_stored(self):
        """Another worker holds the lease when the account is disconnected."""
        self.stub.mention('too late')
        self.make_due()
        with self.loop('social.crm.stream') as Stream:
            lease, streams = Stream._claim_due()
            stream = streams.filtered(lambda one: one.kind == 'notifications')
            request = stream._request()
            page = request()
            disconnect(self.account.with_env(Stream.env), self.manager)
            future = type('Future', (), {'result': lambda _self: page})()
            stream._store_outcome(lease, future)
        self.assertFalse(self.mentions())

    def test_other_permissions_are_told(self):
        self.account.granted_scopes = 'read'
        self.connect(self.app, self.manager)
        self.assertEqual(self.events()[-2:], ['reconnect', 'scopes'])
        detail = self.env['social.crm.audit'].search([], order='id desc', limit=1).detail
        self.assertEqual(detail, 'read → read write')

    def test_the_audit_log_is_for_good(self):
        audit = self.env['social.crm.audit'].search([], limit=1)
        for change in (lambda: audit.write({'detail': 'x'}), audit.unlink):
            with self.assertRaises(UserError):
                change()
        with self.assertRaises(AccessError):
            self.env['social.crm.audit'].with_user(self.manager).create({'event': 'connect'})

    @mute_logger('odoo.sql_db')
    def test_one_revocation_per_account(self):
        disconnect(self.account, self.manager)
        with self.assertRaises(psycopg2.IntegrityError), self.cr.savepoint():
            self.waiting().copy({'secret': 'x'})


@tagged('post_install', '-at_install')
class TestImpact(DeliveryCase):
    """What hangs on an account is shown, and dealt with as chosen."""

    def setUp(self):
        super().setUp()
        self.rule = self.make_rule(keywords='x', account_ids=self.account.ids)
        self.shared_rule = self.make_rule(
            keywords='y', account_ids=(self.account | self.second).ids
        )
        self.scheduled = self.post('Tomorrow', **self.later(days=1))
        self.scheduled.action_submit()
        self.draft = self.post('Unfinished')
        both = self.account | self.second
        self.both = self.post('On both', accounts=both, **self.later(days=1))
        self.both.action_submit()

    def plan(self, accounts):
        """Return a post that repeats, and a queue slot, of these accounts."""
        post = self.post('Every month', accounts, **self.later(days=1))
        post.action_submit()
        Series, Slot = (
            self.env[name].with_user(self.author)
            for name in ('social.crm.post.series', 'social.crm.slot')
        )
        series = Series.create({'origin_id': post.id, 'unit': 'month'})
        slot = Slot.create({'account_ids': accounts.ids, 'tz': 'UTC', 'time': 9, 'mon': True})
        return series, slot

    def test_the_impact_is_listed(self):
        series, slot = self.plan(self.account)
        personal = self.connect(self.app, self.author, kind='personal', username='me', number='79')
        mixed, mixed_slot = self.plan(self.account | personal)
        wizard = (
            self.env['social.crm.disconnect']
            .with_user(self.manager)
            .create({'account_id': self.account.id})
        )
        self.assertEqual(wizard.rule_ids, self.rule | self.shared_rule)
        self.assertEqual(wizard.scheduled_ids, self.scheduled | self.both)
        self.assertEqual(wizard.draft_ids, self.draft)
        names = {name: {'fields': {'display_name': {}}} for name in ('series_ids', 'slot_ids')}
        (shown,) = wizard.web_read({'hidden_count': {}, **names})
        self.assertEqual(shown['series_ids'], [{'id': series.id, 'display_name': 'Every month'}])
        self.assertEqual(shown['slot_ids'], [{'id': slot.id, 'display_name': 'Mon 09:00'}])
        self.assertEqual(shown['hidden_count'], 2, 'what goes by a personal account as well')
        self.assertEqual(wizard._hanging()['slot_ids'], slot | mixed_slot)
        self.assertEqual(wizard._hanging()['series_ids'], series | mixed)
        self.assertEqual(wizard.target_id, self.second)
        self.assertEqual(self.account.state, 'connected')  # looking changes nothing

    def test_pause_and_take_back_to_draft(self):
        series, slot = self.plan(self.account | self.second)
        disconnect(self.account, self.manager)
        self.assertEqual((self.rule.paused, self.shared_rule.paused), (True, False))
        self.assertEqual(self.scheduled.state, 'draft')
        self.assertEqual(self.both.state, 'draft')
        self.assertEqual(self.draft.state, 'draft')
        self.assertIn('1 rules paused', self.account.message_ids[0].body)
        self.assertEqual(series.state, 'halted')
        self.assertIn('disconnected', series.halt_reason)
        self.assertEqual(set(series.post_ids.mapped('state')), {'draft'})
        self.assertEqual(series.post_ids.activity_ids.user_id, self.author)
        self.assertEqual(slot.account_ids, self.account | self.second)

    def test_move(self):
        series, slot = self.plan(self.account)
        series.post_ids[0].publication_ids.text = 'Own text'
        series.post_ids[0].action_repeat_this()
        disconnect(
            self.account,
            self.manager,
            rule_choice='move',
            scheduled_choice='move',
            draft_choice='move',
            series_choice='move',
            slot_choice='move',
        )
        self.assertEqual(self.rule.account_ids, self.second)
        self.assertEqual(self.shared_rule.account_ids, self.second)
        for post in self.scheduled | self.draft | self.both:
            self.assertEqual(post.account_ids, self.second)
            self.assertEqual(post.publication_ids.account_id, self.second)
        self.assertEqual(series.account_ids | slot.account_ids, self.second)
        self.assertEqual(series.state, 'running')
        series.every = 1  # its repetitions are made anew
        self.assertEqual(series.post_ids.publication_ids.account_id, self.second)
        self.assertEqual(set(series.post_ids.publication_ids.mapped('text')), {'Own text'})
        self.assertEqual(self.scheduled.state, 'scheduled')
        self.pass_time(self.scheduled.publication_ids, days=1, seconds=1)
        self.deliver()
        self.assertEqual(self.scheduled.state, 'published')
        self.assertEqual(self.networks[self.second.id].texts, ['Tomorrow'])

    def test_cancel(self):
        alone, slot = self.plan(self.account)
        series, shared_slot = self.plan(self.account | self.second)
        disconnect(
            self.account,
            self.manager,
            scheduled_choice='cancel',
            draft_choice='cancel',
            series_choice='stop',
            slot_choice='remove',
        )
        self.assertEqual((alone.state, alone.post_ids.state), ('stopped', 'cancelled'))
        self.assertEqual((series.state, series.account_ids), ('running', self.second))
        self.assertEqual(set(series.post_ids.mapped('state')), {'scheduled'})
        self.assertFalse(slot.exists())
        self.assertEqual(shared_slot.account_ids, self.second)
        self.assertEqual(self.scheduled.state, 'cancelled')
        self.assertEqual(self.draft.state, 'cancelled')
        self.assertEqual(self.both.state, 'scheduled')  # at the other account
        self.pass_time(self.both.publication_ids, days=1, seconds=1)
        self.deliver()
        self.assertEqual(self.both.state, 'published')
        self.assertFalse(self.network.texts)
        self.assertEqual(self.networks[self.second.id].texts, ['On both'])

    def test_moving_needs_somewhere_to_move_to(self):
        disconnect(self.second, self.manager)
        with self.assertRaises(UserError):
            disconnect(self.account, self.manager, scheduled_choice='move')
        self.assertEqual(self.account.state, 'connected')
        self.assertEqual(self.scheduled.state, 'scheduled')

    def test_what_is_out_stays_and_is_not_called_back(self):
        self.pass_time(self.scheduled.publication_ids, days=1, seconds=1)
        self.deliver()
        self.assertEqual(self.scheduled.state, 'published')
        disconnect(self.account, self.manager)
        self.assertEqual(self.scheduled.state, 'published')

    def test_nobody_else_may(self):
        wizard = self.env['social.crm.disconnect'].with_user(self.user)
        with self.assertRaises(AccessError):
            wizard.create({'account_id': self.account.id}).action_confirm()
        self.assertEqual(self.account.state, 'connected')
