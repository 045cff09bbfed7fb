from unittest.mock import PropertyMock, patch
from urllib.parse import parse_qs, urlsplit

from odoo import fields
from odoo.http import GeoIP
from odoo.tests import BaseCase, HttpCase, tagged

from odoo.addons.social_crm import tracking
from odoo.addons.social_crm.models.social_crm_delivery_links import PLACEHOLDER
from odoo.addons.social_crm.providers.errors import OutcomeUnknown, Rejected

from .answering import AnsweringCase
from .delivering import DeliveryCase

FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
PEOPLE = (
    FIREFOX,
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) '
    'Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like '
    'Gecko) Mobile/15E148 Instagram 335.0.0.31.97 (iPhone14,5; iOS 17_5; en_US)',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like '
    'Gecko) Mobile/21F79 [FBAN/FBIOS;FBAV/468.0.0.37.71;FBBV/602]',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like '
    'Gecko) Mobile/21F79 [LinkedInApp]/9.29.7573',
    'Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) '
    'Chrome/124.0.0.0 Mobile Safari/537.36',
)
FETCHERS = (
    '',
    'Mastodon/4.3.1 (http.rb/5.2.0; +https://social.example/) Bot',
    'http.rb/5.1.1 (Mastodon/4.2.0; +https://social.example/)',
    'Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; mailto:support@bsky.app)',
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)',
    'Twitterbot/1.0',
    'LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)',
    'Mozilla/5.0 (compatible; Misskey/2024.11.0; +https://misskey.example)',
    'Akkoma 3.13.2; https://akkoma.example <admin@akkoma.example>',
    'gotosocial/0.17.3 (+https://gts.example)',
    'Lemmy/0.19.5; +https://lemmy.example',
    'snac/2.66; +https://snac.example',
    'WhatsApp/2.24.11.79 A',
    'TelegramBot (like TwitterBot)',
    'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) '
    'Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0',
    'Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; '
    '+http://www.google.com/bot.html) Chrome/126.0.0.0 Safari/537.36',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) '
    'HeadlessChrome/126.0.0.0 Safari/537.36',
    'curl/8.5.0',
    'python-requests/2.32.3',
)


class TestTracking(BaseCase):
    def test_links_of_a_text(self):
        text = (
            'See https://a.example/x?y=1&z=2#top, (https://a.example/b_(c)) and '
            '"HTTPS://B.example/ü"! Not http:/c.example, ftp://d.example or mailto:a@e.example. '
            'Again: https://a.example/x?y=1&z=2#top.'
        )
        links = [
            'https://a.example/x?y=1&z=2#top',
            'https://a.example/b_(c)',
            'HTTPS://B.example/ü',
        ]
        self.assertEqual(tracking.links(text), links)
        shortened = tracking.replace(text, lambda link: f'<{links.index(link)}>')
        self.assertTrue(shortened.startswith('See <0>, (<1>) and "<2>"! Not http:/c.example'))
        self.assertTrue(shortened.endswith('Again: <0>.'))

    def test_a_link_that_begins_another_is_left_whole(self):
        short = {'https://a.example': 'S', 'https://a.example/more': 'L'}
        self.assertEqual(
            tracking.replace('https://a.example https://a.example/more', short.get), 'S L'
        )

    def test_no_text(self):
        self.assertEqual((tracking.links(''), tracking.links(None)), ([], []))
        self.assertEqual(tracking.replace('', None), '')

    def test_people_and_fetchers(self):
        for agent in PEOPLE:
            self.assertTrue(tracking.is_person(agent), agent)
        for agent in FETCHERS:
            self.assertFalse(tracking.is_person(agent), agent)
        self.assertFalse(tracking.is_person(FIREFOX, 'prefetch;prerender '))
        self.assertFalse(tracking.is_person(FIREFOX, method='HEAD'))


