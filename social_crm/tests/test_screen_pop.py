from unittest.mock import patch

from lxml import html

from odoo.tests import new_test_user, tagged, warmup

from .answering import AnsweringCase


@tagged('post_install', '-at_install')
class TestScreenPop(AnsweringCase):
    def setUp(self):
        super().setUp()
        self.make_rule([{'kind': 'lead'}, {'kind': 'ticket'}], keywords='teapot')
        self.rita = self.stub.account('rita', display_name='Rita <b>K.</b>', followers_count=4321)
        self.mention = self.mentioned('I love this great teapot', author=self.rita)
        self.author = self.mention.author_id

    def card(self, user=None):
        text = self.author.with_user(user or self.agent).get_screen_pop()
        return html.fromstring(text) if text else None

    def test_it_shows_who_this_is_and_what_was_said_both_ways(self):
        self.answer(self.mention, 'Glad to hear that!')
        self.deliver()
        card = self.card()
        text = ' '.join(card.text_content().split())
        self.assertIn('Rita <b>K.</b>', text)
        self.assertIn('4,321 followers', text)
        said = [one.text for one in card.cssselect('.o_social_crm_said')]
        self.assertIn('Glad to hear that!', said[0])
        self.assertIn('I love this great teapot', said[1])
        picture = card.cssselect('img')[0].get('src')
        self.assertEqual(picture, f'/web/image/social.crm.profile/{self.author.id}/avatar_128')
        self.assertEqual(len(card.cssselect('.o_social_crm_mood')), 8)
        self.assertEqual(len(card.cssselect('.o_social_crm_mood .bg-success')), 1)

    def test_it_shows_what_is_open(self):
        card = self.card()
        links = [link.get('href') for link in card.cssselect('section[data-model] a')]
        self.assertEqual(
            links,
            [
                f'/odoo/crm.lead/{self.mention.lead_id.id}',
                f'/odoo/helpdesk.ticket/{self.mention.ticket_id.id}',
            ],
        )
        self.mention.lead_id.sudo().action_set_lost()
        self.assertFalse(self.card().cssselect('[data-model="crm.lead"]'))

    def test_only_what_the_user_may_see(self):
        stranger = new_test_user(self.env, 'sc_other', 'base.group_user')
        self.assertIsNone(self.card(stranger))
        seller = new_test_user(self.env, 'sc_seller', 'sales_team.group_sale_salesman')
        self.mention.lead_id.sudo().user_id = self.agent
        card = self.card(seller)
        self.assertFalse(card.cssselect('[data-model]'), "a colleague's lead, and no helpdesk")
        self.mention.sudo().owner_id = self.manager
        self.assertNotIn('teapot', self.card(seller).text_content())

    def test_the_profiles_of_one_contact_show_together(self):
        other = self.env['social.crm.profile'].create(
            {'network': 'mastodon', 'handle': 'rita@elsewhere.example'}
        )
        other.partner_id = self.author.partner_id
        for profile in (self.author, other):
            text = profile.with_user(self.agent).get_screen_pop()
            self.assertIn('@rita@elsewhere.example', text)
            self.assertIn('I love this great teapot', text)

    @warmup
    def test_it_costs_few_queries(self):
        self.answer(self.mention, 'Glad to hear that!')
        self.deliver()
        profile = self.author.with_user(self.agent).with_context(tz='Europe/Vienna', lang='en_US')
        profile.get_screen_pop()
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(8):  # quotations make two more, where sales are installed
            self.assertIn('Glad to hear', profile.get_screen_pop())


@tagged('post_install', '-at_install')
class TestMessageToast(AnsweringCase):
    """A direct message pops up for whom it concerns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.user_id = cls.manager

    def told(self, text='psst', **values):
        """Let a private message arrive; return (login, payload) of what popped up."""
        sent = []

        def send(user, kind, payload, **_kw):
            if kind == 'social_crm.message':
                sent.append((user.login, payload))

        with patch.object(type(self.env['res.users']), '_bus_send', send):
            self.stub.mention(text, visibility='direct', **values)
            self.receive()
        return sent

    def test_the_owner_of_the_account_is_told_unless_others_are_named(self):
        ((login, payload),) = self.told('where is my order?')
        self.assertEqual((login, payload['text']), ('sc_manager', 'where is my order?'))
        self.assertEqual(self.env['social.crm.mention'].browse(payload['id']).kind, 'message')
        self.account.message_user_ids = self.agent | self.user
        self.assertEqual({login for login, _payload in self.told()}, {'sc_agent', 'sc_user'})

    def test_whoever_is_at_it_is_told_alone(self):
        self.told()
        self.mentions(account_id=self.account.id).with_user(self.agent).action_assign_to_me()
        self.assertEqual([login for login, _payload in self.told()], ['sc_agent'])

    def test_nobody_is_told_of_what_is_old_public_or_blocked(self):
        self.assertFalse(self.told(minutes_ago=60))
        self.stub.mention('a public word')
        self.assertEqual(len(self.told()), 1)
        self.mentions(account_id=self.account.id).author_id.action_block()
        self.assertFalse(self.told())

    def test_it_can_be_switched_off_by_each_user(self):
        self.manager.with_user(self.manager).write({'social_crm_message_toast': False})
        self.assertFalse(self.told())
