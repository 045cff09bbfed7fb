from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .answering import AnsweringCase


@tagged('post_install', '-at_install')
class TestEngagement(AnsweringCase):
    def test_a_mention_is_answered(self):
        mention = self.mentioned()
        engagement = self.answer(mention, 'Yes, tomorrow!')
        self.assertEqual(
            (engagement.kind, engagement.account_id, engagement.user_id),
            ('reply', self.account, self.agent),
        )
        self.assertEqual((mention.state, mention.user_id), ('open', self.agent))
        self.assertFalse(mention.answered_at)
        self.deliver()
        self.assertEqual([post['status'] for post in self.posted], ['@rita Yes, tomorrow!'])
        self.assertEqual(self.posted[0]['in_reply_to_id'], mention.local_id)
        self.assertEqual(
            (engagement.delivery_state, engagement.external_id), ('sent', self.posted[0]['uri'])
        )
        self.assertEqual((mention.state, mention.answered_by), ('done', self.agent))
        self.assertTrue(mention.answered_at)

    def test_the_answer_is_logged_as_the_agents_message_and_done_activity(self):
        mention = self.mentioned()
        ticket = self.env['helpdesk.ticket'].browse(mention.action_create_ticket()['res_id'])
        engagement = self.answer(mention, 'We look into it <b>now</b>')
        self.assertNotIn('We look into it', ''.join(ticket.message_ids.mapped('body')))
        self.deliver()
        for record in (mention, ticket):
            message = record.message_ids.filtered(lambda message: 'We look into it' in message.body)
            self.assertEqual(len(message), 1, record)
            self.assertEqual(
                (message.author_id, message.message_type), (self.agent.partner_id, 'comment')
            )
            self.assertFalse(message.subtype_id.internal)
            self.assertIn('&lt;b&gt;now', message.body)
            self.assertFalse(message.notified_partner_ids)
            activity = (
                self.env['mail.activity']
                .with_context(active_test=False)
                .search(
                    [
                        ('res_model', '=', record._name),
                        ('res_id', '=', record.id),
                        (
                            'activity_type_id',
                            '=',
                            self.env.ref('social_crm.mail_activity_type_answer').id,
                        ),
                    ]
                )
            )
            self.assertEqual((activity.state, activity.user_id), ('done', self.agent), record)
        self.assertEqual(mention.state, 'open')  # the ticket is still open
        self.assertEqual(engagement.ticket_id, self.env['helpdesk.ticket'])

    def test_a_contact_shows_the_answer_where_there_is_no_lead_or_ticket(self):
        mention = self.mentioned()
        partner = mention.author_id._make_partner()
        self.answer(mention, 'Thank you for asking')
        self.deliver()
        self.assertIn('Thank you for asking', ''.join(partner.message_ids.mapped('body')))

    def test_send_pressed_twice_sends_once(self):
        mention = self.mentioned()
        form = self.composer(mention.action_answer())
        form.text = 'Once'
        wizard = form.save()
        wizard.action_send()
        wizard.action_send()
        replay = (
            self.env['social.crm.compose']
            .with_user(self.agent)
            .create(
                {  # the same dialog, saved once more
                    'request_key': wizard.request_key,
                    'mention_id': mention.id,
                    'text': 'Once',
                }
            )
        )
        replay.action_send()
        self.assertEqual(replay.sent_id, wizard.sent_id)
        self.deliver()
        wizard.action_send()
        self.deliver()
        self.assertEqual(len(self.posted), 1)

    def test_a_direct_message_is_answered_by_one(self):
        first = self.mentioned('psst', visibility='direct')
        mention = self.mentioned('are you there?', visibility='direct')
        self.assertEqual(mention.kind, 'message')
        form = self.composer(mention.action_answer())
        self.assertEqual(
            (form.channel, form.can_public, form.can_message), ('message', False, True)
        )
        form.text = 'Listening'
        form.save().action_send()
        self.deliver()
        self.assertEqual(self.posted[0]['visibility'], 'direct')
        self.assertEqual(self.posted[0]['in_reply_to_id'], mention.local_id)
        self.assertEqual((first.state, mention.state), ('done', 'done'))

    def test_a_private_answer_to_a_public_mention(self):
        mention = self.mentioned()
        engagement = self.answer(mention, 'Your order number, please?', channel='message')
        self.deliver()
        self.assertEqual((engagement.kind, self.posted[0]['visibility']), ('message', 'direct'))

    def test_a_message_from_a_contact(self):
        mention = self.mentioned()
        partner = mention.author_id._make_partner()
        form = self.composer(partner.with_user(self.agent).action_social_answer())
        self.assertEqual(
            (form.profile_id, form.channel, form.can_public), (mention.author_id, 'message', False)
        )
        form.text = 'Hello'
        form.save().action_send()
        self.deliver()
        self.assertEqual(
            (self.posted[0]['status'], self.posted[0]['visibility']), ('@rita Hello', 'direct')
        )
        self.assertNotIn('in_reply_to_id', self.posted[0])
        self.assertIn('Hello', ''.join(partner.message_ids.mapped('body')))

    def test_from_a_lead_and_a_ticket_the_last_mention_is_answered(self):
        old = self.mentioned('one')
        lead = self.env['crm.lead'].browse(old.action_create_lead()['res_id'])
        ticket = self.env['helpdesk.ticket'].browse(old.action_create_ticket()['res_id'])
        new = self.mentioned('two')
        new.sudo().write({'lead_id': lead.id, 'ticket_id': ticket.id})
        for record in (lead, ticket):
            form = self.composer(record.with_user(self.agent).action_social_answer())
            self.assertEqual(form.mention_id, new)
            form.text = f'From the {record._name}'
            engagement = form.save()._engagement()
            self.assertIn(record, (engagement.lead_id, engagement.ticket_id))
        self.deliver()
        self.assertEqual({post['in_reply_to_id'] for post in self.posted}, {new.local_id})
        self.assertIn('From the helpdesk.ticket', ''.join(ticket.message_ids.mapped('body')))

    def test_a_comment_and_a_log_note_of_a_ticket_never_go_out(self):
        mention = self.mentioned()
        ticket = (
            self.env['helpdesk.ticket']
            .browse(mention.action_create_ticket()['res_id'])
            .with_user(self.agent)
        )
        ticket.message_post(body='internal', subtype_xmlid='mail.mt_note')
        ticket.message_post(body='by mail', message_type='comment', subtype_xmlid='mail.mt_comment')
        self.deliver()
        self.assertFalse(self.posted)

    def test_a_refusal_keeps_the_draft_and_logs_nothing(self):
        mention = self.mentioned()
        self.refusal = (422, {'error': 'Validation failed: Text is rude'})
        engagement = self.answer(mention, 'Rude text')
        self.deliver()
        self.assertEqual(engagement.delivery_state, 'failed')
        self.assertIn('Text is rude', engagement.failure_reason)
        self.assertEqual((mention.state, mention.answered_at), ('open', False))
        self.assertNotIn('Rude text', ''.join(mention.message_ids.mapped('body')))
        activity = engagement.activity_ids
        self.assertEqual(activity.user_id, self.agent)
        self.assertIn('Text is rude', activity.note)

        self.assertEqual(
            (mention.unsent_id, mention.action_open_unsent()['context']['default_text']),
            (engagement, 'Rude text'),
        )
        self.refusal = None
        form = self.composer(engagement.with_user(self.agent).action_edit())
        self.assertEqual(form.text, 'Rude text')
        form.text = 'Kind text'
        form.save().action_send()
        self.deliver()
        self.assertEqual(len(self.posted), 1)
        self.assertEqual((engagement.delivery_state, engagement.text), ('sent', 'Kind text'))
        self.assertEqual((mention.state, engagement.activity_ids.ids), ('done', []))
        with self.assertRaises(UserError):
            engagement.with_user(self.agent).action_edit()

    def test_attachments_go_along(self):
        mention = self.mentioned()
        self.stub.fail['/api/v2/media'] = lambda request: self.stub.answer(
            200,
            {'id': '9001', 'type': 'image', 'url': 'https://social.example.com/x.png'},
        )
        picture = (
            self.env['ir.attachment'].with_user(self.agent).create({'name': 'x.png', 'raw': PNG})
        )
        form = self.composer(mention.action_answer())
        form.text = 'See here'
        form.attachment_ids.add(picture)
        wizard = form.save()
        wizard.action_send()
        self.deliver()
        self.assertEqual(self.posted[0]['media_ids[]'], '9001')
        self.assertEqual(
            (picture.res_model, picture.res_id), ('social.crm.engagement', wizard.sent_id.id)
        )
        message = mention.message_ids.filtered(lambda message: 'See here' in message.body)
        self.assertEqual(message.attachment_ids, picture)

    def test_saved_replies_are_filled_in_and_nothing_is_run(self):
        mention = self.mentioned()
        canned = (
            self.env['mail.canned.response']
            .with_user(self.agent)
            .create(
                {
                    'source': 'thanks',
                    'substitution': 'Dear {{ name }} ({{handle}}), {{ object.env }} '
                    '— {{ agent }} {{ ticket }}',
                }
            )
        )
        form = self.composer(mention.action_answer())
        form.text = 'Hm.'
        form.canned_id = canned
        self.assertFalse(form.canned_id)
        self.assertEqual(
            form.text,
            'Hm.\nDear Rita (@rita@social.example.com), {{ object.env }} — Ann Agent {{ ticket }}',
        )
        wizard = form.save()
        with self.assertRaisesRegex(UserError, 'object.env'):
            wizard.action_send()
        self.assertFalse(self.env['social.crm.engagement'].search([]))

    def test_the_count_is_the_networks_and_comes_while_typing(self):
        mention = self.mentioned()
        form = self.composer(mention.action_answer())
        form.text = 'https://example.com/' + 'x' * 100
        self.assertEqual((form.text_count, form.text_limit), (len('@rita ') + 23, 500))
        self.assertFalse(form.problems)
        self.assertIn('@rita http', form.preview)
        form.text = 'x' * 600
        self.assertIn('106 characters too long', form.problems)

    def test_a_colleague_is_answering(self):
        mention = self.mentioned()
        mention.action_answer()
        self.assertFalse(mention.colleague)
        other = mention.with_user(self.marketing)
        self.assertEqual(other.colleague, 'Ann Agent')
        form = self.composer(other.action_answer(), self.marketing)
        self.assertEqual(form.colleague, 'Ann Agent')
        self.assertEqual(mention.composing_user_id, self.agent)
        mention.sudo().composing_until = fields.Datetime.now() - timedelta(seconds=1)
        other.invalidate_recordset()
        self.assertFalse(other.colleague)
        self.composer(mention.action_answer()).save().action_discard()
        self.assertFalse(mention.composing_user_id)

    def test_nobody_writes_answers_but_by_the_composer(self):
        engagement = self.answer(self.mentioned(), 'Mine')
        as_agent = engagement.with_user(self.agent)
        with self.assertRaises(AccessError):
            as_agent.text = 'other'
        with self.assertRaises(AccessError):
            as_agent.unlink()
        with self.assertRaises(AccessError):
            as_agent.create({'account_id': self.account.id, 'kind': 'message', 'text': 'x'})


PNG = (
    b'\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89'
    b'\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82'
)
