import itertools
import time
import types

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import DebugOptions
from apache_beam.transforms.userstate import get_dofn_specs
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import Collect, batch_of, local_pipeline, run_on
from tests.support_streams import Trickle, at, panes, run_prism, run_stream, seen, stream, timed
from transforms.batches import MESSAGE, row_sources, with_source
from transforms.errors import ConfigError
from transforms.windows import micro_batch
from transforms.windows.micro_batch import SHARDS, MicroBatch, fill, shard_of
from transforms.windows.window_batches import WindowBatches

HOUR = 3600.0
MANY = {"max_rows": 1000, "max_bytes": 1 << 20}


def of_shard(number, shard=0, first=0):
    """Different times within ten minutes of `first`, whose batches of one row share a shard."""
    found = [first + tick / 8 for tick in range(4800)]
    return [second for second in found if shard_of(timed(second)) == shard][:number]


def windowed(rows, **micro):
    return seen(rows | WindowBatches(600, event_time_column="time") | MicroBatch(**MANY | micro))


def unbounded(rows):
    """The rows, as of an input without end: FnApiRunner has none, and keeps no state for others."""
    rows = rows | "Unbounded" >> beam.Map(lambda batch: batch).with_output_types(pa.RecordBatch)
    rows.is_bounded = False
    return rows


def all_rows(batches):
    return sorted(n for batch in batches for n in batch["n"].to_pylist())


def by_window(out):
    found = {}
    for start, _, rows in out:
        found.setdefault(start, []).extend(rows)
    return {start: sorted(rows) for start, rows in found.items()}


def clock():
    """A stream whose clock agrees with that of this process; deadlines are of an hour."""
    return stream().advance_processing_time(int(time.time()))


def test_a_deadline_joins_what_came_till_then_while_the_source_is_idle():
    a, b, c, d = of_shard(4)
    given = clock().add_elements(at(timed(a))).add_elements(at(timed(c)))
    given = given.add_elements(at(timed(b))).advance_processing_time(1.5 * HOUR)
    given = given.add_elements(at(timed(d))).advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: windowed(rows, deadline=HOUR))
    assert out == [(0, c, [a, c, b]), (0, d, [d])], "joined, at the latest time, in their window"


def test_the_deadline_is_that_of_the_first_row(monkeypatch):
    """Later rows do not put it off."""
    calls = itertools.count()
    start = int(time.time())
    later = types.SimpleNamespace(time=lambda: start + next(calls) * 0.6 * HOUR)
    monkeypatch.setattr(micro_batch, "time", later)
    a, b, c = of_shard(3)
    given = clock().add_elements(at(timed(a))).advance_processing_time(0.6 * HOUR)
    given = given.add_elements(at(timed(b))).advance_processing_time(0.6 * HOUR)
    given = given.add_elements(at(timed(c))).advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: windowed(rows, deadline=HOUR))
    assert [rows for _, _, rows in out] == [[a, b], [c]]


def test_a_second_deadline():
    a, b, c = of_shard(3)
    given = clock().add_elements(at(timed(a))).advance_processing_time(2 * HOUR)
    given = given.add_elements(at(timed(b))).advance_processing_time(2 * HOUR)
    given = given.add_elements(at(timed(c))).advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: windowed(rows, deadline=HOUR))
    assert [rows for _, _, rows in out] == [[a], [b], [c]]


def test_the_end_of_the_window_comes_before_the_deadline():
    a, b = of_shard(2)
    c, d = of_shard(2, first=600)
    given = clock().add_elements(at(timed(a, c))).add_elements(at(timed(d)))
    given = given.add_elements(at(timed(b))).advance_watermark_to(600)
    given = given.add_elements(at(timed(1200))).advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: windowed(rows, deadline=HOUR))
    assert out == [(0, b, [a, b]), (600, d, [c, d]), (1200, 1200, [1200])]


def test_the_global_window_ends_too():
    a, b = of_shard(2)
    given = clock().add_elements(at(timed(a))).add_elements(at(timed(b)))
    given = given.advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: rows | MicroBatch(**MANY, deadline=HOUR))
    assert [batch["n"].to_pylist() for batch in out] == [[a, b]]


@pytest.mark.parametrize(
    ("bounds", "sizes"),
    [({"max_rows": 3}, [3, 3]), ({"max_bytes": 2 * timed(1).nbytes}, [2, 2, 2, 2])],
)
def test_enough_rows_do_not_wait(bounds, sizes):
    times = of_shard(8)
    given = clock()
    for second in times:
        given = given.add_elements(at(timed(second)))
    given = given.add_elements(at(timed(*[600] * 1000))).advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: windowed(rows, deadline=HOUR, **bounds))
    before = list(itertools.takewhile(lambda found: found[0] == 0, out))
    assert [len(rows) for _, _, rows in before] == sizes
    assert by_window(out) == {0: times, 600: [600] * 1000}


