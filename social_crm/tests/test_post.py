import base64
import io

from PIL import Image

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.social_crm import media
from odoo.addons.social_crm.providers.types import Limits

from .delivering import DeliveryCase


@tagged('post_install', '-at_install')
class TestPost(DeliveryCase):
    """Writing and checking posts, and who may."""

    def picture(self, name='cat.png', size=(40, 30), mimetype='image/png', user=None):
        content = io.BytesIO()
        Image.new('RGB', size, 'teal').save(content, 'PNG')
        return (
            self.env['ir.attachment']
            .with_user(user or self.author)
            .create(
                {
                    'name': name,
                    'raw': content.getvalue(),
                    'mimetype': mimetype,
                    'res_model': 'social.crm.post',
                }
            )
        )

    def limit(self, **limits):
        self.network._limits = Limits(
            **{
                'text_length': 500,
                'media_count': 4,
                'image_types': ('image/png',),
                **limits,
            }
        )

    # --- writing

    def test_the_form_makes_a_line_per_account_with_a_text_of_its_own(self):
        with Form(self.env['social.crm.post'].with_user(self.author)) as form:
            form.text = 'For all'
            form.account_ids = self.account | self.second
            self.assertEqual(len(form.publication_ids), 2)
            self.assertIn('For all', str(form.preview))
            with form.publication_ids.edit(1) as line:
                line.text = 'For the second alone'
        post = form.record
        self.assertEqual(len(post.publication_ids), 2)
        post.action_submit()
        self.deliver()
        self.assertEqual(self.network.texts, ['For all'])
        self.assertEqual(self.networks[self.second.id].texts, ['For the second alone'])
        with self.assertRaises(UserError):
            post.account_ids = self.account

    def test_accounts_and_lines_stay_in_step(self):
        post = self.post(accounts=self.account | self.second)
        post.account_ids = self.second
        self.assertEqual(post.publication_ids.account_id, self.second)
        post.account_ids |= self.account
        self.assertEqual(post.publication_ids.account_id, self.account | self.second)

    def test_length_is_counted_as_the_network_counts(self):
        self.network.count = lambda text: 2 * len(text)
        self.limit(text_length=30)
        post = self.post('Ten letters', link=False)
        row = post.publication_ids
        self.assertEqual((row.text_count, row.text_limit, row.text_left), (22, 30, 8))
        self.assertFalse(row.problems)
        post.text = 'Many more letters'
        self.assertEqual(row.text_left, -4)
        with self.assertRaisesRegex(ValidationError, '4 characters too long'):
            post.action_submit()

    def test_media_are_checked_for_each_account(self):
        cases = [
            ({'image_types': ('image/jpeg',)}, 1, 'does not take this kind of file'),
            ({'image_size': 10}, 1, 'the network takes 10'),
            ({'media_count': 1}, 2, '2 files, and the network takes 1'),
            ({'image_pixels': 1000}, 1, '40 × 30 pixels'),
            ({'media_required': True}, 0, 'wants a picture'),
        ]
        for limits, number, message in cases:
            with self.subTest(message):
                self.limit(**limits)
                files = self.env['ir.attachment'].union(*[self.picture() for _one in range(number)])
                post = self.post(attachment_ids=[Command.set(files.ids)])
                with self.assertRaisesRegex(ValidationError, message) as caught:
                    post.action_submit()
                self.assertIn('@acme', str(caught.exception))
        self.limit(video_types=('video/mp4',), image_pixels=1200)
        film = self.picture('film.mp4', mimetype='video/mp4')
        post = self.post(attachment_ids=[Command.set((film | self.picture()).ids)])
        with self.assertRaisesRegex(ValidationError, 'A video goes alone'):
            post.action_submit()
        post.attachment_ids = self.picture()
        post.action_submit()

    def test_a_film_is_not_longer_than_allowed(self):
        header = b'\0' * 12 + (1000).to_bytes(4, 'big') + (90_000).to_bytes(4, 'big') + b'\0' * 80
        box = (len(header) + 8).to_bytes(4, 'big') + b'mvhd' + header
        film = b'\0\0\0\x10ftypisom\0\0\0\0' + (len(box) + 8).to_bytes(4, 'big') + b'moov' + box
        self.assertEqual(media.video_seconds(film), 90)
        self.assertIsNone(media.video_seconds(b'no film at all'))
        self.limit(video_types=('video/mp4',), video_duration=60)
        file = (
            self.env['ir.attachment']
            .with_user(self.author)
            .create({'name': 'film.mp4', 'raw': film, 'mimetype': 'video/mp4'})
        )
        post = self.post(attachment_ids=[Command.set(file.ids)])
        with self.assertRaisesRegex(ValidationError, '90 seconds long'):
            post.action_submit()

    def test_files_go_out_in_order_with_their_descriptions(self):
        files = self.picture('one.png') | self.picture('two.png')
        post = self.post(attachment_ids=[Command.set(files.ids)], media_description='A cat\nA dog')
        post.action_submit()
        self.deliver()
        sent = self.network.posts[0][0].media
        self.assertEqual(
            [(one.filename, one.description) for one in sent],
            [('one.png', 'A cat'), ('two.png', 'A dog')],
        )
        self.assertTrue(sent[0].content)

    def test_files_of_others_cannot_be_published(self):
        secret = self.env['ir.attachment'].create(
            {
                'name': 'secret',
                'raw': b'x',
                'res_model': 'social.crm.app',
                'res_id': self.app.id,
            }
        )
        with self.assertRaises(AccessError):
            self.post(attachment_ids=[Command.set(secret.ids)])

    def test_colleagues_see_the_pictures_of_a_post(self):
        file = self.picture()
        self.post(attachment_ids=[Command.set(file.ids)])
        self.assertTrue(file.with_user(self.user).raw)

    def test_a_link_goes_below_the_text(self):
        post = self.post('Look', link='https://example.com/a?b=1', track_links=False)
        post.action_submit()
        self.deliver()
        self.assertEqual(self.network.posts[0][0].link, 'https://example.com/a?b=1')
        for link in ('javascript:alert(1)', 'example.com', 'https://a b'):
            with self.subTest(link), self.assertRaises(ValidationError):
                self.post(link=link)

    def test_the_preview_escapes_and_marks_links(self):
        post = self.post(
            '<img src=x onerror=alert(1)> see https://example.com #tea', first_comment='<b>me</b>'
        )
        html = str(post.preview)
        self.assertNotIn('<img', html)
        self.assertIn('&lt;img', html)
        self.assertIn('>#tea</span>', html)
        self.assertIn('&lt;b&gt;me', html)
        self.assertIn(post.account_ids.handle, html)
        self.assertNotIn('<a ', html)

    def test_the_same_text_on_the_same_account_is_warned_of(self):
        self.post('Big   News!').action_submit()
        again = self.post('big news')
        self.assertIn('Big', again.publication_ids.warnings)
        self.assertIn('same text', str(again.check_summary))
        self.assertFalse(self.post('big news', self.second).publication_ids.warnings)
        self.assertFalse(self.post('other news').publication_ids.warnings)
        again.action_submit()  # a warning, no ban

    def test_words_not_to_use(self):
        self.company.social_crm_blocked_words = 'guarantee*'
        post = self.post('We guaranteed it')
        with self.assertRaisesRegex(ValidationError, 'not to be used'):
            post.action_submit()

    def test_nothing_to_publish(self):
        with self.assertRaisesRegex(ValidationError, 'nothing to publish'):
            self.post('  ').action_submit()
        with self.assertRaisesRegex(ValidationError, 'at least one account'):
            self.post(accounts=self.account.browse()).action_submit()

    def test_publishing_needs_the_permission_of_the_network(self):
        self.account.granted_scopes = 'read'
        self.patch(type(self.account), '_missing_capabilities', lambda self: ['publish'])
        with self.assertRaisesRegex(ValidationError, 'does not permit'):
            self.post().action_submit()

    # --- rights

    def test_rights_by_role(self):
        post = self.post()
        self.assertEqual(post.with_user(self.user).text, 'Hello world')
        for user in (self.user, self.approver):
            with self.assertRaises(AccessError):
                post.with_user(user).text = 'x'
            with self.assertRaises(AccessError):
                post.with_user(user).action_submit()
            with self.assertRaises(AccessError):
                self.post(user=user)
        employee = new_test_user(self.env, 'sc_employee', 'base.group_user')
        for model in ('social.crm.post', 'social.crm.publication', 'social.crm.metric'):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(employee).search([])

    def test_posts_on_a_personal_account_are_its_owners(self):
        own = self.connect(self.app, self.author, kind='personal', username='me', number='79')
        post = self.post(accounts=own)
        mixed = self.post('To both', own | self.account)
        colleague = new_test_user(self.env, 'sc_mark2', 'social_crm.social_crm_group_marketing')
        for user in (self.user, colleague, self.manager):
            self.assertFalse(
                self.env['social.crm.post']
                .with_user(user)
                .search([('id', 'in', (post | mixed).ids)])
            )
        rows = mixed.sudo().publication_ids
        self.assertEqual(
            self.env['social.crm.publication']
            .with_user(colleague)
            .search([('id', 'in', rows.ids)])
            .account_id,
            self.account,
        )
        with self.assertRaises(AccessError):
            self.post(accounts=own, user=colleague)
        self.company.social_crm_post_approval = True
        self.assertTrue(
            self.env['social.crm.post'].with_user(self.approver).search([('id', '=', mixed.id)])
        )
        self.assertFalse(
            self.env['social.crm.post'].with_user(self.approver).search([('id', '=', post.id)])
        )
        with self.assertRaises(AccessError):
            mixed.with_user(self.manager).text = 'In your name'

    def test_two_companies(self):
        stranger = self.stranger()
        post = self.post()
        for model in ('social.crm.post', 'social.crm.publication'):
            self.assertFalse(self.env[model].with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            post.with_user(stranger).action_submit()
        with self.assertRaises(UserError):
            self.post(user=stranger, company_id=stranger.company_id.id)

    def test_pictures_survive_in_the_preview_before_saving(self):
        with Form(self.env['social.crm.post'].with_user(self.author)) as form:
            form.text = 'Cat'
            form.account_ids = self.account
            file = self.picture()
            form.attachment_ids.add(file)
            self.assertIn(f'/web/image/{file.id}', str(form.preview))
        self.assertTrue(base64.b64encode(form.record.attachment_ids.raw))
