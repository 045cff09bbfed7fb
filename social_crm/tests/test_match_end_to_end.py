"""A suggestion is confirmed in the web client: real server, real Odoo, real loops, real browser."""

from odoo.tests import tagged

from .end_to_end import EndToEndCase, browser

ADDRESS = 'smith@acme.example'


@tagged('post_install', '-at_install')
class TestMatchEndToEnd(EndToEndCase):
    def test_a_message_makes_a_suggestion_that_a_click_confirms(self):
        page, problems = self.page, []
        page.on('pageerror', lambda error: problems.append(str(error)))
        contact = self.make('res.partner', name='Customer Smith', email=ADDRESS)
        account = self.connect('brand')
        self.odoo.call('social.crm.account', 'write', [account['id']], {'poll_interval': 5})
        self.network.note('customer', f'@brand please write to {ADDRESS}', visibility='direct')
        suggested = [['partner_id', '=', contact], ['state', '=', 'suggested']]
        match = self.wait_for('social.crm.match', suggested, 'score', 'profile_id')

        self.open('social_crm.social_crm_match_action')
        entry = page.locator(
            '.o_menu_sections [data-menu-xmlid="social_crm.social_crm_match_menu"]'
        )
        entry.get_by_text('1', exact=True).wait_for()
        card = page.locator('.o_kanban_record', has_text='Customer Smith')
        self.assertIn(ADDRESS, card.locator('.o_social_crm_evidence').inner_text())
        card.get_by_role('button', name='Confirm').click()
        card.wait_for(state='detached')
        entry.locator('.badge').wait_for(state='detached')
        confirmed = [['id', '=', match['id']], ['state', '=', 'confirmed']]
        self.assertTrue(self.ask('social.crm.match', confirmed, 'id'))

        page.goto(f'{self.odoo.url}/odoo/contacts/{contact}')
        browser.settle(page)
        page.get_by_role('tab', name='Social').click()
        page.locator('.o_field_widget[name=social_profile_ids]', has_text='customer@').wait_for()
        self.assertEqual(problems, [])
