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
from datetime import timedelta
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
    works = work if isinstance(work, list) else [work] * workers
    start, conflicts = threading.Barrier(len(works)), []
    def run(work):
        start.wait()
        for _try in range(60):
            with env.registry.cursor() as cr:
                try:
                    more = work(api.Environment(cr, SUPERUSER_ID, {}))
                    cr.commit()
                    if not more:
                        return
                except psycopg2.errors.SerializationFailure as error:
                    conflicts.append(str(error))
                    cr.rollback()
    threads = [threading.Thread(target=run, args=[work]) for work in works]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    env.cr.rollback()
    return conflicts
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

ONE_ACCOUNT = """
from datetime import datetime, timedelta, timezone
from odoo.addons.social_crm.providers.answers import RateLimit
from odoo.addons.social_crm.providers.types import Page

streams = account.stream_ids
env.cr.commit()

def look(stream):
    # What the loop does with what it fetched; the calls that are left become fewer each time.
    left = iter(range(20, 0, -1))
    def store(env):
        until = datetime.now(timezone.utc) + timedelta(minutes=5)
        number = next(left)
        rate_limit = RateLimit(limit=300, remaining=number, reset=until)
        env['social.crm.stream'].browse(stream.id)._store_page(Page([], []), rate_limit)
        return number > 1
    return store

def rename():
    names = iter(range(20, 0, -1))
    def write(env):
        number = next(names)
        env['social.crm.account'].browse(account.id).name = f'Acme {number}'
        return number > 1
    return write

conflicts = in_parallel([*map(look, streams), rename()])
health = account.name, account.rate_limit_remaining, bool(account.last_success)
print('RESULT', len(streams), len(conflicts), *health)
"""

ONE_PROFILE = """
from concurrent.futures import Future
from odoo.addons.social_crm.providers.types import Profile

profile = env['social.crm.profile'].create({'network': 'mastodon', 'handle': 'ada@example.org'})
env.cr.commit()
profile.read(['name'])  # from here on this transaction sees the profile as it is now
with env.registry.cursor() as other:
    profile.with_env(env(cr=other)).contacted_at = '2026-11-20'

found = Profile(external_id='https://example.org/ada', handle='ada@example.org', name='Ada')
future = Future()
future.set_result((found, b'', None))
profile._store_refresh_outcome(future, None)
env.cr.rollback()
env.invalidate_all()
print('RESULT', profile.name, bool(profile.contacted_at))
"""

ONE_SLOT = """
account.wanted_capabilities = 'publish'
Post = env['social.crm.post'].with_context(tz='UTC')
week = {day: True for day in ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')}
env['social.crm.slot'].create({'time': 9, 'tz': 'UTC', 'account_ids': account.ids, **week})
posts = Post.create([{'text': f'Post {n}', 'account_ids': account.ids} for n in range(12)])
first = Post.create({'text': 'Daily', 'account_ids': account.ids, **Post._wall_values(
    env.cr.now().replace(hour=3, minute=0, second=0, microsecond=0) + timedelta(days=1), 'UTC')})
series = env['social.crm.post.series'].create({'origin_id': first.id, 'unit': 'day'})
first.action_submit()
planned = len(series.post_ids)
series._remove_planned(series.first_date)
series.next_date = series.first_date + timedelta(days=1)
env.cr.commit()
mine = {}

def queue(env):
    own = mine.setdefault(threading.get_ident(), [])
    if not own:
        own[:] = [taken.pop() for _post in range(3)]
    post = env['social.crm.post'].browse(own).filtered(lambda post: post.step == 'draft')[:1]
    if post:
        post.action_queue()
    return post

def repeat(env):
    env['social.crm.post.series']._cron_make_ahead()

taken = list(posts.ids)
in_parallel(queue)
in_parallel(repeat)
print('RESULT', len(set(posts.mapped('due_at'))), set(posts.mapped('state')))
days = series.post_ids.mapped('series_date')
print('NOTES ', planned, len(days), len(set(days)), series.state)
"""


@unittest.skipUnless(database, 'needs the tools of the repository')
@tagged('post_install', '-at_install')
class TestConcurrency(BaseCase):
    def run_on_clone(self, script, quiet=False):
        """Run a script in Odoo's shell; return what it prints.

        :param quiet: not one conflict may stand in the log
        """
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
        if quiet:
            self.assertEqual(done.stderr.count('could not serialize access'), 0)
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

    def test_looks_at_one_account_and_people_who_change_it_do_not_meet(self):
        result = self.run_on_clone(ONE_ACCOUNT, quiet=True)
        self.assertEqual(result, ['RESULT 2 0 Acme 1 1 True'], 'no conflict, all is stored')

    def test_what_was_looked_up_is_stored_though_others_write_to_the_profile(self):
        result = self.run_on_clone(ONE_PROFILE, quiet=True)
        self.assertEqual(result, ['RESULT Ada True'])

    def test_a_slot_and_a_day_of_a_series_have_one_post_each(self):
        result, notes = self.run_on_clone(ONE_SLOT)
        self.assertEqual(result, "RESULT 12 {'scheduled'}")
        self.assertEqual(notes, 'NOTES  35 35 35 running')
