"""Whatever a network sends in place of what is expected, an item is read or parked, never more."""

import copy
import json
from contextlib import suppress
from dataclasses import fields

import pytest
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from social_crm.providers.errors import ProviderError, Rejected
from social_crm.providers.linkedin import LinkedIn
from social_crm.providers.linkedin_items import BAD
from social_crm.providers.linkedin_leads import form
from social_crm.providers.threads import Threads
from social_crm.providers.types import App, Item, Media, Outgoing
from social_crm.tests.providers.contract import WEEK, now
from social_crm.tests.providers.fake_linkedin import FORM, ORG, FakeLinkedIn
from social_crm.tests.providers.fake_threads import ME, FakeThreads
from social_crm.tests.providers.threads_spec import Breach

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(['id', 'text', 'name', 'data', 'x']), inner, max_size=3)
    ),
    max_leaves=6,
)
TEXTS = [field.name for field in fields(Item) if field.type == 'str']


class Nothing:
    def add_callback(self, *_args, **_kwargs):
        """Answer nothing: no call is made here."""


def samples():
    linkedin = FakeLinkedIn(Nothing())
    threads = FakeThreads(Nothing())
    yield LinkedIn(None, me=linkedin.provider().me), 'notifications', linkedin.notify('hello')
    share = linkedin.notify('hello', action='SHARE_MENTION')
    yield LinkedIn(None), 'notifications', {**share, 'owner~': linkedin._rita()}
    yield LinkedIn(None), 'thread', linkedin._comment('1', ORG, 'hello', 'urn:li:activity:1')
    linkedin.submit('hello')
    yield LinkedIn(None), 'lead_forms', {**linkedin.submissions[0][1], 'form': FORM}
    post = threads.write('jana.n', 'hello', root_post={'id': '1'}, replied_to={'id': '1'})
    del post['at']
    yield Threads(None, me=ME), 'replies', {**post, 'children': {'data': [{'media_type': 'IMAGE'}]}}


SAMPLES = list(samples())


def paths(value, path=()):
    """Yield the way to each part of a value."""
    yield path
    rows = value.items() if isinstance(value, dict) else ()
    for name, part in enumerate(value) if isinstance(value, list) else rows:
        yield from paths(part, (*path, name))


def replaced(value, path, part):
    if not path:
        return part
    value = copy.deepcopy(value)
    place = value
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = part
    return value


@pytest.mark.parametrize('sample', SAMPLES, ids=[s[1] + str(n) for n, s in enumerate(SAMPLES)])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_payload_with_anything_in_it_is_read_or_parked(sample, data):
    provider, stream, payload = sample
    assert provider.read(stream, payload).items, 'the sample itself is good'
    path = data.draw(st.sampled_from(list(paths(payload))))
    page = provider.read(stream, replaced(payload, path, data.draw(JSON)))
    assert len(page.items) + len(page.unreadable) <= 1
    for item in page.items:
        assert item.external_id
        assert item.author.external_id
        assert item.author.handle
        assert all(isinstance(getattr(item, name), str) for name in TEXTS)
        assert all(isinstance(text, str) for text in (*item.fields, *item.fields.values()))
        assert all(isinstance(text, str) for text in item.attribution.values())
        assert isinstance(item.author.name + item.author.url + item.author.headline, str)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_push_with_anything_in_it_is_read_or_refused(data):
    app = App('client-1', 'client-secret-9')
    good = data.draw(
        st.sampled_from(
            [
                (
                    LinkedIn,
                    {
                        'type': 'ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS',
                        'notifications': [SAMPLES[0][2]],
                    },
                ),
                (
                    LinkedIn,
                    {
                        'type': 'LEAD_ACTION',
                        'leadAction': 'DELETED',
                        'occurredAt': 1763500000000,
                        'leadGenFormResponse': 'urn:li:leadGenFormResponse:1',
                        'owner': {'organization': ORG},
                    },
                ),
                (
                    Threads,
                    {'target_id': '1', 'values': {'field': 'replies', 'value': SAMPLES[-1][2]}},
                ),
                (
                    Threads,
                    {
                        'entry': [
                            {'id': '1', 'changes': [{'field': 'mentions', 'value': SAMPLES[-1][2]}]}
                        ]
                    },
                ),
            ]
        )
    )
    adapter, body = good
    path = data.draw(st.sampled_from(list(paths(body))))
    raw = json.dumps(replaced(body, path, data.draw(JSON))).encode()
    try:
        pushes = adapter(None, app).parse_webhook({}, raw)
    except Rejected:
        return
    for push in pushes:
        assert isinstance(push.account_id, str)
        assert push.stream in {'notifications', 'lead_forms', 'replies', 'mentions'}


