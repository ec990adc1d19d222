import json

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.transforms.trigger import AccumulationMode, AfterCount, AfterWatermark
from apache_beam.transforms.window import FixedWindows

from tests.support import local_pipeline, run_on
from tests.support_streams import at, counter, panes, run_stream, seen, stream, timed
from transforms import progress
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters
from transforms.errors import ConfigError, RejectedRows
from transforms.io.read import Read
from transforms.io.write import Write
from transforms.windows.assign import with_watermark
from transforms.windows.window_batches import WindowBatches


def minutes(**settings):
    return WindowBatches(60, event_time_column="time", **settings)


def test_fixed_windows_and_timestamps():
    out = run_on([timed(61, 1, 119.5, -1, 2)], lambda rows: seen(rows | minutes()))
    assert sorted(out) == [(-60, -1, [-1]), (0, 2, [1, 2]), (60, 119.5, [61, 119.5])]


def test_sliding_windows_and_timestamps():
    """Each window's batch has the timestamp of its own latest row."""
    out = run_on([timed(1, 31, 61)], lambda rows: seen(rows | minutes(period=30)))
    assert sorted(out) == [(-30, 1, [1]), (0, 31, [1, 31]), (30, 61, [31, 61]), (60, 61, [61])]


def test_a_period_that_does_not_divide_the_size():
    windows = WindowBatches(1, 0.4, "time")
    out = run_on([timed(0, 0.9, -0.7)], lambda rows: seen(rows | windows))
    expected = [(-1.6, [-0.7]), (-1.2, [-0.7]), (-0.8, [0, -0.7]), (-0.4, [0]), (0, [0, 0.9])]
    expected += [(0.4, [0.9]), (0.8, [0.9])]
    assert sorted((round(s, 6), rows) for s, _, rows in out) == expected


def test_groups_downstream_are_windows():
    out = run_on([timed(1, 61), timed(2, 62)], lambda rows: panes(rows | minutes(period=30)))
    assert sorted((start, rows) for start, _, rows in out) == [
        (-30, [1, 2]),
        (0, [1, 2]),
        (30, [61, 62]),
        (60, [61, 62]),
    ]


@pytest.mark.parametrize("batch", [timed(), timed(5)], ids=["empty", "all late"])
def test_no_row_left_is_one_empty_batch(batch):
    given = with_watermark(batch, 10**9)
    (out,) = run_on([given], lambda rows: rows | minutes(period=20))
    assert out.num_rows == 0
    assert out.schema.equals(given.schema)


def test_early_on_time_and_late_panes():
    """A batch is in the right pane of its window, whichever window the batches beside it are in."""
    given = stream().add_elements(at(timed(1, 61, 2)))
    given = given.advance_watermark_to(60).add_elements(at(timed(62, 121)))
    given = given.add_elements(at(timed(3, 4))).advance_watermark_to(1000)
    given = given.add_elements(at(timed(5, 1001))).advance_watermark_to_infinity()

    trigger = AfterWatermark(early=AfterCount(1), late=AfterCount(1))
    fired = beam.WindowInto(
        FixedWindows(60),
        trigger=trigger,
        accumulation_mode=AccumulationMode.DISCARDING,
        allowed_lateness=100,
    )
    out, _ = run_stream(given, lambda rows: panes(rows | minutes() | fired))
    first = [(timing, rows) for start, timing, rows in out if start == 0 and rows]
    # What came at 1000 is dropped by the runner: the window ended at 60, and stayed till 160.
    assert first == [("early", [1, 2]), ("late", [3, 4])]
    assert {rows[0] for start, timing, rows in out if timing == "early"} == {1, 61, 62, 121, 1001}


@pytest.mark.parametrize(("lateness", "late"), [(0, []), (30, [(0, "late", [2])])])
def test_the_watermark_closes_windows_with_the_lateness_allowed(lateness, late):
    given = stream().add_elements(at(timed(1, 61))).advance_watermark_to(61)
    given = given.add_elements(at(timed(2, 62))).advance_watermark_to(100)
    given = given.add_elements(at(timed(3, 63))).advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: panes(rows | minutes(allowed_lateness=lateness)))
    assert out == [(0, "on time", [1]), *late, (60, "on time", [61, 62, 63])]


def test_while_the_watermark_is_held_back_nothing_is_late():
    given = stream().add_elements(at(timed(1000))).add_elements(at(timed(1, 2000)))
    given = given.add_elements(at(timed(2, 1001))).advance_watermark_to_infinity()
    out, metrics = run_stream(given, lambda rows: panes(rows | minutes()))
    assert sorted(out) == [
        (0, "on time", [1, 2]),
        (960, "on time", [1000, 1001]),
        (1980, "on time", [2000]),
    ]
    assert counter(metrics, "late") == 0


