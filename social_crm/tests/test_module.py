"""The module as an administrator meets it: a copied database, uninstalling."""

import subprocess
import unittest

from odoo.tests import BaseCase, tagged
from odoo.tools import file_open

from .common import SocialCrmCase

try:
    from tools import configuration, database, paths, steps, upgrade
except ImportError:  # run by Odoo itself, outside of the repository
    database = None

UNINSTALL = """
from odoo.addons.social_crm.tests.common import connect, make_app
connect(make_app(env.company), env.user)
actions = [(0, 0, {'kind': 'lead'})]
env['social.crm.rule'].create({'name': 'x', 'keywords': 'x', 'action_ids': actions})
env.cr.commit()
env['ir.module.module'].search([('name', '=', 'social_crm')]).button_immediate_uninstall()
for query in (
    "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'social_crm%'",
    "SELECT table_name FROM information_schema.columns WHERE column_name LIKE 'social_%'",
    "SELECT name::text FROM ir_model_data WHERE module = 'social_crm'",
    "SELECT key FROM ir_config_parameter WHERE key LIKE '%social_crm%'",
    "SELECT name FROM ir_attachment WHERE res_model LIKE 'social.crm%'",
    "SELECT code FROM ir_act_server WHERE code LIKE '%_cron_receive%'",
):
    env.cr.execute(query)
    print('LEFT', env.cr.fetchall())
env.transaction.reset()  # the registry without the module
for model in ('crm.lead', 'helpdesk.ticket', 'res.partner', 'utm.campaign', 'link.tracker'):
    env[model].get_views([(False, kind) for kind in ('form', 'list', 'search')])
    env[model].search([], limit=3).read()
print('OPENED')
"""


#: The first commit that installs where Odoo's own demo data are.
EARLIER = '4fcecb3549e89dbd081a783915bba52fa26e2c1b'


@tagged('post_install', '-at_install')
class TestNeutralize(SocialCrmCase):
    def test_a_copied_database_is_silent(self):
        with file_open('social_crm/data/neutralize.sql') as file:
            self.env.cr.execute(file.read())
        self.env.invalidate_all()
        self.assertEqual(self.account.state, 'disconnected')
        self.assertFalse(self.env['social.crm.credential'].search([]))
        self.assertFalse(self.app._as_app().client_secret)
        self.stub.mention('hello')
        self.receive()
        self.assertFalse(self.stub.calls)


@unittest.skipUnless(database, 'needs the tools of the repository')
@tagged('post_install', '-at_install')
class TestUninstall(BaseCase):
    def test_nothing_is_left(self):
        with database.clone() as name:
            config = configuration.write('uninstall', db_name=name)
            command = [*configuration.command(), 'shell', '--config', config, '--no-http']
            done = subprocess.run(
                [str(part) for part in command],
                input=UNINSTALL,
                text=True,
                capture_output=True,
                check=False,
                cwd=paths.CHECKOUT,
                env=configuration.environment_variables(),
                timeout=180,
            )
        left = [line for line in done.stdout.splitlines() if line.startswith('LEFT')]
        self.assertEqual(left, ['LEFT []'] * 6, done.stderr[-2000:])
        self.assertIn('OPENED', done.stdout, done.stderr[-2000:])
        self.assertEqual(list(filter(database.is_problem, done.stderr.splitlines())), [])


@unittest.skipUnless(database, 'needs the tools of the repository')
@tagged('post_install', '-at_install')
class TestUpgrade(BaseCase):
    def test_a_database_of_an_earlier_commit_is_brought_up_to_date(self):
        try:
            steps.run(['git', '-C', paths.CHECKOUT, 'cat-file', '-e', EARLIER])
        except steps.Failure:
            self.skipTest(f'the repository does not go back to {EARLIER[:7]}')
        self.assertEqual(upgrade.check(EARLIER), [])
