"""How far event time has come, and which keys came before."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.io.pubsub.seen import Seen
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
            mark.pause(now)
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
    mark.pause(100.0)
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
    mark.pause(2.5)
    assert mark.value == 490 * SECOND
    mark.observe(times(1), 5.0)
    assert mark.value == 490 * SECOND


def test_goes_on_with_the_clock_while_nothing_comes():
    mark = Watermark(10 * SECOND, 30)
    mark.observe(times(100), 990.0)
    mark.observe(times(50), 1000.0)
    mark.pause(1029.9)
    assert mark.value == 90 * SECOND
    mark.pause(1030.0)
    assert mark.value == 120 * SECOND
    mark.pause(1045.5)
    assert mark.value == 135_500_000
    mark.observe(times(101), 1046.0)
    mark.pause(1060.0)
    assert mark.value == 135_500_000, "it is quiet for 14 s only"


def seen(horizon=10.0, max_keys=100):
    clock = [0.0]
    return Seen(horizon, max_keys, lambda: clock[0]), clock


def test_first_within_a_horizon():
    keys, clock = seen()
    assert keys.first(["a", "b", "a"]).tolist() == [True, True, False]
    clock[0] = 10.0
    assert keys.first(["a", "c"]).tolist() == [False, True]
    clock[0] = 10.1
    assert keys.first(["a", "b", "c"]).tolist() == [True, True, False]


def test_null_is_no_key():
    keys, _ = seen()
    assert keys.first([None, None, ""]).tolist() == [True, True, True]
    assert keys.first([None, ""]).tolist() == [True, False]
    assert keys.first([]).dtype == bool


def test_the_oldest_are_forgotten_where_there_are_many():
    keys, _ = seen(max_keys=100)
    keys.first(str(n) for n in range(250))
    assert keys.first(["149", "150", "249"]).tolist() == [True, False, False]
    assert len(keys._keys) == 101


@given(st.lists(st.lists(st.none() | st.sampled_from("abcdef"), max_size=6)))
def test_each_key_is_first_once(parts):
    keys, _ = seen()
    found = [key for part in parts for key in np.array(part, object)[keys.first(part)]]
    known = [key for key in found if key is not None]
    assert len(known) == len(set(known))
    assert set(found) == {key for part in parts for key in part}
