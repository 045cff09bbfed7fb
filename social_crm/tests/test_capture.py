from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestCapture(SocialCrmCase):
    """Who becomes a lead, and who does not."""

    def setUp(self):
        super().setUp()
        self.rule = self.make_rule([{'kind': 'lead'}], keywords='teapot')
        self.rita = self.stub.account('rita', display_name='Rita Kohl')

    def mentioned(self, text='a teapot, please', author=None, **values):
        notification = self.stub.mention(text, author or self.rita, **values)
        self.receive()
        return self.mentions(external_id=notification['status']['uri'])

    def author_is(self, **values):
        """Make the author a contact with these values; return it."""
        author = self.mentioned('hello').author_id
        author.partner_id = self.env['res.partner'].create({'name': 'Rita', **values})
        return author.partner_id

    # --- names -----------------------------------------------------------------------------------

    def test_a_company_is_no_person(self):
        shop = self.stub.account('voltek', display_name='Voltek GmbH')
        lead = self.mentioned(author=shop).lead_id
        self.assertEqual((lead.partner_name, lead.contact_name), ('Voltek GmbH', False))
        mention = self.mentioned('broken', author=shop)
        mention._open_tickets({})
        self.assertTrue(mention.ticket_id.partner_id.is_company)

    def test_a_person_of_a_company_gives_both_names(self):
        rita = self.stub.account('rita', display_name='Rita Kohl | Voltek GmbH')
        lead = self.mentioned(author=rita).lead_id
        self.assertEqual((lead.partner_name, lead.contact_name), ('Voltek GmbH', 'Rita Kohl'))

    def test_names_go_in_parts_where_a_module_has_fields_for_them(self):
        profile = self.mentioned().author_id
        self.patch(
            type(self.env['res.partner']),
            '_fields',
            {**self.env['res.partner']._fields, 'firstname': None, 'lastname': None},
        )
        self.assertEqual(profile._partner_name_values(), {'firstname': 'Rita', 'lastname': 'Kohl'})

    # --- colleagues ------------------------------------------------------------------------------

    def test_a_colleague_is_no_lead(self):
        partner = self.author_is()
        new_test_user(self.env, 'rita', 'base.group_user', partner_id=partner.id)
        mention = self.mentioned()
        self.assertFalse(mention.lead_id)
        self.assertIn('colleague', mention.no_lead_reason)

    def test_the_domain_of_the_company_means_colleagues_where_that_is_wanted(self):
        self.company.email = 'office@voltek.example'
        self.author_is(email='rita@voltek.example')
        mention = self.mentioned()
        self.assertTrue(mention.lead_id)
        mention.lead_id.unlink()
        self.company.social_crm_domain_is_staff = True
        self.assertFalse(self.mentioned().lead_id)

    # --- complaints ------------------------------------------------------------------------------

    def test_no_lead_while_a_ticket_is_open(self):
        complaint = self.mentioned('it broke')
        complaint._open_tickets({})
        mention = self.mentioned()
        self.assertFalse(mention.lead_id)
        self.assertIn(complaint.ticket_id.number, mention.no_lead_reason)
        self.assertIn('a teapot, please', complaint.ticket_id.message_ids[0].body)
        complaint.ticket_id.stage_id = self.env['helpdesk.ticket.stage'].search(
            [('closed', '=', True)], limit=1
        )
        self.assertTrue(self.mentioned().lead_id)

    def test_no_lead_while_somebody_works_on_a_complaint(self):
        complaint = self.mentioned('I hate it, this is terrible')
        self.assertEqual(complaint.sentiment_label, 'negative')
        complaint.with_user(self.user).action_assign_to_me()
        mention = self.mentioned()
        self.assertFalse(mention.lead_id)
        complaint.with_user(self.user).action_done()
        self.assertTrue(self.mentioned().lead_id)

    def test_a_rule_may_want_leads_during_a_complaint_and_people_always_may(self):
        self.mentioned('it broke')._open_tickets({})
        held = self.mentioned()
        held.with_user(self.user).action_create_lead()
        self.assertTrue(held.lead_id)
        held.lead_id.sudo().action_set_lost()
        self.rule.action_ids.during_complaint = True
        self.assertTrue(self.mentioned().lead_id)

    # --- duplicates ------------------------------------------------------------------------------

    def test_odoo_shows_leads_with_the_same_address(self):
        known = self.env['crm.lead'].create(
            {'name': 'From the fair', 'type': 'lead', 'email_from': 'rita@voltek.example'}
        )
        lead = self.mentioned('teapot? rita@voltek.example', visibility='direct').lead_id
        self.assertIn(known, lead.duplicate_lead_ids)

    def test_merged_leads_keep_what_came_from_networks(self):
        mentions = self.mentioned() | self.mentioned(author=self.stub.account('otto'))
        first, second = mentions.author_id
        kept = self.env['crm.lead'].create({'name': 'By phone', 'probability': 90})
        seller = new_test_user(self.env, 'sc_seller', 'sales_team.group_sale_manager')
        merged = (kept | mentions.lead_id).with_user(seller).merge_opportunity()
        self.assertEqual(merged.with_user(self.env.user), kept)
        self.assertEqual(kept.social_mention_ids, mentions)
        self.assertEqual((kept.social_profile_id, kept.social_mention_id), (first, mentions[0]))
        for author in ('rita', 'otto'):
            again = self.mentioned('a teapot again', self.stub.account(author))
            self.assertEqual(again.lead_id, kept)
        self.assertEqual((first | second).lead_id, kept)

    def test_what_a_later_message_tells_fills_what_is_blank(self):
        lead = self.mentioned().lead_id
        self.assertFalse(lead.email_from)
        self.mentioned('teapot: rita@voltek.example', visibility='direct')
        self.assertEqual(lead.email_from, 'rita@voltek.example')
        self.mentioned('teapot: other@voltek.example', visibility='direct')
        self.assertEqual(lead.email_from, 'rita@voltek.example', 'what is known stays')

    def test_many_colleagues_and_complaints_cost_no_query_each(self):
        def cost(number, start):
            for index in range(start, start + number):
                self.stub.mention('teapot', self.stub.account(f'person{index}'))
            self.make_due()
            with self.loop('social.crm.stream') as Stream:
                while Stream._receive_due():
                    pass
            mentions = self.env['social.crm.mention'].search([('act_state', '=', 'pending')])
            self.assertEqual(len(mentions), number)
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            mentions._reasons_for_no_lead(False)
            after = self.env.cr.sql_log_count
            mentions.write({'act_state': 'done'})
            return after - before

        self.rule.action_ids = [Command.update(self.rule.action_ids.id, {'sequence': 1})]
        cost(2, 0)
        self.assertEqual(cost(2, 10), cost(12, 20))
