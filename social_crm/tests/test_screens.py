import re

from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common import SocialCrmCase

SALES, HELPDESK = 'sales_team.group_sale_salesman_all_leads', 'helpdesk_mgmt.group_helpdesk_user'


@tagged('post_install', '-at_install')
class TestScreens(SocialCrmCase):
    """Each role can open what its menus offer, and what Odoo's own menus lead to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesperson = new_test_user(cls.env, 'sc_sales', SALES)
        cls.agent = new_test_user(cls.env, 'sc_agent', HELPDESK)

    def setUp(self):
        super().setUp()
        self.make_rule(
            [{'kind': 'lead'}, {'kind': 'ticket'}],
            name='Desks',
            keywords='desk*',
        )
        self.stub.mention('Do you sell standing desks?')
        self.receive()
        self.mention = self.mentions(account_id=self.account.id)
        self.assertTrue(self.mention.lead_id and self.mention.ticket_id)

    def show(self, user, model, *kinds):
        """Read all that the views of ``model`` show, as the web client of ``user`` does."""
        Model = self.env[model].with_user(user)
        views = Model.get_views([(False, kind) for kind in (*kinds, 'search')])['views']
        for kind in kinds:
            arch = etree.fromstring(views[kind]['arch'])
            names = {
                node.get('name')
                for node in arch.iter('field')
                if not any(parent.tag == 'field' for parent in node.iterancestors())
            }
            with self.subTest(user=user.login, model=model, view=kind):
                self.assertTrue(
                    Model.web_search_read([], {name: {} for name in names & set(Model._fields)})[
                        'records'
                    ]
                )

    def test_the_roles_see_what_their_menus_offer(self):
        everybody = (self.user, self.marketing, self.manager)
        for user in everybody:
            self.show(
                user, 'social.crm.mention', 'kanban', 'list', 'form', 'pivot', 'graph', 'activity'
            )
            self.show(user, 'social.crm.account', 'list', 'kanban', 'form', 'activity')
            self.show(user, 'social.crm.profile', 'list', 'kanban', 'form')
            self.show(user, 'social.crm.rule', 'list', 'kanban', 'form')
        self.show(self.manager, 'social.crm.app', 'list', 'form')
        self.show(self.manager, 'social.crm.audit', 'list')

    def test_reports_group_by_what_the_web_client_can(self):
        """It knows no granularity like `day_of_week`; not every field can be grouped."""
        actions = self.env['ir.actions.act_window'].search([('res_model', '=like', 'social.crm.%')])
        filters = self.env['ir.ui.view'].search(
            [('type', '=', 'search'), ('model', '=like', 'social.crm.%')]
        )
        used = {
            (action.res_model, spec)
            for action in actions
            for names in re.findall(r"groupbys?': (\[[^]]*\])", action.context or '')
            for spec in re.findall(r"'([\w:]+)'", names)
        } | {
            (view.model, spec)
            for view in filters
            for spec in re.findall(r"'group_by': '([\w:]+)'", view.arch)
        }
        self.assertGreater(len(used), 50)
        for model, spec in used:
            name, _colon, granularity = spec.partition(':')
            with self.subTest(model=model, spec=spec):
                self.assertIn(granularity, ('', 'hour', 'day', 'week', 'month', 'quarter', 'year'))
                self.assertTrue(self.env[model].fields_get([name])[name]['groupable'])

    def test_dialogs_open_as_the_web_client_opens_them(self):
        """It asks for the first values of all fields, x2many ones with what is shown of each."""
        actions = self.env['ir.actions.act_window'].search(
            [('res_model', '=like', 'social.crm.%'), ('target', '=', 'new')]
        )
        self.assertGreater(len(actions), 5)
        for action in actions:
            bound = self.env[action.binding_model_id.model or 'social.crm.mention'].search([])
            Model = self.env[action.res_model].with_context(
                active_model=bound._name, active_ids=bound[:2].ids, active_id=bound[:1].id
            )
            shown = etree.fromstring(Model.get_views([(False, 'form')])['views']['form']['arch'])
            names = {node.get('name') for node in shown.iter('field')} & set(Model._fields)
            spec = {
                name: {'fields': {'display_name': {}}} if Model._fields[name].relational else {}
                for name in names
            }
            with self.subTest(action=action.name):
                self.assertTrue(Model.onchange({}, [], spec)['value'])

    def test_salespeople_and_agents_see_where_a_record_comes_from(self):
        for user, record in (
            (self.salesperson, self.mention.lead_id),
            (self.agent, self.mention.ticket_id),
        ):
            form = Form(record.with_user(user))
            self.assertIn('desks', form.social_explanation)
            self.assertEqual(form.social_profile_id, self.mention.author_id)
            self.show(user, 'social.crm.mention', 'form')
            self.show(user, 'social.crm.profile', 'form')

    def test_a_contact_shows_the_profiles_to_everybody_who_sells(self):
        partner = self.env['res.partner'].create({'name': 'Ada'})
        self.mention.author_id.partner_id = partner
        for user in (self.user, self.salesperson):
            with self.subTest(user.login):
                self.assertEqual(len(Form(partner.with_user(user)).social_profile_ids), 1)

    def test_a_profile_is_linked_by_its_handle(self):
        partner = self.env['res.partner'].create({'name': 'Ada'}).with_user(self.user)
        author = self.mention.author_id
        author.action_unlink_contact()  # the ticket made a contact
        partner.social_profile_ids = [
            Command.create({'network': 'mastodon', 'handle': f' @{author.handle.upper()} '})
        ]
        self.assertEqual(author.partner_id, partner, 'a known profile is linked, not entered twice')
        self.assertEqual(partner.social_mention_count, 1)
        partner.social_profile_ids = [
            Command.create({'network': 'mastodon', 'handle': 'https://Other.Example/@New'})
        ]
        self.assertEqual(
            set(partner.social_profile_ids.mapped('handle')), {author.handle, 'new@other.example'}
        )
        other = self.env['res.partner'].create({'name': 'Ben'}).with_user(self.user)
        with self.assertRaisesRegex(ValidationError, 'linked to Ada'):
            other.social_profile_ids = [
                Command.create({'network': 'mastodon', 'handle': author.handle})
            ]

    def test_what_a_network_tells_about_a_person_is_not_rewritten(self):
        author = self.mention.author_id.with_user(self.manager)
        with self.assertRaises(AccessError):
            author.name = 'Somebody else'
        author.blocked = True

    def test_the_inbox_shows_pictures_of_this_server_only(self):
        author = self.mention.author_id
        self.assertTrue(author.avatar_128, 'initials')
        for kind in ('kanban', 'list', 'form'):
            arch = self.env['social.crm.mention'].get_view(view_type=kind)['arch']
            self.assertNotIn('avatar_url', arch)

    def test_links_of_a_profile_do_not_pass_on_anything(self):
        author = self.mention.author_id
        author.sudo().links = [
            {'name': 'Site', 'url': 'https://ada.example', 'verified': True},
            {'name': '<b>Bad</b>', 'url': 'javascript:alert(1)', 'verified': False},
        ]
        card = author.card
        self.assertNotIn('javascript:', card)
        self.assertNotIn('<b>Bad', card)
        links = etree.HTML(card).xpath('//a[starts-with(@href, "http")]')
        self.assertTrue(links)
        for link in links:
            self.assertIn('nofollow', link.get('rel'))
            self.assertIn('noopener', link.get('rel'))
