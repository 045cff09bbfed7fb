from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestRule(SocialCrmCase):
    def matched(self, **values):
        rule = self.make_rule(**values)
        self.receive()
        texts = self.env['social.crm.mention'].search([('rule_ids', 'in', rule.ids)]).mapped('text')
        rule.unlink()
        return sorted(texts)

    def test_words_hashtags_and_handles_are_alternatives(self):
        self.stub.mention('a Teapot')
        self.stub.mention('see #kettle')
        self.stub.mention('ask @friend')
        self.stub.mention('nothing of it')
        self.assertEqual(
            self.matched(keywords='teapot\ngreen tea', hashtags='kettle', handles='friend'),
            ['a Teapot', 'ask @friend', 'see #kettle'],
        )

    def test_expression_and_exclusions_narrow(self):
        self.stub.mention('teapot for sale')
        self.stub.mention('teapot broken')
        self.stub.mention('teapot')
        self.assertEqual(
            self.matched(keywords='teapot', expression='sale OR broken', excluded='broken'),
            ['teapot for sale'],
        )

    def test_what_is_sent_to_us_mentions_us(self):
        self.stub.mention('no handle in here')
        self.assertEqual(self.matched(handles='acme'), ['no handle in here'])

    def test_filters(self):
        self.stub.mention('teapot wunderbar', language='de')
        self.stub.mention(
            'teapot is terrible, I hate it', self.stub.account('sam', followers_count=5000)
        )
        self.stub.mention('teapot psst', visibility='direct')
        self.assertEqual(self.matched(keywords='teapot', language_codes='de'), ['teapot wunderbar'])
        self.setUp_again()
        self.assertEqual(
            self.matched(keywords='teapot', sentiment='negative'), ['teapot is terrible, I hate it']
        )
        self.setUp_again()
        self.assertEqual(
            self.matched(keywords='teapot', min_followers=1000), ['teapot is terrible, I hate it']
        )
        self.setUp_again()
        only_messages = dict.fromkeys(
            ('kind_mention', 'kind_reply', 'kind_comment', 'kind_search'), False
        )
        self.assertEqual(self.matched(keywords='teapot', **only_messages), ['teapot psst'])

    def setUp_again(self):
        """Forget what was received, so that the next rule sees it anew."""
        self.env['social.crm.mention'].search([]).unlink()
        self.env['social.crm.stream'].search([]).cursor = False

    def test_an_error_says_where_it_is(self):
        for values, position in (
            ({'expression': 'teapot AND (green OR'}, 'position'),
            ({'expression': 'teapot AND'}, 'position 8'),
            ({'expression': '"green tea'}, 'position 1'),
        ):
            with self.subTest(values), self.assertRaisesRegex(ValidationError, position):
                self.make_rule(**values)

    def test_exclusions_alone_are_refused(self):
        for values in ({'excluded': 'spam'}, {'expression': 'NOT spam'}, {}):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.make_rule(**values)

    def test_an_action_without_its_details_is_refused(self):
        with self.assertRaisesRegex(ValidationError, 'lacks its details'):
            self.make_rule([{'kind': 'campaign'}], keywords='x')

    def test_a_test_on_stored_mentions_before_saving(self):
        self.stub.mention('a <b>teapot</b> &lt;script&gt;alert(1)&lt;/script&gt;')
        self.stub.mention('a kettle')
        self.receive()
        with Form(self.env['social.crm.rule'].with_user(self.marketing)) as form:
            form.name = 'Teapots'
            form.keywords = 'teapot'
            form.test_now = True
            result = form.test_result
            self.assertIn('<mark>teapot</mark>', result)
            self.assertIn('&lt;script&gt;', result)
            self.assertNotIn('<script>', result)
            self.assertNotIn('kettle', result)
        self.assertFalse(self.mentions(account_id=self.account.id).rule_ids, 'nothing fires')

    def test_a_test_tells_what_an_edit_gains_and_loses(self):
        for text in ('a teapot', 'a kettle', 'another kettle'):
            self.stub.mention(text)
        self.receive()
        rule = self.make_rule(keywords='teapot')
        with Form(rule) as form:
            form.test_now = True
            form.keywords = 'kettle'
            gained_lost = rule.new(
                {'keywords': 'kettle', 'company_id': self.company.id}, origin=rule
            )
            mentions = gained_lost._stored_mentions()
            self.assertEqual(
                gained_lost._compare(mentions, gained_lost._filter(mentions, gained_lost._query())),
                (2, 1),
            )

    def test_editing_a_rule_takes_effect_at_once(self):
        rule = self.make_rule(keywords='teapot')
        self.stub.mention('a kettle')
        self.receive()
        rule.keywords = 'kettle'
        self.stub.mention('a kettle again')
        self.receive()
        self.assertEqual(
            self.env['social.crm.mention'].search([('rule_ids', 'in', rule.ids)]).text,
            'a kettle again',
        )

    def test_a_thousand_rules_are_no_obstacle(self):
        self.env['social.crm.rule'].create(
            [{'name': f'Rule {n}', 'keywords': f'word{n}'} for n in range(1000)]
        )
        self.stub.mention('we say word77 and word99')
        self.receive()
        self.assertEqual(
            sorted(self.mentions(account_id=self.account.id).rule_ids.mapped('keywords')),
            ['word77', 'word99'],
        )

    def test_copy_keeps_actions(self):
        rule = self.make_rule([{'kind': 'lead'}], keywords='x')
        self.assertEqual(rule.copy().action_ids.mapped('kind'), ['lead'])

    def test_counts(self):
        rule = self.make_rule([{'kind': 'lead'}], keywords='teapot')
        self.stub.mention('teapot')
        self.receive()
        self.assertEqual((rule.match_count, rule.lead_count, rule.ticket_count), (1, 1, 0))
        self.assertEqual(
            fields.Date.today(),
            rule._volume_per_day(self.mentions(account_id=self.account.id))[-1][0],
        )