def test_what_enough_rows_leave_over_still_has_a_deadline():
    a, b, c, d = of_shard(4)
    given = clock().add_elements(at(timed(a, b, c)))
    given = given.advance_processing_time(1.5 * HOUR)
    given = given.add_elements(at(timed(d))).advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: windowed(rows, max_rows=2, deadline=HOUR))
    assert [rows for _, _, rows in out] == [[a, b], [c], [d]]


def test_rows_after_the_end_of_their_window_come_out():
    a, b, c = of_shard(3)
    given = clock().add_elements(at(timed(a))).advance_watermark_to(5000)
    given = given.add_elements(at(timed(b))).add_elements(at(timed(c)))
    given = given.advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: windowed(rows, deadline=HOUR))
    assert by_window(out) == {0: [a, b, c]}


def test_a_deadline_that_the_window_has_overtaken_still_holds_for_late_rows():
    """The first row's deadline is pending when its window ends, and is not set again."""
    a, b, c = of_shard(3)
    given = clock().add_elements(at(timed(a))).advance_watermark_to(5000)
    given = given.add_elements(at(timed(b))).advance_processing_time(1.5 * HOUR)
    given = given.add_elements(at(timed(c))).advance_processing_time(1.5 * HOUR)
    given = given.advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: windowed(rows, deadline=HOUR))
    assert by_window(out) == {0: [a, b, c]}


