"""Pictures of mentions: fetched by our server, kept with the mention, gone with it."""

import errno
import io
from datetime import timedelta
from unittest.mock import patch

from PIL import Image

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.social_crm.picture import PHOTOGRAPH_SIDE
from odoo.addons.social_crm.providers.http import Http

from .common import SocialCrmCase
from .mastodon_stub import HOST
from .test_profile_refresh import picture

FILES = f'https://{HOST}/files'


def attached(name, kind='image', **values):
    """Return an attachment as the network tells it."""
    row = {'type': kind, 'url': f'{FILES}/{name}', 'preview_url': None, 'description': None}
    return {**row, **values}


@tagged('post_install', '-at_install')
class TestMentionMedia(SocialCrmCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.asked = []

    def serve(self, name, content, status=200, **headers):
        def answer(request):
            self.asked.append(name)
            self.assertNotIn('Authorization', request.headers)
            return status, headers, content

        self.stub.fail[f'/files/{name}'] = answer

    def receive_with(self, *files, **values):
        notification = self.stub.mention('Look!', media_attachments=list(files), **values)
        self.receive()
        return notification

    def fetch(self):
        self.env.flush_all()
        with self.loop('social.crm.mention') as Mention:
            Mention._cron_fetch_media()
        return self.mentions()

    def kept(self):
        return self.env['ir.attachment'].search(
            [('res_model', '=', 'social.crm.mention'), ('res_field', '=', 'media')]
        )

    def test_pictures_are_drawn_anew_and_shown_from_here(self):
        self.serve('cup.png', picture(size=(2400, 1600)))
        self.serve('film.jpg', picture('JPEG'))
        self.serve('page.svg', b'<svg onload="alert(1)"/>')
        self.receive_with(
            attached('cup.png', description='A <b>broken</b> cup'),
            attached('film.mp4', 'video', preview_url=f'{FILES}/film.jpg'),
            attached('page.svg'),
            attached('sound.mp3', 'audio'),
        )
        self.assertFalse(self.asked, 'the poll does not wait for pictures')
        mention = self.fetch()
        self.assertEqual(sorted(self.asked), ['cup.png', 'film.jpg', 'page.svg'])
        cup, film = self.kept().sorted('id')
        self.assertEqual(
            [one.get('image') for one in mention.media], [cup.id, film.id, False, None]
        )
        self.assertFalse(mention.media_due)
        with Image.open(io.BytesIO(cup.raw)) as drawn:
            self.assertEqual((drawn.format, max(drawn.size)), ('JPEG', PHOTOGRAPH_SIDE))
        shown = str(mention.with_user(self.user).conversation)
        for part in (
            f'src="/web/image/{cup.id}-kept"',
            f'src="/web/image/{film.id}-kept"',
            'alt="A &lt;b&gt;broken&lt;/b&gt; cup"',
            f'href="{mention.url}"',
        ):
            self.assertIn(part, shown)
        pop = str(mention.author_id.with_user(self.user).get_screen_pop())
        for part in (f'/web/image/{cup.id}-kept', f'/web/image/{film.id}-kept', '&lt;b&gt;broken'):
            self.assertIn(part, pop)
        self.assertNotIn('/files/', shown + pop, 'no browser calls the network')
        self.fetch()
        self.assertEqual(len(self.asked), 3)

    def test_who_may_read_the_mention_sees_its_pictures(self):
        self.serve('cup.png', picture())
        own = self.connect(self.app, self.user, kind='personal', username='me', number='79')
        self.account.stream_ids.active = False
        self.receive_with(attached('cup.png'))
        mention = self.fetch()
        self.assertEqual(mention.account_id, own)
        url = f'/web/image/{self.kept().id}-kept'
        self.authenticate('sc_user', 'sc_user')
        self.assertEqual(self.url_open(url).headers['Content-Type'], 'image/jpeg')
        for login in ('sc_marketing', 'sc_manager', None):
            self.authenticate(login, login)
            self.assertEqual(self.url_open(url).headers['Content-Type'], 'image/png', 'placeholder')
        portal = new_test_user(self.env, 'sc_portal', 'base.group_portal')
        self.assertFalse(self.kept().with_user(portal).has_access('read'))
        with self.assertRaises(AccessError):
            mention.with_user(self.user).media = [{'image': 1}]

    def test_private_addresses_are_not_called(self):
        self.serve('away.png', b'', 302, Location='https://127.0.0.1/x.png')
        self.receive_with(
            attached('away.png'),
            attached('x', url='https://169.254.169.254/latest'),
            attached('y', url='file:///etc/passwd'),
        )
        # Elsewhere tests may call private addresses: their servers are on this machine.
        guarded = Http(user_agent='social_crm-test')
        with patch.object(self.env.registry['social.crm.app'], '_http', lambda _app: guarded):
            mention = self.fetch()
        self.assertEqual([one.get('image') for one in mention.media], [False] * 3)
        self.assertEqual((self.asked, mention.media_due), (['away.png'], False))

    def test_what_may_come_later_is_tried_again_and_not_for_ever(self):
        self.serve('cup.png', b'', 503)
        self.serve('dish.png', picture())
        self.receive_with(attached('cup.png'), attached('dish.png'))
        mention = self.fetch()
        self.assertGreater(mention.media_due, fields.Datetime.now())
        for _try in range(4):
            if mention.media_due:
                mention.media_due = fields.Datetime.now() - timedelta(seconds=1)
            self.fetch()
        self.assertEqual(self.asked.count('cup.png'), 3)
        self.assertEqual(self.asked.count('dish.png'), 1)
        self.assertFalse(mention.media_due)

    def test_a_full_disk_delays_pictures_and_nothing_else(self):
        self.serve('cup.png', picture())
        self.receive_with(attached('cup.png'))
        full = OSError(errno.ENOSPC, 'No space left on device')
        logger = 'odoo.addons.social_crm.models.social_crm_fetch_mixin'
        with (
            patch.object(self.env.registry['ir.attachment'], '_file_write', side_effect=full),
            self.assertLogs(logger, 'ERROR'),
        ):
            mention = self.fetch()
        self.assertFalse(self.kept())
        self.assertNotIn('image', mention.media[0])
        self.assertGreater(mention.media_due, fields.Datetime.now() + timedelta(minutes=5))
        mention.media_due = fields.Datetime.now()
        self.assertEqual(self.fetch().media[0]['image'], self.kept().id)

    def test_an_edit_brings_its_pictures_and_takes_the_old_ones(self):
        for name in ('one.png', 'two.png', 'three.png'):
            self.serve(name, picture())
        notification = self.receive_with(attached('one.png'), attached('two.png'))
        self.fetch()
        one, two = self.kept().sorted('id')
        edited = fields.Datetime.now().isoformat() + 'Z'
        files = [attached('two.png'), attached('three.png')]
        notification['status'].update(media_attachments=files, edited_at=edited)
        self.stream().cursor = False
        self.receive()
        mention = self.fetch()
        self.assertEqual(self.asked, ['one.png', 'two.png', 'three.png'])
        self.assertFalse(one.exists())
        self.assertEqual(mention.media[0]['image'], two.id)
        self.assertEqual(len(self.kept()), 2)

    def test_pictures_go_with_the_mention(self):
        self.serve('cup.png', picture())
        self.receive_with(attached('cup.png'))
        mention = self.fetch()
        self.assertTrue(self.kept())
        self.env['social.crm.erase'].with_user(self.manager).create(
            {'profile_ids': mention.author_id.ids}
        ).action_confirm()
        self.assertFalse(self.kept())

    def test_of_what_only_a_search_finds_nothing_is_fetched(self):
        self.receive_with(attached('cup.png'))
        mention = self.mentions()
        self.assertTrue(mention.media_due)
        mention.author_id.blocked = True
        self.receive_with(attached('cup.png'))
        self.assertFalse((self.mentions() - mention).media_due, 'nor of who is blocked')
        stream = self.stream()
        page = self.account._offline_provider().read(stream.kind, self.stub.notifications[0])
        (item,) = page.items
        stream._store_items([_as_search_hit(item)])
        self.assertFalse(self.mentions(kind='search').media_due)


def _as_search_hit(item):
    author = item.author.__class__('https://elsewhere.example/u/1', 'eve')
    return item.__class__(
        'search', 'hit-1', author, item.text, item.posted_at, media=item.media, raw=item.raw
    )
