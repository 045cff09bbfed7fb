import base64
import io
from datetime import date, datetime, timedelta

from PIL import Image

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.social_crm import media, walltime
from odoo.addons.social_crm.providers.errors import Rejected
from odoo.addons.social_crm.providers.types import Limits

from .delivering import DeliveryCase, FakeNetwork


@tagged('post_install', '-at_install')
class TestPost(DeliveryCase):
    """Writing, checking, approving and changing posts."""

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

    # --- time

    def test_wall_times_in_their_zones(self):
        cases = [
            ('Asia/Kolkata', date(2027, 1, 5), 9.5, datetime(2027, 1, 5, 4, 0)),
            ('Asia/Kathmandu', date(2027, 1, 5), 0.0, datetime(2027, 1, 4, 18, 15)),
            ('Australia/Lord_Howe', date(2027, 7, 1), 12.0, datetime(2027, 7, 1, 1, 30)),
            ('America/St_Johns', date(2027, 1, 5), 23.75, datetime(2027, 1, 6, 3, 15)),
            ('Europe/Berlin', date(2027, 1, 5), 9.0, datetime(2027, 1, 5, 8, 0)),
            ('Europe/Berlin', date(2027, 7, 5), 9.0, datetime(2027, 7, 5, 7, 0)),
            ('UTC', date(2027, 1, 5), 9 + 5 / 60, datetime(2027, 1, 5, 9, 5)),
        ]
        for zone, day, hours, expected in cases:
            with self.subTest(f'{zone} {day} {hours}'):
                post = self.post(
                    tz=zone, schedule='later', scheduled_date=day, scheduled_time=hours
                )
                self.assertEqual(post.due_at, expected)
                post.action_submit()
                self.assertEqual(post.publication_ids.due_at, expected)
                self.assertIn('UTC', post.schedule_note)

    def test_missing_and_double_hours_are_refused(self):
        cases = [
            ('Europe/Berlin', date(2027, 3, 28), 2.5, 'no 02:30', '01:59', '03:00'),
            ('Europe/Berlin', date(2027, 10, 31), 2.5, 'twice', '01:59', '03:00'),
            ('Australia/Lord_Howe', date(2027, 10, 3), 2.25, 'no 02:15', '01:59', '02:30'),
            ('Australia/Lord_Howe', date(2027, 4, 4), 1.75, 'twice', '01:29', '02:00'),
            ('Pacific/Apia', date(2011, 12, 30), 12.0, 'no 12:00', '23:59', '00:00'),
        ]
        for zone, day, hours, *words in cases:
            with self.subTest(f'{zone} {day} {hours}'):
                with self.assertRaises(ValidationError) as caught:
                    self.post(tz=zone, schedule='later', scheduled_date=day, scheduled_time=hours)
                for word in words:
                    self.assertIn(word, str(caught.exception))
        post = self.post(
            tz='Europe/Berlin',
            schedule='later',
            scheduled_date=date(2027, 3, 28),
            scheduled_time=3.0,
        )
        self.assertEqual(post.due_at, datetime(2027, 3, 28, 1, 0))

    def test_every_quarter_hour_comes_back(self):
        for zone in ('Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'):
            moment = datetime(2027, 1, 1)
            while moment < datetime(2028, 1, 1):
                wall = walltime.to_wall(moment, zone)
                try:
                    self.assertEqual(walltime.to_utc(wall, zone), moment, zone)
                except walltime.ClockChange as change:
                    self.assertFalse(change.missing)
                moment += timedelta(minutes=45)

    def test_dragging_in_the_calendar_keeps_the_zone(self):
        post = self.post(
            tz='Asia/Kolkata', schedule='later', scheduled_date=date(2027, 1, 5), scheduled_time=9.5
        )
        post.action_submit()
        post.due_at = '2027-01-07 04:00:00'
        self.assertRecordValues(
            post,
            [
                {
                    'scheduled_date': date(2027, 1, 7),
                    'scheduled_time': 9.5,
                    'tz': 'Asia/Kolkata',
                    'due_at': datetime(2027, 1, 7, 4, 0),
                    'scheduled_wall': '2027-01-07 09:30',
                    'state': 'scheduled',
                }
            ],
        )
        self.assertEqual(post.publication_ids.due_at, datetime(2027, 1, 7, 4, 0))

    def test_the_calendar_loads_some_of_a_day_and_counts_the_others(self):
        day = date(2031, 3, 10)
        posts = self.env['social.crm.post']
        for place in range(6):
            posts |= self.post(
                f'Post {place}',
                tz='UTC',
                schedule='later',
                scheduled_date=day,
                scheduled_time=20 + place / 2,
            )
        last = posts[3].sudo()
        last.write({'step': 'approved'})
        last.publication_ids.delivery_state = 'failed'
        posts |= self.post(
            'Alone', schedule='later', scheduled_date=date(2031, 3, 20), scheduled_time=8
        )
        Post = self.env['social.crm.post'].with_user(self.author)
        domain = [('due_at', '>=', '2031-03-01'), ('due_at', '<', '2031-04-01')]
        found = Post.calendar_posts(domain, ['name'], 'UTC', 3)
        names = ['Post 0', 'Post 1', 'Post 3', 'Alone']
        self.assertEqual([one['name'] for one in found['records']], names)
        self.assertEqual(found['more'], {'2031-03-10': 3})
        found = Post.calendar_posts(domain, ['name'], 'Asia/Kolkata', 3)
        self.assertEqual(len(found['records']), 4, 'there they are all of the 11th')
        self.assertEqual(found['more'], {'2031-03-11': 3})
        found = Post.calendar_posts(domain, ['name'], 'Europe/Paris', 500)
        self.assertEqual((len(found['records']), found['more']), (7, {}))
        stranger = new_test_user(self.env, 'sc_no', 'base.group_user')
        with self.assertRaises(AccessError):
            Post.with_user(stranger).calendar_posts([], ['name'], 'UTC', 3)

    def test_a_click_in_the_calendar_fills_the_time_in(self):
        self.author.tz = 'Asia/Kolkata'
        Post = (
            self.env['social.crm.post']
            .with_user(self.author)
            .with_context(
                default_due_at='2027-01-07 04:00:00',
                tz='Asia/Kolkata',
            )
        )
        with Form(Post) as form:
            self.assertEqual(
                (form.schedule, form.scheduled_date, form.tz),
                ('later', date(2027, 1, 7), 'Asia/Kolkata'),
            )
            self.assertEqual(form.scheduled_time, 9.5)
            form.text = 'Clicked'
            form.account_ids = self.account
        self.assertEqual(form.record.due_at, datetime(2027, 1, 7, 4, 0))

    def test_a_time_that_has_passed_is_refused(self):
        post = self.post(**self.later(hours=-2))
        with self.assertRaisesRegex(ValidationError, 'has passed'):
            post.action_submit()
        post.write(self.later(hours=2))
        post.action_submit()
        with self.assertRaisesRegex(ValidationError, 'has passed'):
            post.due_at = fields.Datetime.now() - timedelta(days=1)

    def test_a_post_after_the_end_of_a_login_is_marked(self):
        credential = self.env['social.crm.credential'].search(
            [('account_id', '=', self.account.id)]
        )
        credential.expires_at = fields.Datetime.now() + timedelta(days=3)
        soon, late = self.post(**self.later(days=2)), self.post('Late', **self.later(days=5))
        self.assertEqual((soon.after_expiry, late.after_expiry), (False, True))
        self.assertTrue(late.is_hatched)
        self.assertIn('ends before the post is due', str(late.check_summary))

    # --- edit and cancel

    def test_a_queued_post_is_changed_and_moved(self):
        post = self.post(**self.later(hours=2))
        post.action_submit()
        post.text = 'Changed'
        post.write(self.later(hours=4))
        self.assertEqual(post.publication_ids.due_at, post.due_at)
        self.pass_time(post.publication_ids, hours=4, minutes=5)
        self.deliver()
        self.assertEqual(self.network.texts, ['Changed'])

    def test_an_edit_of_a_queued_post_is_checked(self):
        self.limit(text_length=20)
        post = self.post(**self.later(hours=2))
        post.action_submit()
        with self.assertRaisesRegex(ValidationError, 'too long'):
            post.text = 'Far more than twenty letters'

    def test_what_is_out_is_not_changed(self):
        self.networks[self.second.id] = FakeNetwork()
        post = self.post(accounts=self.account | self.second)
        post.action_submit()
        self.deliver()
        for values in ({'text': 'x'}, {'link': 'https://x.org'}, self.later(hours=1)):
            with self.subTest(values), self.assertRaisesRegex(UserError, 'out'):
                post.write(values)
        with self.assertRaises(UserError):
            post.unlink()
        with self.assertRaises(UserError):
            post.publication_ids[0].text = 'x'

    def test_the_text_of_a_failed_one_is_changed_and_sent_again(self):
        self.networks[self.second.id] = FakeNetwork()
        self.network.plan = [Rejected('No links please', '422')]
        post = self.post('With link', self.account | self.second)
        post.action_submit()
        self.deliver()
        self.assertEqual(post.state, 'partial')
        failed = post.publication_ids.filtered(lambda row: row.delivery_state == 'failed')
        failed.text = 'Without'
        post.action_retry()
        self.deliver()
        self.assertEqual((post.state, self.network.texts), ('published', ['Without']))

    def test_back_to_draft_and_cancel(self):
        post = self.post(**self.later(hours=2))
        post.action_submit()
        post.action_draft()
        self.assertEqual((post.state, post.publication_ids.due_at), ('draft', False))
        post.action_submit()
        post.action_cancel()
        self.assertEqual(post.state, 'cancelled')
        with self.assertRaises(UserError):
            post.text = 'x'
        post.action_draft()
        post.action_submit()
        self.assertEqual((post.state, post.publication_ids.delivery_state), ('scheduled', 'queued'))

    def test_a_copy_is_a_draft(self):
        post = self.post()
        post.action_submit()
        self.deliver()
        copy = post.copy()
        self.assertEqual(
            (copy.state, copy.account_ids, copy.publication_count), ('draft', self.account, 1)
        )
        self.assertFalse(copy.due_at)

    # --- approval

    def test_approval(self):
        self.company.social_crm_post_approval = True
        post = self.post(**self.later(hours=2))
        post.action_submit()
        self.assertEqual(post.state, 'waiting')
        self.assertIn(self.approver, post.activity_ids.user_id)
        self.assertFalse(post.publication_ids.due_at)
        with self.assertRaises(AccessError):
            post.action_approve()
        post.with_user(self.approver).action_approve()
        self.assertEqual((post.state, post.approved_by_id), ('scheduled', self.approver))
        self.assertFalse(post.activity_ids)
        post.text = 'Changed after all'
        self.assertEqual((post.state, post.approved_by_id.id), ('waiting', False))
        self.assertIn('approved again', ' '.join(post.message_ids.mapped('body')))
        self.pass_time(post.publication_ids, hours=3)
        self.deliver()
        self.assertFalse(self.network.posts)
        post.with_user(self.approver).action_approve()
        post.publication_ids.text = 'And a text of its own'
        self.assertEqual(post.state, 'waiting')
        post.with_user(self.approver).action_approve()
        post.write(self.later(hours=5))
        self.assertEqual(post.state, 'waiting', 'moved by somebody without the right')
        post.with_user(self.approver).action_send_back()
        self.assertEqual(post.state, 'draft')

    def test_an_approver_schedules_and_moves_at_once(self):
        self.company.social_crm_post_approval = True
        post = self.post(user=self.manager, **self.later(hours=2))
        post.action_submit()
        self.assertEqual(post.state, 'scheduled')
        post.write(self.later(hours=4))
        self.assertEqual(post.state, 'scheduled')
        post.text = 'But other words are other words'
        self.assertEqual(post.state, 'waiting')

    def test_own_accounts_need_no_approval(self):
        self.company.social_crm_post_approval = True
        own = self.connect(self.app, self.author, kind='personal', username='me', number='79')
        post = self.post(accounts=own)
        post.action_submit()
        self.assertEqual(post.state, 'scheduled')

    def test_nobody_decides_by_writing(self):
        post = self.post()
        for values in (
            {'step': 'approved'},
            {'state': 'published'},
            {'approved_by_id': self.author.id},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                post.write(values)
        with self.assertRaises(AccessError):
            self.post(step='approved')
        with self.assertRaises(AccessError):
            self.env['social.crm.publication'].with_user(self.author).create(
                {
                    'post_id': post.id,
                    'account_id': self.second.id,
                    'due_at': '2020-01-01',
                }
            )

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
        company = self.env['res.company'].create({'name': 'Second'})
        stranger = new_test_user(
            self.env,
            'sc_stranger',
            'social_crm.social_crm_group_manager',
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        post = self.post()
        for model in ('social.crm.post', 'social.crm.publication'):
            self.assertFalse(self.env[model].with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            post.with_user(stranger).action_submit()
        with self.assertRaises(UserError):
            self.post(user=stranger, company_id=company.id)

    def test_pictures_survive_in_the_preview_before_saving(self):
        with Form(self.env['social.crm.post'].with_user(self.author)) as form:
            form.text = 'Cat'
            form.account_ids = self.account
            file = self.picture()
            form.attachment_ids.add(file)
            self.assertIn(f'/web/image/{file.id}', str(form.preview))
        self.assertTrue(base64.b64encode(form.record.attachment_ids.raw))
