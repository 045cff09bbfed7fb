"""Erasing people, with proof, and keeping data no longer than a company wants."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.social_crm.providers.types import Unreadable

from .common import SocialCrmCase
from .mastodon_stub import HOST

TRACES = ['%lovelace%', '%ada@%', '%arrived broken%', '%sell wallpaper%']


@tagged('post_install', '-at_install')
class TestErase(SocialCrmCase):
    """Everything that tells of a person goes, everything else stays."""

    def setUp(self):
        super().setUp()
        self.channel = self.env['discuss.channel'].create({'name': 'Social'})
        notify = {'kind': 'notify', 'channel_id': self.channel.id}
        self.rule = self.make_rule(keywords='wallpaper', actions=[{'kind': 'lead'}, notify])
        self.make_rule(keywords='broken', actions=[{'kind': 'ticket'}])
        self.ada = self.stub.account('ada', display_name='Ada Lovelace')
        self.bob = self.stub.account('bob', display_name='Bob Builder')
        self.stub.mention('Do you sell wallpaper?', self.ada, visibility='direct')
        self.stub.mention('Mine arrived broken!', self.ada)
        self.stub.mention('wallpaper for Bob', self.bob)
        self.receive()
        Profile = self.env['social.crm.profile']
        self.profile = Profile.search([('handle', '=like', 'ada@%')])
        self.other = Profile.search([('handle', '=like', 'bob@%')])
        self.lead = self.env['crm.lead'].search([('social_profile_id', '=', self.profile.id)])
        self.ticket = self.env['helpdesk.ticket'].search(
            [('social_profile_id', '=', self.profile.id)]
        )

    def erase(self, **values):
        wizard = self.env['social.crm.erase'].with_user(self.manager).create(values)
        return wizard, wizard.action_confirm()

    def everything(self):
        """Return all text of the database that could tell of a person."""
        found = []
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT table_name, column_name FROM information_schema.columns
                WHERE table_schema = 'public'
                  AND data_type IN ('text', 'character varying', 'jsonb')"""
        )
        for table, column in self.env.cr.fetchall():
            if table.startswith('ir_') or table == 'res_users_log':
                continue
            text = f'"{column}"::text'
            self.env.cr.execute(
                f'SELECT {text} FROM "{table}" WHERE {text} ILIKE ANY(%s)', [TRACES]
            )
            found += [(table, column, row[0]) for row in self.env.cr.fetchall()]
        return found

    maxDiff = None

    def test_nothing_tells_of_the_person_any_more(self):
        partner = self.ticket.partner_id
        self.assertTrue(self.everything())
        answer = self.env['social.crm.engagement'].create(
            {
                'kind': 'reply',
                'account_id': self.account.id,
                'mention_id': self.mentions(author_id=self.profile.id)[0].id,
                'profile_id': self.profile.id,
                'text': 'Dear Ada Lovelace, yes',
                'due_at': False,
            }
        )
        answer._log_answer()
        self.mentions(author_id=self.other.id).write(
            {
                'has_context': True,
                'context': [{'handle': self.profile.handle, 'text': 'Ada Lovelace was here'}],
            }
        )
        self.env['social.crm.parked.item']._park(
            self.stream(), Unreadable({'acct': self.profile.handle}, 'odd', 'x')
        )
        # The profile was another contact's for a while, and its answers stand there too.
        self.lead._close_as_no_lead(self.rule, exclude_author=True)
        countess = self.env['res.partner'].create({'name': 'Countess'})
        self.env['social.crm.identity.merge']._merge(partner, countess)
        answer.with_user(self.manager).sudo()._log_on(countess, self.manager)
        self.profile.partner_id = partner
        self.env['social.crm.compose'].create(
            {'profile_id': self.profile.id, 'text': 'Dear Ada Lovelace, …'}
        )
        self.assertIn('Ada Lovelace', str(self.channel.message_ids.mapped('body')))
        self.env.cr.precommit.run()  # what goes to open screens
        self.erase(handle=f'@{self.profile.handle}', reason='Request 17')
        partner.unlink()  # the contact is Odoo's own to erase
        self.assertEqual(self.everything(), [])

    def test_the_others_stay(self):
        self.erase(handle=self.profile.handle)
        self.assertTrue(self.other.exists())
        self.assertEqual(len(self.mentions()), 1)
        lead = self.env['crm.lead'].search([('social_profile_id', '=', self.other.id)])
        self.assertEqual(lead.contact_name, 'Bob Builder')
        self.assertTrue(lead.message_ids.filtered(lambda one: 'wallpaper for Bob' in one.body))

    def test_figures_stay_without_the_person(self):
        self.erase(handle=self.profile.handle)
        self.assertTrue(self.lead.exists() and self.ticket.exists())
        self.assertEqual(self.lead.name, 'Erased person')
        self.assertTrue(self.lead.source_id)

    def test_leads_may_stay_as_they_are(self):
        self.erase(handle=self.profile.handle, anonymise=False)
        self.assertEqual(self.lead.contact_name, 'Ada Lovelace')
        self.assertFalse(self.profile.exists())

    def test_what_would_go_is_shown_before(self):
        wizard = (
            self.env['social.crm.erase']
            .with_user(self.manager)
            .create({'handle': self.profile.handle})
        )
        shown = (wizard.mention_count, wizard.lead_count, wizard.ticket_count)
        self.assertEqual(shown, (2, 1, 1))
        self.assertTrue(self.profile.exists())

    def test_by_contact(self):
        self.profile.partner_id = self.env['res.partner'].create({'name': 'Countess'})
        self.erase(partner_id=self.profile.partner_id.id)
        self.assertFalse(self.profile.exists())

    def test_the_proof(self):
        wizard, action = self.erase(handle=self.profile.handle, reason='Request 17')
        proof = self.env['social.crm.erasure'].search(action['domain'])
        self.assertEqual((proof.mention_count, proof.lead_count, proof.ticket_count), (2, 1, 1))
        self.assertEqual(proof.user_id, self.manager)
        self.assertFalse(wizard.exists())
        self.assertNotIn('ada', str(proof.read()).lower().replace('made', ''))
        mark = proof._fingerprint('mastodon', f'https://{HOST}/users/ada')
        self.assertEqual(proof.identity_hash, mark)
        html = self.env['ir.actions.report']._render_qweb_html(
            'social_crm.report_erasure', proof.ids
        )[0]
        self.assertIn(proof.reference, html.decode())
        self.assertIn('Request 17', html.decode())
        for change in (lambda: proof.write({'reason': 'x'}), proof.unlink):
            with self.assertRaises(UserError):
                change()
        event = self.env['social.crm.audit'].search([], limit=1)
        self.assertEqual((event.event, event.user_id), ('erase', self.manager))

    def test_the_network_may_hand_the_past_over_again(self):
        self.erase(handle=self.profile.handle)
        self.account.stream_ids.cursor = False
        self.receive()
        self.assertEqual(self.mentions().author_id, self.other)
        self.stub.mention('I am back', self.ada, minutes_ago=-1)
        self.receive()
        self.assertIn('I am back', self.mentions().mapped('text'))

    def test_asked_for_by_the_network(self):
        Profile = self.env['social.crm.profile']
        self.assertFalse(Profile._erase_person(self.company, 'mastodon', 'nobody'))
        other = self.env['res.company'].create({'name': 'Other'})
        identity = ('mastodon', self.profile.external_id, 'by the network')
        self.assertFalse(Profile._erase_person(other, *identity))
        proofs = Profile._erase_person(self.company, *identity)
        self.assertEqual(proofs.reason, 'by the network')
        self.assertFalse(self.profile.exists())

    def test_an_underscore_is_no_joker(self):
        self.profile.write({'handle': 'adaxl@example.org'})
        with self.assertRaises(UserError):
            self.erase(handle='@ada_l@example.org')

    def test_nobody_found(self):
        with self.assertRaises(UserError):
            self.erase(handle='@nobody@example.org')

    def test_only_administrators_erase(self):
        for user in (self.user, self.marketing):
            with self.assertRaises(AccessError):
                self.env['social.crm.erase'].with_user(user).create({'handle': 'x'})
            with self.assertRaises(AccessError):
                self.env['social.crm.erasure'].with_user(user).search([])


