"""Several workers at once, each with a connection of its own, on a committed database."""

import subprocess
import unittest

from odoo.tests import BaseCase, tagged

try:
    from tools import configuration, database, paths
except ImportError:  # run by Odoo itself, outside of the repository
    database = None

PREPARE = """
import threading
import psycopg2
from odoo import SUPERUSER_ID, api
from odoo.addons.social_crm.models import social_crm_mention_act
from odoo.addons.social_crm.tests.common import connect, make_app
from odoo.addons.social_crm.tests.mastodon_stub import MastodonStub

stub = MastodonStub()
account = connect(make_app(env.company), env.user)
stream = account.stream_ids.filtered(lambda stream: stream.kind == 'notifications')
reader = account._offline_provider()._reader()

def page(number, authors):
    people = [stub.account(f'person{index}') for index in range(authors)]
    for index in range(number):
        stub.mention(f'teapot {index}', people[index % authors])
    items, unreadable = reader.page(stub.notifications[:number], 'notifications')
    from odoo.addons.social_crm.providers.types import Page
    return Page(items, unreadable)

def in_parallel(work, workers=4):
    # Each worker repeats what ends in a conflict, as the loops do.
    start = threading.Barrier(workers)
    def run():
        start.wait()
        for _try in range(60):
            with env.registry.cursor() as cr:
                try:
                    more = work(api.Environment(cr, SUPERUSER_ID, {}))
                    cr.commit()
                    if not more:
                        return
                except psycopg2.errors.SerializationFailure:
                    cr.rollback()
    threads = [threading.Thread(target=run) for _worker in range(workers)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    env.cr.rollback()
"""

ONE_LEAD = """
env['social.crm.rule'].create({
    'name': 'Teapots', 'keywords': 'teapot', 'action_ids': [(0, 0, {'kind': 'lead'})],
})
stream._store_page(page(60, authors=5))
env.cr.commit()
social_crm_mention_act.ACT_BATCH = 3

def act(env):
    env['social.crm.mention']._act_batch()
    return env['social.crm.mention'].search_count([('act_state', '=', 'pending')], limit=1)

in_parallel(act)
mentions = env['social.crm.mention'].search([])
leads = env['crm.lead'].search([('social_profile_id', '!=', False)])
states = set(mentions.mapped('act_state'))
print('RESULT', len(mentions), len(leads), len(leads.social_profile_id), states)
print('NOTES', sum(body.count('teapot ') for body in leads.message_ids.mapped('body')))
"""

ONE_MENTION = """
the_page = page(50, authors=50)
env.cr.commit()

def store(env):
    env['social.crm.stream'].browse(stream.id)._store_page(the_page)

in_parallel(store)
counts = [env[model].search_count([]) for model in ('social.crm.mention', 'social.crm.profile')]
print('RESULT', *counts)
"""

ONE_PUSH = """
from odoo.addons.social_crm.providers import register_adapter
from odoo.addons.social_crm.tests import sample_network, sampling

register_adapter(sample_network.CODE, sample_network.ADAPTER)
app = sampling.make_sample_app(env.company)
sampling.connect_page(app, env.user, sample_network.page('1001', 'Demo Bakery'))
body = sample_network.push('1001', *(sample_network.comment(n, f'n{n}') for n in range(50)))
env.cr.commit()

def deliver(env):
    apps = env['social.crm.app']._for_webhook(sample_network.CODE)
    apps._take_news(sample_network.sign(body), body)

in_parallel(deliver, workers=6)
mentions = env['social.crm.mention'].search([])
print('RESULT', len(mentions), len(mentions.author_id))
"""


@unittest.skipUnless(database, 'needs the tools of the repository')
@tagged('post_install', '-at_install')
class TestConcurrency(BaseCase):
    def run_on_clone(self, script):
        with database.clone() as name:
            config = configuration.write('concurrency', db_name=name)
            command = [*configuration.command(), 'shell', '--config', config, '--no-http']
            done = subprocess.run(
                [str(part) for part in command],
                input=PREPARE + script,
                text=True,
                capture_output=True,
                check=False,
                cwd=paths.CHECKOUT,
                env=configuration.environment_variables(),
                timeout=180,
            )
        lines = [line for line in done.stdout.splitlines() if line[:6] in ('RESULT', 'NOTES ')]
        self.assertTrue(lines, done.stdout[-500:] + done.stderr[-3000:])
        return lines

    def test_one_author_has_one_lead_whoever_captures_it(self):
        result, notes = self.run_on_clone(ONE_LEAD)
        self.assertEqual(result, "RESULT 60 5 5 {'done'}")
        self.assertEqual(notes, 'NOTES 60', 'each mention stands on its lead once')

    def test_overlapping_polls_store_each_item_once(self):
        # 51 people: the authors and the account itself.
        self.assertEqual(self.run_on_clone(ONE_MENTION), ['RESULT 50 51'])

    def test_a_push_that_is_delivered_many_times_at_once_is_stored_once(self):
        self.assertEqual(self.run_on_clone(ONE_PUSH), ['RESULT 50 1'])
