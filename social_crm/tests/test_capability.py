"""What a network cannot do is told, with the reason on hover."""

from lxml import html

from odoo.tests import tagged

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestCapability(SocialCrmCase):
    def reasons(self, badges):
        return {span.text: span.get('title') for span in html.fromstring(str(badges)).iter('span')}

    def test_an_account_tells_what_its_login_permits(self):
        self.account.write({'wanted_capabilities': 'mentions messages', 'granted_scopes': 'read'})
        self.patch(type(self.account), '_missing_capabilities', lambda account: ['messages'])
        reasons = self.reasons(self.account.capability_badges)
        self.assertIn('Permitted', reasons['Mentions, replies and comments'])
        self.assertIn('connect again', reasons['Direct messages'])
        self.assertIn('switched off', reasons['Posts'])
        self.assertIn('Mastodon does not', reasons['Lead forms'])

    def test_the_dialog_tells_what_will_be_asked_for(self):
        self.company.social_crm_use_messages = False
        wizard = self.env['social.crm.connect'].with_user(self.manager).new({'network': 'linkedin'})
        reasons = self.reasons(wizard.capabilities)
        self.assertIn('You will be asked', reasons['Lead forms'])
        self.assertIn('LinkedIn does not', reasons['Direct messages'])
        wizard.network = 'mastodon'
        self.assertIn('switched off', self.reasons(wizard.capabilities)['Direct messages'])