def test_held_back_watermark_and_many_windows_lose_no_row():
    """Windows first, then state: whatever comes when, every row leaves once, in its window."""
    times = [float((tick * 377) % 2500) for tick in range(0, 300)]
    given = clock()
    for first in range(0, 300, 5):
        given = given.add_elements(at(timed(*times[first : first + 5])))
        if first % 50 == 45:
            given = given.advance_processing_time(0.4 * HOUR)
        if first == 200:
            given = given.advance_watermark_to(900)
    given = given.advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: windowed(rows, max_rows=40, deadline=HOUR))
    expected = {}
    for second in times:
        expected.setdefault(second // 600 * 600, []).append(second)
    assert by_window(out) == {start: sorted(rows) for start, rows in expected.items()}
    assert len(out) < 150, "hardly anything was joined"


@settings(max_examples=15)
@given(
    st.lists(st.lists(st.integers(-100, 300), max_size=5), min_size=1, max_size=8),
    st.sampled_from([None, 30]),
    st.integers(1, 9),
    st.sampled_from([None, 5.0]),
)
def test_groups_downstream_hold_every_row(batches, period, max_rows, deadline):
    windows = WindowBatches(60, period, "time")
    micro = MicroBatch(max_rows, 1 << 20, deadline)
    given = [timed(*rows) for rows in batches]
    out = run_on(given, lambda rows: panes(unbounded(rows) | windows | micro))
    expected = {}
    for second in (second for rows in batches for second in rows):
        start = second // (period or 60) * (period or 60)
        while start + 60 > second:
            expected.setdefault(start, []).append(second)
            start -= period or 60
    found = {start: rows for start, _, rows in out if rows}
    assert found == {start: sorted(rows) for start, rows in expected.items()}


def test_without_a_deadline_nothing_is_held():
    collect = Collect()
    with local_pipeline() as root:
        stamped = [TimestampedValue(timed(t), t) for t in (1, 61, 2, 62)]
        _ = (
            seen(
                root
                | beam.Create(stamped, reshuffle=False)
                | beam.WindowInto(FixedWindows(60))
                | beam.Map(lambda batch: batch).with_output_types(pa.RecordBatch)
                | MicroBatch(100)
            )
            | collect
        )
    assert sorted(collect.found) == [(0, 2, [1, 2]), (60, 62, [61, 62])]


@pytest.mark.parametrize(("deadline", "bounded"), [(None, True), (None, False), (5.0, True)])
def test_bounded_input_and_no_deadline_need_no_state(deadline, bounded):
    with local_pipeline() as root:
        rows = root | beam.Create([timed(1)])
        rows = rows if bounded else unbounded(rows)
        rows.element_type = pa.RecordBatch
        joined = rows | MicroBatch(100, deadline=deadline)
        assert "Gather" not in joined.producer.full_label
        assert not root.options.view_as(DebugOptions).lookup_experiment("prism_disable_sdf_split")


def _chain(rows, micros):
    for number, micro in enumerate(micros):
        rows = rows | f"Micro {number}" >> micro
        yield rows


def _side_by_side(rows, micros):
    return [rows | f"Micro {number}" >> micro for number, micro in enumerate(micros)]


@pytest.mark.parametrize("shape", [_chain, _side_by_side])
@pytest.mark.parametrize("windows", [None, 60])
@pytest.mark.parametrize("max_rows", [[1000, 1000], [1000, 3, 16], [16, 1000, 5]])
def test_several_in_one_pipeline_lose_and_double_no_row(shape, windows, max_rows):
    """FnApiRunner gives timers of one name to one step alone; so each has names of its own."""
    times = [float(tick * 37 % 301) for tick in range(100)]
    batches = [timed(*times[first : first + 3]) for first in range(0, 100, 3)]
    collects = [Collect() for _ in max_rows]
    with local_pipeline() as root:
        rows = root | beam.Create(batches, reshuffle=False)
        rows.element_type = pa.RecordBatch
        rows = unbounded(rows)
        if windows:
            rows = rows | WindowBatches(windows, event_time_column="time")
        outs = shape(rows, [MicroBatch(most, 1 << 20, 5.0) for most in max_rows])
        for number, (out, collect) in enumerate(zip(outs, collects, strict=True)):
            _ = out | f"Collect {number}" >> collect
    for collect in collects:
        assert all_rows(collect.found) == sorted(times)


def test_timers_have_names_of_their_own():
    def names(label):
        return {spec.name for spec in get_dofn_specs(micro_batch._gather_fn(1, 1, 1.0, label))[1]}

    assert names("Left/MicroBatch") == names("Left/MicroBatch")
    assert len(names("Left/MicroBatch") | names("Right/MicroBatch")) == 4


def test_two_in_a_stream():
    times = [float((tick * 377) % 2500) for tick in range(200)]
    given = clock()
    for first in range(0, 200, 5):
        given = given.add_elements(at(timed(*times[first : first + 5])))
        if first % 50 == 45:
            given = given.advance_processing_time(0.6 * HOUR)
    given = given.advance_watermark_to_infinity()

    def twice(rows):
        rows = rows | WindowBatches(600, event_time_column="time")
        rows = rows | "First" >> MicroBatch(7, deadline=HOUR)
        return rows | "Second" >> MicroBatch(50, deadline=HOUR)

    out, _ = run_stream(given, twice)
    assert all_rows(out) == sorted(times)


def _slowly(batch):
    time.sleep(0.35)
    return batch


@pytest.mark.integration
def test_two_on_prism_with_bundles_that_stand_still():
    """Prism would split them, and let the same key's rows and timers go on side by side."""
    times = [tick * 7 + tick % 3 * 5.0 for tick in range(120)]
    batches = [timed(*times[first : first + 4]) for first in range(0, 120, 4)]

    def build(root):
        rows = root | Trickle(batches, 0.0) | WindowBatches(200, event_time_column="time")
        rows = rows | "First" >> MicroBatch(16, deadline=0.3)
        slow = rows | "Slowly" >> beam.Map(_slowly).with_output_types(pa.RecordBatch)
        return panes(slow | "Second" >> MicroBatch(1000, deadline=0.3))

    out = run_prism(build)
    assert sorted(n for _, _, rows in out for n in rows) == sorted(times)
    assert {timing for _, timing, _ in out} == {"on time"}, "the watermark went past what was held"


def test_joined_messages_still_know_where_they_came_from():
    def message(second, name):
        rows = timed(second, message_id=pa.array([name]))
        return with_source(rows, "pubsub://s", None, MESSAGE)

    a, b = of_message = [s for s in range(99) if shard_of(message(s, f"m{s}")) == 0][:2]
    given = clock()
    for second in of_message:
        given = given.add_elements(at(message(second, f"m{second}")))
    given = given.advance_watermark_to_infinity()
    (joined,), _ = run_stream(given, lambda rows: rows | MicroBatch(**MANY, deadline=HOUR))
    expected = [f"pubsub://s#message=m{second}" for second in (a, b)]
    assert row_sources(joined, np.arange(2)).to_pylist() == expected


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8),
    st.integers(1, 9),
    st.integers(8, 100),
)
def test_fill_keeps_rows_in_order_and_within_bounds(parts, max_rows, max_bytes):
    batches = [batch_of(n=pa.array(part, pa.int64())) for part in parts]
    full, rest = fill(batches, max_rows, max_bytes)
    found = full if rest is None else [*full, rest]
    assert [n for batch in found for n in batch["n"].to_pylist()] == [n for p in parts for n in p]
    assert all(batch.num_rows <= max_rows and batch.nbytes <= max_bytes for batch in found)
    assert rest is None or (rest.num_rows < max_rows and rest.nbytes < max_bytes)


def test_fill_joins_only_one_schema():
    full, rest = fill([batch_of(a=[1]), batch_of(a=[2]), batch_of(b=["x"])], 10, 1 << 20)
    assert [batch.to_pydict() for batch in full] == [{"a": [1, 2]}]
    assert rest.to_pydict() == {"b": ["x"]}


def test_shards_are_few_stable_and_used():
    shards = [shard_of(timed(tick)) for tick in range(100)]
    assert set(shards) == set(range(SHARDS))
    assert shards[:6] == [shard_of(timed(tick, tick + 1).slice(0, 1)) for tick in range(6)]
    assert shard_of(timed()) == 0


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"max_rows": 0}, "at least 1"),
        ({"max_bytes": 0}, "at least 1"),
        ({"deadline": 0}, "more than 0 seconds, or None"),
    ],
)
def test_bounds_are_checked(bounds, message):
    with pytest.raises(ConfigError, match=message):
        MicroBatch(**bounds)
