"""What a post brings: a link opened by a stranger, a reply that becomes a won lead, the return."""

import re

from odoo.tests import tagged

from .end_to_end import EndToEndCase, browser

#: The browser of a stranger: Chromium without a window would say so, and count as a machine.
STRANGER = (
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) '
    'Chrome/126.0.0.0 Safari/537.36'
)


@tagged('post_install', '-at_install')
class TestCampaignEndToEnd(EndToEndCase):
    def test_from_a_post_to_the_return_on_investment(self):
        self.network.follow('customer', 'brand')
        self.connect('brand')
        campaign = self.make('utm.campaign', title='Spring Tea')
        self.make(
            'social.crm.rule',
            name='Tea',
            keywords='tea',
            kind_search=False,
            action_ids=[[0, 0, {'kind': 'lead'}]],
        )
        target = f'{self.odoo.url}/web/login'
        post = self.publish(f'Our new tea: {target}', campaign)

        # On the network stands a short link; the network's own look at it is no click.
        status = self.seen_by('customer', 'Our new tea')
        [short] = re.findall(r'https?://[^\s"<]+/r/\w+', status['content'])[:1]
        page = self.page.context.browser.new_context(user_agent=STRANGER).new_page()
        page.goto(short)
        self.assertIn('utm_campaign=', page.url)
        self.assertIn('utm_content=publication-', page.url)
        [row] = self.ask('social.crm.publication', [['post_id', '=', post]], 'link_clicks')
        self.assertEqual(row['link_clicks'], 1)

        # The customer answers: the mention and its lead belong to the campaign of the post.
        self.network.call(
            'POST',
            '/api/v1/statuses',
            {'status': f'@{self.handle()} how much is the tea?', 'in_reply_to_id': status['id']},
            self.network.token('customer'),
        )
        mention = self.wait_for(
            'social.crm.mention', [['lead_id', '!=', False]], 'lead_id', 'campaign_id', seconds=90
        )
        self.assertEqual(mention['campaign_id'][0], campaign)
        lead = mention['lead_id'][0]
        self.odoo.call(
            'crm.lead', 'write', [lead], {'type': 'opportunity', 'expected_revenue': 450}
        )
        self.odoo.call('crm.lead', 'action_set_won', [lead])
        self.make('social.crm.campaign.cost', campaign_id=campaign, name='Ads', amount=100)
        self.odoo.call('ir.cron', 'method_direct_trigger', self.cron('sum_up'))

        [figures] = self.ask(
            'utm.campaign',
            [['id', '=', campaign]],
            'social_post_count',
            'social_mention_count',
            'social_click_count',
            'social_lead_count',
            'social_won_count',
            'social_revenue',
            'social_cost',
            'social_roi',
        )
        figures.pop('id')
        self.assertEqual(list(figures.values()), [1, 1, 1, 1, 1, 450.0, 100.0, 3.5])
        self.page.goto(f'{self.odoo.url}/odoo/action-social_crm.utm_campaign_action/{campaign}')
        browser.settle(self.page)
        self.assertIn('350%', self.page.locator('.oe_button_box, .o-form-buttonbox').inner_text())
        tables = self.page.locator('.o_social_crm_breakdown').inner_text()
        for text in ('Mastodon', 'First touch', '450.00', '100.00'):
            self.assertIn(text, tables)

    def publish(self, text, campaign):
        """Publish a post now, as a person does; return its id."""
        accounts = [one['id'] for one in self.ask('social.crm.account', [], 'id')]
        post = self.make(
            'social.crm.post', text=text, account_ids=[[6, 0, accounts]], campaign_id=campaign
        )
        self.page.goto(f'{self.odoo.url}/odoo/action-social_crm.social_crm_post_action/{post}')
        browser.settle(self.page)
        self.press('Publish Now')
        self.wait_for('social.crm.post', [['id', '=', post], ['state', '=', 'published']])
        return post

    def handle(self):
        return self.ask('social.crm.account', [], 'handle')[0]['handle']

    def cron(self, name):
        [data] = self.ask('ir.model.data', [['name', '=', f'ir_cron_{name}']], 'res_id')
        return [data['res_id']]
