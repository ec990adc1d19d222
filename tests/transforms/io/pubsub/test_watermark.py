"""How far event time has come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.io.pubsub.watermark import Watermark

SECOND = 10**6
TIMES = st.lists(st.integers(-(10**15), 10**15), max_size=4)
STEPS = st.lists(st.tuples(st.floats(0, 50), TIMES | st.none()), max_size=30)


def times(*seconds):
    return np.array(seconds, np.int64) * SECOND


@given(STEPS, st.integers(0, 10**8), st.floats(0, 60))
def test_never_goes_back_and_stays_behind_what_was_seen(steps, disorder, idle):
    mark, now, last, latest, quiet = Watermark(disorder, idle), 0.0, None, None, 0.0
    for wait, seen in steps:
        now += wait
        if seen is None:
            mark.pause(now, 0.0)
            quiet = max(quiet, now)
        else:
            mark.observe(np.array(seen, np.int64), now)
            latest = max([*seen, *([] if latest is None else [latest])], default=None)
        if last is not None:
            assert mark.value >= last
        last = mark.value
        assert (last is None) == (latest is None)
        if last is not None:
            assert last <= latest - disorder + SECOND * quiet


def test_begins_behind_the_earliest():
    mark = Watermark(10 * SECOND, 30)
    assert mark.value is None
    mark.pause(100.0, 0.0)
    assert mark.value is None, "nothing tells where event time is"
    mark.observe(times(50, 40, 60), 100.0)
    assert mark.value == 30 * SECOND


def test_what_was_seen_counts_once_it_has_settled():
    mark = Watermark(10 * SECOND, 30, settle=2.0)
    mark.observe(times(100), 0.0)
    mark.observe(times(500), 0.5)
    mark.observe(times(300), 1.9)
    assert mark.value == 90 * SECOND
    mark.observe(times(), 2.4)
    assert mark.value == 90 * SECOND
    mark.pause(2.5, 0.0)
    assert mark.value == 490 * SECOND
    mark.observe(times(1), 5.0)
    assert mark.value == 490 * SECOND


def test_goes_on_with_the_clock_while_nothing_comes():
    mark = Watermark(10 * SECOND, 30)
    mark.observe(times(100), 990.0)
    mark.observe(times(50), 1000.0)
    mark.pause(1029.9, 0.0)
    assert mark.value == 90 * SECOND
    mark.pause(1030.0, 0.0)
    assert mark.value == 120 * SECOND
    mark.pause(1045.5, 0.0)
    assert mark.value == 135_500_000
    mark.observe(times(101), 1046.0)
    mark.pause(1060.0, 0.0)
    assert mark.value == 135_500_000, "it is quiet for 14 s only"


def test_a_service_that_is_away_is_not_quiet():
    mark = Watermark(10 * SECOND, 30)
    mark.observe(times(100), 1000.0)
    mark.pause(1100.0, None)
    assert mark.value == 90 * SECOND
    mark.pause(1101.0, 1100.0)
    assert mark.value == 90 * SECOND, "what piled up may come any time now"
    mark.pause(1135.0, 1100.0)
    assert mark.value == 125 * SECOND


def test_held_at_the_start_there_is_none():
    mark = Watermark(10 * SECOND, 30, settle=2.0, held_until=75.0)
    mark.observe(times(500), 10.0)
    mark.pause(74.0, 0.0)
    mark.observe(times(100), 74.5)
    assert mark.value is None
    mark.pause(75.0, 0.0)
    assert mark.value == 490 * SECOND, "what came before, settled"


def test_by_the_time_of_publishing_it_goes_on_before_the_first_message():
    """A subscription without any message, of labels say, keeps no window open."""
    quiet = Watermark(2 * 10**6, idle=30, clock=lambda: 1000 * 10**6)
    quiet.pause(10, reached=None)
    quiet.pause(100, reached=90)
    assert quiet.value is None
    quiet.pause(121, reached=90)
    assert quiet.value == 998 * 10**6
    other = Watermark(2 * 10**6, idle=30)
    other.pause(121, reached=90)
    assert other.value is None, "event times may be any"
    held = Watermark(0, idle=1, held_until=500, clock=lambda: 0)
    held.pause(400, reached=0)
    assert held.value is None
