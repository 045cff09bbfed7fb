from datetime import timedelta
from unittest.mock import patch
from urllib.parse import urlencode

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from ..controllers import webhook
from ..tools import RareLog
from .sample_network import SECRET, comment, page, push, sign, signed_request
from .sampling import SampleNetwork, connect_page, make_sample_app

URL = '/social_crm/webhook/sample'
EVERYTHING = (
    'social.crm.mention',
    'social.crm.profile',
    'social.crm.parked.item',
    'social.crm.erasure.request',
    'social.crm.audit',
    'ir.cron.trigger',
)


@tagged('post_install', '-at_install')
class TestWebhook(SampleNetwork, HttpCase):
    def send(self, body, headers=None, url=URL):
        return self.url_open(
            url, data=body, headers=sign(body) if headers is None else headers, method='POST'
        )

    def rows(self):
        return [self.env[model].search_count([]) for model in EVERYTHING]

    # --- handshake -------------------------------------------------------------------------------

    def shake(self, url=URL, **params):
        return self.url_open(f'{url}?{urlencode(params)}')

    def test_the_network_learns_that_the_address_is_ours(self):
        params = {'hub.mode': 'subscribe', 'hub.challenge': '<b>1158201444</b>'}
        for url in (URL, self.app.webhook_url):
            response = self.shake(url, **params, **{'hub.verify_token': self.app.verify_token})
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.text, '<b>1158201444</b>')
            self.assertTrue(response.headers['Content-Type'].startswith('text/plain'))

    def test_a_handshake_with_another_word_is_refused(self):
        response = self.shake(**{'hub.verify_token': 'guess', 'hub.challenge': 'echo me'})
        self.assertEqual(response.status_code, 403)
        self.assertNotIn('echo me', response.text)
        self.assertEqual(self.shake().status_code, 400)

    def test_each_companys_client_has_its_own_word(self):
        other = make_sample_app(self.env['res.company'].create({'name': 'Second'}), 'other-secret')
        self.assertNotEqual(other.verify_token, self.app.verify_token)
        word = {'hub.verify_token': other.verify_token, 'hub.challenge': 'x'}
        self.assertEqual(self.shake(**word).status_code, 200)
        self.assertEqual(self.shake(other.webhook_url, **word).status_code, 200)
        self.assertEqual(self.shake(self.app.webhook_url, **word).status_code, 403)

    # --- pushes ----------------------------------------------------------------------------------

    def test_a_push_becomes_a_mention(self):
        response = self.send(push('1001', comment(1, 'Open on Sunday? caf\u00e9')))
        self.assertEqual((response.status_code, response.text), (200, ''))
        mention = self.mentions()
        self.assertRecordValues(
            mention,
            [
                {
                    'text': 'Open on Sunday? café',
                    'kind': 'comment',
                    'account_id': self.account.id,
                    'stream_id': self.stream('mentions').id,
                    'company_id': self.company.id,
                    'state': 'new',
                }
            ],
        )
        self.assertEqual(mention.create_uid, self.env.ref('base.user_root'))
        self.assertTrue(self.app.last_push)

    def test_rules_act_on_what_was_pushed(self):
        self.env['social.crm.rule'].create(
            {'name': 'Sunday', 'keywords': 'sunday', 'action_ids': [(0, 0, {'kind': 'lead'})]}
        )
        self.send(push('1001', comment(1, 'Open on Sunday?')))
        self.assertEqual(self.mentions().act_state, 'pending')
        self.assertTrue(
            self.env['ir.cron.trigger'].search(
                [('cron_id', '=', self.env.ref('social_crm.ir_cron_act').id)]
            )
        )
        with self.loop('social.crm.mention') as Mention:
            Mention._act_batch()
        self.assertEqual(len(self.mentions().lead_id), 1)

    def test_delivered_again_or_polled_as_well_it_is_stored_once(self):
        body = push('1001', comment(1, 'one'), comment(2, 'two'))
        self.send(body)
        self.send(body)
        self.world.comments += [comment(1, 'one'), comment(2, 'two'), comment(3, 'three')]
        self.receive()
        self.assertEqual(sorted(self.mentions().mapped('text')), ['one', 'three', 'two'])

    def test_the_cursor_of_the_poll_stays_where_it_is(self):
        self.world.comments += [comment(1, 'polled')]
        self.receive()
        cursor = self.stream('mentions').cursor
        self.send(push('1001', comment(7, 'pushed')))
        self.assertEqual(self.stream('mentions').cursor, cursor)
        self.world.comments += [comment(2, 'late'), comment(7, 'pushed')]
        self.receive()
        self.assertEqual(sorted(self.mentions().mapped('text')), ['late', 'polled', 'pushed'])

    def test_a_deletion_marks(self):
        self.send(push('1001', comment(1, 'regrets')))
        self.send(push('1001', comment(1, '', verb='remove')))
        self.assertTrue(self.mentions().deleted_at)

    def test_a_poison_item_is_parked_and_the_others_arrive(self):
        bad = comment(2, 'bad')
        del bad['created_time']
        response = self.send(push('1001', comment(1, 'good'), bad, comment(3, 'good too')))
        self.assertEqual(response.status_code, 200)
        self.assertEqual(sorted(self.mentions().mapped('text')), ['good', 'good too'])
        parked = self.env['social.crm.parked.item'].search([('network', '=', 'sample')])
        self.assertIn('created_time', parked.reason)
        parked.sudo().payload = comment(2, 'mended')
        parked.action_replay()
        self.assertIn('mended', self.mentions().mapped('text'))

    def test_news_without_content_have_the_stream_looked_at(self):
        stream = self.stream('lead_forms')
        stream.next_due = fields.Datetime.now() + timedelta(hours=1)
        self.send(push('1001', {'leadgen_id': 9}, kind='leadgen'))
        self.assertLessEqual(stream.next_due, fields.Datetime.now())

    def test_news_during_a_fetch_are_looked_at_after_it(self):
        self.make_due()
        with self.loop('social.crm.stream') as Stream:
            lease, streams = Stream._claim_due()
            stream = streams.filtered(lambda stream: stream.kind == 'lead_forms')
            result = stream._request()()
            stream._wake()
            self.assertTrue(stream._still_leased(lease))
            stream._store_page(*result)
            self.assertLessEqual(stream.next_due, fields.Datetime.now())
            Stream.env.flush_all()
            lease, streams = Stream._claim_due()
            stream._store_page(*result)
            self.assertGreater(stream.next_due, fields.Datetime.now(), 'and once only')

    def test_news_do_not_shorten_the_pause_after_an_error(self):
        stream = self.stream('lead_forms')
        due = fields.Datetime.now() + timedelta(hours=1)
        stream.write({'next_due': due, 'error_count': 1})
        self.send(push('1001', {'leadgen_id': 9}, kind='leadgen'))
        self.assertEqual(stream.next_due, due)

    def test_pages_that_nobody_connected_are_left_alone(self):
        before = self.rows()
        self.assertEqual(self.send(push('9999', comment(1, 'x'))).status_code, 200)
        self.account._disconnect()
        before = self.rows()
        self.assertEqual(self.send(push('1001', comment(1, 'x'))).status_code, 200)
        self.assertEqual(self.rows(), before)

    # --- several companies -----------------------------------------------------------------------

    def test_a_push_counts_for_the_companies_whose_secret_signed_it(self):
        second = self.env['res.company'].create({'name': 'Second'})
        third = self.env['res.company'].create({'name': 'Third'})
        shared = connect_page(make_sample_app(second), self.manager, self.page)
        foreign = connect_page(make_sample_app(third, 'other-secret'), self.manager, self.page)
        self.send(push('1001', comment(1, 'for two')))
        self.assertEqual(self.mentions().account_id, self.account | shared)
        body = push('1001', comment(2, 'forged'))
        self.send(body, sign(body, 'other-secret'))
        forged = self.mentions().filtered(lambda mention: mention.text == 'forged')
        self.assertEqual(forged.account_id, foreign)

    # --- refusals --------------------------------------------------------------------------------

    def test_refusals_write_nothing(self):
        good = push('1001', comment(1, 'x'))
        bare = {'content-type': 'application/json'}
        huge = push('1001', comment(1, 'x' * 1_100_000))
        garbage = b'{"entry": "\xff'
        make_sample_app(self.env['res.company'].create({'name': 'No secret'}), False)
        cases = [
            ('unsigned', good, bare, URL, 403),
            ('of another secret', good, sign(good, 'guess'), URL, 403),
            ('of no secret', good, sign(good, ''), URL, 403),
            ('of another body', good, sign(good + b' '), URL, 403),
            ('too large', huge, sign(huge), URL, 413),
            ('unknown network', good, sign(good), '/social_crm/webhook/nowhere', 404),
            ('of no push', good, sign(good), '/social_crm/webhook/mastodon', 404),
            ('unknown client', good, sign(good), f'{URL}/999999', 403),
            ('garbage', garbage, sign(garbage), URL, 400),
            ('empty', b'', sign(b''), URL, 400),
            ('deauthorize', good, bare, f'{URL}/deauthorize', 403),
            ('delete', good, bare, f'{URL}/delete', 403),
            ('delete of nobody', good, sign(good), f'{URL}/delete', 400),
        ]
        before = self.rows()
        for name, body, headers, url, status in cases:
            with self.subTest(name):
                response = self.send(body, headers, url)
                self.assertEqual(response.status_code, status)
                self.assertNotIn('Traceback', response.text)
                self.assertNotIn(SECRET, response.text)
        self.assertEqual(self.rows(), before)
        self.assertFalse(self.app.last_push)

    def test_too_large_is_refused_before_it_is_read(self):
        response = self.send(
            b'x' * 2_000_000, {'content-type': 'application/x-www-form-urlencoded'}
        )
        self.assertEqual(response.status_code, 413)

    def test_strangers_do_not_fill_the_log(self):
        body = push('1001', comment(1, 'x'))
        webhook._log._lines.clear()
        with patch.object(webhook._log, '_logger', _Lines()) as log:
            for _delivery in range(20):
                self.send(body, sign(body, 'guess'))
        self.assertEqual(log.lines, ["webhook of 'sample' refused: not verified"])

    def test_the_log_tells_how_many_lines_were_left_out(self):
        lines = _Lines()
        log = RareLog(lines)
        for _line in range(5):
            log.info(403, 'refused %s', 'x')
        self.assertEqual(lines.lines, ['refused x'])
        log._lines[403] = (0, log._lines[403][1])
        log.info(403, 'refused %s', 'y')
        self.assertEqual(lines.lines[1:], ['refused y (and 4 more like this)'])

    # --- permissions withdrawn, data to delete ---------------------------------------------------

    def form(self, path, person='person-1', secret=SECRET):
        return self.url_open(f'{URL}/{path}', data=signed_request(person, secret), method='POST')

    def test_a_withdrawn_permission_asks_the_owner_to_reconnect(self):
        other = connect_page(self.app, self.manager, page('1002', 'Demo Shop'), 'person-2')
        self.assertEqual(self.form('deauthorize').status_code, 200)
        self.assertEqual((self.account.state, other.state), ('reconnect', 'connected'))
        self.assertEqual(self.account.activity_ids.user_id, self.manager)
        self.assertFalse(
            self.env['social.crm.credential'].search([('account_id', '=', self.account.id)])
        )
        audit = self.env['social.crm.audit'].search([('account_id', '=', self.account.id)], limit=1)
        self.assertEqual(audit.event, 'deauthorize')
        self.form('deauthorize')
        self.assertEqual(len(self.account.activity_ids), 1)

    def test_a_forged_withdrawal_changes_nothing(self):
        self.assertEqual(self.form('deauthorize', secret='guess').status_code, 403)
        self.assertEqual(self.account.state, 'connected')

    def test_a_wish_for_deletion_gets_a_code_and_a_page(self):
        answer = self.form('delete', 'person-9').json()
        self.assertEqual(set(answer), {'url', 'confirmation_code'})
        request = self.env['social.crm.erasure.request'].search([])
        self.assertRecordValues(
            request,
            [
                {
                    'code': answer['confirmation_code'],
                    'external_id': 'person-9',
                    'network': 'sample',
                    'state': 'requested',
                    'company_id': self.company.id,
                }
            ],
        )
        self.assertTrue(answer['url'].endswith(answer['confirmation_code']))
        response = self.url_open(answer['url'])
        self.assertIn('will be deleted', response.text)
        self.assertNotIn('person-9', response.text)
        self.assertEqual(self.form('delete', 'person-9').json(), answer, 'asked again')
        self.assertNotEqual(self.form('delete', 'person-8').json(), answer)

    def test_the_page_tells_when_it_is_done(self):
        answer = self.form('delete', 'person-9').json()
        request = self.env['social.crm.erasure.request'].search([])
        profile = self.env['social.crm.profile'].create(
            {'network': 'sample', 'external_id': 'person-9', 'handle': 'nina', 'name': 'Nina'}
        )
        with self.loop('social.crm.retention') as Retention:
            Retention._cron_apply()
        self.assertFalse(profile.exists())
        request.with_user(self.manager).action_process()
        self.assertEqual(request.state, 'done')
        self.assertFalse(request.external_id, 'the request itself forgets the person too')
        self.assertIn('was deleted', self.url_open(answer['url']).text)
        self.assertNotEqual(self.form('delete', 'person-9').json(), answer, 'a new wish')

    def test_an_unknown_code(self):
        response = self.url_open('/social_crm/privacy/<b>guess</b>')
        self.assertEqual(response.status_code, 404)
        self.assertNotIn('<b>guess', response.text)

    def test_who_sees_requests(self):
        self.form('delete', 'person-9')
        Request = self.env['social.crm.erasure.request']
        user = new_test_user(self.env, 'sample_user', 'social_crm.social_crm_group_marketing')
        with self.assertRaises(AccessError):
            Request.with_user(user).search([])
        self.assertEqual(len(Request.with_user(self.manager).search([])), 1)
        with self.assertRaises(AccessError):
            Request.with_user(self.manager).search([]).code = 'x'


class _Lines:
    """A logger that keeps its lines."""

    def __init__(self):
        self.lines = []

    def info(self, message, *args):
        self.lines.append(message % args)
