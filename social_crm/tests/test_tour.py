"""The tour that shows new users round."""

from odoo.tests import HttpCase, tagged


@tagged('post_install', '-at_install')
class TestTour(HttpCase):
    def test_the_first_steps(self):
        self.start_tour('/odoo', 'social_crm_tour', login='admin')
        rule = self.env['social.crm.rule'].search([('name', '=', 'Somebody wants a desk')])
        self.assertEqual((rule.keywords, rule.action_ids.mapped('kind')), ('desk*', ['lead']))
