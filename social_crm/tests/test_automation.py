"""Automation rules of Odoo on what the module does, each of the events in docs/automation.md."""

from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from odoo.addons.social_crm.providers.errors import AuthorizationLost, Rejected

from .common import SocialCrmCase
from .delivering import DeliveryCase


class Automations:
    """Automation rules that leave an activity, made as an administrator makes them."""

    def automate(self, model, trigger='on_create', domain='[]', field=None, **action):
        automation = self.env['base.automation'].create(
            {
                'name': 'Test automation',
                'model_id': self.env['ir.model']._get_id(model),
                'trigger': trigger,
                'filter_domain': domain,
                'trigger_field_ids': [
                    Command.set(self.env['ir.model.fields']._get(model, field).ids)
                ]
                if field
                else False,
                'action_server_ids': [
                    Command.create(
                        {
                            'name': 'Leave an activity',
                            'model_id': self.env['ir.model']._get_id(model),
                            'usage': 'base_automation',
                            'state': 'next_activity',
                            'activity_type_id': self.env.ref('mail.mail_activity_data_todo').id,
                            'activity_summary': 'automation was here',
                            'activity_user_type': 'specific',
                            'activity_user_id': self.manager.id,
                            **action,
                        }
                    )
                ],
            }
        )
        self.addCleanup(self.env['base.automation']._unregister_hook)
        return automation

    def fired(self, model):
        """Return the records on which it fired, as often as it did."""
        found = self.env['mail.activity'].search(
            [('res_model', '=', model), ('summary', '=', 'automation was here')]
        )
        return self.env[model].browse(found.mapped('res_id')), len(found)


@tagged('post_install', '-at_install')
class TestMentionAutomation(Automations, SocialCrmCase):
    def test_mention_received(self):
        self.automate('social.crm.mention')
        self.stub.mention('hello')
        self.receive()
        self.assertEqual(self.fired('social.crm.mention'), (self.mentions(), 1))
        self.receive()
        self.assertEqual(self.fired('social.crm.mention')[1], 1)

    def test_on_save_fires_once_for_a_new_mention(self):
        self.make_rule(keywords='wallpaper', actions=[{'kind': 'lead'}])
        self.automate('social.crm.mention', 'on_create_or_write')
        self.stub.mention('some wallpaper')
        self.receive()
        self.assertEqual(self.fired('social.crm.mention')[1], 1)

    def test_rule_matched_finds_the_lead_in_place(self):
        rule = self.make_rule(keywords='wallpaper', actions=[{'kind': 'lead'}])
        self.automate(
            'social.crm.mention',
            domain=f"[('rule_ids', 'in', [{rule.id}]), ('lead_id', '!=', False)]",
        )
        self.stub.mention('some wallpaper', self.stub.account('ada'))
        self.stub.mention('nothing', self.stub.account('bob'))
        self.receive()
        mentions, count = self.fired('social.crm.mention')
        self.assertEqual((mentions.text, count), ('some wallpaper', 1))

    def test_a_paused_rule_that_matched_is_told_too(self):
        rule = self.make_rule(keywords='wallpaper', actions=[{'kind': 'lead'}], paused=True)
        self.automate('social.crm.mention', domain=f"[('rule_ids', 'in', [{rule.id}])]")
        self.stub.mention('some wallpaper')
        self.receive()
        self.assertEqual(self.fired('social.crm.mention')[1], 1)
        self.assertFalse(self.mentions().lead_id)

    def test_lead_captured(self):
        self.make_rule(keywords='wallpaper', actions=[{'kind': 'lead'}])
        self.automate('crm.lead', domain="[('social_mention_id', '!=', False)]")
        self.env['crm.lead'].create({'name': 'by hand'})
        self.stub.mention('some wallpaper')
        self.receive()
        self.assertEqual(self.fired('crm.lead'), (self.mentions().lead_id, 1))

    def test_ticket_opened(self):
        self.make_rule(keywords='broken', actions=[{'kind': 'ticket'}])
        self.automate('helpdesk.ticket', domain="[('social_mention_id', '!=', False)]")
        self.stub.mention('it is broken')
        self.receive()
        self.assertEqual(self.fired('helpdesk.ticket'), (self.mentions().ticket_id, 1))

    def test_one_that_fails_stops_nothing_else(self):
        self.make_rule(keywords='wallpaper', actions=[{'kind': 'lead'}])
        self.automate('social.crm.mention', state='code', code='raise UserError("nothing doing")')
        self.stub.mention('some wallpaper')
        with self.assertLogs('odoo.addons.social_crm', 'WARNING'):
            self.receive()
        mention = self.mentions()
        self.assertTrue(mention.lead_id)
        self.assertEqual(mention.act_state, 'failed')
        self.assertIn('Test automation: nothing doing', mention.act_error)

    def test_nobody_waits_nothing_is_spent(self):
        self.stub.mention('hello')
        self.receive()
        self.assertEqual(self.mentions().act_state, 'none')

    def test_account_needs_reconnect(self):
        self.automate(
            'social.crm.account',
            'on_create_or_write',
            "[('state', '=', 'reconnect')]",
            field='state',
        )
        self.account._lose_login(AuthorizationLost('gone', '401'))
        self.assertEqual(self.fired('social.crm.account'), (self.account, 1))


