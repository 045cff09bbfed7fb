"""From the network to the inbox and back, in a browser: real server, real Odoo, real loops."""

import contextlib
import time
import unittest

try:
    from tools import browser, database, odoo_process, servers, story
except ImportError:  # run by Odoo itself, outside of the repository
    servers = None


@unittest.skipUnless(servers, 'needs the tools of the repository')
class TestAnswerEndToEnd(unittest.TestCase):
    """The brand is connected; a customer writes; an agent sits before the inbox."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.server = stack.enter_context(servers.snac(people=(story.BRAND, 'ada')))
        clone = stack.enter_context(database.clone())
        cls.odoo = stack.enter_context(odoo_process.start(clone, crons=3))
        story.connect(cls.odoo, cls.server)
        accounts = cls.odoo.call('social.crm.account', 'search', [])
        cls.odoo.call('social.crm.account', 'write', accounts, {'poll_interval': 5})
        context = stack.enter_context(browser.chromium())
        cls.page = context.new_page()
        cls.problems = []
        cls.page.on('pageerror', lambda error: cls.problems.append(str(error)))
        browser.sign_in(cls.page, cls.odoo.url)
        cls.page.goto(f'{cls.odoo.url}/odoo/action-social_crm.social_crm_mention_action')

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

    def below(self, note):
        path, token = f'/api/v1/statuses/{note["id"]}/context', self.server.token('ada')
        for _try in range(60):  # the server hands it over by a queue
            found = self.server.call('GET', path, token=token)['descendants']
            if found:
                return found
            time.sleep(0.5)
        return []

    def test_a_mention_is_answered_in_two_clicks(self):
        note = self.server.note('ada', f'@{story.BRAND} do you ship to Graz?')
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
        self.page.go_back()

    def test_a_direct_message_too(self):
        note = self.server.note(
            'ada', f'@{story.BRAND} my order number is 4711', visibility='direct'
        )
        self.answer_in_two_clicks('my order number is 4711', 'Thank you, Ada')
        below = self.below(note)
        self.assertEqual([status['in_reply_to_id'] for status in below], [note['id']])
        self.assertIn(below[0]['visibility'], ('direct', 'private'))  # snac has one word for both
