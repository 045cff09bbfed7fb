from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .test_match import MatchCase


@tagged('post_install', '-at_install')
class TestIdentityMerge(MatchCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.double = cls.contact('Ada B.')

    def setUp(self):
        super().setUp()
        self.first = self.profile('Ada', 'ada@a.example', partner_id=self.ada.id)
        self.second = self.profile('Ada', 'ada@b.example', bio='b', partner_id=self.double.id)
        self.other = self.profile('A. Byron', 'x@c.example')
        decide = self.env['social.crm.match'].with_user(self.user)._note_decisions
        decide([(self.second, self.double)], 'confirmed')
        decide([(self.other, self.double)], 'rejected')

    def merge(self, kept=None):
        wizard = Form(
            self.env['social.crm.merge.identities']
            .with_user(self.user)
            .with_context(active_ids=(self.ada | self.double).ids)
        )
        wizard.partner_id = kept or self.ada
        wizard.save().action_merge()
        return self.env['social.crm.identity.merge'].with_user(self.user).search([])

    def states(self, partner):
        matches = self.env['social.crm.match'].search([('partner_id', '=', partner.id)])
        return {match.profile_id: match.state for match in matches}

    def test_profiles_and_decisions_move_and_come_back(self):
        merge = self.merge()
        self.assertEqual(self.ada.social_profile_ids, self.first | self.second)
        self.assertFalse(self.double.social_profile_ids)
        self.assertEqual(self.states(self.ada), {self.second: 'confirmed', self.other: 'rejected'})
        self.assertIn('ada@b.example', self.double.message_ids[0].body)
        merge.action_undo()
        self.assertEqual(self.ada.social_profile_ids, self.first)
        self.assertEqual(self.double.social_profile_ids, self.second)
        self.assertEqual(
            self.states(self.double), {self.second: 'confirmed', self.other: 'rejected'}
        )
        self.assertEqual(merge.undone_by, self.user)
        with self.assertRaisesRegex(UserError, 'undone already'):
            merge.action_undo()

    def test_what_was_linked_elsewhere_since_stays_there(self):
        merge = self.merge()
        third = self.contact('Third')
        self.second.with_user(self.user).partner_id = third
        merge.action_undo()
        self.assertEqual(self.second.partner_id, third)

    def test_contacts_without_profiles_have_nothing_to_move(self):
        with self.assertRaisesRegex(UserError, 'no social profiles'):
            self.env['social.crm.identity.merge']._merge(self.contact('Empty'), self.ada)

    def test_a_profile_stays_in_its_company(self):
        self.ada.company_id = self.env['res.company'].create({'name': 'Other'})
        with self.assertRaisesRegex(UserError, 'belongs to Other'):
            self.env['social.crm.identity.merge']._merge(self.double, self.ada)

    def test_rights(self):
        merge = self.merge()
        for groups in ('base.group_user', 'base.group_portal'):
            nobody = new_test_user(self.env, f'im_{groups}', groups)
            with self.subTest(groups), self.assertRaises(AccessError):
                merge.with_user(nobody).action_undo()
        with self.assertRaises(AccessError):
            merge.partner_id = self.double

    def test_merging_the_contacts_themselves_carries_all_along(self):
        decide = self.env['social.crm.match'].with_user(self.user)._note_decisions
        decide([(self.first, self.double)], 'rejected')
        decide([(self.first, self.ada)], 'confirmed')
        self.match()
        self.env['base.partner.merge.automatic.wizard'].create({})._merge(
            (self.ada | self.double).ids, self.ada
        )
        self.assertFalse(self.double.exists())
        self.assertEqual(self.ada.social_profile_ids, self.first | self.second)
        self.assertEqual(
            self.states(self.ada),
            {self.first: 'confirmed', self.second: 'confirmed', self.other: 'rejected'},
        )
        self.other.bio = 'ada.byron@engines.example'
        self.match()
        self.assertFalse(self.other.partner_id, 'what was rejected for one is for both')
