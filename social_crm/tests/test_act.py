from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestAct(SocialCrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids = [Command.link(cls.env.ref('crm.group_use_lead').id)]
        cls.env.ref('base.group_user').implied_ids = [
            Command.link(cls.env.ref('crm.group_use_lead').id)
        ]
        cls.team = cls.env['crm.team'].create(
            {
                'name': 'Social',
                'use_leads': True,
                'user_id': cls.user.id,
                'company_id': cls.company.id,
            }
        )
        cls.campaign = cls.env['utm.campaign'].create({'name': 'Teapots'})

    def lead_rule(self, **values):
        return self.make_rule(
            [{'kind': 'lead', 'crm_team_id': self.team.id}],
            keywords='teapot',
            campaign_id=self.campaign.id,
            **values,
        )

    def test_a_match_becomes_a_lead_with_all_that_is_known(self):
        rule = self.lead_rule()
        rita = self.stub.account('rita', display_name='Rita K.')
        self.stub.mention('Where can I buy this great teapot?', rita)
        self.receive()
        mention = self.mentions(account_id=self.account.id)
        lead = mention.lead_id
        self.assertEqual(lead.type, 'lead')
        self.assertEqual(lead.contact_name, 'Rita K.')
        self.assertIn('great teapot', lead.description)
        self.assertEqual(lead.social_profile_id, mention.author_id)
        self.assertEqual(lead.source_id.name, 'Mastodon')
        self.assertEqual(lead.medium_id.name, 'Social')
        self.assertEqual(lead.campaign_id, self.campaign)
        self.assertEqual(mention.campaign_id, self.campaign)
        self.assertEqual(lead.social_sentiment_label, 'positive')
        self.assertEqual(
            lead.user_id, self.user, 'the team leader gets it: no assignment by rules here'
        )
        self.assertIn(
            'great teapot', lead.message_ids.mapped('body')[-1] + lead.message_ids.mapped('body')[0]
        )
        self.assertIn('<mark>teapot</mark>', lead.social_explanation)
        self.assertIn(rule.name, lead.social_explanation)
        self.assertEqual(rule.lead_count, 1)
        self.assertEqual(mention.act_state, 'done')

    def test_a_private_message_gives_address_and_number(self):
        self.lead_rule()
        rita = self.stub.account('rita', display_name='Dr. RITA KOHL 🌻 | Acme')
        self.stub.mention('teapot? Rita.K@acme.example, +43 316 123456', rita, visibility='direct')
        self.receive()
        lead = self.mentions(account_id=self.account.id).lead_id
        self.assertEqual(lead.contact_name, 'Rita Kohl')
        self.assertEqual(lead.email_from, 'rita.k@acme.example')
        self.assertEqual(lead.phone, '+43316123456')

    def test_a_public_post_gives_no_address(self):
        self.lead_rule()
        self.stub.mention('a teapot from somebody@else.example', self.stub.account('rita'))
        self.receive()
        self.assertFalse(self.mentions(account_id=self.account.id).lead_id.email_from)

    def test_one_author_has_one_open_lead(self):
        self.lead_rule()
        rita = self.stub.account('rita')
        self.stub.mention('a teapot', rita)
        self.stub.mention('this teapot please', rita)
        self.receive()
        self.stub.mention('the teapot again', rita)
        self.receive()
        lead = self.mentions(account_id=self.account.id).lead_id
        self.assertEqual(len(lead), 1)
        self.assertEqual(lead.social_mention_count, 3)

    def test_one_lead_has_one_activity_of_a_kind(self):
        self.make_rule(
            [{'kind': 'lead'}, {'kind': 'activity', 'activity_summary': 'Call'}], keywords='teapot'
        )
        rita = self.stub.account('rita')
        self.stub.mention('a teapot', rita)
        self.receive()
        self.stub.mention('this teapot', rita)
        self.receive()
        lead = self.mentions(account_id=self.account.id).lead_id
        self.assertEqual(lead.activity_ids.mapped('summary'), ['Call'])
        self.assertIn('Rita', lead.message_ids[0].email_from)

    def test_a_lost_lead_does_not_swallow_the_next_wish(self):
        self.lead_rule()
        rita = self.stub.account('rita')
        self.stub.mention('a teapot', rita)
        self.receive()
        self.mentions(account_id=self.account.id).lead_id.action_set_lost()
        self.stub.mention('a teapot after all', rita)
        self.receive()
        self.assertEqual(len(self.mentions(account_id=self.account.id).lead_id), 2)

    def test_a_known_customer_gets_no_lead_and_shows_on_the_contact(self):
        self.lead_rule()
        rita = self.stub.account('rita')
        self.stub.mention('hello', rita)
        self.receive()
        partner = self.env['res.partner'].create({'name': 'Rita', 'social_is_customer': True})
        self.mentions(account_id=self.account.id).author_id.partner_id = partner
        self.stub.mention('one more teapot', rita)
        self.receive()
        self.assertFalse(self.mentions(account_id=self.account.id).lead_id)
        self.assertEqual(partner.with_user(self.user).social_mention_count, 2)
        self.assertIn('one more teapot', partner.message_ids[0].body)

    def test_a_won_opportunity_makes_a_customer(self):
        partner = self.env['res.partner'].create({'name': 'Company', 'is_company': True})
        person = self.env['res.partner'].create({'name': 'Person', 'parent_id': partner.id})
        self.assertFalse(person._social_customers())
        self.env['crm.lead'].create(
            {'name': 'Deal', 'type': 'opportunity', 'partner_id': partner.id}
        ).action_set_won()
        self.assertEqual(person._social_customers(), person)

    def test_a_match_becomes_a_ticket_and_the_next_joins_it(self):
        team = self.env['helpdesk.ticket.team'].create(
            {'name': 'Support', 'company_id': self.company.id}
        )
        self.make_rule(
            [{'kind': 'ticket', 'helpdesk_team_id': team.id, 'ticket_priority': '3'}],
            keywords='broken',
        )
        rita = self.stub.account('rita', display_name='Rita K.')
        self.stub.mention('my teapot arrived broken', rita)
        self.receive()
        ticket = self.mentions(account_id=self.account.id).ticket_id
        self.assertEqual((ticket.team_id, ticket.priority), (team, '3'))
        self.assertEqual(ticket.partner_id.name, 'Rita K.')
        self.assertEqual(
            ticket.partner_id, ticket.social_profile_id.partner_id, 'a contact stub is linked'
        )
        self.assertEqual(
            ticket.channel_id, self.env.ref('social_crm.helpdesk_ticket_channel_social')
        )
        self.assertIn('arrived broken', ticket.description)
        self.stub.mention('and the lid is broken too', rita)
        self.receive()
        self.assertEqual(self.mentions(account_id=self.account.id).ticket_id, ticket)
        self.assertIn('the lid', ticket.message_ids[0].body)

    def test_our_records_are_kept_or_not_missed(self):
        self.env.ref('social_crm.helpdesk_ticket_channel_social').unlink()
        self.make_rule([{'kind': 'ticket'}], keywords='broken')
        self.stub.mention('it is broken')
        self.receive()
        self.assertTrue(self.mentions(account_id=self.account.id).ticket_id)
        with self.assertRaises(UserError):
            self.env.ref('social_crm.utm_medium_social').unlink()

    def test_actions_run_in_order_and_together(self):
        tag = self.env['crm.tag'].create({'name': 'hot'})
        channel = self.env['discuss.channel'].create({'name': 'social'})
        server_action = self.env['ir.actions.server'].create(
            {
                'name': 'assign',
                'model_id': self.env['ir.model']._get_id('social.crm.mention'),
                'state': 'code',
                'code': f"records.write({{'user_id': {self.user.id}}})",
            }
        )
        self.make_rule(
            [
                {'kind': 'tag', 'tag_ids': [Command.link(tag.id)]},
                {'kind': 'lead', 'tag_ids': [Command.link(tag.id)]},
                {'kind': 'activity', 'activity_summary': 'Call', 'user_id': self.user.id},
                {
                    'kind': 'notify',
                    'channel_id': channel.id,
                    'user_ids': [Command.link(self.user.id)],
                },
                {'kind': 'campaign', 'campaign_id': self.campaign.id},
                {'kind': 'server', 'server_action_id': server_action.id},
            ],
            keywords='teapot',
        )
        self.stub.mention('teapot', self.stub.account('rita'))
        self.stub.mention('teapot', self.stub.account('sam'))
        self.receive()
        mentions = self.mentions(account_id=self.account.id)
        self.assertEqual(mentions.mapped('act_state'), ['done', 'done'])
        self.assertEqual(len(mentions.lead_id), 2)
        self.assertEqual(mentions.lead_id.activity_ids.mapped('summary'), ['Call', 'Call'])
        self.assertEqual((mentions.tag_ids, mentions.lead_id.tag_ids), (tag, tag))
        self.assertEqual(mentions.lead_id.campaign_id, self.campaign)
        self.assertEqual(mentions.user_id, self.user)
        self.assertEqual(len(channel.message_ids), 2)

    def test_one_failing_action_does_not_stop_the_others(self):
        broken = self.env['ir.actions.server'].create(
            {
                'name': 'broken',
                'model_id': self.env['ir.model']._get_id('social.crm.mention'),
                'state': 'code',
                'code': "raise UserError('out of paper')",
            }
        )
        rule = self.make_rule(
            [{'kind': 'server', 'server_action_id': broken.id}, {'kind': 'lead'}], keywords='teapot'
        )
        self.stub.mention('teapot', self.stub.account('rita'))
        self.stub.mention('teapot', self.stub.account('sam'))
        Mention = type(self.env['social.crm.mention'])
        create_leads = Mention._create_leads
        with patch.object(
            Mention, '_create_leads', autospec=True, side_effect=create_leads
        ) as made:
            self.receive()
        self.assertEqual(made.call_count, 1, 'what costs much is done for all at once')
        mentions = self.mentions(account_id=self.account.id)
        self.assertEqual(mentions.mapped('act_state'), ['failed', 'failed'])
        self.assertIn('out of paper', mentions[0].act_error)
        self.assertEqual(len(mentions.lead_id), 2)
        broken.code = 'pass'
        rule.action_ids.filtered(lambda action: action.kind == 'lead').unlink()
        mentions.with_user(self.user).action_retry()
        self.receive()
        self.assertEqual(mentions.mapped('act_state'), ['done', 'done'])
        self.assertEqual(len(mentions.lead_id), 2)

    def test_one_poisoned_mention_does_not_stop_the_batch(self):
        self.lead_rule()
        for name in ('rita', 'sam', 'tom'):
            self.stub.mention('teapot', self.stub.account(name))
        values = type(self.env['social.crm.mention'])._lead_values

        def fail_for_sam(mention):
            if mention.author_id.handle.startswith('sam'):
                raise ValueError('sam is special')
            return values(mention)

        with (
            patch.object(type(self.env['social.crm.mention']), '_lead_values', fail_for_sam),
            self.assertLogs('odoo.addons.social_crm.models.social_crm_mention_act', 'WARNING'),
        ):
            self.receive()
        self.assertEqual(len(self.mentions(account_id=self.account.id).lead_id), 2)
        self.assertEqual(len(self.mentions(account_id=self.account.id, act_state='failed')), 1)

    def test_a_paused_rule_records_matches_and_does_nothing(self):
        rule = self.lead_rule(paused=True)
        self.stub.mention('teapot')
        self.receive()
        self.assertEqual(self.mentions(account_id=self.account.id).rule_ids, rule)
        self.assertFalse(self.mentions(account_id=self.account.id).lead_id)

    def test_an_archived_rule_matches_nothing(self):
        self.lead_rule().action_archive()
        self.stub.mention('teapot')
        self.receive()
        self.assertFalse(self.mentions(account_id=self.account.id).rule_ids)

    def test_by_hand_a_lead_a_ticket_and_for_many_at_once(self):
        for name in ('rita', 'sam'):
            self.stub.mention('nice', self.stub.account(name))
        self.receive()
        mentions = self.mentions(account_id=self.account.id).with_user(self.user)
        action = mentions[0].action_create_lead()
        self.assertEqual(action['res_id'], mentions[0].lead_id.id)
        mentions.action_create_lead()
        self.assertEqual(len(mentions.lead_id), 2)
        agent = self.user
        agent.group_ids = [Command.link(self.env.ref('helpdesk_mgmt.group_helpdesk_user').id)]
        mentions.action_create_ticket()
        self.assertEqual(len(mentions.ticket_id), 2)

    def test_a_personal_mention_makes_a_lead_for_the_company(self):
        self.lead_rule()
        own = self.connect(self.app, self.user, kind='personal', username='me', number='79')
        self.stub.mention('teapot')
        self.receive()
        mention = self.mentions(account_id=own.id) or self.mentions(account_id=self.account.id)
        self.assertTrue(mention.lead_id)
