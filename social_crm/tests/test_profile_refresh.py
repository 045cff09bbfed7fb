import base64
import io
import struct
import threading
import zlib
from datetime import timedelta

from PIL import Image

from odoo import Command, fields
from odoo.tests import tagged

from odoo.addons.social_crm.models import social_crm_profile_refresh
from odoo.addons.social_crm.picture import SIDE, BadPicture, fetch_picture, redraw
from odoo.addons.social_crm.providers.http import Http

from .common import SocialCrmCase
from .mastodon_stub import HOST

LOOKUP = '/api/v1/accounts/lookup'
AVATAR = '/avatars/ada.png'


def picture(kind='PNG', size=(900, 600), **options):
    """Return a picture file."""
    out = io.BytesIO()
    Image.new('RGB', size, (200, 30, 30)).save(out, kind, **options)
    return out.getvalue()


def bomb(side=60_000):
    """Return a small PNG that says that it is huge."""

    def chunk(kind, body):
        crc = zlib.crc32(kind + body)
        return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', crc)

    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(b'\0' * 9))


class RefreshCase(SocialCrmCase):
    def setUp(self):
        super().setUp()
        self.person = self.stub.account('ada', display_name='Ada', avatar='')
        self.asked = []
        self.stub.fail[LOOKUP] = self.look_up
        self.stub.fail[AVATAR] = lambda _request: self.stub.answer(200, picture())

    def look_up(self, request):
        self.asked.append(request.url)
        return self.stub.answer(200, self.person) if self.person else None

    def profile(self, **values):
        profile = self.env['social.crm.profile'].create(
            {
                'network': 'mastodon',
                'external_id': f'https://{HOST}/users/ada',
                'handle': f'ada@{HOST}',
                'name': 'Ada before',
                'refreshed_at': fields.Datetime.now() - timedelta(days=2),
                'company_id': self.company.id,
                **values,
            }
        )
        profile.match_due = False
        return profile

    def refresh(self):
        self.env.flush_all()
        with self.loop('social.crm.profile') as Profile:
            Profile._cron_refresh_profiles()


