"""Files of posts for networks that fetch them: a public address, for a day, of one file."""

import base64
import time
from unittest.mock import patch
from urllib.parse import urlsplit

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.social_crm import tools

# A picture of one pixel.
GIF = base64.b64decode('R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==')


@tagged('post_install', '-at_install')
class TestPublicMedia(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['ir.config_parameter'].set_param('web.base.url', 'https://crm.example.com')
        cls.author = new_test_user(
            cls.env, 'sc_public_media', 'social_crm.social_crm_group_marketing'
        )
        cls.file = cls._file('cat & dog.gif')
        cls.accounts = {code: cls._account(code) for code in ('instagram', 'mastodon')}
        cls.post = cls.env['social.crm.post'].create(
            {
                'text': 'New bread',
                'account_ids': [Command.set([one.id for one in cls.accounts.values()])],
                'attachment_ids': [Command.set(cls.file.ids)],
                'media_description': 'A cat',
            }
        )

    @classmethod
    def _file(cls, name):
        return (
            cls.env['ir.attachment']
            .with_user(cls.author)
            .create(
                {'name': name, 'raw': GIF, 'mimetype': 'image/gif', 'res_model': 'social.crm.post'}
            )
        )

    @classmethod
    def _account(cls, network):
        app = cls.env['social.crm.app'].create({'network': network, 'client_id': f'c-{network}'})
        return cls.env['social.crm.account'].create(
            {
                'network': network,
                'app_id': app.id,
                'kind': 'brand',
                'user_id': cls.author.id,
                'handle': 'acme',
                'external_id': f'1784-{network}',
                'state': 'connected',
            }
        )

    def media_for(self, network):
        lines = self.post.publication_ids
        (row,) = lines.filtered(lambda line: line.account_id == self.accounts[network])
        return row, row._outgoing().media[0]

    def fetch(self, url):
        parts = urlsplit(url)
        self.authenticate(None, None)
        return self.url_open(f'{parts.path}?{parts.query}')

    def test_a_network_that_fetches_files_can_read_this_one(self):
        _row, media = self.media_for('instagram')
        self.assertTrue(media.url.startswith('https://crm.example.com/web/content/'))
        answer = self.fetch(media.url)
        self.assertEqual((answer.status_code, answer.content), (200, GIF))
        self.assertEqual(answer.headers['Content-Type'], 'image/gif')
        self.assertEqual(media.description, 'A cat')

    def test_the_address_ends_by_itself(self):
        past = time.time() - tools.PUBLIC_HOURS * 3600 - 1
        with patch.object(tools.time, 'time', return_value=past):
            url = tools.public_url(self.file)
        self.assertEqual(self.fetch(url).status_code, 404)

    def test_the_address_opens_no_other_file(self):
        other = self._file('secret.gif')
        _row, media = self.media_for('instagram')
        url = media.url.replace(f'/content/{self.file.id}/', f'/content/{other.id}/')
        self.assertEqual(self.fetch(url).status_code, 404)
        self.assertEqual(self.fetch(media.url.partition('?')[0]).status_code, 404)

    def test_other_networks_get_no_address(self):
        _row, media = self.media_for('mastodon')
        self.assertEqual((media.url, media.content), ('', GIF))

    def test_a_server_without_a_public_address_is_told_about(self):
        row, _media = self.media_for('instagram')
        self.assertNotIn('web.base.url', row.problems or '')
        self.env['ir.config_parameter'].set_param('web.base.url', 'http://localhost:8069')
        row.invalidate_recordset(['problems'])
        self.assertIn('web.base.url', row.problems)
        other, _media = self.media_for('mastodon')
        self.assertNotIn('web.base.url', other.problems or '')
