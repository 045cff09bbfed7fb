import random
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.social_crm.providers.types import LeadForm, Question

from .sample_network import push, sign
from .sampling import SampleNetwork

QUESTIONS = (
    Question('full_name', 'Full name', 'FULL_NAME'),
    Question('email', 'E-mail', 'EMAIL'),
    Question('phone_number', 'Phone number', 'PHONE'),
    Question('company_name', 'Company', 'COMPANY_NAME'),
    Question('job_title', 'Job title', 'JOB_TITLE'),
    Question('city', 'City', 'CITY'),
    Question('country', 'Country', 'COUNTRY'),
    Question('size?', 'Which size?', 'CUSTOM'),
    Question('newsletter', 'Send me the newsletter', 'CHECKBOX', consent=True),
)
ANSWERS = {
    'full_name': 'Jana Novák',
    'email': 'jana@example.org',
    'phone_number': '+43 316 123456',
    'company_name': 'Novák & Co',
    'job_title': 'Buyer',
    'city': 'Graz',
    'country': 'AT',
    'size?': 'large <b>',
    'newsletter': 'true',
}
ATTRIBUTION = {'ad_id': '12021', 'ad_name': 'Ad A', 'campaign_name': 'Autumn of the Sample'}


class LeadForms(SampleNetwork):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.marketing = new_test_user(
            cls.env, 'sample_marketing', 'social_crm.social_crm_group_marketing'
        )

    def setUp(self):
        super().setUp()
        self.world.forms = [LeadForm('800', 'Ask for a quote', QUESTIONS, 'de')]

    def sync(self):
        self.account.setup_due = fields.Datetime.now()
        self.env.flush_all()
        with self.loop('social.crm.account') as Account:
            Account._cron_setup()
        return self.form()

    def form(self, number='800'):
        return self.env['social.crm.lead.form'].search([('external_id', '=', number)])

    def submit(self, form_id='800', number=None, **values):
        """Fill a form in; ``values`` replace answers, or are other things of the submission."""
        number = number or f'9{len(self.world.leads):05}'
        extra = {key: values.pop(key) for key in ('attribution', 'test') if key in values}
        answers = values.pop('answers', None) or {**ANSWERS, **values}
        row = {
            'id': number,
            'form_id': form_id,
            'created_time': 1793610000,
            'answers': answers,
            **extra,
        }
        self.world.leads.append(row)
        return row

    def leads(self):
        return self.env['crm.lead'].search([('social_form_id', '!=', False)], order='id')

    def parked(self):
        return self.env['social.crm.parked.item'].search(
            [('network', '=', 'sample'), ('state', '=', 'parked')], order='id'
        )

    def line(self, key):
        return self.form().field_ids.filtered(lambda line: line.key == key)


