from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.social_crm.providers.youtube import YouTube

from .network_story import NetworkStory
from .providers.fake_youtube import ME, FakeYouTube
from .providers.youtube_spec import Spec

FILM = b'\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom' + bytes(5000)


@tagged('post_install', '-at_install')
class TestNetworkYouTube(NetworkStory):
    network = 'youtube'

    def make_fake(self, mock):
        self.startPatcher(patch.object(YouTube, 'upload_pause', 0))
        return FakeYouTube(mock, Spec.load())

    def test_from_the_dialog_to_the_last_trace_of_the_login(self):
        account = self.connect()
        self.assertRecordValues(
            account,
            [{'handle': 'acmegarden', 'external_id': ME, 'kind': 'brand', 'state': 'connected'}],
        )
        self.assertFalse(account.missing_capabilities)

        asked = self.fake.comment('rita-k', 'Do you ship to Graz?')
        self.receive()
        mention = self.mention(asked['id'])
        self.assertEqual((mention.text, mention.kind), ('Do you ship to Graz?', 'comment'))
        self.assertEqual(mention.author_id.handle, 'rita-k')

        engagement = self.answer(mention, 'Yes, tomorrow!')
        self.assertEqual(engagement.delivery_state, 'sent', engagement.failure_reason)
        self.assertEqual(self.fake.sent, ['Yes, tomorrow!'])
        self.receive()
        self.assertEqual(mention.state, 'done')

        text = 'Our new drill\n\nIt drills.'
        publication = self.publish(text, name='drill.mp4', raw=FILM, mimetype='video/mp4')
        self.assertEqual(publication.delivery_state, 'sent', publication.failure_reason)
        self.assertEqual(self.fake.stored, FILM)
        self.assertEqual(self.fake.videos[-1]['snippet']['title'], 'Our new drill')
        self.measure(publication)
        metric = publication.metric_ids[-1]
        self.assertEqual((metric.views, metric.likes, metric.comments), (140, 5, 3))

        self.age_login(account)
        self.assertEqual(account.state, 'connected')

        self.disconnect(account)
        self.assertEqual(account.revocation, 'done')
        self.assertEqual(self.fake.token, 'gone')
        self.assertFalse(self.env['social.crm.credential'].search([]))

    def test_a_login_without_a_channel_is_told_what_it_needs(self):
        self.fake.mine = []
        with self.assertRaisesRegex(AssertionError, 'no_brands'):
            self.connect()
        self.assertFalse(self.env['social.crm.account'].search([('app_id', '=', self.app.id)]))

    def test_a_login_with_several_channels_has_the_person_choose(self):
        self.fake.mine = [self.fake.channel('acmegarden'), self.fake.channel('acmetools')]
        self.assertFalse(self.connect())
        pick = self.env['social.crm.pick'].with_user(self.manager).search([])
        self.assertEqual(pick.line_ids.mapped('handle'), ['acmegarden', 'acmetools'])
        pick.line_ids[1].chosen = True
        pick.action_connect()
        account = self.env['social.crm.account'].search([('app_id', '=', self.app.id)])
        self.assertEqual(account.handle, 'acmetools')
