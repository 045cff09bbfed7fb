import base64
import json

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestRuleExchange(SocialCrmCase):
    """Rules go from one database to another as a file."""

    def exported(self, rules):
        wizard = (
            self.env['social.crm.rule.export']
            .with_user(self.marketing)
            .with_context(active_ids=rules.ids)
            .create({})
        )
        # What the address of the dialog's button names.
        _web, _content, model, number, name = wizard.action_download()['url'].split('/')[1:6]
        record = self.env[model].with_user(self.marketing).browse(int(number))
        return base64.b64decode(record[name])

    def imported(self, data):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        wizard = (
            self.env['social.crm.rule.import']
            .with_user(self.marketing)
            .create({'file': base64.b64encode(data)})
        )
        wizard.action_import()
        return wizard

    def test_there_and_back(self):
        team = self.env['crm.team'].create({'name': 'Outer Sales', 'company_id': self.company.id})
        tag = self.env['crm.tag'].create({'name': 'hot'})
        rule = self.make_rule(
            [
                {'kind': 'tag', 'tag_ids': [Command.link(tag.id)]},
                {'kind': 'lead', 'crm_team_id': team.id, 'during_complaint': True},
                {'kind': 'notify', 'user_ids': [Command.link(self.user.id)]},
            ],
            name='Teapots',
            keywords='teapot\ngreen tea',
            expression='buy OR "where can I"',
            excluded='recipe',
            kind_reply=False,
            country_ids=[Command.link(self.env.ref('base.at').id)],
            account_ids=[Command.link(self.account.id)],
            sentiment='not_negative',
            min_followers=5,
        )
        data = self.exported(rule)
        rule.unlink()
        wizard = self.imported(data)
        self.assertFalse(wizard.notes)
        again = wizard.rule_ids
        self.assertRecordValues(
            again,
            [
                {
                    'name': 'Teapots',
                    'keywords': 'teapot\ngreen tea',
                    'expression': 'buy OR "where can I"',
                    'excluded': 'recipe',
                    'kind_reply': False,
                    'kind_mention': True,
                    'sentiment': 'not_negative',
                    'min_followers': 5,
                    'paused': True,
                    'account_ids': self.account.ids,
                    'country_ids': self.env.ref('base.at').ids,
                }
            ],
        )
        self.assertEqual(again.action_ids.mapped('kind'), ['tag', 'lead', 'notify'])
        self.assertEqual(again.action_ids[1].crm_team_id, team)
        self.assertTrue(again.action_ids[1].during_complaint)
        self.assertEqual(again.action_ids[2].user_ids, self.user)

    def test_what_the_other_database_lacks_is_left_out_and_told(self):
        tag = self.env['crm.tag'].create({'name': 'hot'})
        rule = self.make_rule(
            [{'kind': 'lead', 'tag_ids': [Command.link(tag.id)]}, {'kind': 'tag', 'tag_ids': tag}],
            keywords='x',
        )
        data = self.exported(rule)
        rule.action_ids.unlink()
        tag.unlink()
        wizard = self.imported(data)
        self.assertEqual(wizard.rule_ids.action_ids.mapped('kind'), ['lead'])
        self.assertIn('"hot" is not in this database', wizard.notes)
        self.assertIn('an action was left out', wizard.notes)

    def test_a_file_brings_no_code(self):
        server_action = self.env['ir.actions.server'].create(
            {
                'name': 'anything',
                'model_id': self.env['ir.model']._get_id('social.crm.mention'),
                'state': 'code',
                'code': 'pass',
            }
        )
        rule = self.make_rule(
            [{'kind': 'server', 'server_action_id': server_action.id}], keywords='x'
        )
        content = json.loads(self.exported(rule))
        self.assertEqual(content['rules'][0]['actions'], [])
        content['rules'][0]['actions'] = [{'kind': 'server', 'server_action_id': server_action.id}]
        content['rules'][0]['company_id'] = 1
        self.assertFalse(self.imported(content).rule_ids.action_ids)

    def test_other_files_are_refused_with_a_clear_message(self):
        good = json.loads(self.exported(self.make_rule(keywords='x')))
        for bad in (
            b'\xff\xfe',
            b'[1, 2]',
            b'[' * 100_000,
            {**good, 'version': 99},
            {**good, 'rules': 'all'},
            {**good, 'rules': []},
            {**good, 'rules': [{'name': 'x', 'actions': 'many'}]},
            {**good, 'rules': good['rules'] * 1001},
            b'x' * 2_000_001,
        ):
            with self.subTest(str(bad)[:40]), self.assertRaises(UserError):
                self.imported(bad)

    def test_values_of_the_wrong_kind_are_left_out(self):
        good = json.loads(self.exported(self.make_rule(keywords='x')))
        good['rules'][0] |= {'sentiment': 'angry', 'min_followers': 10**12, 'area': ['Graz']}
        rule = self.imported(good).rule_ids
        self.assertEqual((rule.sentiment, rule.min_followers, rule.area), (False, 0, False))


