from datetime import datetime, timedelta

from odoo import Command
from odoo.tests import tagged

from .answering import AnsweringCase


@tagged('post_install', '-at_install')
class TestTicket(AnsweringCase):
    """Tickets made of mentions: how long people wait, and the agreements about it."""

    def setUp(self):
        super().setUp()
        self.team = self.env['helpdesk.ticket.team'].create(
            {'name': 'Support', 'company_id': self.company.id}
        )
        self.make_rule([{'kind': 'ticket', 'helpdesk_team_id': self.team.id}], keywords='broken')

    def ticket_of(self, text='my teapot is broken', **values):
        mention = self.mentioned(text, **values)
        self.assertTrue(mention.ticket_id)
        return mention, mention.ticket_id.sudo()

    def close(self, ticket, when):
        ticket.stage_id = self.env['helpdesk.ticket.stage'].search(
            [('closed', '=', True), ('team_ids', '=', False)], limit=1
        )
        ticket.closed_date = when

    def test_the_first_answer_counts(self):
        mention, ticket = self.ticket_of(minutes_ago=90)
        self.assertFalse(ticket.social_first_response_at)
        self.answer(mention, 'Sorry! We send another one.')
        self.deliver()
        first = ticket.social_first_response_at
        self.assertEqual(first, mention.answered_at)
        self.assertAlmostEqual(ticket.social_response_hours, 1.5, delta=0.05)
        mention.sudo().answered_at = first
        self.answer(mention, 'It is on its way.')
        self.deliver()
        self.assertEqual(ticket.social_first_response_at, first)

    def test_an_answer_from_the_ticket_counts_as_well(self):
        _mention, ticket = self.ticket_of()
        form = self.composer(ticket.with_user(self.agent).action_social_answer())
        form.text = 'Which colour was it?'
        form.save().action_send()
        self.deliver()
        self.assertTrue(ticket.social_first_response_at)

    def test_closed_is_resolved_and_reopened_is_not(self):
        mention, ticket = self.ticket_of()
        self.close(ticket, mention.posted_at + timedelta(hours=6))
        self.assertAlmostEqual(ticket.social_resolution_hours, 6)
        ticket.stage_id = ticket.team_id._get_applicable_stages()[:1]
        self.assertFalse(ticket.social_resolved_at)
        self.assertEqual(ticket.social_resolution_hours, 0)

    def test_averages_per_network_leave_out_what_is_not_answered(self):
        for name, hours in (('ann', 2), ('ben', 4), ('cat', None)):
            mention, ticket = self.ticket_of(author=self.stub.account(name))
            if hours:
                mention.sudo().answered_at = mention.posted_at + timedelta(hours=hours)
                self.close(ticket, mention.posted_at + timedelta(hours=2 * hours))
        rows = self.env['helpdesk.ticket']._read_group(
            [('team_id', '=', self.team.id)],
            ['social_network'],
            ['social_response_hours:avg', 'social_resolution_hours:avg', '__count'],
        )
        self.assertEqual(rows, [('mastodon', 3.0, 6.0, 3)])
        (row,) = self.env['helpdesk.ticket'].formatted_read_group(
            [('team_id', '=', self.team.id)], ['social_network'], ['social_response_hours:avg']
        )
        self.assertEqual(row['social_response_hours:avg'], 3.0)

    # --- helpdesk_mgmt_sla -----------------------------------------------------------------------

    def with_sla(self, hours=4):
        """Give the team an agreement and working hours: Monday to Friday, 9 to 17, UTC."""
        if 'helpdesk.sla' not in self.env:
            self.skipTest('helpdesk_mgmt_sla is not installed')
        calendar = self.env['resource.calendar'].create(
            {
                'name': 'Nine to five',
                'tz': 'UTC',
                'attendance_ids': [
                    Command.clear(),
                    *(
                        Command.create(
                            {
                                'name': str(day),
                                'dayofweek': str(day),
                                'hour_from': 9,
                                'hour_to': 17,
                                'day_period': 'morning',
                            }
                        )
                        for day in range(5)
                    ),
                ],
            }
        )
        self.team.write({'use_sla': True, 'resource_calendar_id': calendar.id})
        stage = self.env['helpdesk.ticket.stage'].search([('closed', '=', True)], limit=1)
        return self.env['helpdesk.sla'].create(
            {
                'name': 'Solved in hours',
                'team_ids': [Command.set(self.team.ids)],
                'stage_id': stage.id,
                'hours': hours,
            }
        )

    def test_a_ticket_of_a_mention_has_the_deadline_of_its_agreement(self):
        sla = self.with_sla()
        _mention, ticket = self.ticket_of()
        self.assertEqual(ticket.ticket_sla_ids.sla_id, sla)
        expected = self.team.resource_calendar_id.plan_hours(
            4, ticket.create_date, compute_leaves=True
        )
        self.assertEqual(ticket.sla_deadline, expected)
        arch = self.env['helpdesk.ticket'].with_user(self.agent).get_view(view_type='form')['arch']
        self.assertIn('sla_deadline', arch)

    def test_working_hours_pass_in_working_time_only(self):
        self.with_sla()
        mention, ticket = self.ticket_of()
        mention.sudo().posted_at = datetime(2026, 11, 20, 16)  # a Friday, an hour before the end
        mention.sudo().answered_at = datetime(2026, 11, 23, 11)  # the next Monday
        self.env.add_to_compute(
            self.env['helpdesk.ticket']._fields['social_response_hours'], ticket
        )
        self.assertAlmostEqual(ticket.social_response_hours, 67)
        self.assertAlmostEqual(ticket.social_response_work_hours, 3)
