"""From the network's JSON to committed rows, and whether the cost stays flat.

Each figure and its floor are measured in turn, several rounds, in the same run; the best round
counts on both sides, since whatever else runs on the machine only ever makes a round slower.
"""

import json
import time

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from odoo import fields

from odoo.addons.social_crm.providers.types import Page
from odoo.addons.social_crm.tests.common import connect, make_app

from . import posts

PAGE = 100
PAGES = 20
ROUNDS = 5


def run(bench):
    env = bench.env
    stream = connect(make_app(env.company), env.user).stream_ids.filtered(lambda stream: stream.kind == 'notifications')
    source = Source(stream)

    make_rules(env, 100)
    received, floor = in_turn(lambda: source.receive(), lambda: plain(env, source))
    yield figure('receive', received, 'mentions/s', floor)

    make_rules(env, 10)
    few = Best(source.receive)
    make_rules(env, 10_000)
    many = Best(source.receive)
    for _round in range(ROUNDS):
        make_rules(env, 10)
        few.measure()
        make_rules(env, 10_000)
        many.measure()
    yield figure('receive.rules_10000', many.rate, 'mentions/s', few.rate)

    make_rules(env, 100)
    source.empty()
    nothing = Best(source.receive_and_empty)
    for _round in range(ROUNDS):
        nothing.measure()
    source.fill(200_000)
    stored = Best(source.receive)
    for _round in range(ROUNDS):
        stored.measure()
    yield figure('receive.stored_200000', stored.rate, 'mentions/s', nothing.rate)


class Source:
    """Pages of a network that are never seen twice, and the stream that they come in by."""

    def __init__(self, stream):
        self.stream, self.env = stream, stream.env
        self.provider = stream.account_id._offline_provider()
        self.next = 1

    def pages(self):
        found = []
        for _page in range(PAGES):
            items = posts.notifications(posts.texts(PAGE, seed=self.next), first=self.next)
            self.next += PAGE
            found.append(json.dumps(items))
        return found

    def receive(self):
        """Receive PAGES pages as the loop does, each committed; return mentions per second."""
        pages = self.pages()
        begin = time.perf_counter()
        for page in pages:
            self.stream._store_page(self.read(page))
            self.env.cr.commit()
        took = time.perf_counter() - begin
        self.env.cr.execute('SELECT count(*) FROM social_crm_mention WHERE local_id::int >= %s', [self.next - PAGES * PAGE])
        assert self.env.cr.fetchone()[0] == PAGES * PAGE, 'not all mentions were stored'
        return PAGES * PAGE / took

    def read(self, page):
        """Do with a body what the adapter's `fetch` does with it."""
        return Page(*self.provider._reader().page(json.loads(page), 'notifications'))

    def receive_and_empty(self):
        rate = self.receive()
        self.empty()
        return rate

    def empty(self):
        self.env.cr.execute('TRUNCATE social_crm_mention CASCADE')
        self.env.cr.commit()
        self.env.invalidate_all()

    def fill(self, number):
        """Store many mentions quickly: copies of one page's rows under other ids."""
        self.stream._store_page(self.read(self.pages()[0]))
        self.env.flush_all()
        columns = [
            name for name, field in self.env['social.crm.mention']._fields.items()
            if field.store and field.column_type and name not in ('id', 'external_id')
        ]
        names = ', '.join(columns)
        self.env.cr.execute(f"""
            INSERT INTO social_crm_mention (external_id, {names})
            SELECT m.external_id || '-' || n, {names} FROM social_crm_mention m, generate_series(1, {number // PAGE}) n
        """)  # noqa: S608  the names are the model's own
        self.env.cr.execute('ANALYZE social_crm_mention')
        self.env.cr.commit()


def plain(env, source):
    """The floor: VADER on the same texts and a plain batch create of the same rows, committed."""
    analyzer = SentimentIntensityAnalyzer()
    Mention = env['social.crm.mention'].with_context(tracking_disable=True)
    author = env['social.crm.profile'].search([], limit=1)
    account = source.stream.account_id
    pages = [posts.texts(PAGE, seed=source.next + index * PAGE) for index in range(PAGES)]
    begin = time.perf_counter()
    for page in pages:
        rows = []
        for text, language in page:
            source.next += 1
            rows.append({
                'kind': 'mention', 'network': 'mastodon', 'external_id': f'plain-{source.next}', 'local_id': '0',
                'account_id': account.id, 'stream_id': source.stream.id, 'company_id': account.company_id.id,
                'author_id': author.id, 'text': text, 'url': 'https://social.example.com/@person/1',
                'posted_at': fields.Datetime.now(), 'visibility': 'public', 'language': language,
                'sentiment': analyzer.polarity_scores(text)['compound'], 'sentiment_label': 'neutral', 'state': 'new',
                'act_state': 'none',
            })
        Mention.create(rows)
        env.cr.commit()
    return PAGES * PAGE / (time.perf_counter() - begin)


def make_rules(env, number):
    """Have that many rules, each with words of its own; one in ten texts matches one of them."""
    Rule = env['social.crm.rule'].with_context(tracking_disable=True)
    Rule.search([]).unlink()
    Rule.create([
        {'name': f'Rule {index}', 'keywords': f'item{index * 97 % 9770}\nphrase number {index}', 'kind_search': False}
        for index in range(number)
    ])
    env['social.crm.rule']._rule_set(env.company.id)
    env.cr.commit()


class Best:
    """The best of several rounds."""

    def __init__(self, measure):
        self._measure = measure
        self.rate = 0

    def measure(self):
        self.rate = max(self.rate, self._measure())


def in_turn(one, other):
    first, second = Best(one), Best(other)
    for _round in range(ROUNDS):
        first.measure()
        second.measure()
    return first.rate, second.rate


def figure(name, value, unit, floor):
    return {
        'figure': name, 'value': round(value, 1), 'unit': unit, 'floor': round(floor, 1), 'ratio': round(value / floor, 3),
    }