def test_an_idle_stretch_closes_windows_and_the_stream_goes_on():
    given = stream().add_elements(at(timed(1))).advance_watermark_to(600)
    given = given.advance_processing_time(3600).advance_watermark_to(1200)
    given = given.add_elements(at(timed(1201, 1202))).advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: panes(rows | minutes(period=30)))
    assert out[:2] == [(-30, "on time", [1]), (0, "on time", [1])]
    assert sorted(out[2:]) == [(1170, "on time", [1201, 1202]), (1200, "on time", [1201, 1202])]


def test_rows_in_sliding_panes():
    given = stream().add_elements(at(timed(1, 31))).advance_watermark_to(31)
    given = given.add_elements(at(timed(2, 45))).advance_watermark_to_infinity()
    out, _ = run_stream(given, lambda rows: panes(rows | minutes(period=30)))
    # At 31 the window that ended at 30 was closed: 2 is late for that one alone.
    assert sorted(out) == [
        (-30, "on time", [1]),
        (0, "on time", [1, 2, 31, 45]),
        (30, "on time", [31, 45]),
    ]


@pytest.mark.parametrize(
    ("settings", "kept", "late", "missed"),
    [
        ({}, {60: [61], 120: [121]}, 2, 2),
        ({"allowed_lateness": 60}, {0: [1, 2], 60: [61], 120: [121]}, 0, 0),
        ({"period": 30}, {30: [61], 60: [61], 90: [121], 120: [121]}, 2, 4),
        (
            {"period": 30, "allowed_lateness": 10},
            {0: [1, 2], 30: [61], 60: [61], 90: [121], 120: [121]},
            0,
            2,
        ),
    ],
)
def test_late_by_the_noted_watermark(settings, kept, late, missed):
    progress.reset()
    batch = with_watermark(timed(1, 61, 2, 121), 65 * 10**6)
    given = stream().add_elements(at(batch)).advance_watermark_to_infinity()
    out, metrics = run_stream(given, lambda rows: seen(rows | minutes(**settings)))
    assert {start: rows for start, _, rows in out} == kept
    assert counter(metrics, "late") == late
    assert counter(metrics, "missed_windows") == missed
    assert progress.snapshot().get("late", progress.Count()).rows == late


WATERMARK_US = 65 * 10**6


def _note(batch):
    return with_watermark(batch, WATERMARK_US)


def _run(tmp_path, **settings):
    times = pa.array([1, 2, None, 61, 121], pa.timestamp("s"))
    pq.write_table(pa.table({"time": times, "n": [1, 2, 3, 61, 121]}), tmp_path / "in.parquet")
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead.jsonl", commit)
        _ = (
            root
            | Read(f"{tmp_path}/in.parquet", dead_letters=dead)
            | beam.Map(_note).with_output_types(pa.RecordBatch)
            | minutes(dead_letters=dead, **settings)
            | Write(f"{tmp_path}/out/", commit=commit)
        )
    text = (tmp_path / "dead.jsonl").read_text()
    return commit.outcome()["counts"], [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(("period", "copies"), [(None, 1), (30, 2)])
def test_late_rows_become_dead_letters(tmp_path, period, copies):
    counts, letters = _run(tmp_path, late="dead_letters", period=period)
    assert counts["dead_by_reason"] == {"late": 2, "missing_value": 1}
    assert (counts["rows_out"], counts["rows_dead"]) == (2 * copies, 3)
    found = {letter["reason"]: letter for letter in letters}
    assert found["late"]["column"] == "time"
    assert found["late"]["step"] == "WindowBatches"
    assert found["late"]["source"].endswith("in.parquet#row=2")
    assert json.loads(found["late"]["payloadString"])["n"] == 2


@pytest.mark.parametrize(("period", "copies"), [(None, 1), (30, 2)])
def test_dropped_rows_are_in_the_ledger(tmp_path, period, copies):
    """Else the commit would find that rows are missing, and publish nothing."""
    counts, _ = _run(tmp_path, period=period)
    assert counts["dead_by_reason"] == {"missing_value": 1}
    assert (counts["rows_in"], counts["rows_out"]) == (2 * copies + 3, 2 * copies)
    assert counts["rows_late"] == 2


def test_whole_milliseconds_are_taken():
    """Also those that floats do not hold, which Beam's own conversion cuts to one less."""
    for number in range(1, 3000):
        WindowBatches(number / 1000, event_time_column="time")


def test_without_a_door_a_row_without_a_time_is_an_error():
    with pytest.raises(RejectedRows, match=r"WindowBatches rejected 1 row.*missing_value"):
        run_on([timed(1, None)], lambda rows: rows | minutes())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "size is 0 s, but Beam's windows last whole milliseconds"),
        ({"size": 0.0015}, "size is 0.0015 s"),
        ({"period": -1}, "period is -1 s"),
        ({"period": 61}, "rows between two windows would be lost"),
        ({"allowed_lateness": -1}, "allowed_lateness is 0 seconds or more"),
        ({"event_time_column": ""}, "event_time_column names the column"),
        ({"late": "keep"}, "late is drop or dead_letters, not 'keep'"),
        ({"late": "dead_letters"}, "needs dead_letters="),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ConfigError, match=message):
        WindowBatches(**{"size": 60, "event_time_column": "time"} | settings)
