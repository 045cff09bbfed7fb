"""Who it is, what is done with it, and what the rules learn: in a browser, on a real server."""

import time

from odoo.tests import tagged

from .end_to_end import EndToEndCase, browser


@tagged('post_install', '-at_install')
class TestWorkEndToEnd(EndToEndCase):
    """The brand is connected; people write."""

    def setUp(self):
        super().setUp()
        if not self.ask('social.crm.account', [], 'id'):
            account = self.connect('brand')
            self.odoo.call('social.crm.account', 'write', [account['id']], {'poll_interval': 5})
        self.problems = []
        self.page.on('pageerror', lambda error: self.problems.append(str(error)))

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.problems, [])

    def show(self, model, number):
        self.page.goto(f'{self.odoo.url}/odoo/{model}/{number}')
        browser.settle(self.page)

    def card(self):
        """Return the screen pop once it is there, and see that its picture comes from Odoo."""
        card = self.page.locator('.o_social_crm_pop_card')
        card.wait_for()
        picture = card.locator('img').first
        self.assertTrue(picture.get_attribute('src').startswith('/web/image/social.crm.profile/'))
        self.assertTrue(picture.evaluate('image => image.complete && image.naturalWidth > 0'))
        return card

    def captured(self, model, login):
        return self.wait_for(
            model, [['social_profile_id.handle', '=like', f'{login}@%']], 'id', 'name'
        )

    def test_screen_pop_answer_from_the_ticket_and_not_a_lead(self):
        page = self.page
        self.rule = self.make(
            'social.crm.rule',
            name='Tables',
            keywords='table',
            action_ids=[[0, 0, {'kind': 'lead'}]],
        )
        self.make(
            'social.crm.rule',
            name='Broken',
            keywords='broken',
            action_ids=[[0, 0, {'kind': 'ticket'}]],
        )
        complaint = self.network.note('angry', '@brand my chair arrived broken')
        self.network.note('stranger', '@brand the periodic table has 118 elements')
        ticket, lead = (
            self.captured('helpdesk.ticket', 'angry'),
            self.captured('crm.lead', 'stranger'),
        )

        # A ticket shows who this is, is answered, and the answer stands on the network.
        self.show('helpdesk.ticket', ticket['id'])
        self.assertIn('my chair arrived broken', self.card().inner_text())
        page.locator('.o_social_crm_answer').first.click()
        page.locator('.o_social_crm_compose textarea').wait_for()
        browser.settle(page)
        page.keyboard.type('Sorry! A new one is on its way.')
        page.get_by_role('button', name='Send', exact=True).click()
        self.assertIn('A new one is on its way', self.answer_to(complaint, 'angry'))
        measured = self.wait_for(
            'helpdesk.ticket',
            [['id', '=', ticket['id']], ['social_first_response_at', '!=', False]],
            'social_response_hours',
        )
        self.assertGreater(measured['social_response_hours'], 0)
        # Both ways, after a look at the contact by the link on the card.
        self.show('helpdesk.ticket', ticket['id'])
        said = self.card().locator('.o_social_crm_said')
        self.assertIn('A new one is on its way', said.first.inner_text())
        self.card().locator('a[href^="/odoo/contacts/"]').click()
        page.locator('.breadcrumb-item, .o_breadcrumb', has_text='angry').first.wait_for()
        self.assertIn('my chair arrived broken', self.card().inner_text())

        # A lead shows who this is; it is none, and the rule is told.
        self.show('crm.lead', lead['id'])
        self.assertIn('118 elements', self.card().inner_text())
        self.press('Not a Lead')
        row = page.locator('.modal .o_data_row', has_text='periodic')
        row.locator('.o_data_cell[name=chosen]').click()
        row.locator('input[type=checkbox]').check()
        page.locator('.modal footer').get_by_role('button', name='Not a Lead').click()
        page.get_by_role('button', name='A Lead After All').wait_for()
        (rule,) = self.ask(
            'social.crm.rule', [['id', '=', self.rule]], 'excluded', 'false_hit_count'
        )
        self.assertEqual((rule['excluded'], rule['false_hit_count']), ('periodic', 1))

        # What is like it makes no lead any more; what is not, does.
        self.network.note('customer', '@brand another periodic table')
        self.network.note('customer', '@brand do you sell a round table?')
        second = self.captured('crm.lead', 'customer')
        self.assertIn('round table', second['name'])
        periodic = [['text', 'ilike', 'another periodic']]
        self.assertFalse(self.wait_for('social.crm.mention', periodic, 'rule_ids')['rule_ids'])

        # And it can be taken back.
        self.press('A Lead After All')
        page.get_by_role('button', name='Not a Lead').wait_for()
        self.assertEqual(self.rule_says('excluded'), [False])

    def rule_says(self, *names):
        (rule,) = self.ask('social.crm.rule', [['id', '=', self.rule]], *names)
        return [rule[name] for name in names]

    def answer_to(self, note, login):
        """Return the text of what stands below a note on the network, as its author sees it."""
        path, token = f'/api/v1/statuses/{note["id"]}/context', self.network.token(login)
        for _try in range(60):  # the server hands it over by a queue
            found = self.network.call('GET', path, token=token)['descendants']
            if found:
                return found[0]['content']
            time.sleep(0.5)
        return ''

    def test_a_direct_message_pops_up_and_opens(self):
        page = self.page
        page.goto(f'{self.odoo.url}/odoo/contacts')
        browser.settle(page)
        self.network.note('customer', '@brand where is my order 4711?', visibility='direct')
        toast = page.locator('.o_social_crm_toast', has_text='order 4711')
        toast.wait_for(timeout=60_000)
        toast.get_by_role('button', name='Open').click()
        page.locator('.o_form_view .o_social_crm_conversation', has_text='order 4711').wait_for()
        self.assertIn('order 4711', self.card().inner_text())
