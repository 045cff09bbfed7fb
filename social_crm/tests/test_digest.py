from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestDigest(SocialCrmCase):
    def test_kpis(self):
        self.make_rule([{'kind': 'lead'}], name='Tea', keywords='tea')
        self.stub.mention('some tea')
        self.receive()
        mention = self.mentions()
        now = fields.Datetime.now()
        mention.sudo().posted_at = now
        self.env['social.crm.engagement'].create(
            {
                'kind': 'reply',
                'account_id': self.account.id,
                'text': 'x',
                'mention_id': mention.id,
                'delivery_state': 'sent',
                'sent_at': now,
            }
        )
        self.env.flush_all()
        digest = self.env['digest.digest'].create(
            {
                'name': 'Week',
                'company_id': self.company.id,
                'kpi_social_mentions': True,
                'kpi_social_answers': True,
                'kpi_social_leads': True,
            }
        )
        names = ('mentions', 'answers', 'leads')
        seller = new_test_user(
            self.env,
            'sc_seller',
            'social_crm.social_crm_group_user,sales_team.group_sale_salesman_all_leads',
        )
        shown = digest.with_user(seller).with_context(
            start_datetime=fields.Datetime.subtract(now, days=1),
            end_datetime=fields.Datetime.add(now, days=1),
        )
        self.assertEqual([shown[f'kpi_social_{name}_value'] for name in names], [1, 1, 1])
        nobody = new_test_user(self.env, 'sc_nobody', 'base.group_user')
        with self.assertRaises(AccessError):
            digest.with_user(nobody).read(['kpi_social_mentions_value'])
        actions = digest._compute_kpis_actions(self.company, self.user)
        self.assertTrue({f'kpi_social_{name}' for name in names} <= actions.keys())

    def test_the_weekly_mail_of_a_campaign(self):
        self.marketing.email = 'mia@example.com'
        campaign = self.env['utm.campaign'].create(
            {
                'title': 'Spring & Tea',
                'user_id': self.marketing.id,
                'social_weekly_mail': True,
            }
        )
        self.env['utm.campaign'].create({'title': 'Quiet', 'user_id': self.marketing.id})
        self.env['social.crm.campaign.cost'].create(
            {'campaign_id': campaign.id, 'name': 'Ads', 'amount': 123.45}
        )
        self.env.flush_all()
        with self.loop('utm.campaign') as Campaign:
            Campaign._cron_social_weekly_mail()
        mail = self.env['mail.mail'].search([('model', '=', 'utm.campaign')])
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.recipient_ids, self.marketing.partner_id)
        self.assertEqual(mail.subject, 'Spring & Tea: the week on social networks')
        self.assertIn('123.45', mail.body_html)
