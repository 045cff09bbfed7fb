from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestFalseHit(SocialCrmCase):
    """What is no lead is said on the lead, and the rule learns of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = new_test_user(
            cls.env, 'sc_seller', 'sales_team.group_sale_salesman_all_leads', name='Sam Seller'
        )

    def setUp(self):
        super().setUp()
        self.rule = self.make_rule([{'kind': 'lead'}], keywords='table', excluded='tennis')
        self.good = self.captured('looking for a table for our office', 'ada')
        self.lead = self.captured('the periodic table of chemistry', 'bob')

    def captured(self, text, name):
        notification = self.stub.mention(text, self.stub.account(name))
        self.receive()
        return self.mentions(external_id=notification['status']['uri']).lead_id

    def dialog(self, lead=None, user=None):
        lead = (lead or self.lead).with_user(user or self.seller)
        action = lead.action_social_not_a_lead()
        return Form(
            self.env['social.crm.not.lead']
            .with_user(user or self.seller)
            .with_context(**action['context'])
        )

    def say_no_lead(self, *words, author=False, **kwargs):
        form = self.dialog(**kwargs)
        for index in range(len(form.term_ids)):
            with form.term_ids.edit(index) as line:
                line.chosen = line.term in words
        form.exclude_author = author
        form.save().action_apply()

    def test_the_rule_excludes_a_word_and_finds_such_no_more(self):
        self.say_no_lead('chemistry')
        self.assertEqual(self.lead.won_status, 'lost')
        self.assertEqual(self.lead.lost_reason_id.name, 'Not a lead')
        self.assertEqual(self.lead.social_mention_ids.state, 'ignored')
        self.assertEqual(self.rule.excluded, 'tennis\nchemistry')
        self.assertFalse(self.captured('chemistry and the table', 'cid'))
        self.assertTrue(self.captured('a table', 'dan'))
        note = self.rule.message_ids[0]
        self.assertEqual(note.author_id, self.seller.partner_id)
        self.assertIn('chemistry', note.body)
        self.assertEqual(self.rule.with_user(self.marketing).false_hit_count, 1)

    def test_the_rule_excludes_the_author(self):
        self.say_no_lead(author=True)
        self.assertEqual(self.rule.excluded_profile_ids, self.lead.social_profile_id)
        self.assertFalse(self.captured('another table', 'bob'))

    def test_what_was_said_can_be_taken_back(self):
        self.say_no_lead('chemistry', author=True)
        self.lead.with_user(self.seller).action_social_is_a_lead()
        self.assertEqual(self.lead.won_status, 'pending')
        self.assertEqual(self.rule.excluded, 'tennis')
        self.assertFalse(self.rule.excluded_profile_ids)
        self.assertEqual(self.lead.social_mention_ids.state, 'open')
        self.assertEqual(self.rule.false_hit_count, 0)

    def test_an_undo_leaves_what_others_excluded(self):
        self.say_no_lead('chemistry')
        other = self.captured('the periodic table', 'eve')
        form = self.dialog(lead=other)
        form.words = 'chemistry, periodic'
        form.save().action_apply()
        other.with_user(self.seller).action_social_is_a_lead()
        self.assertEqual(self.rule.excluded, 'tennis\nchemistry')

    def test_suggestions_are_learnt_from_good_and_bad_matches(self):
        self.captured('a table for chemistry lessons at our school', 'fay')
        self.say_no_lead()
        lead = self.captured('a periodic table for the office of our chemistry teacher', 'gil')
        form = self.dialog(lead=lead)
        terms = [form.term_ids.edit(index).term for index in range(len(form.term_ids))]
        self.assertEqual(terms[0], 'periodic', 'in one false hit and in no good match')
        self.assertNotIn('table', terms)

    def test_the_dialog_says_what_is_lost(self):
        form = self.dialog()
        form.words = 'periodic'
        self.assertEqual((form.hits_lost, form.kept_lost), (1, 0))
        form.words = 'for'
        self.assertEqual((form.hits_lost, form.kept_lost), (1, 1))

    def test_a_word_that_would_silence_the_rule_is_refused(self):
        form = self.dialog()
        form.words = 'table'
        with self.assertRaisesRegex(UserError, 'listens for "table"'):
            form.save().action_apply()
        self.assertEqual(self.lead.won_status, 'pending')

    def test_a_lead_that_one_may_not_write_feeds_no_rule(self):
        self.lead.user_id = self.seller
        own_only = new_test_user(self.env, 'sc_own', 'sales_team.group_sale_salesman')
        with self.assertRaises(AccessError):
            self.lead.with_user(own_only)._close_as_no_lead(self.rule, ['chemistry'])
        self.assertEqual(self.rule.excluded, 'tennis')

    def test_a_lead_made_by_hand_is_closed_as_well(self):
        self.stub.mention('nice', self.stub.account('hal'))
        self.receive()
        mention = self.mentions(lead_id=False, account_id=self.account.id)[:1]
        mention._capture_leads(force=True)
        self.dialog(lead=mention.lead_id).save().action_apply()
        self.assertEqual(mention.lead_id.won_status, 'lost')
        self.assertEqual(self.rule.false_hit_count, 0)

    def test_the_lead_explains_itself(self):
        self.rule.hashtags = '#furniture'
        text = self.captured('we need a #furniture table, I love it', 'ida').social_explanation
        for part in (
            'Test rule',
            '<code class="text-reset">table</code>',
            '<code class="text-reset">#furniture</code>',
            '<mark>table</mark>',
            'Positive',
        ):
            self.assertIn(part, text)