@tagged('post_install', '-at_install')
class TestRetention(SocialCrmCase):
    def setUp(self):
        super().setUp()
        self.make_rule(keywords='wallpaper', actions=[{'kind': 'lead'}])
        self.stub.mention('just hello', self.stub.account('ada'))
        self.stub.mention('some wallpaper', self.stub.account('bob'))
        self.stub.mention('privately', self.stub.account('eve'), visibility='direct')
        self.receive()
        self.hello, self.sale, self.private = (
            self.env['social.crm.mention'].search([('text', '=', text)])
            for text in ('just hello', 'some wallpaper', 'privately')
        )
        self.env['social.crm.retention']._ensure_rows(self.company)
        self.rows = {
            row.kind: row
            for row in self.env['social.crm.retention'].search(
                [('company_id', '=', self.company.id)]
            )
        }

    def age(self, mentions, days):
        mentions.posted_at = fields.Datetime.now() - timedelta(days=days)
        mentions.flush_recordset()

    def apply(self):
        self.env.flush_all()
        with self.loop('social.crm.retention') as Retention:
            Retention._cron_apply()

    def test_nothing_goes_before_somebody_says_so(self):
        self.age(self.hello, 4000)
        self.apply()
        self.assertTrue(self.hello.exists())
        self.assertEqual(self.rows['mention'].due_count, 0)

    def test_what_is_older_goes_and_the_rest_stays(self):
        for mention in self.hello | self.sale:
            mention.media = [{'mimetype': 'image/png', 'url': 'x', 'description': ''}]
            mention._store_media({0: b'picture'})
        gone, stays = (
            self.env['ir.attachment'].browse(mention.media[0]['image'])
            for mention in (self.hello, self.sale)
        )
        self.age(self.hello | self.sale | self.private, 31)
        row = self.rows['mention']
        row.with_user(self.manager).days = 30
        self.assertEqual((row.kept_count, row.due_count), (1, 1))
        preview = row.with_user(self.manager).action_preview()
        self.assertEqual(self.env[preview['res_model']].search(preview['domain']), self.hello)
        self.assertTrue(self.hello.exists())
        self.apply()
        self.assertFalse(self.hello.exists())
        self.assertTrue(self.sale.exists() and self.private.exists())
        self.assertEqual((gone | stays).exists(), stays)
        self.assertEqual((row.deleted_count, row.due_count), (1, 0))

    def test_younger_stays(self):
        self.age(self.hello, 29)
        self.rows['mention'].days = 30
        self.apply()
        self.assertTrue(self.hello.exists())

    def test_messages_go_once_their_lead_is_closed(self):
        self.private._capture_leads(force=True)
        self.age(self.private, 31)
        self.rows['message'].days = 30
        self.apply()
        self.assertTrue(self.private.exists())
        self.private.lead_id.action_set_lost()
        self.apply()
        self.assertFalse(self.private.exists())

    def test_people_nobody_hears_of_go(self):
        person = self.hello.author_id
        self.rows['profile'].days = 1
        self.env.cr.execute(
            "UPDATE social_crm_profile SET create_date = create_date - interval '2 days'"
        )
        self.apply()
        self.assertTrue(person.exists())
        self.hello.unlink()
        self.apply()
        self.assertFalse(person.exists())
        self.assertTrue(self.sale.author_id.exists())

    def test_parked_items(self):
        self.env['social.crm.parked.item']._park(self.stream(), Unreadable({}, 'odd', 'x'))
        self.env.cr.execute(
            "UPDATE social_crm_parked_item SET create_date = create_date - interval '8 days'"
        )
        self.rows['parked'].days = 7
        self.apply()
        self.assertFalse(self.env['social.crm.parked.item'].search([]))

    def test_sums_of_deleted_mentions_stay_whatever_changes_in_that_hour(self):
        Hourly = self.env['social.crm.mention.hourly']
        self.age(self.hello | self.sale, 31)
        self.hello._mark_hours()
        Hourly._sum_up()
        old = [('hour', '<', fields.Datetime.now() - timedelta(days=30))]
        self.assertEqual(sum(Hourly.search(old).mapped('mention_count')), 2)
        self.rows['mention'].days = 30
        self.apply()
        self.assertFalse(self.hello.exists())
        self.sale.sentiment_label = 'positive'
        Hourly._sum_up()
        self.assertEqual(sum(Hourly.search(old).mapped('mention_count')), 2)

    def test_another_company_keeps_its_own(self):
        other = self.env['res.company'].create({'name': 'Other'})
        self.env['social.crm.retention']._ensure_rows(other)
        rows = self.env['social.crm.retention'].search([('company_id', '=', other.id)])
        self.assertEqual(len(rows), 5)
        rows.days = 1
        self.age(self.hello, 400)
        self.apply()
        self.assertTrue(self.hello.exists())

    def test_rights(self):
        for user in (self.user, self.marketing):
            with self.assertRaises(AccessError):
                self.rows['mention'].with_user(user).days = 1