@tagged('post_install', '-at_install')
class TestLink(DeliveryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campaign = cls.env['utm.campaign'].create({'title': 'Spring Sale'})
        cls.base = f'{cls.env["link.tracker"].get_base_url()}/r/'

    def trackers(self, post):
        return self.env['link.tracker'].search(
            [('social_publication_id', 'in', post.publication_ids.ids)]
        )

    def test_each_publication_has_short_links_of_its_own(self):
        post = self.post(
            'Look: https://shop.example/tea.',
            self.account | self.second,
            link='https://shop.example/cups',
            campaign_id=self.campaign.id,
        )
        post.action_submit()
        self.assertEqual(self.deliver(), 2)
        trackers = self.trackers(post)
        self.assertEqual(len(trackers), 4)
        self.assertEqual(trackers.campaign_id, self.campaign)
        self.assertEqual(trackers.medium_id, self.env.ref('social_crm.utm_medium_social'))
        self.assertEqual(trackers.source_id.name, 'Mastodon')
        for row in post.publication_ids:
            [(outgoing, _key, _sent)] = self.networks[row.account_id.id].posts
            short = row.tracked_links['https://shop.example/tea']
            self.assertTrue(short.startswith(self.base))
            self.assertEqual(outgoing.text, f'Look: {short}.')
            self.assertEqual(outgoing.link, row.tracked_links['https://shop.example/cups'])
        [url] = trackers.filtered(
            lambda one: one.social_publication_id == post.publication_ids[0] and 'tea' in one.url
        ).mapped('redirected_url')
        parts = urlsplit(url)
        self.assertEqual((parts.netloc, parts.path), ('shop.example', '/tea'))
        self.assertEqual(
            parse_qs(parts.query),
            {
                'utm_campaign': [self.campaign.name],
                'utm_source': ['Mastodon'],
                'utm_medium': [self.env.ref('social_crm.utm_medium_social').name],
                'utm_content': [f'publication-{post.publication_ids[0].id}'],
            },
        )

    def test_the_first_comment_has_its_own(self):
        post = self.post('Tea', first_comment='More: https://shop.example/more')
        post.action_submit()
        self.deliver()
        self.deliver()
        comment = post.publication_ids.filtered(lambda row: row.kind == 'comment')
        self.assertEqual(
            self.network.texts, ['Tea', f'More: {[*comment.tracked_links.values()][0]}']
        )
        self.assertIn(comment.tracked_links['https://shop.example/more'], str(post.preview))

    def test_a_draft_counts_and_shows_short_links(self):
        long = f'https://shop.example/{"tea" * 60}'
        post = self.post(f'Look: {long}')
        self.assertFalse(self.trackers(post))
        row = post.publication_ids
        stand_in = f'{self.base}{PLACEHOLDER}'
        self.assertEqual(row.text_count, len(f'Look: {stand_in}'))
        self.assertIn(stand_in, str(post.preview))
        self.assertNotIn(long, str(post.preview))
        post.action_submit()
        self.assertIn(row.tracked_links[long], str(post.preview))
        self.assertEqual(row.text_count, len(f'Look: {row.tracked_links[long]}'))

    def test_the_switch_of_the_post_and_of_the_company(self):
        link = 'https://shop.example/tea'
        post = self.post(link, track_links=False)
        post.action_submit()
        self.deliver()
        self.assertEqual(self.network.texts, [link])
        self.company.social_crm_track_links = False
        self.assertFalse(self.post('x').track_links)

    def test_a_network_that_minds(self):
        self.networks[self.account.id] = self.network.__class__(track_links=False)
        post = self.post('https://shop.example/tea')
        post.action_submit()
        self.deliver()
        self.assertEqual(self.networks[self.account.id].texts, ['https://shop.example/tea'])

    def test_own_short_links_are_left_alone(self):
        post = self.post(f'{self.base}abc')
        post.action_submit()
        self.deliver()
        self.assertEqual(self.network.texts, [f'{self.base}abc'])
        self.assertFalse(self.trackers(post))

    def test_what_is_looked_up_is_what_was_sent(self):
        """Lost answer, then another base URL: the text of the try is the one looked for."""
        self.network.plan = [('lost', OutcomeUnknown('timeout', 'timeout'))]
        post = self.post('https://shop.example/tea', campaign_id=self.campaign.id)
        post.action_submit()
        self.deliver()
        self.assertEqual(post.publication_ids.delivery_state, 'unconfirmed')
        self.env['ir.config_parameter'].set_param('web.base.url', 'https://elsewhere.example')
        post.campaign_id = False
        self.pass_time(post.publication_ids, minutes=10)
        self.deliver()
        self.assertEqual(post.publication_ids.delivery_state, 'sent')
        self.assertEqual(len(self.network.posts), 1)

    def test_a_second_try_and_an_edit(self):
        self.network.plan = [Rejected('no', 'no')]
        post = self.post('https://shop.example/tea')
        post.action_submit()
        self.deliver()
        row = post.publication_ids
        first = row.tracked_links['https://shop.example/tea']
        row.with_user(self.author).text = 'https://shop.example/tea https://shop.example/new'
        post.action_retry()
        self.deliver()
        new = row.tracked_links['https://shop.example/new']
        self.assertEqual(self.network.texts, [f'{first} {new}'])
        self.assertNotEqual(first, new)

    def test_clicks_follow_a_campaign_that_changes(self):
        post = self.post('https://shop.example/tea')
        post.action_submit()
        self.deliver()
        tracker = self.trackers(post)
        click = self.env['link.tracker.click'].create({'link_id': tracker.id})
        self.assertFalse(click.campaign_id)
        post.campaign_id = self.campaign
        self.assertEqual((click.campaign_id, tracker.campaign_id), (self.campaign, self.campaign))

    def test_clicks_become_figures_of_the_publication(self):
        post = self.post('https://shop.example/tea')
        post.action_submit()
        self.deliver()
        row = post.publication_ids
        self.env['link.tracker.click'].create([{'link_id': self.trackers(post).id}] * 3)
        self.assertEqual(row.link_clicks, 3)
        self.network.figures[row.local_id] = {'likes': 1}
        row.sudo().next_metric_at = fields.Datetime.now()
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            Publication._measure_due()
        self.assertEqual((row.likes, row.clicks, post.clicks), (1, 3, 3))
        self.assertEqual(row.metric_ids.clicks_gain, 3)
        # A network that counts clicks itself knows better.
        self.network.figures[row.local_id] = {'likes': 1, 'clicks': 7}
        row.sudo().next_metric_at = fields.Datetime.now()
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            Publication._measure_due()
        self.assertEqual((row.clicks, row.link_clicks), (7, 3))


@tagged('post_install', '-at_install')
class TestLinkInAnswer(AnsweringCase):
    def test_links_of_an_answer_are_tracked(self):
        mention = self.mentioned()
        mention.campaign_id = self.env['utm.campaign'].create({'title': 'Spring Sale'})
        engagement = self.answer(mention, 'Here: https://shop.example/tea')
        short = engagement.tracked_links['https://shop.example/tea']
        self.deliver()
        self.assertEqual([post['status'] for post in self.posted], [f'@rita Here: {short}'])
        self.assertEqual(engagement.text, 'Here: https://shop.example/tea')
        tracker = self.env['link.tracker'].search([('social_engagement_id', '=', engagement.id)])
        self.assertEqual(tracker.campaign_id, mention.campaign_id)
        self.assertIn(f'utm_content=engagement-{engagement.id}', tracker.redirected_url)

    def test_the_dialog_shows_and_counts_them(self):
        form = self.composer(self.mentioned().action_answer())
        form.text = 'https://shop.example/tea'
        self.assertIn(PLACEHOLDER, str(form.preview))

    def test_a_company_that_does_not_track(self):
        self.company.social_crm_track_links = False
        engagement = self.answer(self.mentioned(), 'https://shop.example/tea')
        self.assertFalse(engagement.tracked_links)


@tagged('post_install', '-at_install')
class TestClick(HttpCase, DeliveryCase):
    def setUp(self):
        super().setUp()
        post = self.post('https://shop.example/tea')
        post.action_submit()
        self.deliver()
        self.row = post.publication_ids
        [self.short] = self.row.tracked_links.values()

    def open(self, agent, **headers):
        path = urlsplit(self.short).path
        return self.url_open(path, allow_redirects=False, headers={'User-Agent': agent, **headers})

    def test_a_persons_click_counts_with_its_country(self):
        belgian = PropertyMock(return_value='BE')  # there is no database of addresses in tests
        with patch.object(GeoIP, 'country_code', new_callable=lambda: belgian):
            self.open(FIREFOX)
        clicks = self.env['link.tracker.click'].search(
            [('social_publication_id', '=', self.row.id)]
        )
        self.assertEqual(clicks.country_id, self.env.ref('base.be'))
        clicks.unlink()
        for place, agent in enumerate(PEOPLE, 1):
            answer = self.open(agent)
            self.assertEqual(answer.status_code, 302)
            self.assertTrue(answer.headers['Location'].startswith('https://shop.example/tea?utm_'))
            self.row.invalidate_recordset()
            self.assertEqual(self.row.link_clicks, place, agent)

    def test_fetchers_are_sent_on_and_not_counted(self):
        for agent in FETCHERS[1:]:
            self.assertEqual(self.open(agent).status_code, 302, agent)
        self.open(FIREFOX, **{'Sec-Purpose': 'prefetch'})
        self.url_open(
            urlsplit(self.short).path,
            method='HEAD',
            allow_redirects=False,
            headers={'User-Agent': FIREFOX},
        )
        self.assertEqual(self.row.link_clicks, 0)

    def test_links_of_others_work_as_ever(self):
        other = self.env['link.tracker'].create({'url': 'https://a.example', 'title': 'A'})
        path = urlsplit(other.short_url).path
        answer = self.url_open(path, allow_redirects=False, headers={'User-Agent': FIREFOX})
        self.assertEqual((answer.status_code, other.count), (301, 1))
        self.assertEqual(self.url_open('/r/nothing').status_code, 404)