@tagged('post_install', '-at_install')
class TestRefresh(RefreshCase):
    def test_the_button_looks_up_in_the_loop(self):
        profile = self.profile()
        self.person.update(note='<p>Now in Graz</p>', followers_count=77)
        profile.with_user(self.user).action_refresh()
        self.assertFalse(self.asked, 'no call in the request of the user')
        self.refresh()
        self.assertEqual(len(self.asked), 1)
        self.assertEqual((profile.name, profile.bio, profile.followers), ('Ada', 'Now in Graz', 77))
        self.assertTrue(profile.match_due, 'who has changed is looked at again')

    def test_once_a_day_is_enough(self):
        profile = self.profile()
        for _press in range(3):
            profile.with_user(self.user).action_refresh()
            self.refresh()
        self.assertEqual(len(self.asked), 1)

    def test_nightly_for_contacts_and_writers(self):
        contact = self.env['res.partner'].create({'name': 'Ada'})
        linked = self.profile(partner_id=contact.id)
        self.profile(external_id='https://x/nobody', handle='nobody@x.example')
        self.profile(
            external_id='https://x/fresh',
            handle='fresh@x.example',
            partner_id=contact.id,
            refreshed_at=fields.Datetime.now(),
        )
        with self.loop('social.crm.profile') as Profile:
            Profile._cron_profile_nightly()
        due = self.env['social.crm.profile'].search([('refresh_due', '!=', False)])
        self.assertEqual(due, linked)

    def test_without_consent_nobody_is_looked_up(self):
        contact = self.env['res.partner'].create({'name': 'Ada', 'social_no_enrichment': True})
        profile = self.profile(partner_id=contact.id, picture_due=True)
        profile._want_refresh()
        self.refresh()
        self.assertFalse(self.asked)
        self.assertEqual(profile.name, 'Ada before')

    def test_who_is_gone_is_marked_and_what_was_known_stays(self):
        profile = self.profile(bio='My last words')
        self.person = None
        profile._want_refresh()
        self.refresh()
        self.assertTrue(profile.stale and profile.stale_since)
        self.assertEqual((profile.name, profile.bio), ('Ada before', 'My last words'))
        self.assertFalse(profile.refresh_due)
        self.person = self.stub.account('ada', display_name='Ada', avatar='')
        profile.looked_up_at = profile.stale_since = fields.Datetime.now() - timedelta(days=8)
        profile._want_refresh()
        self.refresh()
        self.assertFalse(profile.stale or profile.stale_since)

    def test_a_handle_that_somebody_else_has_now_tells_nothing(self):
        profile = self.profile(external_id=f'https://{HOST}/users/ada#1')
        profile._want_refresh()
        self.refresh()
        self.assertEqual(profile.name, 'Ada before')
        self.assertTrue(profile.stale)

    def test_a_rate_limit_is_waited_for(self):
        profile = self.profile()
        until = fields.Datetime.now() + timedelta(minutes=4)
        self.stub.fail[LOOKUP] = lambda _request: self.stub.answer(
            429,
            {'error': 'Too many requests'},
            {
                'X-RateLimit-Limit': '300',
                'X-RateLimit-Remaining': '0',
                'X-RateLimit-Reset': f'{until.isoformat()}Z',
            },
        )
        profile._want_refresh()
        self.refresh()
        self.assertAlmostEqual(profile.refresh_due, until, delta=timedelta(seconds=2))
        self.assertAlmostEqual(self.account.lookups_paused_until, until, delta=timedelta(seconds=2))
        other = self.profile(external_id='https://x/other', handle='other@x.example')
        self.stub.fail[LOOKUP] = self.look_up
        other._want_refresh()
        self.refresh()
        self.assertFalse(self.asked, 'the account is left in peace')
        self.assertEqual(other.refresh_due, self.account.lookups_paused_until)

    def test_some_calls_are_kept_for_the_inbox(self):
        reset = (fields.Datetime.now() + timedelta(minutes=4)).isoformat() + 'Z'
        self.stub.fail[LOOKUP] = lambda _request: self.stub.answer(
            200,
            self.person,
            {
                'X-RateLimit-Limit': '300',
                'X-RateLimit-Remaining': '50',
                'X-RateLimit-Reset': reset,
            },
        )
        self.profile()._want_refresh()
        self.refresh()
        self.assertTrue(self.account.lookups_paused_until)

    def test_what_fails_is_tried_again_later_and_not_for_ever(self):
        profile = self.profile()
        self.stub.fail[LOOKUP] = lambda _request: self.stub.answer(503, {'error': 'busy'})
        profile._want_refresh()
        for _try in range(10):
            self.refresh()
            if profile.refresh_due:
                self.assertGreater(profile.refresh_due, fields.Datetime.now())
                profile.refresh_due = fields.Datetime.now() - timedelta(seconds=1)
        self.assertFalse(profile.refresh_due)
        self.assertTrue(profile.refresh_error)
        self.assertFalse(profile.stale)

    def test_a_worker_that_dies_leaves_the_profile_to_the_next(self):
        profile = self.profile()
        profile._want_refresh()
        self.env.flush_all()
        with self.loop('social.crm.profile') as Profile:
            self.assertEqual(Profile._claim_refresh().ids, profile.ids)
            Profile.env.cr.commit()  # … and here it dies
        self.refresh()
        self.assertFalse(self.asked, 'leased')
        profile.refresh_lease = fields.Datetime.now() - timedelta(seconds=1)
        self.refresh()
        self.assertEqual(len(self.asked), 1)

    def test_a_lease_from_before_the_clock_was_put_back_holds_nobody(self):
        profile = self.profile()
        profile._want_refresh()
        profile.refresh_lease = fields.Datetime.now() + timedelta(days=30)
        self.refresh()
        self.assertEqual(len(self.asked), 1)

    def test_many_are_looked_up_at_once_and_the_database_is_not_held(self):
        barrier = threading.Barrier(2, timeout=10)

        def together(request):
            barrier.wait()  # only two calls at the same time get past this
            return self.look_up(request)

        self.stub.fail[LOOKUP] = together
        for number in (1, 2):
            self.profile(external_id=f'https://x/{number}', handle=f'x{number}@x.example')
        self.env['social.crm.profile'].search([])._want_refresh()
        with self.loop('social.crm.profile') as Profile:
            Profile._refresh_batch()
        self.assertEqual(len(self.asked), 2)


