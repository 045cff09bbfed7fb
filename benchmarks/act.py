"""Leads per second with all that a captured lead gets, against a plain batch create, and against
Odoo's own incoming mail of the same texts. Measured batch by batch in turn; the median counts."""

import time
from email.message import EmailMessage
from statistics import median

from odoo import Command

from odoo.addons.social_crm.providers.types import Page
from odoo.addons.social_crm.tests.common import connect, make_app

from . import posts

BATCH = 100
ROUNDS = 9
WARM_UP = 1


def run(bench):
    env = bench.env
    captured, plain, mailed = Capture(env), Plain(env), Mail(env)
    rounds = [
        (captured.measure(), plain.measure(), mailed.measure())
        for _round in range(WARM_UP + ROUNDS)
    ]
    ours, batch, mail = (BATCH / median(seconds) for seconds in zip(*rounds[WARM_UP:], strict=True))
    yield figure('act.lead', ours, batch)
    yield figure('act.vs_mail', ours, mail)


class Capture:
    """Mentions of strangers that a rule makes leads of, with all that a lead gets."""

    def __init__(self, env):
        self.env = env
        account = connect(make_app(env.company), env.user)
        self.stream = account.stream_ids.filtered(lambda stream: stream.kind == 'notifications')
        self.provider = account._offline_provider()
        leader = env['res.users'].create({'name': 'Leader', 'login': 'leader'})
        self.team = env['crm.team'].create(
            {'name': 'Social', 'use_leads': True, 'user_id': leader.id}
        )
        env['social.crm.rule'].create(
            {
                'name': 'All that names us',
                'handles': 'acme',
                'campaign_id': env['utm.campaign'].create({'name': 'Bench'}).id,
                'action_ids': [Command.create({'kind': 'lead', 'crm_team_id': self.team.id})],
            }
        )
        env.cr.commit()
        self.first = 1

    def measure(self):
        items = posts.notifications(
            posts.texts(BATCH, seed=self.first), first=self.first, regulars=False
        )
        self.first += BATCH
        self.stream._store_page(
            Page(*self.provider._reader().page(items, 'notifications'), more=True)
        )
        self.env.cr.commit()
        before = self.env['crm.lead'].search_count([('social_profile_id', '!=', False)])
        begin = time.perf_counter()
        assert self.env['social.crm.mention']._act_batch() == BATCH
        self.env.cr.commit()
        took = time.perf_counter() - begin
        assert (
            self.env['crm.lead'].search_count([('social_profile_id', '!=', False)])
            == before + BATCH
        )
        return took


class Plain:
    """The floor: one batch create of leads with the same texts, as anybody would write it."""

    def __init__(self, env):
        self.env = env
        self.first = 1_000_000

    def measure(self):
        page = posts.texts(BATCH, seed=self.first)
        self.first += BATCH
        begin = time.perf_counter()
        self.env['crm.lead'].create(
            [
                {
                    'name': text[:80],
                    'description': text,
                    'contact_name': f'Person {index}',
                    'type': 'lead',
                }
                for index, (text, _language) in enumerate(page)
            ]
        )
        self.env.cr.commit()
        return time.perf_counter() - begin


class Mail:
    """Odoo's own way from a stranger's words to a lead: the mail gateway."""

    def __init__(self, env):
        self.env = env
        self.first = 2_000_000

    def measure(self):
        page = posts.texts(BATCH, seed=self.first)
        mails = []
        for index, (text, _language) in enumerate(page):
            mail = EmailMessage()
            mail['From'] = f'Person {index} <person{self.first + index}@example.com>'
            mail['To'] = 'sales@example.com'
            mail['Subject'] = text[:80]
            mail['Message-ID'] = f'<{self.first + index}@example.com>'
            mail.set_content(text)
            mails.append(mail.as_bytes())
        self.first += BATCH
        begin = time.perf_counter()
        for mail in mails:
            self.env['mail.thread'].message_process('crm.lead', mail)
        self.env.cr.commit()
        return time.perf_counter() - begin


def figure(name, value, floor):
    return {
        'figure': name,
        'value': round(value, 1),
        'unit': 'leads/s',
        'floor': round(floor, 1),
        'ratio': round(value / floor, 3),
    }
