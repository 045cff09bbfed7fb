"""What it costs the server to open the calendar of posts: with 5,000 in the month, and with 50.

The same calls as the web client makes, over HTTP, on a real Odoo server, by a user of the
marketing role; both months in turn, and the median counts.
"""

import json
import time
from datetime import datetime, timedelta
from statistics import median

import requests

from odoo.tests import new_test_user

from odoo.addons.social_crm.tests.common import connect, make_app

MANY, FEW = 5_000, 50
ROUNDS = 15
WARM_UP = 3
STATES = ('draft', 'waiting', 'approved')


def run(bench):
    env = bench.env
    user = new_test_user(
        env, 'calendar', 'social_crm.social_crm_group_marketing', password='calendar', tz='UTC'
    )
    app = make_app(env.company)
    accounts = [connect(app, user, username=f'b{n}', number=str(n)) for n in (1, 2, 3)]
    months = {number: datetime(2030, month, 1) for number, month in ((MANY, 3), (FEW, 9))}
    for number, month in months.items():
        fill(env, accounts, user, month, number)
    env.cr.execute('ANALYZE')
    env.cr.commit()
    with bench.odoo(crons=0) as odoo:
        client = Client(odoo.url, bench.database)
        took = {number: [] for number in months}
        for _round in range(WARM_UP + ROUNDS):
            for number, month in months.items():
                took[number].append(client.open_calendar(month, number))
    many, few = (median(took[number][WARM_UP:]) for number in (MANY, FEW))
    yield {
        'figure': 'calendar.growth',
        'value': round(many / few, 2),
        'unit': f'time with {MANY} posts / time with {FEW}',
        'milliseconds': round(many * 1000),
        'floor_milliseconds': round(few * 1000),
    }


def fill(env, accounts, user, month, number):
    """Spread posts over a month, in all states, a third of them on two accounts."""
    Post = env['social.crm.post'].with_context(tracking_disable=True)
    pause = timedelta(days=28) / number
    posts = Post.create(
        [
            {
                'text': f'Post {place} about tea, cups and the people who like both',
                'account_ids': [account.id for account in accounts[: 1 + (place % 3 == 0)]],
                'user_id': user.id,
                **Post._wall_values(month + place * pause, 'UTC'),
            }
            for place in range(number)
        ]
    )
    for place, step in enumerate(STATES):
        posts[place :: len(STATES)].write({'step': step})
    env.cr.commit()


class Client:
    """The calls of the web client; see ``calendar_model.js``."""

    def __init__(self, url, database):
        self.url, self.session = url, requests.Session()
        login = {'db': database, 'login': 'calendar', 'password': 'calendar'}
        self.post('/web/session/authenticate', login)
        self.action = self.post(
            '/web/action/load', {'action_id': 'social_crm.social_crm_post_action'}
        )
        self.views = [*self.action['views'], [False, 'search']]

    def post(self, path, params):
        body = {'jsonrpc': '2.0', 'method': 'call', 'params': params}
        answer = self.session.post(self.url + path, json=body, timeout=60).json()
        if 'error' in answer:
            raise RuntimeError(json.dumps(answer['error'])[:2000])
        return answer['result']

    def call(self, method, *args, **kwargs):
        params = {'model': 'social.crm.post', 'method': method, 'args': args, 'kwargs': kwargs}
        return self.post(f'/web/dataset/call_kw/social.crm.post/{method}', params)

    def open_calendar(self, month, number):
        """Open the calendar at a month; return the seconds that the server took for all calls."""
        begin = time.perf_counter()
        self.post('/web/action/load', {'action_id': 'social_crm.social_crm_post_action'})
        options = {'action_id': self.action['id'], 'load_filters': True, 'toolbar': True}
        self.call('get_views', views=self.views, options=options)
        start = month - timedelta(days=(month.weekday() + 1) % 7)
        end = start + timedelta(days=42)
        domain = [['due_at', '<=', f'{end}'], ['due_at', '>=', f'{start}']]
        loaded = self.load(domain)
        took = time.perf_counter() - begin
        shown = len(loaded['records']) + sum(loaded['more'].values())
        assert shown == number, f'{shown} posts'
        return took

    def load(self, domain):
        names = [
            'display_name',
            'due_at',
            'color',
            'state',
            'account_ids',
            'campaign_id',
            'user_id',
        ]
        posts = self.call('calendar_posts', domain, [*names, 'is_hatched'], 'Europe/Berlin', 8)
        accounts = {one for post in posts['records'] for one in post['account_ids']}
        params = {'model': 'social.crm.account', 'method': 'search_read', 'args': []}
        params['kwargs'] = {'domain': [['id', 'in', list(accounts)]], 'fields': ['display_name']}
        self.post('/web/dataset/call_kw/social.crm.account/search_read', params)
        return posts