def test_a_form_with_nonsense_in_it_is_read_or_left_out():
    for path in paths(FORM):
        for part in (None, 7, 'x', [], {}, [None], {'x': None}):
            try:
                found = form(replaced(FORM, path, part))
            except BAD:
                continue
            assert found.external_id
            assert all(question.key for question in found.questions)


# --- answers to calls -----------------------------------------------------------------------------

SINCE = now() - WEEK
VIDEO = Media('video/mp4', 'https://odoo.example/a.mp4', content=b'12345')
IMAGE = Media('image/png', 'https://odoo.example/a.png', content=b'1')
POST = Outgoing('post', 'hello')
SHARED_CALLS = {
    'whoami': lambda p, network: p.whoami(),
    'post': lambda p, network: p.send(POST, 'k'),
    'video': lambda p, network: p.send(Outgoing('post', 'film', media=(VIDEO,)), 'k'),
    'images': lambda p, network: p.send(Outgoing('post', 'two', media=(IMAGE, IMAGE)), 'k'),
    'reply': lambda p, network: p.send(network.outgoing(), 'k'),
    'find post': lambda p, network: p.find_sent(POST, 'k', SINCE),
    'find reply': lambda p, network: p.find_sent(network.outgoing(), 'k', SINCE),
}
LINKEDIN_CALLS = {
    **SHARED_CALLS,
    'brands': lambda p, network: p.brand_accounts(),
    'notifications': lambda p, network: p.fetch('notifications', '', since=SINCE),
    'leads': lambda p, network: p.fetch('lead_forms', '', since=SINCE),
    'forms': lambda p, network: p.lead_forms(),
    'thread': lambda p, network: p.thread('urn:li:comment:(urn:li:activity:7002,7001)'),
    'metrics': lambda p, network: p.metrics([post['id'] for post in network.posts]),
    'company': lambda p, network: p.profile('acme'),
    'member': lambda p, network: p.profile('in/rita-reed'),
}
THREADS_CALLS = {
    **SHARED_CALLS,
    **{
        stream: lambda p, network, one=stream: p.fetch(one, '', query='rye', since=SINCE)
        for stream in ('mentions', 'replies', 'own', 'search')
    },
    'thread': lambda p, network: p.thread(network.posts[1]['id']),
    'metrics': lambda p, network: p.metrics([network.root]),
    'profile': lambda p, network: p.profile('jana.n'),
    'refresh': lambda p, network: p.refresh(),
}


def linkedin_with_things(stubs):
    network = FakeLinkedIn(stubs)
    network.notify('hello')
    network.submit('hello')
    provider = network.provider()
    provider.send(Outgoing('post', 'film', media=(VIDEO,)), 'k')
    provider.send(Outgoing('post', 'hi'), 'k')
    network.statistics = {post['id']: {'likeCount': 1} for post in network.posts}
    return network


def threads_with_things(stubs):
    network = FakeThreads(stubs)
    for stream in ('mentions', 'replies', 'own', 'search'):
        network.put(stream, 'hello')
    return network


@pytest.mark.parametrize(
    ('make', 'calls'),
    [(linkedin_with_things, LINKEDIN_CALLS), (threads_with_things, THREADS_CALLS)],
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_answer_with_anything_in_it_is_an_error_of_ours_at_worst(make, calls, data):
    call = calls[data.draw(st.sampled_from(sorted(calls)), 'call')]
    number = data.draw(st.integers(0, 4), 'which answer')
    with responses.RequestsMock(assert_all_requests_are_fired=False) as stubs:
        network = make(stubs)
        provider = network.provider()
        provider.media_wait = provider.ready_wait = 0
        route, seen = network._route, []

        def spoilt(*args):
            answer = route(*args)
            seen.append(answer)
            if len(seen) != number + 1:
                return answer
            *status, body = answer if isinstance(answer, tuple) else (answer,)
            path = data.draw(st.sampled_from(list(paths(body))), 'path')
            body = replaced(body, path, data.draw(JSON, 'part'))
            return (*status, body) if status else body

        network._route = spoilt
        # A wrong id leads to calls that the fake does not know.
        with suppress(ProviderError, Breach):
            call(provider, network)
