"""From the network to the inbox and back, in a browser: real server, real Odoo, real loops."""

import time
from concurrent.futures import ThreadPoolExecutor

from odoo.tests import tagged

from .end_to_end import EndToEndCase, browser


@tagged('post_install', '-at_install')
class TestAnswerEndToEnd(EndToEndCase):
    """The brand is connected; a customer writes; an agent sits before the inbox."""

    def setUp(self):
        super().setUp()
        if not self.ask('social.crm.account', [], 'id'):
            account = self.connect('brand')
            self.odoo.call('social.crm.account', 'write', [account['id']], {'poll_interval': 5})
        self.problems = []
        self.page.on('pageerror', lambda error: self.problems.append(str(error)))
        self.open('social_crm.social_crm_mention_action')

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.problems, [])

    def column(self, name):
        return self.page.locator('.o_kanban_group', has=self.page.get_by_text(name, exact=True))

    def answer_in_two_clicks(self, question, answer):
        card = self.column('New').locator('.o_kanban_record', has_text=question)
        card.wait_for(timeout=90_000)  # it comes by itself
        card.locator('.o_social_crm_answer').click()
        self.page.locator('.o_social_crm_compose textarea').wait_for()
        browser.settle(self.page)
        self.page.keyboard.type(answer)
        self.page.get_by_role('button', name='Send', exact=True).click()
        done = self.column('Done').locator('.o_kanban_record', has_text=question)
        done.wait_for(timeout=60_000)  # and goes there by itself, once the answer stands
        self.page.locator('.modal').wait_for(state='detached')

    def below(self, note):
        """Return what stands below a note, as the customer sees it."""
        path, token = f'/api/v1/statuses/{note["id"]}/context', self.network.token('customer')
        for _try in range(60):  # the server hands it over by a queue
            found = self.network.call('GET', path, token=token)['descendants']
            if found:
                return found
            time.sleep(0.5)
        return []

    def test_a_mention_is_answered_in_two_clicks(self):
        note = self.network.note('customer', '@brand do you ship to Graz?')
        self.answer_in_two_clicks('do you ship to Graz?', 'Yes, by tomorrow!')
        below = self.below(note)
        self.assertEqual(len(below), 1)
        self.assertEqual(below[0]['in_reply_to_id'], note['id'])
        self.assertIn('Yes, by tomorrow!', below[0]['content'])

        self.page.locator('.o_kanban_record', has_text='do you ship to Graz?').click()
        thread = self.page.locator('.o_form_view .o_social_crm_conversation')
        thread.wait_for()
        self.assertIn('Yes, by tomorrow!', thread.locator('.o_social_crm_own').inner_text())
        self.page.locator('.o-mail-Message', has_text='Yes, by tomorrow!').wait_for()

    def test_a_direct_message_too(self):
        note = self.network.note('customer', '@brand my order number is 4711', visibility='direct')
        self.answer_in_two_clicks('my order number is 4711', 'Thank you, we have it')
        below = self.below(note)
        self.assertEqual([status['in_reply_to_id'] for status in below], [note['id']])
        self.assertIn(below[0]['visibility'], ('direct', 'private'))  # snac has one word for both

    def test_send_pressed_many_times_at_once_sends_once(self):
        note = self.network.note('customer', '@brand is anybody there?')
        mention = self.wait_for('social.crm.mention', [['external_id', '=', note['uri']]], 'id')
        values = {'mention_id': mention['id'], 'text': 'Yes, we are', 'channel': 'public'}
        dialogs = [self.make('social.crm.compose', **values) for _dialog in range(2)]

        def press(dialog):
            try:
                self.odoo.call('social.crm.compose', 'action_send', [dialog])
            except RuntimeError as error:  # refused, with a reason that a person understands
                return str(error).strip().splitlines()[-1]

        with ThreadPoolExecutor(8) as pool:
            refusals = [text for text in pool.map(press, dialogs * 4) if text]
        for refusal in refusals:
            self.assertIn('The very same words have just gone there', refusal)
        sent = [['mention_id', '=', mention['id']], ['delivery_state', '=', 'sent']]
        self.wait_for('social.crm.engagement', sent, 'id')
        self.assertEqual(len(self.ask('social.crm.engagement', sent[:1], 'id')), 1)
        self.assertEqual(len(self.below(note)), 1)
