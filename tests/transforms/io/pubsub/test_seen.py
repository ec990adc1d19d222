"""Which keys came before."""

import random
import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.io.pubsub.seen import Seen


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
    for start in range(0, 250, 10):
        keys.first(str(n) for n in range(start, start + 10))
    assert keys.first(["100", "150", "249"]).tolist() == [True, False, False]


@given(st.lists(st.lists(st.none() | st.sampled_from("abcdef"), max_size=6)))
def test_each_key_is_first_once(parts):
    keys, _ = seen()
    found = [key for part in parts for key in np.array(part, object)[keys.first(part)]]
    known = [key for key in found if key is not None]
    assert len(known) == len(set(known))
    assert set(found) == {key for part in parts for key in part}


def test_as_a_set_would_say_over_many_runs():
    keys, clock = seen(horizon=1e9, max_keys=1 << 20)
    chance, known = random.Random(3), set()
    for _ in range(300):
        clock[0] += 1
        part = [
            chance.choice(["", "0", "00", "k"]) + str(chance.randrange(40_000)) for _ in range(200)
        ]
        assert keys.first(part).tolist() == [not (key in known or known.add(key)) for key in part]


def test_numbers_and_texts_alike_are_different_keys():
    keys, _ = seen()
    alike = ["7", "07", "007", "7 ", "\u0667", "+7", "-7", "7" * 18, "7" * 19, "\ud800"]
    assert keys.first(alike).all()
    assert not keys.first(alike).any()


def test_a_horizon_at_a_steady_rate():
    keys, clock = seen(horizon=80.0, max_keys=1 << 20)
    for second in range(400):
        clock[0] = float(second)
        assert keys.first(f"{second}-{n}" for n in range(50)).all()
        within = [f"{second - ago}-7" for ago in (1, 40, 79, 80) if second >= ago]
        assert not keys.first(within).any()
        clock[0] += 0.5
    assert sum(len(run.low) for run in keys._runs) < 50 * 80 * 1.3


def test_message_ids_take_few_bytes():
    tracemalloc.start()
    keys, clock = seen(horizon=600.0, max_keys=1 << 20)
    for start in range(0, 400_000, 1000):
        clock[0] += 1.0
        keys.first([str(10**15 + n) for n in range(start, start + 1000)])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 400_000 * 8 + 2_000_000