@tagged('post_install', '-at_install')
class TestRuleTemplate(SocialCrmCase):
    def test_each_template_makes_a_rule_that_can_be_saved(self):
        for template in self.env['social.crm.rule.template'].search([]):
            with self.subTest(template.name):
                action = template.with_user(self.marketing).action_use()
                Rule = self.env['social.crm.rule'].with_user(self.marketing)
                with Form(Rule.with_context(**action['context'])) as form:
                    self.assertEqual(form.name, template.name)
                rule = form.record
                self.assertEqual(
                    rule.action_ids.mapped('kind'),
                    [template.action_kind] if template.action_kind else [],
                )
                self.assertEqual(rule.handles or '', '@acme@social.example.com' * template.names_us)

    def test_a_complaint_in_several_languages(self):
        template = self.env.ref('social_crm.social_crm_rule_template_complaint')
        rule = self.env['social.crm.rule'].create(template._rule_values())
        for text in ('my desk arrived damaged', 'Der Tisch ist kaputt', 'Il est cassé'):
            self.stub.mention(text)
        self.stub.mention('what a nice desk')
        self.receive()
        self.assertEqual(rule.match_count, 3)
        self.assertEqual(rule.ticket_count, 1, 'all by one person within a day')


@tagged('post_install', '-at_install')
class TestRuleCounters(SocialCrmCase):
    def test_won_revenue_adds_up_in_the_currency_of_the_company(self):
        rule = self.make_rule([{'kind': 'lead'}], keywords='teapot')
        for name in ('ann', 'ben', 'cat'):
            self.stub.mention('teapot', self.stub.account(name))
            self.stub.mention('this teapot', self.stub.account(name))
        self.receive()
        leads = self.env['social.crm.mention'].search([('rule_ids', 'in', rule.ids)]).lead_id
        self.assertEqual((rule.match_count, rule.lead_count), (6, 3))
        other = (
            self.env['res.currency']
            .with_context(active_test=False)
            .search([('id', '!=', self.company.currency_id.id)], limit=1)
        )
        other.active = True
        other.rate_ids.unlink()
        self.env['res.currency.rate'].create(
            {
                'currency_id': other.id,
                'company_id': self.company.id,
                'rate': 4.0,
                'name': fields.Date.today(),
            }
        )
        abroad = self.env['res.company'].create({'name': 'Abroad', 'currency_id': other.id})
        leads[0].write({'expected_revenue': 100})
        leads[1].write({'expected_revenue': 200, 'user_id': False, 'team_id': False})
        leads[1].social_profile_id = False
        leads[1].company_id = abroad
        leads[2].write({'expected_revenue': 1000})
        leads[:2].action_set_won()
        rule = rule.with_user(self.marketing)
        self.assertEqual(rule.won_count, 2)
        self.assertAlmostEqual(rule.won_revenue, 150)
        won = self.env['crm.lead'].search(rule.sudo().action_view_won()['domain'])
        self.assertEqual(won, leads[:2] & won)
