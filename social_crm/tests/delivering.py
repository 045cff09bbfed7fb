"""A network in memory for the tests of sending, and users who write and approve posts."""

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

from odoo import Command, fields
from odoo.tests import new_test_user

from odoo.addons.social_crm.providers.types import Limits, Metrics, Sent

from .common import SocialCrmCase


class FakeNetwork:
    """An adapter that keeps what it is sent; ``plan`` says what goes wrong, call by call.

    A step of the plan is an error (raised instead of sending) or ``('lost', error)``: the network
    takes it, then the answer gets lost.
    """

    code, label = 'mastodon', 'Mastodon'
    capabilities = {'publish': (), 'reply': (), 'metrics': ()}
    features = frozenset({'find_sent', 'idempotency_key'})
    cost_unit, spent = '', 0

    def __init__(self, **limits):
        self.posts = []
        self.plan = []
        self.finds = []
        self.calls = 0
        self.figures = {}
        self.http = SimpleNamespace(last_rate_limit=None, calls=0)
        self._limits = Limits(
            **{
                'text_length': 500,
                'media_count': 4,
                'image_types': ('image/png', 'image/jpeg'),
                'image_size': 100_000,
                'video_types': ('video/mp4',),
                'video_size': 1_000_000,
                **limits,
            }
        )

    def limits(self):
        return self._limits

    def count(self, text):
        return len(text)

    def compose(self, outgoing):
        text = outgoing.text
        return f'{text}\n\n{outgoing.link}' if outgoing.link and outgoing.link not in text else text

    def send(self, outgoing, key):
        self.calls += 1
        step = self.plan.pop(0) if self.plan else None
        if isinstance(step, Exception):
            raise step
        sent = Sent(
            f'https://net/{len(self.posts) + 1}',
            f'https://net/@acme/{len(self.posts) + 1}',
            str(len(self.posts) + 1),
            datetime.now(timezone.utc),
        )
        self.posts.append((outgoing, key, sent))
        if step:
            raise step[1]
        return sent

    def find_sent(self, outgoing, key, since):
        if self.finds:
            raise self.finds.pop(0)
        text = self.compose(outgoing)
        found = [sent for one, _key, sent in self.posts if self.compose(one) == text]
        return found[-1] if found else None

    def metrics(self, ids):
        return {one: Metrics(**self.figures[one]) for one in ids if one in self.figures}

    @property
    def texts(self):
        return [outgoing.text for outgoing, _key, _sent in self.posts]


class DeliveryCase(SocialCrmCase):
    """Accounts on a fake network, an author, an approver."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.author = new_test_user(cls.env, 'sc_author', 'social_crm.social_crm_group_marketing')
        cls.approver = new_test_user(cls.env, 'sc_approver', 'social_crm.social_crm_group_approver')
        cls.second = cls.connect(cls.app, cls.manager, username='second', number='78')
        cls.account.wanted_capabilities = cls.second.wanted_capabilities = 'publish reply metrics'

    def setUp(self):
        super().setUp()
        self.network = FakeNetwork()
        self.networks = {self.account.id: self.network}
        test = self

        def provider(self):
            return test.networks.setdefault(self.id, FakeNetwork())

        def checked(self):
            self.env['social.crm.credential'].search([('account_id', '=', self.id)])._token()
            return provider(self)

        Account = type(self.env['social.crm.account'])
        self.patch(Account, '_offline_provider', provider)
        self.patch(Account, '_provider', checked)

    def post(self, text='Hello world', accounts=None, user=None, **values):
        accounts = self.account if accounts is None else accounts
        return (
            self.env['social.crm.post']
            .with_user(user or self.author)
            .create(
                {
                    'text': text,
                    'account_ids': accounts.ids,
                    'tz': 'UTC',
                    **values,
                }
            )
        )

    def stranger(self):
        """Return an administrator of Social CRM in another company."""
        company = self.env['res.company'].create({'name': 'Second'})
        return new_test_user(
            self.env,
            'sc_stranger',
            'social_crm.social_crm_group_manager',
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    def deliver(self, model='social.crm.publication'):
        self.env.flush_all()
        with self.loop(model) as Model:
            return Model._deliver_due()

    def pass_time(self, rows, **delta):
        """Let time pass for deliveries: all their times move into the past."""
        names = (
            'due_at',
            'next_try',
            'attempted_at',
            'first_attempted_at',
            'lease_until',
            'sent_at',
        )
        for row in rows.sudo():
            row.with_context(social_crm_no_wake=True).write(
                {name: row[name] - timedelta(**delta) for name in names if row[name]}
            )
        self.env.flush_all()

    def later(self, **delta):
        """Return the values of a time ahead, in UTC."""
        moment = fields.Datetime.now() + timedelta(**delta)
        return {
            'schedule': 'later',
            'tz': 'UTC',
            'scheduled_date': moment.date(),
            'scheduled_time': moment.hour + moment.minute / 60,
        }