@tagged('post_install', '-at_install')
class TestPostAutomation(Automations, DeliveryCase):
    def test_post_published_and_failed(self):
        self.automate(
            'social.crm.post',
            'on_create_or_write',
            "[('state', 'in', ['published', 'failed'])]",
            'state',
        )
        good, bad = self.post('Good'), self.post('Bad', accounts=self.second)
        self.networks[self.second.id] = type(self.network)()
        self.networks[self.second.id].plan = [Rejected('too rude', '422')]
        (good | bad).action_submit()
        self.deliver()
        self.assertEqual((good.state, bad.state), ('published', 'failed'))
        posts, count = self.fired('social.crm.post')
        self.assertEqual((posts.sorted('id'), count), (good | bad, 2))


@tagged('post_install', '-at_install')
class TestWatch(Automations, SocialCrmCase):
    """Spikes and silence, against the two weeks before."""

    def arrive(self, hours_ago, sentiment='neutral', count=1):
        self.arrive_at([hours_ago], sentiment, count)

    def arrive_at(self, hours, sentiment='neutral', count=1):
        Mention = self.env['social.crm.mention'].with_context(tracking_disable=True)
        Mention.create(
            [
                {
                    'kind': 'mention',
                    'network': 'mastodon',
                    'external_id': f'{hours_ago}-{sentiment}-{number}',
                    'account_id': self.account.id,
                    'company_id': self.company.id,
                    'author_id': self.author.id,
                    'posted_at': fields.Datetime.now() - timedelta(hours=hours_ago),
                    'sentiment_label': sentiment,
                }
                for hours_ago in hours
                for number in range(count)
            ]
        )

    def setUp(self):
        super().setUp()
        self.author = self.env['social.crm.profile'].create({'handle': 'ada@example.org'})

    def watch(self):
        with self.loop('social.crm.account') as Account:
            Account._cron_watch()
        return self.account.alert

    def test_negative_spike(self):
        self.automate(
            'social.crm.account', 'on_create_or_write', "[('alert', '=', 'spike')]", field='alert'
        )
        self.arrive_at(range(2, 200, 20), 'negative')
        self.arrive(0.5, 'negative', 4)
        self.assertFalse(self.watch())
        self.arrive(0.2, 'negative', 4)
        self.assertEqual(self.watch(), 'spike')
        self.assertEqual(self.fired('social.crm.account'), (self.account, 1))
        self.assertEqual(self.account.activity_ids.filtered('note').user_id, self.manager)
        self.watch()
        self.assertEqual(self.fired('social.crm.account')[1], 1)

    def test_a_brand_that_is_always_scolded_is_no_spike(self):
        self.arrive_at(range(2, 300), 'negative', 6)
        self.arrive(0.5, 'negative', 8)
        self.assertFalse(self.watch())

    def test_the_alert_ends_with_the_spike(self):
        self.arrive(0.5, 'negative', 9)
        self.assertEqual(self.watch(), 'spike')
        self.mentions().posted_at = fields.Datetime.now() - timedelta(hours=2)
        self.assertFalse(self.watch())
        self.assertFalse(self.account.activity_ids)

    def test_silence_where_a_week_ago_much_came(self):
        self.arrive_at(range(24, 330))
        streams = self.account.stream_ids
        streams.last_success = fields.Datetime.now() - timedelta(hours=23)
        self.assertFalse(self.watch(), 'our own server stood still')
        streams.last_success = fields.Datetime.now()
        self.assertEqual(self.watch(), 'silent')
        self.arrive(0.1)
        self.assertFalse(self.watch())

    def test_a_quiet_night_like_a_week_ago_is_no_silence(self):
        night = range(7 * 24 + 1, 7 * 24 + 12)
        self.arrive_at([hours for hours in range(12, 330) if hours not in night], count=2)
        self.assertFalse(self.watch())

    def test_hardly_anything_ever_comes(self):
        self.arrive(200, count=2)
        self.assertFalse(self.watch())
