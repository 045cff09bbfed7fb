from contextlib import suppress

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.social_crm.models import social_crm_profile_match

from .common import SocialCrmCase
from .matching_data import judge, store_people


class MatchCase(SocialCrmCase):
    """Contacts and profiles by the line, and the loop that brings them together."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.contact('Ada Byron', email='ada.byron@engines.example')

    @classmethod
    def contact(cls, name, **values):
        return cls.env['res.partner'].create({'name': name, **values})

    def profile(self, name, handle, links=(), account=None, **values):
        """Store a profile as the loop does."""
        account = account or self.account
        return self.env['social.crm.profile'].create(
            {
                'network': 'mastodon',
                'external_id': f'https://{handle}',
                'handle': handle,
                'name': name,
                'links': [
                    {'name': 'x', 'url': url, 'verified': verified} for url, verified in links
                ],
                'company_id': account.company_id.id,
                **values,
            }
        )

    def match(self):
        self.env.flush_all()
        with self.loop('social.crm.profile') as Profile:
            Profile._cron_match()

    def suggested(self, profile):
        return profile.match_ids.filtered(lambda match: match.state == 'suggested').partner_id


@tagged('post_install', '-at_install')
class TestMatchPeople(MatchCase):
    """Hundreds of people with messy names, namesakes, relatives, team addresses, impostors."""

    def test_of_many_people_none_is_linked_to_somebody_else(self):
        pairs, contacts = store_people(self.env, self.account)
        self.match()
        outcome = judge(pairs, contacts)
        self.assertEqual(outcome.wrong, ())
        self.assertGreater(outcome.linked, 20)
        self.assertGreater(outcome.recall, 0.85)


@tagged('post_install', '-at_install')
class TestMatch(MatchCase):
    def test_an_address_and_the_name_link(self):
        profile = self.profile('Ada Byron 🌻', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        self.assertEqual(profile.partner_id, self.ada)
        match = profile.match_ids
        self.assertEqual((match.state, match.score), ('linked', 0.95))
        self.assertIn('ada.byron@engines.example', profile.link_evidence)
        self.assertIn('ada@a.example', self.ada.message_ids[0].body)

    def test_who_may_be_somebody_is_suggested(self):
        profile = self.profile('A. Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        self.assertFalse(profile.partner_id)
        self.assertEqual(self.suggested(profile), self.ada)
        self.assertEqual(self.ada.social_match_ids, profile.match_ids)

    def test_what_comes_in_is_matched_before_anybody_acts_on_it(self):
        self.ada.social_is_customer = True
        self.make_rule([{'kind': 'lead'}], keywords='teapot')
        author = self.stub.account(
            'ada', display_name='Ada Byron', note='<p>ada.byron@engines.example</p>'
        )
        self.stub.mention('a teapot', author)
        self.receive()
        mention = self.mentions(partner_id=self.ada.id)
        self.assertTrue(mention)
        self.assertFalse(mention.lead_id, 'a known customer gets no lead')

    def test_an_address_in_a_message_is_a_reason(self):
        author = self.stub.account('ada', display_name='Ada Byron')
        self.stub.mention('hello', author)
        self.receive()
        profile = self.mentions().author_id
        self.assertFalse(profile.partner_id)
        self.stub.mention('I am ada.byron@engines.example', author, visibility='direct')
        self.receive()
        self.assertEqual(profile.partner_id, self.ada)

    def test_what_is_told_to_one_user_in_private_is_no_reason_for_all(self):
        self.account.stream_ids.active = False
        self.connect(self.app, self.user, kind='personal', username='me', number='79')
        author = self.stub.account('ada', display_name='Ada Byron')
        self.stub.mention('I am ada.byron@engines.example', author, visibility='direct')
        self.receive()
        profile = self.env['social.crm.profile'].search([('name', '=', 'Ada Byron')])
        self.match()
        self.assertTrue(profile)
        self.assertFalse(profile.partner_id)

    def test_a_contact_that_gets_an_address_finds_its_profile(self):
        profile = self.profile('Ben Gray', 'ben@b.example', bio='ben@gray.example')
        ben = self.contact('Ben Gray')
        self.match()
        self.assertFalse(profile.match_ids)
        ben.email = 'ben@gray.example'
        self.match()
        self.assertEqual(profile.partner_id, ben)

    def test_a_suggestion_that_does_not_hold_any_more_goes(self):
        profile = self.profile('A. Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        self.ada.email = 'other@engines.example'
        self.match()
        self.assertFalse(profile.match_ids)

    def test_two_contacts_that_fit_are_a_question(self):
        double = self.contact('Ada Byron', email='ada.byron@engines.example')
        profile = self.profile('Ada Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        self.assertFalse(profile.partner_id)
        self.assertEqual(self.suggested(profile), self.ada | double)

    def test_keys_of_a_crowd_are_not_followed(self):
        self.contact('Ada Byron', email='x@engines.example')
        for number in range(25):
            self.contact('Ada Byron', email=f'ada{number}@x.example')
        profile = self.profile('Ada Byron', 'ada@a.example', location='Graz')
        self.match()
        self.assertFalse(profile.match_ids)
        profile.bio = 'ada7@x.example'
        self.match()
        self.assertEqual(profile.partner_id.email, 'ada7@x.example')

    def test_erasing_a_person_takes_the_note_on_the_contact_too(self):
        profile = self.profile('Ada Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        self.env['social.crm.erasure']._erase(profile)
        self.assertFalse(self.ada.message_ids.filtered(lambda note: 'ada@a' in note.body))
        self.assertFalse(self.env['social.crm.match'].search([('partner_id', '=', self.ada.id)]))

    # === IMPOSTORS === #

    def test_two_profiles_that_say_the_same_are_both_a_question(self):
        first = self.profile('Ada Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        self.assertEqual(first.partner_id, self.ada)
        second = self.profile('Ada Byron', 'ada@b.example', bio='ada.byron@engines.example')
        self.match()
        self.assertFalse(first.partner_id or second.partner_id)
        self.assertEqual(self.suggested(first), self.ada)
        self.assertEqual(self.suggested(second), self.ada)
        self.assertIn('impostor', second.match_ids.evidence)

    def test_what_a_domain_vouches_for_beats_words(self):
        self.ada.website = 'https://byron.example'
        words = self.profile('Ada Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        self.assertEqual(words.partner_id, self.ada)
        proof = self.profile('Ada Byron', 'ada@b.example', [('https://byron.example', True)])
        self.match()
        self.assertEqual(proof.partner_id, self.ada)
        self.assertFalse(words.partner_id)
        self.assertEqual(words.match_ids.state, 'suggested')

    def test_an_impostor_that_is_rejected_stands_in_nobodys_way(self):
        fake, real = (
            self.profile('Ada Byron', handle, bio='ada.byron@engines.example')
            for handle in ('ada@a.example', 'ada@b.example')
        )
        self.match()
        fake.match_ids.with_user(self.user).action_reject()
        self.match()
        self.assertEqual(real.partner_id, self.ada)
        self.assertFalse(fake.partner_id)

    def test_a_link_by_a_person_is_not_taken_back(self):
        first = self.profile('Ada Byron', 'ada@a.example', bio='ada.byron@engines.example')
        first.with_user(self.user).partner_id = self.ada
        second = self.profile('Ada Byron', 'ada@b.example', bio='ada.byron@engines.example')
        self.match()
        self.assertEqual(first.partner_id, self.ada)
        self.assertEqual(self.suggested(second), self.ada)

    # === DECISIONS === #

    def test_a_user_confirms(self):
        profile = self.profile('A. Byron', 'ada@a.example', bio='ada.byron@engines.example')
        other = self.contact('Al Byron', email='ada.byron@engines.example')
        self.match()
        match = profile.match_ids.filtered(lambda match: match.partner_id == self.ada)
        match.with_user(self.user).action_confirm()
        self.assertEqual(profile.partner_id, self.ada)
        self.assertEqual((match.state, match.decided_by), ('confirmed', self.user))
        self.assertEqual(profile.match_ids, match, 'the other suggestion is gone')
        with self.assertRaisesRegex(ValidationError, 'linked to Ada'):
            profile.with_user(self.user)._link_contact(other.id)

    def test_what_is_rejected_never_comes_again(self):
        profile = self.profile('A. Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        profile.match_ids.with_user(self.user).action_reject()
        self.assertEqual(
            (profile.match_ids.state, profile.match_ids.decided_by.id), ('rejected', self.user.id)
        )
        profile.name = 'Ada Byron'  # it would link now
        self.ada.email = 'a.byron@engines.example'
        self.ada.email = 'ada.byron@engines.example'
        self.match()
        self.assertFalse(profile.partner_id)
        self.assertEqual(profile.match_ids.state, 'rejected')

    def test_a_link_that_a_person_removes_never_comes_again(self):
        profile = self.profile('Ada Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        profile.with_user(self.user).action_unlink_contact()
        profile._match_again()
        self.match()
        self.assertFalse(profile.partner_id)
        self.assertEqual(profile.match_ids.state, 'rejected')

    def test_rights(self):
        profile = self.profile('A. Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.match()
        match = profile.match_ids
        for groups in ('base.group_portal', 'base.group_public', 'base.group_user'):
            nobody = new_test_user(self.env, f'm_{groups}', groups)
            for call in (
                lambda user=nobody: match.with_user(user).read(['score']),
                lambda user=nobody: match.with_user(user).action_confirm(),
                lambda user=nobody: match.with_user(user).action_reject(),
            ):
                with self.subTest(groups), self.assertRaises(AccessError):
                    call()
        with self.assertRaises(AccessError):
            match.with_user(self.user).score = 1
        with self.assertRaises(AccessError):
            self.env['social.crm.match.key'].with_user(self.manager).search([])
        self.assertEqual(match.state, 'suggested')

    # === CONSENT === #

    def test_without_consent_nothing_is_looked_for(self):
        linked = self.profile('Ada Byron', 'ada@a.example', bio='ada.byron@engines.example')
        ben = self.contact('Ben Gray', email='ben@gray.example')
        asked = self.profile('B. Gray', 'ben@b.example', bio='ben@gray.example')
        self.match()
        self.assertEqual(linked.partner_id, self.ada)
        by_hand = self.profile('Ada', 'ada@c.example')
        by_hand.with_user(self.user).partner_id = self.ada
        (self.ada | ben).social_no_enrichment = True
        self.assertFalse(linked.partner_id, 'what was found automatically is taken back')
        self.assertEqual(by_hand.partner_id, self.ada, 'what somebody knows stays')
        self.assertFalse(asked.match_ids)
        self.profile('Ada Byron', 'ada@d.example', bio='ada.byron@engines.example')
        (linked | asked)._match_again()
        self.match()
        self.assertFalse(linked.partner_id)
        self.assertFalse((linked | asked).match_ids)
        Key = self.env['social.crm.match.key']
        self.assertFalse(Key.search([('partner_id', 'in', (self.ada | ben).ids)]))
        ben.social_no_enrichment = False
        self.match()
        self.assertEqual(self.suggested(asked), ben)

    def test_archived_contacts_are_left_alone(self):
        profile = self.profile('Ada Byron', 'ada@a.example', bio='ada.byron@engines.example')
        self.ada.active = False
        self.match()
        self.assertFalse(profile.match_ids)

    # === COMPANIES === #

    def test_companies_are_kept_apart(self):
        other = self.env['res.company'].create({'name': 'Other'})
        account = self.connect(self.make_app(other), self.manager)
        self.ada.company_id = other
        ours = self.profile('Ada Byron', 'ada@a.example', bio='ada.byron@engines.example')
        theirs = self.profile(
            'Ada Byron', 'ada@a.example', account=account, bio='ada.byron@engines.example'
        )
        self.match()
        self.assertFalse(ours.match_ids, "another company's contact is not known here")
        self.assertEqual(theirs.partner_id, self.ada)
        self.assertFalse(
            self.env['social.crm.match'].with_user(self.user).search([]), 'nor is the match seen'
        )
        self.ada.company_id = False
        self.match()
        self.assertEqual(ours.partner_id, self.ada, 'a shared contact is everybodys')

    # === LOOP === #

    def test_a_batch_that_is_killed_is_done_again(self):
        profiles = [
            self.profile('Ada Byron', f'ada{number}@a.example', network='mastodon')
            for number in range(7)
        ]
        profiles[5].bio = 'ada.byron@engines.example'
        self.env.flush_all()
        self.patch(social_crm_profile_match, 'BATCH', 2)
        judge_all = type(self.env['social.crm.match'])._judge
        calls = []

        def killed(Match, company, people):
            calls.append(len(people))
            if len(calls) == 2:
                raise KeyboardInterrupt  # as the signal that ends a worker
            return judge_all(Match, company, people)

        self.patch(type(self.env['social.crm.match']), '_judge', killed)
        # No assertRaises: it would take back what was committed.
        with suppress(KeyboardInterrupt), self.loop('social.crm.profile') as Profile:
            Profile._cron_match()
        self.assertEqual(len(calls), 2)
        left = self.env['social.crm.profile'].search([('match_due', '=', True)])
        self.assertLess(len(left), 7, 'what was done stays done')
        self.assertGreaterEqual(len(left), 4)
        self.match()
        self.assertFalse(self.env['social.crm.profile'].search([('match_due', '=', True)]))
        self.assertEqual(profiles[5].partner_id, self.ada)

    def test_the_cost_does_not_grow_with_the_batch(self):
        for number in range(40):
            self.contact(f'Ben Gray{number}', email=f'ben{number}@gray.example')
        self.match()

        def cost(first, count):
            for number in range(first, first + count):
                self.profile(
                    f'B. Gray{number}', f'b{number}@b.example', bio=f'ben{number}@gray.example'
                )
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.match()
            return self.cr.sql_log_count - before

        cost(0, 1)
        few, many = cost(1, 4), cost(5, 32)
        self.assertLess(many, few + 20)