@tagged('post_install', '-at_install')
class TestEnterByHand(RefreshCase):
    def enter(self, handle):
        partner = self.env['res.partner'].create({'name': 'Ada'})
        partner.with_user(self.user).social_profile_ids = [
            Command.create({'network': 'mastodon', 'handle': handle})
        ]
        return partner.social_profile_ids

    def test_a_profile_unknown_here_is_looked_up_in_the_loop(self):
        profile = self.enter(f'https://{HOST}/@ada')
        self.assertEqual(profile.handle, f'ada@{HOST}')
        self.assertFalse(self.asked, 'no call in the request of the user')
        self.refresh()
        self.assertEqual(profile.external_id, f'https://{HOST}/users/ada')
        self.assertEqual(profile.name, 'Ada')
        self.assertEqual(profile.match_ids.state, 'confirmed')

    def test_a_handle_that_is_none_says_so(self):
        self.person = None
        profile = self.enter('nobody@x.example')
        self.refresh()
        self.assertIn('no @nobody@x.example', profile.refresh_error)
        self.assertFalse(profile.refresh_due or profile.stale)

    def test_a_profile_known_by_another_handle_is_the_same(self):
        known = self.profile(handle=f'ada.old@{HOST}')
        entered = self.enter(f'ada@{HOST}')
        partner = entered.partner_id
        self.refresh()
        self.assertFalse(entered.exists())
        self.assertEqual(known.partner_id, partner)
        self.assertEqual(known.handle, f'ada@{HOST}')
        self.assertEqual(known.match_ids.state, 'confirmed')

    def test_addresses_of_profiles_on_other_networks(self):
        clean = self.env['social.crm.profile']._clean_handle
        for text, network, handle in (
            ('https://bsky.app/profile/ada.bsky.social', 'bluesky', 'ada.bsky.social'),
            ('https://x.com/Ada', 'x', 'ada'),
            ('https://www.linkedin.com/company/acme/', 'linkedin', 'acme'),
            ('https://www.instagram.com/ada/?hl=de', 'instagram', 'ada'),
            ('https://www.threads.net/@ada', 'threads', 'ada'),
            ('https://chaos.example/users/Ada', 'mastodon', 'ada@chaos.example'),
            (' @Ada@chaos.example ', 'mastodon', 'ada@chaos.example'),
        ):
            with self.subTest(text):
                self.assertEqual(clean(text, network), handle)


@tagged('post_install', '-at_install')
class TestPicture(RefreshCase):
    def test_a_picture_is_fetched_by_the_server_and_drawn_anew(self):
        self.person['avatar'] = f'https://{HOST}{AVATAR}'
        profile = self.profile()
        profile._want_refresh()
        self.refresh()
        with Image.open(io.BytesIO(base64.b64decode(profile.image_1920))) as stored:
            self.assertEqual((stored.format, max(stored.size)), ('PNG', SIDE))
        self.assertEqual(profile.picture_url, f'https://{HOST}{AVATAR}')
        calls = len(self.stub.calls)
        profile.refreshed_at = profile.looked_up_at = fields.Datetime.now() - timedelta(days=2)
        profile._want_refresh()
        self.refresh()
        self.assertEqual(len(self.stub.calls), calls + 1, 'what is here is not fetched again')

    def test_who_writes_gets_a_picture_without_a_look_up(self):
        self.stub.mention('hello', self.stub.account('ada', avatar=f'https://{HOST}{AVATAR}'))
        self.receive()
        profile = self.mentions().author_id
        self.assertFalse(profile.image_1920)
        self.refresh()
        self.assertTrue(profile.image_1920)
        self.assertFalse(self.asked)

    def test_what_is_no_picture_is_not_stored(self):
        svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
        hostile = {
            'a page': b'<html><script>alert(1)</script>',
            'svg': svg,
            'a bomb': bomb(),
            'huge': b'\x89PNG\r\n\x1a\n' + b'0' * (4 << 20),
            'postscript': b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n',
            'tiff': b'II*\0\x08\0\0\0',
            'nothing': b'',
        }
        self.person['avatar'] = f'https://{HOST}{AVATAR}'
        profile = self.profile()
        for name, content in hostile.items():
            with self.subTest(name):
                self.stub.fail[AVATAR] = lambda _request, body=content: (
                    200,
                    {'Content-Type': 'image/png'},
                    body,
                )
                profile.refreshed_at = profile.looked_up_at = False
                profile._want_refresh()
                self.refresh()
                self.assertEqual(profile.name, 'Ada', 'the rest is taken')
                self.assertFalse(profile.image_1920)

    def test_a_picture_keeps_nothing_of_the_file(self):
        secret = b'<?php secret'
        drawn = redraw(picture('JPEG', comment=secret) + secret)
        self.assertNotIn(b'secret', drawn)

    def test_private_addresses_are_not_called(self):
        self.person['avatar'] = f'https://{HOST}{AVATAR}'
        for target in ('https://127.0.0.1/x.png', 'http://169.254.169.254/', 'file:///etc/passwd'):
            self.stub.fail[AVATAR] = lambda _request, target=target: (
                302,
                {'Location': target},
                b'',
            )
            with self.subTest(target), self.assertRaises(BadPicture) as caught:
                fetch_picture(Http(user_agent='test'), f'https://{HOST}{AVATAR}')
            self.assertIn('Rejected', str(caught.exception))

    def test_batches_are_small_enough_for_their_lease(self):
        worst = social_crm_profile_refresh.LEASE.total_seconds()
        self.assertGreater(worst, 60 * 2 + 20, 'a look-up in two calls and a picture')
