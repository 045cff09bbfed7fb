"""What it costs the server to show the dashboard and a pivot: with 1,000,000 mentions, and 10,000.

Both amounts lie in a company of their own, spread over the same year and the same networks, kinds
and tones; a rule matched one in ten. The calls are those of the web client, over HTTP, on a real
Odoo server; the companies take turns, and the median counts. Summing up is measured beside it.
"""

import json
import time
from contextlib import contextmanager
from statistics import median

import requests

from odoo.tests import new_test_user

from odoo.addons.social_crm.tests.common import connect, make_app

MANY, FEW = 1_000_000, 10_000
ROUNDS = 9
WARM_UP = 2
DAYS = 365


def run(bench):
    env = bench.env
    companies = {}
    with without_indexes(env):
        for number in (MANY, FEW):
            companies[number] = env['res.company'].create({'name': f'With {number} mentions'})
            fill(env, companies[number], number)
    ids = [one.id for one in companies.values()]
    new_test_user(
        env,
        'analyst',
        'social_crm.social_crm_group_marketing',
        password='analyst',
        tz='UTC',
        company_id=ids[0],
        company_ids=[(6, 0, ids)],
    )
    env.cr.commit()
    with bench.timed() as took:
        while env['social.crm.mention.hourly']._sum_up():
            env.cr.commit()
    env.cr.execute('ANALYZE')
    env.cr.commit()
    yield {
        'figure': 'reports.sum_up',
        'value': round((MANY + FEW) / took()),
        'unit': 'mentions/s',
        'rows': env['social.crm.mention.hourly'].search_count([]),
    }
    with bench.odoo(crons=0) as odoo:
        client = Client(odoo.url, bench.database)
        took = {number: [] for number in companies}
        for _round in range(WARM_UP + ROUNDS):
            for number, company in companies.items():
                took[number].append(client.open_reports(company.id, number))
    parts = {
        number: [median(part) for part in zip(*rows[WARM_UP:], strict=True)]
        for number, rows in took.items()
    }
    many, few = sum(parts[MANY]), sum(parts[FEW])
    yield {
        'figure': 'reports.growth',
        'value': round(many / few, 2),
        'unit': f'time with {MANY} mentions / time with {FEW}',
        'milliseconds': [round(part * 1000) for part in parts[MANY]],
        'floor_milliseconds': [round(part * 1000) for part in parts[FEW]],
    }


@contextmanager
def without_indexes(env):
    """Build the indexes of mentions when all rows are there: many times as fast."""
    env.cr.execute(
        """SELECT indexname, indexdef FROM pg_indexes
            WHERE tablename = 'social_crm_mention' AND indexname <> 'social_crm_mention_pkey'"""
    )
    indexes = env.cr.fetchall()
    for name, _definition in indexes:
        env.cr.execute(f'DROP INDEX "{name}"')
    yield
    for _name, definition in indexes:
        env.cr.execute(definition)
    env.cr.execute('ANALYZE')  # as autovacuum does where rows come in little by little
    env.cr.commit()


def fill(env, company, number):
    """Spread mentions evenly over a year, past the ORM."""
    account = connect(make_app(company), env.user, username=f'brand{number}', number=str(number))
    author = env['social.crm.profile'].create(
        {
            'network': 'mastodon',
            'external_id': f'author-{number}',
            'handle': 'author',
            'company_id': company.id,
        }
    )
    rule = env['social.crm.rule'].create(
        {'name': 'Tea', 'keywords': 'tea', 'company_id': company.id, 'kind_search': False}
    )
    env.flush_all()
    # All rows are of one account and one author: no need to look both up a million times.
    env.cr.execute('SET LOCAL session_replication_role = replica')
    env.cr.execute(
        """INSERT INTO social_crm_mention (
               company_id, account_id, author_id, network, external_id, kind, text, posted_at,
               sentiment, sentiment_label, state, act_state, answered_at)
           SELECT %(company)s, %(account)s, %(author)s, 'mastodon', 'bench-' || n,
                  (ARRAY['mention', 'reply', 'comment', 'message', 'search'])[n %% 5 + 1], 'tea',
                  now() at time zone 'UTC' - n * (interval '1 day' * %(days)s / %(number)s),
                  0, (ARRAY['positive', 'neutral', 'negative', 'unknown'])[n %% 4 + 1],
                  'new', 'none',
                  CASE WHEN n %% 3 = 0 THEN now() at time zone 'UTC' END
             FROM generate_series(1, %(number)s) n""",
        {
            'company': company.id,
            'account': account.id,
            'author': author.id,
            'number': number,
            'days': DAYS,
        },
    )
    env.cr.execute(
        """INSERT INTO social_crm_mention_rule_rel (mention_id, rule_id)
           SELECT id, %s FROM social_crm_mention WHERE company_id = %s AND id %% 10 = 0""",
        [rule.id, company.id],
    )
    env.cr.execute(
        """INSERT INTO social_crm_hour_mark (company_id, hour)
           SELECT DISTINCT company_id, date_trunc('hour', posted_at) FROM social_crm_mention
            WHERE company_id = %s""",
        [company.id],
    )
    env.cr.commit()


class Client:
    """The calls of the web client."""

    def __init__(self, url, database):
        self.url, self.session = url, requests.Session()
        login = {'db': database, 'login': 'analyst', 'password': 'analyst'}
        self.post('/web/session/authenticate', login)

    def post(self, path, params):
        body = {'jsonrpc': '2.0', 'method': 'call', 'params': params}
        answer = self.session.post(self.url + path, json=body, timeout=120).json()
        if 'error' in answer:
            raise RuntimeError(json.dumps(answer['error'])[:2000])
        return answer['result']

    def call(self, company, model, method, *args, **kwargs):
        kwargs['context'] = {'allowed_company_ids': [company], 'tz': 'UTC', 'lang': 'en_US'}
        params = {'model': model, 'method': method, 'args': args, 'kwargs': kwargs}
        return self.post(f'/web/dataset/call_kw/{model}/{method}', params)

    def open_reports(self, company, number):
        """Open the dashboard and a pivot of the year; return the seconds of each."""
        begin = time.perf_counter()
        self.post('/web/action/load', {'action_id': 'social_crm.social_crm_dashboard_action'})
        data = self.call(company, 'social.crm.dashboard', 'get_data', DAYS + 2)
        dashboard = time.perf_counter() - begin
        assert data['tiles']['mention_count'][0] == number, data['tiles']
        begin = time.perf_counter()
        self.post('/web/action/load', {'action_id': 'social_crm.social_crm_mention_daily_action'})
        views = [[False, 'pivot'], [False, 'search']]
        self.call(company, 'social.crm.mention.daily', 'get_views', views=views)
        sets = self.call(
            company,
            'social.crm.mention.daily',
            'formatted_read_grouping_sets',
            [],
            [[], ['kind'], ['day:month'], ['kind', 'day:month']],
            ['mention_count:sum', 'sentiment:avg', 'response_hours:avg'],
        )
        total = sum(group['mention_count:sum'] for groups in sets for group in groups)
        assert total == 4 * number, total
        return dashboard, time.perf_counter() - begin
