"""What every adapter has to fulfil, whatever the network.

A network's test module makes a class of :class:`Contract` and a fixture ``network``: a fake of the
network with these hands (see :class:`.fake_mastodon.FakeMastodon`):

- ``streams``: pairs of stream and query
- ``provider(token=None)``: a connected adapter
- ``put(stream, text, minutes_ago=1, **values)``: something inbound happens; its id
- ``forget(id)``: it is deleted; ``spoil(id, …)``: it becomes unreadable
- ``fault((status, headers, body) or exception)``: what the next call gets instead
- ``lose_answer(fault=None)``: the next posting is carried out, its answer lost
- ``outgoing(text, kind, …)``: an answer to something; ``sent``: the texts that arrived
- ``bad``: values for ``spoil`` that make an item unreadable; ``good``: those that mend it
"""

import json
import logging
import traceback
from datetime import datetime, timedelta, timezone

import pytest
import requests

from social_crm.providers.errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)
from social_crm.providers.types import Item, Outgoing

WEEK = timedelta(days=7)
NASTY = [
    'emoji 👩‍👩‍👧‍👦 🇦🇹 👍🏽',
    'مرحبا بالعالم שלום',
    'zero\u200bwidth \u202eright to left',
    '<script>alert(1)</script> & "quotes" \'single\'',
    'long ' + 'x' * 5000,
    '日本語のテキスト',
]


#: What networks name what they made by.
NAMES = ('id', 'uri', 'url', 'message_id', 'dm_event_id', 'commentUrn', '$URN')


def now():
    return datetime.now(timezone.utc)


def naming(wrong):
    """Return an answer that names what was made by something that is no name."""
    names = dict.fromkeys(NAMES, wrong)
    return json.dumps({**names, 'data': names})


def drain(provider, stream, query, cursor='', since=None, limit=60):
    """Fetch until there is nothing more; return all items and the last cursor."""
    items = []
    for _ in range(limit):
        page = provider.fetch(stream, cursor, query=query, since=since)
        items += page.items
        cursor = page.next_cursor
        if not page.more:
            return items, cursor
    raise AssertionError('the stream has no end')


