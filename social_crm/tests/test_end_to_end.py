"""The main job on real input: from a stranger's words on a real server to a lead in the CRM, with
Chromium, a running Odoo and its cron threads."""

import time

from odoo.tests import tagged

from .end_to_end import EndToEndCase, browser


@tagged('post_install', '-at_install')
class TestEndToEnd(EndToEndCase):
    def test_from_a_mention_to_lead_ticket_and_contact(self):
        page = self.page
        self.odoo.call(
            'res.config.settings', 'execute', self.make('res.config.settings', group_use_lead=True)
        )
        page.reload()

        # Connect by the real pages of the real server.
        account = self.connect('brand')
        self.assertEqual(account['state'], 'connected')
        self.assertIn('Connected', page.locator('.o_statusbar_status').inner_text())
        self.fill('poll_interval', '10')
        page.locator('.o_form_button_save').click()
        browser.settle(page)

        # A rule for buyers, made in the web client and tried before it is saved.
        campaign = self.make('utm.campaign', title='Autumn desks')
        self.open('social_crm.social_crm_rule_action')
        self.press('New')
        self.fill('name', 'Somebody wants a desk')
        self.fill('keywords', 'desk')
        page.get_by_role('tab', name='Then Do').click()
        page.locator('.o_field_x2many_list_row_add a').first.click()
        browser.settle(page)
        page.locator('.modal').get_by_text('Create a lead', exact=True).click()
        page.locator('.modal .o_form_button_save').click()
        browser.settle(page)
        page.locator('.o_form_button_save').first.click()
        browser.settle(page)
        rule = self.wait_for(
            'social.crm.rule', [['name', '=', 'Somebody wants a desk']], 'action_ids', seconds=5
        )
        self.assertEqual(len(rule['action_ids']), 1)
        self.odoo.call('social.crm.rule', 'write', [rule['id']], {'campaign_id': campaign})
        self.make(
            'social.crm.rule',
            name='Something is broken',
            keywords='broken',
            action_ids=[[0, 0, {'kind': 'ticket'}]],
        )

        # A customer is known: the contact is linked to the profile by handle.
        host = self.network.url.split('://')[1]
        partner = self.make('res.partner', name='Cora Customer', social_is_customer=True)
        self.make(
            'social.crm.profile', network='mastodon', handle=f'customer@{host}', partner_id=partner
        )

        # They all write; the inbox is open and shows it by itself.
        self.open('social_crm.social_crm_mention_action')
        begin = time.monotonic()
        self.network.note(
            'stranger', f'@brand@{host} I love your desk! Where can I buy a great desk like that?'
        )
        self.network.note('angry', f'@brand@{host} my chair arrived broken, this is terrible')
        self.network.note('customer', f'@brand@{host} can I get one more desk for my office?')

        lead = self.wait_for(
            'crm.lead',
            [['social_profile_id.handle', '=', f'stranger@{host}']],
            'name',
            'description',
            'contact_name',
            'type',
            'source_id',
            'medium_id',
            'campaign_id',
            'social_sentiment_label',
            'social_url',
            seconds=60 - (time.monotonic() - begin),
        )
        self.assertIn('great desk', lead['description'])
        self.assertEqual((lead['type'], lead['social_sentiment_label']), ('lead', 'positive'))
        self.assertEqual(
            (lead['source_id'][1], lead['medium_id'][1], lead['campaign_id'][1]),
            ('Mastodon', 'Social', 'Autumn desks'),
        )
        self.assertTrue(lead['social_url'].startswith(f'{self.network.url}/stranger/'))
        ticket = self.wait_for(
            'helpdesk.ticket',
            [['social_profile_id.handle', '=', f'angry@{host}']],
            'description',
            'partner_id',
            seconds=30,
        )
        self.assertIn('arrived broken', ticket['description'])
        known = self.wait_for(
            'social.crm.mention',
            [['author_id.handle', '=', f'customer@{host}']],
            'lead_id',
            'ticket_id',
            'partner_id',
            'act_state',
            seconds=30,
        )
        self.assertEqual(
            (known['lead_id'], known['ticket_id'], known['partner_id'][0]), (False, False, partner)
        )
        self.wait_for(
            'mail.message',
            [
                ['model', '=', 'res.partner'],
                ['res_id', '=', partner],
                ['body', 'ilike', 'one more desk'],
            ],
            seconds=30,
        )

        # What a salesperson sees.
        page.wait_for_selector('.o_kanban_record:has-text("great desk")', timeout=15_000)
        page.goto(f'{self.odoo.url}/odoo/action-crm.crm_lead_all_leads')
        browser.settle(page)
        page.locator('.o_data_row', has_text='stranger').first.click()
        browser.settle(page)
        self.assertIn('great desk', page.locator('.o_form_view').inner_text())

        # The login is taken back on the server: the account says so and asks for a reconnect.
        self.network.call('POST', '/oauth/revoke', self._revocation())
        self.wait_for(
            'social.crm.account', [['id', '=', account['id']], ['state', '=', 'reconnect']], 'state'
        )
        self.wait_for(
            'mail.activity',
            [['res_model', '=', 'social.crm.account'], ['res_id', '=', account['id']]],
            seconds=5,
        )

    def _revocation(self):
        """Return what takes the brand's login back: snac keeps its tokens in files."""
        import json

        for file in (self.network.folder / 'token').glob('*.json'):
            token = json.loads(file.read_text())
            if token.get('uid') == 'brand':
                return {
                    'token': token['token'],
                    'client_id': token['client_id'],
                    'client_secret': token.get('client_secret', ''),
                }
        raise AssertionError('the server holds no token of the brand')