@tagged('post_install', '-at_install')
class TestLeadForm(LeadForms, TransactionCase):
    # --- forms -----------------------------------------------------------------------------------

    def test_forms_come_from_the_network_with_standard_questions_mapped(self):
        form = self.sync()
        self.assertEqual((form.name, form.language, form.open), ('Ask for a quote', 'de', True))
        self.assertEqual(
            {line.key: line.target for line in form.field_ids},
            {
                'full_name': 'contact_name',
                'email': 'email_from',
                'phone_number': 'phone',
                'company_name': 'partner_name',
                'job_title': 'function',
                'city': 'city',
                'country': 'country',
                'size?': 'description',
                'newsletter': 'nothing',
            },
        )
        self.assertGreater(self.account.setup_due, fields.Datetime.now() + timedelta(hours=23))

    def test_what_people_set_stays_and_what_is_new_is_added(self):
        form = self.sync()
        self.line('size?').write({'target': 'partner_name', 'required': True})
        question = Question('why', 'Why?', 'CUSTOM')
        self.world.forms = [
            LeadForm('800', 'Renamed', (*QUESTIONS[:-2], question), active=False),
            LeadForm('801', 'Another', QUESTIONS[:1]),
        ]
        self.sync()
        self.assertEqual((form.name, form.open), ('Renamed', False))
        self.assertEqual(self.line('size?').target, 'partner_name')
        self.assertEqual(self.line('why').target, 'description')
        self.assertEqual(len(self.env['social.crm.lead.form'].search([])), 2)
        self.world.forms = []
        self.sync()
        self.assertFalse(self.form('801').open, 'a form that is gone is closed, and stays')

    def test_an_account_without_the_permission_is_not_asked(self):
        self.account.granted_scopes = 'read write'
        self.assertFalse(self.sync())

    def test_errors_of_the_network_are_shown_and_it_is_asked_again(self):
        self.world.lost = True
        self.sync()
        self.assertEqual(self.account.state, 'reconnect')

    # --- leads -----------------------------------------------------------------------------------

    def test_a_submission_becomes_a_mention_and_a_lead(self):
        form = self.sync()
        self.submit(attribution=ATTRIBUTION)
        self.receive()
        lead = self.leads()
        self.assertRecordValues(
            lead,
            [
                {
                    'name': 'Ask for a quote: Jana Novák',
                    'contact_name': 'Jana Novák',
                    'email_from': 'jana@example.org',
                    'partner_name': 'Novák & Co',
                    'function': 'Buyer',
                    'city': 'Graz',
                    'country_id': self.env.ref('base.at').id,
                    'type': 'lead',
                    'company_id': self.company.id,
                    'social_form_id': form.id,
                    'social_consents': 'Agreed: Send me the newsletter',
                    'medium_id': self.env.ref('social_crm.utm_medium_social').id,
                }
            ],
        )
        self.assertEqual(lead.phone.replace(' ', ''), '+43316123456')
        self.assertIn('Which size?: large &lt;b&gt;', lead.description)
        self.assertEqual(lead.source_id.name, 'Sample Network')
        self.assertEqual(lead.campaign_id.name, 'Autumn of the Sample')
        self.assertIn('ad_id: 12021', lead.social_attribution_text)
        mention = self.mentions()
        self.assertEqual((mention.lead_id, mention.kind), (lead, 'lead_form'))
        self.assertIn('Jana', str(lead.message_ids[-1:].body) + str(lead.message_ids[:1].body))
        self.assertEqual((form.submission_count, form.lead_count), (1, 1))

    def test_polled_and_pushed_it_makes_one_lead(self):
        self.sync()
        row = self.submit()
        self.receive()
        self.stream('lead_forms').cursor = False
        self.receive()
        apps = self.env['social.crm.app']._for_webhook('sample')
        body = push('1001', {'leadgen_id': row['id']}, kind='leadgen')
        apps._take_news(sign(body), body)
        self.receive()
        self.assertEqual(len(self.leads()), 1)

    def test_what_the_form_says_goes_onto_the_lead(self):
        form = self.sync()
        team = self.env['crm.team'].create({'name': 'Quotes', 'company_id': self.company.id})
        tag = self.env['crm.tag'].create({'name': 'From a form'})
        campaign = self.env['utm.campaign'].create({'name': 'Ours'})
        salesperson = new_test_user(self.env, 'sample_sales', 'sales_team.group_sale_salesman')
        form.with_user(self.marketing).write(
            {
                'team_id': team.id,
                'user_id': salesperson.id,
                'campaign_id': campaign.id,
                'tag_ids': [Command.set(tag.ids)],
                'medium_id': self.env.ref('utm.utm_medium_banner').id,
                'field_ids': [
                    Command.create({'label': 'x', 'target': 'website', 'default_value': 'a.be'})
                ],
            }
        )
        self.submit(attribution=ATTRIBUTION)
        self.receive()
        lead = self.leads()
        self.assertEqual((lead.team_id, lead.user_id), (team, salesperson))
        self.assertEqual((lead.campaign_id, lead.tag_ids), (campaign, tag))
        self.assertEqual(lead.medium_id, self.env.ref('utm.utm_medium_banner'))
        self.assertEqual(lead.website, 'http://a.be', 'a constant of the form')

    def test_several_questions_are_put_together(self):
        self.world.forms = [
            LeadForm(
                '800',
                'Parts',
                (
                    Question('last', 'Last name', 'LAST_NAME'),
                    Question('first', 'First name', 'FIRST_NAME'),
                    Question('a', 'Street', 'STREET_ADDRESS'),
                    Question('b', 'House number', 'CUSTOM'),
                ),
            )
        ]
        self.sync()
        self.line('b').target = 'street'
        self.submit(answers={'last': 'Novák', 'first': 'Jana', 'a': 'Main Street', 'b': '5'})
        self.receive()
        self.assertEqual(self.leads().contact_name, 'Jana Novák')
        self.assertEqual(self.leads().street, 'Main Street, 5')

    def test_blank_answers_do_no_harm(self):
        self.sync()
        self.line('city').default_value = 'Vienna'
        self.submit(answers={'full_name': 'Jana', 'email': '', 'phone_number': '  ', 'city': ' '})
        self.receive()
        self.assertEqual((self.leads().contact_name, self.leads().email_from), ('Jana', False))
        self.assertEqual(self.leads().city, 'Vienna')

    def test_places_that_nobody_knows_go_to_the_notes(self):
        self.sync()
        self.submit(country='Atlantis')
        self.submit(country='austria')
        self.receive()
        first, second = self.leads()
        self.assertFalse(first.country_id)
        self.assertIn('Country: Atlantis', first.description)
        self.assertEqual(second.country_id, self.env.ref('base.at'))

    def test_a_refused_consent_is_kept_too(self):
        self.sync()
        self.submit(newsletter='false')
        self.receive()
        self.assertEqual(self.leads().social_consents, 'Not agreed: Send me the newsletter')

    def test_a_test_makes_no_lead_unless_it_is_wanted(self):
        form = self.sync()
        self.submit(test=True)
        self.receive()
        self.assertFalse(self.leads())
        self.assertTrue(self.mentions().is_test)
        self.assertTrue(self.mentions().no_lead_reason)
        form.test_leads = True
        self.submit(test=True)
        self.receive()
        self.assertTrue(self.leads().name.startswith('[Test]'))

    def test_a_paused_form_keeps_what_comes(self):
        form = self.sync().with_user(self.marketing)
        form.action_pause()
        self.submit()
        self.receive()
        self.assertFalse(self.leads())
        self.assertIn('paused', self.mentions().no_lead_reason)
        form.action_resume()
        self.receive()
        self.assertEqual(len(self.leads()), 1)
        self.assertFalse(self.mentions().no_lead_reason)

    def test_customers_and_colleagues_asked_for_it_too(self):
        partner = self.env['res.partner'].create(
            {'name': 'Jana N.', 'email': 'Jana@Example.org', 'phone': '+43 1 111'}
        )
        self.sync()
        self.submit()
        self.receive()
        lead = self.leads()
        self.assertEqual(lead.partner_id, partner)
        self.assertEqual(partner.phone, '+43 1 111', 'a form does not change a contact')
        self.assertEqual(partner.email, 'Jana@Example.org')
        self.assertIn('316 123456', lead.description)

    def test_who_asks_again_is_shown_as_a_duplicate(self):
        self.sync()
        self.submit()
        self.submit()
        self.receive()
        first, second = self.leads()
        self.assertIn(first, second.duplicate_lead_ids)

    # --- what cannot be used ---------------------------------------------------------------------

    def test_an_unknown_form_is_fetched_and_its_submission_replayed(self):
        self.submit()
        self.receive()
        self.assertFalse(self.leads() or self.mentions())
        self.assertIn('800', self.parked().reason)
        self.assertLessEqual(self.account.setup_due, fields.Datetime.now())
        self.sync()
        self.assertFalse(self.parked())
        self.receive()
        self.assertEqual(len(self.leads()), 1)

    def test_a_leader_who_is_not_in_the_company_gets_no_lead(self):
        other = self.env['res.company'].create({'name': 'Other'})
        leader = new_test_user(
            self.env, 'sample_lead', company_id=other.id, company_ids=[Command.set(other.ids)]
        )
        team = self.env['crm.team'].create({'name': 'All', 'company_id': False})
        team.user_id = leader
        self.sync().team_id = team
        self.submit()
        self.receive()
        self.assertEqual((self.leads().team_id, self.leads().user_id.ids), (team, []))

    def test_a_malformed_address_is_parked_and_replayed_once_mapped_otherwise(self):
        form = self.sync()
        self.submit(email='jana(at)example')
        self.receive()
        self.assertFalse(self.leads())
        self.assertIn('jana(at)example', self.parked().reason)
        self.assertEqual(form.parked_count, 1)
        form.with_user(self.marketing).action_replay()
        self.assertEqual(len(self.parked()), 1, 'nothing has changed')
        self.line('email').target = 'description'
        form.with_user(self.marketing).action_replay()
        self.receive()
        self.assertFalse(self.parked())
        self.assertIn('jana(at)example', self.leads().description)

    def test_a_wanted_answer_that_is_missing_is_parked(self):
        self.sync()
        self.line('size?').required = True
        self.submit(**{'size?': ' '})
        self.submit()
        self.receive()
        self.assertEqual(len(self.leads()), 1)
        self.assertIn('Which size?', self.parked().reason)

    def test_nobody_to_reach_is_parked(self):
        form = self.sync()
        form.field_ids.target = 'description'
        self.submit()
        self.receive()
        self.assertIn('map the questions', self.parked().reason)

    def test_what_was_dropped_stays_dropped(self):
        self.sync()
        self.submit(email='bad')
        self.receive()
        self.parked().action_drop()
        self.stream('lead_forms').cursor = False
        self.receive()
        self.assertFalse(self.parked())

    def test_one_lead_that_fails_does_not_stop_the_others(self):
        self.sync()
        Lead = type(self.env['crm.lead'])
        create = Lead.create

        def refuse(leads, vals_list):
            if any(vals.get('contact_name') == 'Bad' for vals in vals_list):
                raise RuntimeError('refused by another module')
            return create(leads, vals_list)

        self.patch(Lead, 'create', refuse)
        self.submit(full_name='Bad')
        self.submit(full_name='Good')
        with self.assertLogs('odoo.addons.social_crm.models.social_crm_lead_form_capture'):
            self.receive()
        self.assertEqual(self.leads().contact_name, 'Good')
        failed = self.mentions().filtered(lambda mention: mention.act_state == 'failed')
        self.assertIn('another module', failed.act_error)
        self.patch(Lead, 'create', create)
        failed.action_retry()
        self.receive()
        self.assertEqual(len(self.leads()), 2)

    def test_hundreds_of_submissions(self):
        """None is lost, none comes twice, whatever people write."""
        self.sync()
        chance = random.Random(1)
        hostile = [
            '<script>alert(1)</script>',
            'x' * 5000,
            'nul \x00 here',
            "'; DROP TABLE x; --",
            '\u202eevil',
            '👩‍👩‍👧‍👦',
            '{{ object.name }}',
            '\r\nBcc: a@b.example',
        ]
        good = odd = 0
        for index in range(300):
            kind = index % 10
            if kind == 0:
                self.submit(form_id='unknown')
                odd += 1
            elif kind == 1:
                self.submit(email=chance.choice(['@', 'a b@c.example', 'x@', 'no']))
                odd += 1
            elif kind == 2:
                self.submit(answers={'size?': 'nobody to reach'})
                odd += 1
            elif kind == 3:
                self.submit(
                    full_name=chance.choice(hostile),
                    city=chance.choice(hostile),
                    company_name=chance.choice(hostile),
                )
                good += 1
            elif kind == 4:
                self.submit(unknown_question=chance.choice(hostile), job_title='')
                good += 1
            elif kind == 5:
                self.submit(answers={'phone_number': f'+43 1 {index}'})
                good += 1
            else:
                self.submit(email=f'person{index % 50}@example.org')
                good += 1
        self.world.leads += self.world.leads[:50]  # delivered again
        self.receive()
        self.assertEqual((len(self.leads()), len(self.parked())), (good, odd))
        self.assertTrue(all(self.parked().mapped('reason')))
        self.assertEqual(len(self.mentions()), good)
        self.assertNotIn('<script>', ''.join(lead.description or '' for lead in self.leads()))
        self.world.forms.append(LeadForm('unknown', 'Late', QUESTIONS))
        self.sync()
        self.line('email').target = 'description'
        self.form().action_replay()
        self.receive()
        rest = [item.payload['answers'] for item in self.parked()]
        self.assertEqual(len(rest), 30)
        self.assertEqual({tuple(answers) for answers in rest}, {('size?',)})
        self.assertEqual(len(self.leads()), 270)
        self.assertEqual(len(set(self.mentions().mapped('external_id'))), 270)

    # --- rights ----------------------------------------------------------------------------------

    def test_who_may_map(self):
        form = self.sync()
        user = new_test_user(self.env, 'sample_user', 'social_crm.social_crm_group_user')
        form.with_user(user).read(['name'])
        form.with_user(self.marketing).field_ids[0].target = 'description'
        for change in ({'test_leads': True}, {'paused': True}):
            with self.assertRaises(AccessError):
                form.with_user(user).write(change)
        with self.assertRaises(AccessError):
            form.with_user(self.marketing).unlink()
        company = self.env['res.company'].create({'name': 'Second'})
        stranger = new_test_user(
            self.env,
            'sample_stranger',
            'social_crm.social_crm_group_marketing',
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertFalse(self.env['social.crm.lead.form'].with_user(stranger).search([]))
