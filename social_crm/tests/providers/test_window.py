"""Reading a list by windows of time: nothing lost, little twice, whatever the order."""

from datetime import datetime, timedelta, timezone

import pytest

from social_crm.providers.window import CLOCK_SKEW, KEEP, Window

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)


def at(**ago):
    return NOW - timedelta(**ago)


def take(window, entries, place=''):
    """Take a page of pairs of id and time in; return the fresh ids, what follows, and ``more``."""
    ids = [entry for entry, _moment in entries]
    fresh, window, more = window.step(ids, [moment for _entry, moment in entries], place)
    return [ids[number] for number in fresh], window, more


def again(window, since=None, now=NOW):
    return Window.start(window.cursor(), since, HOUR, now)


def test_a_new_list_is_read_from_now_on():
    window = Window.start('', None, HOUR, NOW)
    assert (window.since, window.until) == (NOW - HOUR, NOW + CLOCK_SKEW)
    fresh, window, more = take(window, [('a', at(minutes=5))])
    assert (fresh, more) == ([], False)
    fresh, _window, _more = take(again(window), [('a', at(minutes=5)), ('b', NOW)])
    assert fresh == ['b']


def test_the_silence_lasts_for_all_pages_of_the_first_window():
    window = Window.start('', None, HOUR, NOW)
    fresh, window, more = take(window, [('a', at(minutes=5))], '1')
    assert (fresh, more) == ([], True)
    fresh, window, _more = take(again(window), [('b', at(minutes=6))])
    assert fresh == []
    assert take(again(window), [('a', NOW), ('b', NOW), ('c', NOW)])[0] == ['c']


def test_the_next_window_begins_before_the_last_one_began():
    window = Window.start('', NOW - WEEK, HOUR, NOW)
    fresh, window, _more = take(window, [('a', at(days=3)), ('b', at(minutes=5))])
    assert fresh == ['a', 'b']
    later = again(window, now=NOW + timedelta(minutes=30))
    assert later.since == NOW - HOUR
    late = [('b', at(minutes=5)), ('late', at(minutes=50)), ('c', NOW)]
    assert take(later, late)[0] == ['late', 'c']


def test_the_end_of_a_window_stays_while_its_pages_are_read():
    window = Window.start('', NOW - WEEK, HOUR, NOW)
    _fresh, window, more = take(window, [('a', at(days=3))], '1')
    assert more
    later = again(window, now=NOW + HOUR)
    assert (later.since, later.until, later.place) == (NOW - WEEK, NOW + CLOCK_SKEW, '1')


def test_an_entry_that_moves_to_the_next_page_is_given_once():
    window = Window.start('', NOW - WEEK, HOUR, NOW)
    _fresh, window, _more = take(window, [('a', at(days=3)), ('b', at(days=3))], '2')
    fresh, _window, _more = take(again(window), [('b', at(days=3)), ('c', at(days=3))])
    assert fresh == ['c']


def test_an_entry_that_a_page_holds_twice_is_given_once():
    window = Window.start('', NOW - WEEK, HOUR, NOW)
    assert take(window, [('a', NOW), ('a', NOW)])[0] == ['a']


def test_a_network_that_gives_the_same_page_again_is_left():
    window = Window.start('', NOW - WEEK, HOUR, NOW)
    page = [('a', at(days=3)), ('b', at(days=3))]
    _fresh, window, more = take(window, page, '2')
    assert more
    fresh, _window, more = take(again(window), page, '4')
    assert (fresh, more) == ([], False)


def test_an_empty_page_is_not_the_end_where_the_network_names_a_next_one():
    window = Window.start('', NOW - WEEK, HOUR, NOW)
    _fresh, window, more = take(window, [], 'next list')
    assert more
    assert take(again(window), [('a', NOW)])[0] == ['a']


def test_a_cursor_stays_small_and_then_repeats():
    window = Window.start('', NOW - WEEK, HOUR, NOW)
    many = [(str(number), at(minutes=5)) for number in range(2 * KEEP)]
    _fresh, window, _more = take(window, many)
    assert len(window.cursor()) < 6000
    assert len(take(again(window), many)[0]) == KEEP


def test_what_has_no_time_is_remembered():
    window = Window.start('', NOW - WEEK, HOUR, NOW)
    _fresh, window, _more = take(window, [('broken', None)])
    assert take(again(window), [('broken', None)])[0] == []


@pytest.mark.parametrize('nonsense', ['', 'x', '[]', '{}', 'null', '{"since": "x", "seen": []}'])
def test_a_cursor_that_cannot_be_read_counts_as_none(nonsense):
    window = Window.start(nonsense, NOW - WEEK, HOUR, NOW)
    assert (window.since, window.seen, window.silent) == (NOW - WEEK, (), False)
