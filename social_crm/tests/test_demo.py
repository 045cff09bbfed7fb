"""The demo data: it loads, as `--with-demo` would load it, and every screen opens with it."""

from lxml import etree

from odoo.modules import Manifest
from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file
from odoo.tools.safe_eval import safe_eval

#: What ours builds upon, of modules whose own demo data the test database does without.
BUILT_UPON = (
    ('base', 'data/res_users_demo.xml'),
    ('base', 'data/res_partner_demo.xml'),
    ('helpdesk_mgmt', 'demo/helpdesk_demo.xml'),
)
#: What the demo data must show something of.
FILLED = {
    'social.crm.account',
    'social.crm.audit',
    'social.crm.engagement',
    'social.crm.mention',
    'social.crm.post',
    'social.crm.post.series',
    'social.crm.post.template',
    'social.crm.profile',
    'social.crm.rule',
    'social.crm.slot',
    'utm.campaign',
}


@tagged('post_install', '-at_install')
class TestDemo(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ours = [('social_crm', file) for file in Manifest.for_addon('social_crm')['demo']]
        for module, file in (*BUILT_UPON, *ours):
            # Odoo's installer would only log what fails here.
            convert_file(cls.env, module, file, {}, mode='init', noupdate=True)
        cls.env.flush_all()

    def test_every_menu_opens_with_it(self):
        """Read what each view of each menu's action shows, as the web client does."""
        env = self.env(user=self.env.ref('base.user_admin'))
        root = env.ref('social_crm.social_crm_menu')
        menus = env['ir.ui.menu'].search([('id', 'child_of', root.id), ('action', '!=', False)])
        self.assertGreater(len(menus), 10)
        shown = {
            action.res_model
            for action in (menu.action for menu in menus)
            if action._name == 'ir.actions.act_window' and self.show(env, action)
        }
        self.assertEqual(FILLED - shown, set(), 'they show nothing')

    def show(self, env, action):
        """Read the first records of an action in all its views; return how many there are."""
        context = {'uid': env.uid, **env.context}
        Model = env[action.res_model].with_context(**safe_eval(action.context or '{}', context))
        domain = safe_eval(action.domain or '[]', context)
        views = Model.get_views([*action.views, (action.search_view_id.id, 'search')])['views']
        for view in views.values():
            arch = etree.fromstring(view['arch'])
            names = {node.get('name') for node in arch.xpath('//field[not(ancestor::field)]')}
            Model.web_search_read(
                domain, {name: {} for name in names & set(Model._fields)}, limit=80
            )
        return Model.search_count(domain)