class Contract:
    """Inherit, and provide the fixture ``network``."""

    def each(self, network):
        for stream, query in network.streams:
            yield network.provider(), stream, query

    # --- paging ----------------------------------------------------------------------------------

    def test_listening_from_now_on_gives_only_what_comes(self, network):
        for provider, stream, query in self.each(network):
            network.put(stream, 'old')
            items, cursor = drain(provider, stream, query)
            assert items == []
            wanted = network.put(stream, 'new', minutes_ago=0)
            items, cursor = drain(provider, stream, query, cursor)
            assert [self.id_of(network, item) for item in items] == [self.item_id(network, wanted)]
            assert drain(provider, stream, query, cursor)[0] == []

    def test_an_empty_stream_stays_quiet_and_then_works(self, network):
        for provider, stream, query in self.each(network):
            items, cursor = drain(provider, stream, query)
            assert (items, bool(cursor)) == ([], True)
            network.put(stream, 'first', minutes_ago=0)
            assert len(drain(provider, stream, query, cursor)[0]) == 1

    def test_backfill_gives_everything_since_exactly_once(self, network):
        for provider, stream, query in self.each(network):
            count = 60 if stream == 'notifications' else 130
            network.put(stream, 'older', minutes_ago=60 * 24 * 9)
            for number in range(count):
                network.put(stream, f'n{number}', minutes_ago=count - number)
            items, _cursor = drain(provider, stream, query, since=now() - WEEK)
            assert len(items) == count
            assert len({item.external_id for item in items}) == count

    def test_pages_are_oldest_first(self, network):
        for provider, stream, query in self.each(network):
            for number in range(5):
                network.put(stream, f'n{number}', minutes_ago=5 - number)
            page = provider.fetch(stream, '', query=query, since=now() - WEEK)
            times = [item.posted_at for item in page.items]
            assert len(times) == 5
            assert times == sorted(times)

    def test_arrivals_between_pages_are_not_lost(self, network):
        for provider, stream, query in self.each(network):
            _, cursor = drain(provider, stream, query)
            for number in range(50):
                network.put(stream, f'n{number}', minutes_ago=(50 - number) / 30)
            found = []
            for round_ in range(20):
                page = provider.fetch(stream, cursor, query=query)
                found += page.items
                cursor = page.next_cursor
                if round_ < 3:
                    network.put(stream, f'm{round_}', minutes_ago=0)
            assert len({item.external_id for item in found}) == 53

    def test_a_crash_before_the_cursor_is_stored_loses_nothing(self, network):
        for provider, stream, query in self.each(network):
            _, cursor = drain(provider, stream, query)
            for number in range(45):
                network.put(stream, f'n{number}', minutes_ago=(45 - number) / 30)
            found = []
            for attempt in range(20):
                page = provider.fetch(stream, cursor, query=query)
                if attempt % 2:  # every other page is lost with its cursor
                    found += page.items
                    cursor = page.next_cursor
            assert len({item.external_id for item in found}) == 45

    def test_a_deleted_entry_is_no_lost_cursor(self, network):
        for provider, stream, query in self.each(network):
            network.put(stream, 'keep')
            last = network.put(stream, 'gone')
            _, cursor = drain(provider, stream, query)
            network.forget(last)
            network.put(stream, 'new', minutes_ago=0)
            assert len(drain(provider, stream, query, cursor)[0]) == 1

    def test_cursors_are_small_text_and_survive_nonsense(self, network):
        for provider, stream, query in self.each(network):
            for number in range(45):
                network.put(stream, f'n{number}', minutes_ago=1)
            _, cursor = drain(provider, stream, query)
            assert isinstance(cursor, str)
            assert len(cursor) < 6000
            for nonsense in ('x', '[]', '{}', 'null', '{"seen": 1}'):
                page = provider.fetch(stream, nonsense, query=query, since=now() - WEEK)
                assert page.items

    def test_unknown_streams_are_not_supported(self, network):
        with pytest.raises(NotSupported):
            network.provider().fetch('no-such-stream', '')

    # --- items -----------------------------------------------------------------------------------

    def test_items_are_complete(self, network):
        for provider, stream, query in self.each(network):
            network.put(stream, 'hello')
            (item,), _ = drain(provider, stream, query, since=now() - WEEK)
            assert isinstance(item, Item)
            assert item.external_id
            assert item.author.external_id
            assert item.author.handle
            assert not item.author.handle.startswith('@')
            assert item.posted_at.utcoffset() == timedelta(0)
            assert item.own == (stream == 'own')
            assert 'hello' in item.text
            assert '<' not in item.text
            assert item.raw is not None

    def test_an_item_can_be_read_again_from_its_raw(self, network):
        for provider, stream, query in self.each(network):
            network.put(stream, 'hello')
            (item,), _ = drain(provider, stream, query, since=now() - WEEK)
            calls = len(network.calls)
            page = provider.read(stream, json.loads(json.dumps(item.raw)))
            assert page.items == (item,)
            assert len(network.calls) == calls

    @pytest.mark.parametrize('text', NASTY)
    def test_unicode_survives(self, network, text):
        stream, query = network.streams[0]
        network.put(stream, text.replace('&', '&amp;').replace('<', '&lt;'))
        (item,), _ = drain(network.provider(), stream, query, since=now() - WEEK)
        assert text in item.text

    def test_what_no_database_takes_is_taken_out(self, network):
        stream, query = network.streams[0]
        network.put(stream, 'nul \x00 and \ud83d half')
        (item,), _ = drain(network.provider(), stream, query, since=now() - WEEK)
        assert 'nul' in item.text
        item.text.encode()
        assert '\0' not in item.text

    def test_one_bad_item_parks_and_the_others_pass(self, network):
        for provider, stream, query in self.each(network):
            network.put(stream, 'good1', minutes_ago=3)
            bad = network.put(stream, 'bad', minutes_ago=2)
            network.put(stream, 'good2', minutes_ago=1)
            network.spoil(bad, **network.bad)
            page = provider.fetch(stream, '', query=query, since=now() - WEEK)
            assert len(page.items) == 2
            (unreadable,) = page.unreadable
            assert unreadable.reason
            json.dumps(unreadable.payload)
            mended = network.mend(unreadable.payload)
            assert len(provider.read(stream, mended).items) == 1
            assert provider.read(stream, unreadable.payload).unreadable
            # It is not given again.
            assert not provider.fetch(stream, page.next_cursor, query=query).unreadable

    @pytest.mark.parametrize('payload', [None, 1, 'x', [], {}, {'id': None}])
    def test_reading_nonsense_parks_it(self, network, payload):
        for provider, stream, _query in self.each(network):
            page = provider.read(stream, payload)
            assert page.items == ()
            assert len(page.unreadable) == 1

    # --- failures of reading calls ---------------------------------------------------------------

    @pytest.mark.parametrize(
        ('status', 'error'),
        [
            (401, AuthorizationLost),
            (404, NotFound),
            (410, NotFound),
            (422, Rejected),
            (500, Transient),
            (502, Transient),
            (503, Transient),
            (504, Transient),
            (520, Transient),
            (408, Transient),
        ],
    )
    def test_statuses_become_errors_by_intent(self, network, status, error):
        stream, query = network.streams[0]
        network.fault((status, {}, '{"error": "said so"}'))
        with pytest.raises(error):
            network.provider().fetch(stream, '', query=query)

    def test_a_missing_right_is_no_dead_grant(self, network):
        stream, query = network.streams[0]
        network.fault((403, {}, '{"error": "outside the authorized scopes"}'))
        with pytest.raises(PermissionMissing):
            network.provider().fetch(stream, '', query=query)

    def test_a_dead_token_is_a_dead_grant(self, network):
        stream, query = network.streams[0]
        for call in (
            lambda p: p.fetch(stream, '', query=query),
            lambda p: p.whoami(),
            lambda p: p.send(network.outgoing(), 'key'),
        ):
            with pytest.raises(AuthorizationLost):
                call(network.provider(token='dead-token-1'))

    def test_without_a_token_nothing_is_called(self, network):
        provider = network.provider()
        provider.token = None
        with pytest.raises(AuthorizationLost):
            provider.fetch(*network.streams[0])
        assert not network.calls

    @pytest.mark.parametrize(
        'fault',
        [
            (200, {'Content-Type': 'text/html'}, '<html>Checking your browser</html>'),
            (200, {}, ''),
            (200, {}, '"text"'),
            (200, {}, '[' * 100_000),
            (200, {}, 'null'),
            requests.ReadTimeout('read'),
            requests.ConnectTimeout('connect'),
            requests.ConnectionError('reset'),
            requests.exceptions.SSLError('certificate'),
            requests.exceptions.ChunkedEncodingError('short'),
        ],
    )
    def test_broken_answers_are_passing_trouble(self, network, fault):
        stream, query = network.streams[0]
        network.fault(fault)
        with pytest.raises(Transient):
            network.provider().fetch(stream, '', query=query)

    @pytest.mark.parametrize('form', ['iso', 'epoch', 'seconds', 'date'])
    def test_a_rate_limit_says_until_when(self, network, form):
        until = (now() + timedelta(minutes=4)).replace(microsecond=0)
        headers = {
            'iso': {'X-RateLimit-Reset': until.isoformat().replace('+00:00', '.000000Z')},
            'epoch': {'X-RateLimit-Reset': str(int(until.timestamp()))},
            'seconds': {'Retry-After': '240'},
            'date': {'Retry-After': until.strftime('%a, %d %b %Y %H:%M:%S GMT')},
        }[form]
        stream, query = network.streams[0]
        network.fault((429, headers, '{"error": "Too many requests"}'))
        with pytest.raises(RateLimited) as caught:
            network.provider().fetch(stream, '', query=query)
        assert abs(caught.value.until - until) < timedelta(seconds=5)

    @pytest.mark.parametrize('nonsense', ['', 'soon', '-1', '9' * 40, '2001-01-01T00:00:00Z'])
    def test_a_rate_limit_with_nonsense_says_nothing(self, network, nonsense):
        stream, query = network.streams[0]
        headers = {'X-RateLimit-Reset': nonsense, 'Retry-After': nonsense}
        network.fault((429, headers, 'no json'))
        with pytest.raises(RateLimited) as caught:
            network.provider().fetch(stream, '', query=query)
        assert caught.value.until is None

    def test_a_failed_page_can_be_asked_again(self, network):
        for provider, stream, query in self.each(network):
            _, cursor = drain(provider, stream, query)
            network.put(stream, 'new', minutes_ago=0)
            network.fault((503, {}, ''))
            with pytest.raises(Transient):
                provider.fetch(stream, cursor, query=query)
            assert len(drain(provider, stream, query, cursor)[0]) == 1

    # --- sending ---------------------------------------------------------------------------------

    def test_sending_says_what_came_of_it(self, network):
        outgoing = network.outgoing('Yes, we ship')
        sent = network.provider().send(outgoing, 'key-1')
        assert sent.external_id
        assert sent.sent_at.utcoffset() == timedelta(0)
        assert len(network.sent) == 1
        assert 'Yes, we ship' in network.sent[0]

    @pytest.mark.parametrize(
        'fault',
        [
            requests.ReadTimeout('x'),
            requests.ConnectionError('reset'),
            (502, {}, ''),
            (503, {}, ''),
            (504, {}, ''),
            (520, {}, ''),
            (524, {}, ''),
            (200, {}, '<html>'),
            requests.exceptions.ChunkedEncodingError('short'),
        ],
    )
    def test_a_lost_answer_leaves_the_outcome_unknown_and_it_is_found(self, network, fault):
        provider, outgoing, before = network.provider(), network.outgoing('Yes: 10 €'), now()
        network.lose_answer(fault)
        self.send_unclear(provider, outgoing, 'key-1')
        found = provider.find_sent(outgoing, 'key-1', before)
        assert found.external_id
        assert len(network.sent) == 1

    @pytest.mark.parametrize(
        'answer',
        [
            *((200, {}, naming(wrong)) for wrong in (None, '', 0, True, 1.5, {}, {'a': 1}, ['x'])),
            (201, {}, '{}'),
            (204, {}, ''),
            (301, {'Location': 'https://elsewhere.example/'}, ''),
            (302, {'Location': '/'}, '<html>'),
            (303, {'Location': '/made'}, '{}'),
        ],
    )
    def test_an_answer_that_names_nothing_leaves_the_outcome_unknown(self, network, answer):
        provider, outgoings = network.provider(), [network.outgoing('Yes')]
        if 'messages' in dict(network.streams):
            outgoings.append(network.outgoing('Yes', 'message'))
        if not provider.default_limits.media_required:
            outgoings.append(Outgoing('post', 'Hello'))
        for number, outgoing in enumerate(outgoings):
            network.lose_answer(answer)
            self.send_unclear(provider, outgoing, f'key-{number}')
            assert len(network.sent) == number + 1

    def test_what_never_arrived_is_not_found(self, network):
        provider, outgoing, before = network.provider(), network.outgoing('Yes'), now()
        network.fault(requests.ReadTimeout('x'))
        with pytest.raises(OutcomeUnknown):
            provider.send(outgoing, 'key-1')
        assert provider.find_sent(outgoing, 'key-1', before) is None

    def test_other_posts_are_not_taken_for_it(self, network):
        provider, outgoing = network.provider(), network.outgoing('Yes')
        other = network.outgoing('Yes')
        provider.send(other, 'key-0')
        provider.send(network.outgoing('No'), 'key-1')
        assert provider.find_sent(outgoing, 'key-2', now() - timedelta(minutes=1)) is None
        assert provider.find_sent(other, 'key-0', now() + timedelta(hours=1)) is None

    def test_a_refused_connection_was_not_sent(self, network):
        outgoing = network.outgoing()
        network.fault(requests.ConnectTimeout('no route'))
        with pytest.raises(Transient):
            network.provider().send(outgoing, 'key-1')
        assert network.sent == []

    def test_a_refusal_keeps_the_networks_words(self, network):
        outgoing = network.outgoing()
        network.fault((422, {}, '{"error": "Validation failed: too long"}'))
        with pytest.raises(Rejected) as caught:
            network.provider().send(outgoing, 'key-1')
        assert caught.value.reason == 'Validation failed: too long'
        assert caught.value.code == '422'

    def test_deleting_twice_is_quiet(self, network):
        provider = network.provider()
        if 'delete' not in provider.features:
            pytest.skip('no delete')
        sent = provider.send(network.outgoing(), 'key-1')
        try:
            provider.delete(sent.external_id, sent.local_id)
        except NotSupported:
            return  # this server has no such call, and says so
        provider.delete(sent.external_id, sent.local_id)
        assert network.sent == []

    def test_metrics_leave_out_what_is_gone(self, network):
        provider = network.provider()
        sent = [provider.send(network.outgoing(f'n{n}'), f'key-{n}') for n in range(23)]
        ids = [one.local_id or one.external_id for one in sent]
        found = provider.metrics([*ids, network.missing_id])
        assert set(found) == set(ids)
        assert all(metrics.likes is not None for metrics in found.values())

    def test_limits_are_sane(self, network):
        limits = network.provider().limits()
        assert limits.text_length >= 100
        assert all('/' in kind for kind in (*limits.image_types, *limits.video_types))

    @pytest.mark.parametrize('text', ['', 'abc', 'ä', '👩‍👩‍👧‍👦', 'e\u0301', 'x' * 1000])
    def test_counting_is_never_more_than_code_points(self, network, text):
        assert 0 <= network.provider().count(text) <= len(text)

    def test_a_profile_that_is_not_there(self, network):
        with pytest.raises(NotFound):
            network.provider().profile('nobody@nowhere.example')

    # --- secrets ---------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        'fault',
        [
            requests.ConnectionError('https://h/?access_token=SECRET-1'),
            (401, {}, None),
            (403, {}, None),
            (422, {}, None),
            (429, {}, None),
            (500, {}, None),
            (200, {}, None),
        ],
    )
    def test_no_error_and_no_log_holds_a_secret(self, network, fault, caplog):
        caplog.set_level(logging.DEBUG)
        provider = network.provider(token='SECRET-1')
        echo = json.dumps({'error': 'bad token SECRET-1', 'error_description': 'SECRET-1'})
        outgoing = network.outgoing()
        for call in (
            lambda: provider.whoami(),
            lambda: provider.fetch(*network.streams[0]),
            lambda: provider.send(outgoing, 'key'),
        ):
            network.fault((*fault[:2], echo) if isinstance(fault, tuple) else fault)
            with pytest.raises(ProviderError) as caught:
                call()
            shown = ''.join(traceback.format_exception(caught.value))
            shown += repr(caught.value) + str(vars(caught.value)) + repr(caught.value.__context__)
            assert 'SECRET-1' not in shown
        assert 'SECRET-1' not in caplog.text
        assert 'SECRET-1' not in repr(provider.token)

    # --- helpers a network may override ----------------------------------------------------------

    def send_unclear(self, provider, outgoing, key):
        """Send what arrives and gets no usable answer."""
        with pytest.raises(OutcomeUnknown):
            provider.send(outgoing, key)

    def id_of(self, _network, item):
        return item.local_id or item.external_id

    def item_id(self, network, entry_id):
        """Return the item's id for an entry's id (a notification holds an item)."""
        return network.item_id(entry_id)
