"""From the network's JSON to committed rows, and whether the cost stays flat.

A figure and its floor are measured in turn, page by page, and the median page counts: whatever else
the machine does then hits both alike.
"""

import json
import time
from statistics import median

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from odoo import fields

from odoo.addons.social_crm.providers.types import Page
from odoo.addons.social_crm.tests.common import connect, make_app

from . import posts

PAGE = 100
PAGES = 60
WARM_UP = 5  # pages that are not counted: lists are read, caches filled


def run(bench):
    env = bench.env
    few = Source(env.company)
    many = Source(env['res.company'].create({'name': 'With many rules'}))

    make_rules(few, 100)
    yield figure('receive', *in_turn(few.receive_page, Floor(few).store_page))

    make_rules(few, 10)
    make_rules(many, 10_000)
    yield figure('receive.rules_10000', *in_turn(many.receive_page, few.receive_page))

    make_rules(few, 100)
    stored, empty = [], []
    for _round in range(3):
        few.empty()
        empty += [few.receive_page() for _page in range(WARM_UP + PAGES // 3)]
        few.fill(200_000)
        stored += [few.receive_page() for _page in range(WARM_UP + PAGES // 3)]
    yield figure('receive.stored_200000', rate(stored), rate(empty))


class Source:
    """Pages of a network that are never seen twice, and the stream that they come in by."""

    number = 1  # of the next notification, for all sources

    def __init__(self, company):
        self.env, self.company = company.env, company
        account = connect(make_app(company), self.env.user)
        self.stream = account.stream_ids.filtered(lambda stream: stream.kind == 'notifications')
        self.provider = account._offline_provider()
        self.stored = 0

    def page(self):
        items = posts.notifications(posts.texts(PAGE, seed=Source.number), first=Source.number)
        Source.number += PAGE
        return json.dumps(items)

    def receive_page(self):
        """Receive a page as the loop does, committed; return the seconds it took."""
        body = self.page()
        begin = time.perf_counter()
        self.stream._store_page(self.read(body))
        self.env.cr.commit()
        took = time.perf_counter() - begin
        self.stored += PAGE
        assert self.stream.item_count == self.stored, 'not all mentions were stored'
        return took

    def read(self, body):
        """Do with a body what the adapter's `fetch` does; a full page is followed by another."""
        return Page(*self.provider._reader().page(json.loads(body), 'notifications'), more=True)

    def empty(self):
        self.env.cr.execute('TRUNCATE social_crm_mention CASCADE')
        self.env.cr.commit()
        self.env.invalidate_all()

    def fill(self, number):
        """Store many mentions quickly: copies of one page's rows under other ids."""
        self.empty()
        self.receive_page()
        columns = [
            name
            for name, field in self.env['social.crm.mention']._fields.items()
            if field.store and field.column_type and name not in ('id', 'external_id', 'local_id')
        ]
        names = ', '.join(columns)
        self.env.cr.execute(f"""
            INSERT INTO social_crm_mention (external_id, local_id, {names})
            SELECT m.external_id || '-' || n, '0', {names}
              FROM social_crm_mention m, generate_series(1, {number // PAGE}) n
        """)
        self.env.cr.execute('ANALYZE social_crm_mention')
        self.env.cr.commit()


class Floor:
    """VADER on the same texts and a plain batch create of the same rows, committed."""

    def __init__(self, source):
        self.source, self.env = source, source.env
        self.analyzer = SentimentIntensityAnalyzer()
        self.author = self.env['social.crm.profile'].search([], limit=1)
        self.number = 0

    def store_page(self):
        page = posts.texts(PAGE, seed=Source.number)
        stream, account = self.source.stream, self.source.stream.account_id
        Mention = self.env['social.crm.mention'].with_context(tracking_disable=True)
        begin = time.perf_counter()
        rows = []
        for text, language in page:
            self.number += 1
            rows.append(
                {
                    'kind': 'mention',
                    'network': 'mastodon',
                    'external_id': f'plain-{self.number}',
                    'local_id': '0',
                    'account_id': account.id,
                    'stream_id': stream.id,
                    'company_id': account.company_id.id,
                    'author_id': self.author.id,
                    'text': text,
                    'url': 'https://social.example.com/@person/1',
                    'posted_at': fields.Datetime.now(),
                    'visibility': 'public',
                    'language': language,
                    'sentiment': self.analyzer.polarity_scores(text)['compound'],
                    'sentiment_label': 'neutral',
                    'state': 'new',
                    'act_state': 'none',
                }
            )
        Mention.create(rows)
        self.env.cr.commit()
        return time.perf_counter() - begin


def make_rules(source, number):
    """Have that many rules, each with words of its own; with 10,000 half of the texts match one.

    Statistics are brought up to date as autovacuum does within a minute: plans of foreign key
    checks made while the table was small read all of it.
    """
    env = source.env
    Rule = env['social.crm.rule'].with_context(tracking_disable=True)
    Rule.search([('company_id', '=', source.company.id)]).unlink()
    Rule.create(
        [
            {
                'name': f'Rule {index}',
                'keywords': f'item{index * 97 % 9770}\nphrase number {index}',
                'kind_search': False,
                'company_id': source.company.id,
            }
            for index in range(number)
        ]
    )
    env['social.crm.rule']._rule_set(source.company.id)
    env.cr.execute('ANALYZE social_crm_rule')
    env.cr.commit()


def in_turn(one, other):
    """Return the rates of two ways, measured page by page in turn."""
    pairs = [(one(), other()) for _page in range(WARM_UP + PAGES)]
    return rate([first for first, _second in pairs]), rate([second for _first, second in pairs])


def rate(seconds):
    """Return mentions per second of the median page."""
    return PAGE / median(seconds[WARM_UP:])


def figure(name, value, floor):
    return {
        'figure': name,
        'value': round(value, 1),
        'unit': 'mentions/s',
        'floor': round(floor, 1),
        'ratio': round(value / floor, 3),
    }
