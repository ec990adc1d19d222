"""WriteWindows: windows are committed as they end, and what is late is a file more."""

from types import SimpleNamespace

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.transforms.window import IntervalWindow
from apache_beam.utils.windowed_value import PaneInfoTiming

from tests.support_streams import at, run_stream, stream, timed
from tests.transforms.commit.stream.outputs import END, START, log, manifests, rows, target_of
from transforms.commit.stream.wal import left
from transforms.commit.stream.write import WriteWindows, _CommitFn
from transforms.errors import ConfigError
from transforms.windows.assign import ANY_LATENESS
from transforms.windows.window_batches import WindowBatches


@pytest.fixture
def target(tmp_path):
    return target_of(tmp_path)


def row(second):
    return timed(second, message_id=pa.array([f"m{second}"]))


def panes(folder):
    return [
        (found["window"][0][11:19], found["timing"], found["rows"]) for found in manifests(folder)
    ]


def test_however_late_a_row_is_it_is_committed(target, tmp_path):
    year = 365 * 86_400
    given = (
        stream()
        .add_elements(at(row(5)))
        .advance_watermark_to(60)
        .add_elements(at(row(6)))
        .advance_processing_time(30)
        .add_elements(at(row(7)))
        .advance_processing_time(40)
        .advance_watermark_to(100 * year)
        .add_elements(at(row(8)))
        .advance_processing_time(70)
        .advance_watermark_to_infinity()
    )
    write = WriteWindows(target, "r1", 60, ANY_LATENESS, late_wait=60)
    run_stream(given, lambda batches: batches | write)
    assert rows(tmp_path) == [5.0, 6.0, 7.0, 8.0]
    assert panes(tmp_path) == [
        ("00:00:00", "on_time", 1),
        ("00:00:00", "late", 2),
        ("00:00:00", "late", 1),
    ]
    assert left(target.staging) == []


def test_what_the_runner_drops_waits_in_the_log(target, tmp_path):
    given = (
        stream()
        .add_elements(at(row(5)))
        .advance_watermark_to(100)
        .add_elements(at(row(6)))
        .advance_watermark_to_infinity()
    )
    run_stream(given, lambda batches: batches | WriteWindows(target, "r1", 60, 10))
    assert rows(tmp_path) == [5.0]
    assert [file.rows for file in left(target.staging)] == [1]
    again = stream().advance_watermark_to_infinity()
    run_stream(again, lambda batches: batches | WriteWindows(target, "r1", 60, 10))
    assert rows(tmp_path) == [5.0, 6.0]


def test_late_rows_are_counted(target):
    counted = {"rows": 0, "late": 0}

    def counter(name):
        return SimpleNamespace(inc=lambda more: counted.update({name: counted[name] + more}))

    commit = _CommitFn(target, "r1")
    commit.rows, commit.late = counter("rows"), counter("late")
    window = IntervalWindow(START / 1e6, END / 1e6)
    for ids, timing in (("ab", PaneInfoTiming.ON_TIME), ("c", PaneInfoTiming.LATE)):
        list(commit.process((0, [log(target, *ids)]), window, SimpleNamespace(timing=timing)))
    assert counted == {"rows": 3, "late": 1}


def test_rows_in_sliding_windows_are_refused(target):
    sliding = WindowBatches(60, 30, event_time_column="time")
    with pytest.raises(ConfigError, match="sliding"):
        beam.Pipeline() | beam.Create([row(5)]) | sliding | WriteWindows(target, "r1", 60)
