from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.social_crm.providers.mastodon import Mastodon

from .answering import AnsweringCase
from .test_engagement import PNG


@tagged('post_install', '-at_install')
class TestEngagementGuard(AnsweringCase):
    def assertRefused(self, mention, text, words, user=None, **values):
        """The dialog says why, before Send and after, and makes nothing."""
        before = self.env['social.crm.engagement'].search_count([])
        wizard = (
            self.env['social.crm.compose']
            .with_user(user or self.agent)
            .create(
                {
                    'mention_id': mention.id,
                    'text': text,
                    **values,
                }
            )
        )
        self.assertRegex(wizard.problems if text else words, words)
        with self.assertRaisesRegex(UserError, words):
            wizard.action_send()
        self.assertEqual(self.env['social.crm.engagement'].search_count([]), before)
        self.assertEqual(wizard.text or '', text)

    def limits(self, **values):
        """Let the network say something else about what it takes."""
        patcher = patch.object(
            Mastodon, 'limits', lambda provider: replace(provider.default_limits, **values)
        )
        self.startPatcher(patcher)

    def test_text(self):
        mention = self.mentioned()
        self.assertRefused(mention, '', 'Write something')
        self.assertRefused(mention, '  \n ', 'Write something')
        self.assertRefused(mention, 'x' * 501, '7 characters too long')
        self.answer(mention, 'x' * 494)

    def test_messages_have_their_own_length(self):
        self.limits(text_length=10, message_length=200)
        mention = self.mentioned('psst', visibility='direct')
        self.answer(mention, 'x' * 100)

    def test_blocked_words(self):
        self.company.social_crm_blocked_words = 'guarantee*\n\nmoney back'
        mention = self.mentioned()
        self.assertRefused(mention, 'We Guaranteed this', 'guarantee')
        self.assertRefused(mention, 'Want your MONEY  back?', 'money back')
        self.answer(mention, 'Money is not back')
        with self.assertRaisesRegex(ValidationError, r'\*'):
            self.company.social_crm_blocked_words = 'fine\n*'

    def test_the_same_words_within_a_minute(self):
        mention, other = self.mentioned(), self.mentioned('and to Linz?')
        first = self.answer(mention, 'Yes')
        self.assertRefused(mention, 'Yes', 'very same words', user=self.marketing)
        self.assertRefused(mention, ' Yes ', 'very same words')
        self.answer(mention, 'Yes!')
        self.answer(other, 'Yes')
        first.due_at = fields.Datetime.now() - timedelta(seconds=61)
        self.answer(mention, 'Yes')

    def test_media(self):
        mention = self.mentioned()
        Attachment = self.env['ir.attachment'].with_user(self.agent)
        pdf = Attachment.create({'name': 'x.pdf', 'raw': b'%PDF-1.4'})
        pictures = [Attachment.create({'name': f'{n}.png', 'raw': PNG}) for n in range(5)]
        for files, words in (([pdf], 'x.pdf'), (pictures, '4 files at most')):
            form = self.composer(mention.action_answer())
            form.text = 'See'
            for file in files:
                form.attachment_ids.add(file)
            self.assertRegex(form.problems, words)
            with self.assertRaisesRegex(UserError, words):
                form.save().action_send()
        self.limits(image_size=10, media_count=1)
        form = self.composer(mention.action_answer())
        form.attachment_ids.add(pictures[0])
        self.assertIn('Too large', form.problems)

    def test_windows(self):
        mention = self.mentioned('hello', minutes_ago=90)
        self.limits(reply_window=3600, message_window=3600)
        self.assertRefused(mention, 'Late', 'took answers until')
        self.assertRefused(mention, 'Late', 'took answers until', channel='message')
        self.mentioned('hello again', minutes_ago=1)
        form = self.composer(mention.action_answer())
        form.channel = 'message'  # the person has written since: the window is open again
        self.assertFalse(form.problems)
        self.assertGreater(form.window_end, fields.Datetime.now())

    def test_what_cannot_be_answered(self):
        mention = self.mentioned()
        mention.sudo().deleted_at = fields.Datetime.now()
        self.assertFalse(mention.can_answer)
        self.assertRefused(mention, 'Hello', 'deleted')

    def test_a_private_message_is_never_answered_in_public(self):
        mention = self.mentioned('psst', visibility='direct')
        self.assertRefused(mention, 'For all to see', 'never answered in public', channel='public')

    def test_an_account_that_is_not_connected(self):
        mention = self.mentioned()
        form = self.composer(mention.action_answer())
        form.text = 'Hello'
        wizard = form.save()
        self.account.state = 'reconnect'
        with self.assertRaisesRegex(UserError, 'not connected'):
            wizard.action_send()
        self.assertFalse(self.composer(mention.action_answer()).account_id)

    def test_an_account_without_the_permission(self):
        mention = self.mentioned()
        self.account.granted_scopes = 'read'
        self.assertRefused(mention, 'Hello', 'without the permission for answers')
        self.account.write(
            {'granted_scopes': 'read write', 'wanted_capabilities': 'mentions reply'}
        )
        self.assertRefused(
            mention, 'Hello', 'without the permission for direct messages', channel='message'
        )

    # --- rights ----------------------------------------------------------------------------------

    def test_a_personal_account_is_used_by_its_owner_alone(self):
        own = self.connect(self.app, self.user, kind='personal', username='me', number='79')
        mention = self.mentioned()
        choice = self.composer(mention.with_user(self.user).action_answer(), self.user)
        self.assertEqual(
            (choice.account_id, choice.account_ids[:]), (self.account, own | self.account)
        )
        self.assertNotIn(own, self.composer(mention.action_answer()).account_ids[:])
        wizard = (
            self.env['social.crm.compose']
            .with_user(self.agent)
            .create(
                {
                    'mention_id': mention.id,
                    'text': 'In your name',
                    'account_id': own.id,
                }
            )
        )
        with self.assertRaises(UserError):
            wizard.action_send()
        engagement = self.answer(mention, 'In my own name', user=self.user, account_id=own)
        self.assertEqual(engagement.account_id, own)
        self.assertIn(engagement, self.env['social.crm.engagement'].with_user(self.user).search([]))
        self.assertNotIn(
            engagement, self.env['social.crm.engagement'].with_user(self.agent).search([])
        )

    def test_another_company(self):
        company = self.env['res.company'].create({'name': 'Second'})
        stranger = new_test_user(
            self.env,
            'sc_stranger2',
            'social_crm.social_crm_group_manager',
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        mention = self.mentioned()
        engagement = self.answer(mention, 'Hello')
        self.assertFalse(self.env['social.crm.engagement'].with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            mention.with_user(stranger).action_answer()
        with self.assertRaises(AccessError):
            engagement.with_user(stranger).action_edit()
        wizard = (
            self.env['social.crm.compose']
            .with_user(stranger)
            .create(
                {
                    'mention_id': mention.id,
                    'text': 'x',
                    'account_id': self.account.id,
                    'profile_id': mention.author_id.id,
                    'channel': 'public',
                }
            )
        )
        with self.assertRaises(UserError):
            wizard.action_send()

    def test_people_without_the_role(self):
        mention = self.mentioned()
        engagement = self.answer(mention, 'Hello')
        helpdesk = new_test_user(self.env, 'sc_helpdesk', 'helpdesk_mgmt.group_helpdesk_user')
        self.assertEqual(engagement.with_user(helpdesk).text, 'Hello')  # reads, as with mentions
        for user in (
            helpdesk,
            new_test_user(self.env, 'sc_portal2', 'base.group_portal'),
            self.env.ref('base.public_user'),
        ):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.env['social.crm.compose'].with_user(user).create(
                    {'mention_id': mention.id, 'text': 'x'}
                )
            with self.subTest(user.login), self.assertRaises(AccessError):
                engagement.with_user(user).action_retry()
            with self.subTest(user.login), self.assertRaises(AccessError):
                engagement.with_user(user).action_cancel()
        portal = self.env.ref('base.public_user')
        with self.assertRaises(AccessError):
            engagement.with_user(portal).read(['text'])

    def test_somebody_elses_files_are_not_sent(self):
        mention = self.mentioned()
        secret = (
            self.env['ir.attachment'].with_user(self.manager).create({'name': 'x.png', 'raw': PNG})
        )
        wizard = (
            self.env['social.crm.compose']
            .with_user(self.agent)
            .create({'mention_id': mention.id, 'text': 'x'})
        )
        with self.assertRaises(AccessError):
            wizard.attachment_ids = secret
        wizard.invalidate_recordset()
        wizard.sudo().attachment_ids = secret  # however it may have got there
        wizard.invalidate_recordset()
        wizard.action_send()
        self.assertFalse(wizard.sent_id.sudo().attachment_ids)

    def test_an_answer_goes_to_its_author(self):
        mention, other = self.mentioned(), self.mentioned('x', author=self.stub.account('tom'))
        wizard = (
            self.env['social.crm.compose']
            .with_user(self.agent)
            .create(
                {
                    'mention_id': mention.id,
                    'text': 'x',
                    'profile_id': other.author_id.id,
                }
            )
        )
        with self.assertRaisesRegex(UserError, 'goes to the author'):
            wizard.action_send()
