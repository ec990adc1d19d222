"""Rows that wait are counted as if each batch were counted by itself."""

from itertools import chain

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of
from tests.transforms.drift.test_counts import PLAIN, ROWS, SLICED, batch, groups, same
from transforms.drift.counting import counts as counting
from transforms.drift.counting import tally as waiting
from transforms.drift.counting.counts import Counts, count_batch, count_groups
from transforms.drift.counting.panes import Panes, PaneTally, open_rows
from transforms.drift.counting.tally import Tally

SECOND = 10**6


def added(layout, batches):
    tally = Tally(layout)
    for each in batches:
        tally.add(each)
    return tally.counts()


def summed(layout, batches):
    whole = Counts.empty(layout)
    for each in batches:
        whole = whole.merge(count_batch(layout, each))
    return whole


@pytest.mark.parametrize("layout", [PLAIN, SLICED], ids=["whole", "slices"])
@given(parts=st.lists(ROWS, max_size=5))
def test_batches_that_wait_are_counted_as_one(layout, parts):
    given_ = [batch(rows) for rows in parts]
    assert same(added(layout, given_), summed(layout, given_))


def test_schemas_may_change():
    amount = [0.5, None]
    given_ = [
        batch_of(amount=amount, kind=["Cash", "x"]),
        batch_of(kind=["Card", None], amount=amount, extra=[1, 2]),
        batch_of(amount=pa.array([1, 2], pa.int8()), other=["a", "b"]),
        batch_of(nothing=[1.0, 2.0]),
        batch_of(amount=amount, kind=pa.array(["Cash", None]).dictionary_encode()),
        batch_of(amount=amount, kind=pa.array(["Card", "Cash"]).dictionary_encode()),
    ]
    found = added(PLAIN, given_)
    assert same(found, summed(PLAIN, given_))
    assert found.new == ("extra", "nothing", "other")
    assert found.rows.tolist() == [12]


@pytest.mark.parametrize("name", ["ROWS", "VALUES", "BYTES"])
def test_few_rows_wait_at_a_time(monkeypatch, name):
    monkeypatch.setattr(waiting, name, 20)
    counted = []
    monkeypatch.setattr(
        waiting,
        "count_batch",
        lambda layout, rows: counted.append(rows.num_rows) or count_batch(layout, rows),
    )
    rows = [(0.5, "Cash", 0)] * 10
    assert added(PLAIN, [batch(rows)] * 7).rows.tolist() == [70]
    assert max(counted) <= 20
    assert sum(counted) == 70


@pytest.mark.parametrize("layout", [PLAIN, SLICED], ids=["whole", "slices"])
@given(rows=ROWS)
def test_groups_are_counted_a_part_at_a_time(layout, rows):
    whole = list(count_groups(layout, batch(rows), groups(rows), 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_TABLE_BYTES", 1)
        parts = list(count_groups(layout, batch(rows), groups(rows), 3))
    assert all(same(one, other) for one, other in zip(whole, parts, strict=True))


TIMES = st.lists(st.integers(-20 * SECOND, 20 * SECOND) | st.none(), max_size=30)


@given(
    parts=st.lists(TIMES, max_size=4),
    is_sorted=st.booleans(),
    period=st.sampled_from([10, 5, 3]),
    closed=st.none() | st.integers(-20, 20),
)
def test_panes_hold_the_rows_of_their_time(parts, is_sorted, period, closed):
    windows = Panes.of(10, period)
    tally, found, late, missed = PaneTally(PLAIN, windows), {}, 0, 0
    panes, size, step = [], 10 * SECOND, period * SECOND
    for times in parts:
        times = sorted(times, key=lambda t: (t is None, t)) if is_sorted else times
        rows = batch_of(
            time=pa.array(times, pa.timestamp("us")), amount=pa.array([0.5] * len(times))
        )
        given_ = open_rows(rows, "time", windows, None if closed is None else closed * SECOND)
        late, missed = late + given_.late, missed + given_.missed
        panes.append(list(tally.add(given_)))
    for pane in chain(*panes, tally.panes()):
        found[pane.key] = found[pane.key].merge(pane) if pane.key in found else pane
    told, kept_out, lost = {}, 0, 0
    for time in chain(*parts):
        if time is None:
            continue
        starts = [s for s in range(time - time % step, time - size, -step)]
        is_open = [s for s in starts if closed is None or s + size > closed * SECOND]
        kept_out, lost = kept_out + len(starts) - len(is_open), lost + (not is_open)
        for start in is_open:
            told[start] = told.get(start, 0) + 1
    held = {}
    for (start, open_from), pane in found.items():
        assert start <= pane.latest < start + windows.pane_us
        assert pane.counts.new == ("time",)
        last = start - start % step
        for window in range(last, start + windows.pane_us - size - 1, -step):
            if window >= open_from:
                held[window] = held.get(window, 0) + int(pane.counts.rows[0])
    assert held == told
    assert (late, missed) == (lost, kept_out)


def test_what_is_counted_in_order_and_what_is_not():
    """Runs of neighbours and single rows of many panes give the same panes."""
    micros = np.sort(np.random.default_rng(0).integers(0, 40 * SECOND, 50_000))
    rows = batch_of(
        time=pa.array(micros, pa.timestamp("us")),
        amount=np.random.default_rng(1).normal(size=50_000),
        kind=["Cash", "Card"] * 25_000,
    )
    order = np.random.default_rng(2).permutation(50_000)
    ways = {"in order": rows, "shuffled": rows.take(pa.array(order))}
    found = {}
    for name, each in ways.items():
        tally, panes = PaneTally(PLAIN, Panes.of(10)), {}
        parts = [each.slice(at, 3000) for at in range(0, 50_000, 3000)]
        made = (tally.add(open_rows(part, "time", Panes.of(10))) for part in parts)
        for pane in chain(chain.from_iterable(made), tally.panes()):
            panes[pane.key] = panes[pane.key].merge(pane) if pane.key in panes else pane
        found[name] = {key: (pane.latest, pane.counts) for key, pane in panes.items()}
    one, other = found.values()
    assert list(sorted(one)) == [(at * 10 * SECOND,) * 2 for at in range(4)]
    for key, (latest, counted) in one.items():
        assert latest == other[key][0]
        assert same(counted, other[key][1])
        inside = micros // (10 * SECOND) == key[0] // (10 * SECOND)
        assert counted.rows.tolist() == [int(inside.sum())]
