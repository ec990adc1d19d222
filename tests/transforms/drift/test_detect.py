"""The verbs: the same rows give the same verdicts, whatever way they come."""

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest

from tests.support import batch_of, run_on
from tests.support_streams import counter, run_stream, stream
from transforms.drift.build import BuildBaseline
from transforms.drift.detect import DetectDrift
from transforms.drift.fill import FillWindows, gaps
from transforms.drift.judging.verdicts import VERDICTS
from transforms.drift.make import build_baseline
from transforms.drift.profile import ProfileWindows, sum_profiles
from transforms.errors import ConfigError, RejectedRows
from transforms.windows.assign import with_watermark

HOUR = 3600


def rows(number, seed, hours=40, first=0, shift=0.0):
    """Rows spread over some hours, in no order."""
    draw = np.random.default_rng(seed)
    micros = draw.integers(first * HOUR * 10**6, (first + hours) * HOUR * 10**6, number)
    kinds = draw.choice(["Cash", "Card", "Other"], number, p=[0.5, 0.4, 0.1])
    return batch_of(
        time=pa.array(micros, pa.timestamp("us")),
        amount=pa.array(draw.normal(shift, 1, number), mask=draw.random(number) < 0.05),
        kind=kinds,
        tags=pa.array([["a"] * n for n in draw.integers(0, 4, number)], pa.list_(pa.string())),
    )


BASE = build_baseline([rows(40_000, 1)], "time", HOUR, ("kind",))
DAY = rows(6_000, 2, hours=4, first=100, shift=0.5)


def in_order(batch):
    return batch.take(pa.compute.sort_indices(batch["time"]))


def cut(batch, size):
    return [batch.slice(at, size) for at in range(0, batch.num_rows, size)]


def shuffled(batch):
    order = np.random.default_rng(3).permutation(batch.num_rows)
    return batch.take(pa.array(order))


def table(found, *without):
    """Verdicts, whichever batches they came in."""
    keys = [(name, "ascending") for name in ("window_start", "slice", "column", "revision")]
    return pa.Table.from_batches(found, VERDICTS).sort_by(keys).drop_columns([*without])


def detect(batches, **settings):
    verb = DetectDrift(BASE, event_time_column="time", **{"size": HOUR, **settings})
    return run_on(batches, lambda given: given | verb)


WAYS = {
    "fixed": {},
    "sliding": {"period": HOUR / 4},
    "fixed, fan-out": {"fanout": 3},
    "sliding, fan-out": {"period": HOUR / 4, "fanout": 3},
}


@pytest.mark.parametrize("settings", WAYS.values(), ids=WAYS)
def test_the_same_rows_give_the_same_verdicts(settings):
    whole = table(detect([DAY], **settings))
    assert whole.num_rows == len(set(whole["verdict_id"].to_pylist()))
    ways = [cut(in_order(DAY), 512), cut(shuffled(DAY), 999), cut(DAY, 4096)]
    for batches in ways:
        assert table(detect(batches, **settings)).equals(whole)


@pytest.mark.parametrize("settings", WAYS.values(), ids=WAYS)
def test_rows_as_dicts_give_the_same_verdicts(settings):
    from transforms.rows.bridge import FromRows

    given = DAY.slice(0, 1500)
    verb = DetectDrift(BASE, HOUR, event_time_column="time", **settings)
    found = run_on(
        [given],
        lambda some: (
            some | beam.FlatMap(lambda b: b.to_pylist()) | FromRows(schema=DAY.schema) | verb
        ),
    )
    assert table(found).equals(table(detect([given], **settings)))


def test_sliding_windows_hold_what_fixed_ones_would():
    """Each by itself, in a run of its own."""
    sliding = table(detect(cut(DAY, 700), period=HOUR / 4))
    starts = sorted(set(sliding["window_start"].to_pylist()))
    assert len(starts) == 19
    micros = DAY["time"].cast(pa.int64()).to_numpy()
    for start in starts[4:12:3]:
        at = round(start.timestamp()) * 10**6
        inside = DAY.filter(pa.array((micros >= at) & (micros < at + HOUR * 10**6)))
        found = table(detect([inside], size=10**6), "verdict_id", "window_start", "window_end")
        mine = sliding.filter(pa.compute.equal(sliding["window_start"], start))
        assert mine.drop_columns(["verdict_id", "window_start", "window_end"]).equals(found)


def test_a_shift_is_found_where_it_is():
    found = table(detect([DAY]))
    whole = found.filter(pa.compute.equal(found["slice"], "")).to_pylist()
    status = {(row["column"], row["status"]) for row in whole}
    assert status == {("amount", "DRIFT"), ("kind", "OK"), ("tags", "OK")}
    assert {row["calibrated"] for row in whole} == {True}
    shifts = [row["mean_shift"] for row in whole if row["column"] == "amount"]
    assert np.allclose(shifts, 0.5, atol=0.1)
    assert len(shifts) == 4


@pytest.mark.parametrize("settings", WAYS.values(), ids=WAYS)
def test_fan_out_and_windows_change_no_count(settings):
    plain = {name: value for name, value in settings.items() if name != "fanout"}
    assert table(detect([DAY], **settings)).equals(table(detect([DAY], **plain)))


def with_late_rows(day):
    """A stream of four hours, in which one row in ten comes after its hour."""
    late = np.random.default_rng(0).random(day.num_rows) < 0.1
    micros = day["time"].cast(pa.int64()).to_numpy()
    start = 100 * HOUR * 10**6
    given = stream()
    for hour in range(4):
        inside = (micros >= start + hour * HOUR * 10**6) & (
            micros < start + (hour + 1) * HOUR * 10**6
        )
        given = given.add_elements([day.filter(pa.array(inside & ~late))])
        given = given.advance_watermark_to(start / 10**6 + (hour + 1) * HOUR)
        given = given.add_elements([day.filter(pa.array(inside & late))])
    return given.advance_watermark_to_infinity()


def last_results(found):
    """The last verdicts of each window, without what tells how they came."""
    last = {}
    for batch in sorted(found, key=lambda each: each["revision"][0].as_py()):
        last[batch["window_start"][0].as_py()] = batch
    return table(list(last.values()), "revision", "timing")


@pytest.mark.parametrize("settings", WAYS.values(), ids=WAYS)
def test_late_rows_revise_a_window(settings):
    """Allowed lateness takes them; counts, verdicts and ids come out alike."""
    day = in_order(DAY)
    flags = {"size": HOUR, "event_time_column": "time", "allowed_lateness": 2 * HOUR}
    verb = DetectDrift(BASE, **flags, **settings)
    found, metrics = run_stream(with_late_rows(day), lambda some: some | verb)
    assert {batch["timing"][0].as_py() for batch in found} == {"on_time", "late"}
    assert last_results(found).equals(table(detect([day], **settings), "revision", "timing"))
    assert counter(metrics, "late") == 0


@pytest.mark.parametrize("settings", WAYS.values(), ids=WAYS)
def test_windows_that_discard_add_up(settings):
    """Each result is of the rows since the last one, and together they are those of all."""
    flags = {"size": HOUR, "event_time_column": "time", "allowed_lateness": 2 * HOUR}
    verb = ProfileWindows(BASE, **flags, accumulating=False, **settings)
    parts, _ = run_stream(with_late_rows(in_order(DAY)), lambda some: some | verb)
    verb = ProfileWindows(BASE, HOUR, settings.get("period"), "time")
    whole = run_on([DAY], lambda given: given | verb)
    summed = sum_profiles(parts)
    assert len(summed) < len(parts)
    ordered = sorted(whole, key=lambda each: each.window.start)
    for mine, theirs in zip(summed, ordered, strict=True):
        assert (mine.window.start, mine.window.end) == (theirs.window.start, theirs.window.end)
        assert mine.counts.cells.tolist() == theirs.counts.cells.tolist()
        assert mine.counts.rows.tolist() == theirs.counts.rows.tolist()


def test_windows_without_rows_have_verdicts_in_a_stream():
    day = in_order(rows(3000, 4, hours=6, first=100))
    micros = day["time"].cast(pa.int64()).to_numpy() - 100 * HOUR * 10**6
    kept = day.filter(pa.array((micros < HOUR * 10**6) | (micros >= 4 * HOUR * 10**6)))
    given = stream()
    for part, until in ((kept.slice(0, 400), 101), (kept.slice(400), 106)):
        given = given.add_elements([part]).advance_watermark_to(until * HOUR)
    verb = DetectDrift(BASE, HOUR, event_time_column="time", allowed_lateness=9 * HOUR)
    fill = FillWindows(BASE, period=HOUR)
    found, _ = run_stream(given.advance_watermark_to_infinity(), lambda s: s | verb | fill)
    status = {}
    for row in table(found).to_pylist():
        hour = round(row["window_start"].timestamp()) // HOUR - 100
        if row["column"] == "amount" and not row["slice"]:
            status[hour] = row["status"]
    assert status == {0: "OK", 1: "NO_DATA", 2: "NO_DATA", 3: "NO_DATA", 4: "OK", 5: "OK"}
    assert len(gaps(0, 5000 * HOUR, HOUR, HOUR)) == 1000


def test_what_is_too_late_is_counted():
    day = in_order(DAY)
    watermark = 102 * HOUR * 10**6
    verb = ProfileWindows(BASE, HOUR, HOUR / 2, "time")
    given = stream().add_elements([with_watermark(day, watermark)])
    found, metrics = run_stream(given.advance_watermark_to_infinity(), lambda some: some | verb)
    micros = day["time"].cast(pa.int64()).to_numpy()
    late = int((micros < watermark - HOUR // 2 * 10**6).sum())
    assert counter(metrics, "late") == late
    kept = sum(int(each.counts.rows[0]) for each in found)
    assert kept + counter(metrics, "missed_windows") == 2 * day.num_rows


def test_windows_are_counted_as_metrics():
    given = stream().add_elements([DAY]).advance_watermark_to_infinity()
    verb = DetectDrift(BASE, HOUR, event_time_column="time")
    found, metrics = run_stream(given, lambda some: some | verb)
    statuses = [status for batch in found for status in batch["status"].to_pylist()]
    assert counter(metrics, "windows") == 4
    assert counter(metrics, "verdicts_drift") == statuses.count("DRIFT")
    filter = beam.metrics.MetricsFilter().with_name("adjusted_psi_micros_amount")
    (spread,) = metrics.query(filter)["distributions"]
    indices = [
        row["adjusted_psi"]
        for row in table(found).to_pylist()
        if row["column"] == "amount" and not row["slice"]
    ]
    assert spread.committed.max == round(max(indices) * 10**6)


def test_rows_without_a_time_are_rejected():
    odd = batch_of(time=pa.array([None], pa.timestamp("us")), amount=[1.0])
    with pytest.raises(RejectedRows, match="time"):
        detect([odd])


def test_all_rows_are_one_window():
    verb = DetectDrift(BASE, event_time_column="time")
    found = table(run_on(cut(DAY, 1000), lambda given: given | verb))
    assert found["window_start"].null_count == found.num_rows
    assert set(found["rows"].to_pylist()) >= {6000}


def test_built_by_the_verb_as_in_memory():
    verb = BuildBaseline("time", HOUR, ("kind",))
    (made,) = run_on(cut(rows(40_000, 1), 3000), lambda given: given | verb)
    assert made.layout.slice_names == BASE.layout.slice_names
    assert made.windows == 40
    assert made.counts.rows.tolist() == BASE.counts.rows.tolist()
    for one, other in zip(made.layout.columns, BASE.layout.columns, strict=True):
        assert (one.name, one.kind, one.labels) == (other.name, other.kind, other.labels)
        assert np.allclose(one.edges[1:-1], other.edges[1:-1], atol=0.05)


def test_wrong_settings():
    with pytest.raises(ConfigError, match="needs event_time_column"):
        ProfileWindows(BASE, 60)
    with pytest.raises(ConfigError, match="period"):
        ProfileWindows(BASE, 60, 61, "time")
    with pytest.raises(ConfigError, match="fanout"):
        ProfileWindows(BASE, 60, event_time_column="time", fanout=0)
    sessions = beam.WindowInto(beam.window.Sessions(60))
    spread = ProfileWindows(BASE, event_time_column="time", fanout=2)
    with pytest.raises(ConfigError, match="a fan-out is for fixed windows"):
        run_on([DAY], lambda given: given | sessions | spread)
    with pytest.raises(ConfigError, match="whole milliseconds"):
        ProfileWindows(BASE, 0.0001, event_time_column="time")
    with pytest.raises(ConfigError, match="x=many"):
        BuildBaseline(kinds={"x": "many"})
    counted = build_baseline([rows(1000, 1)])
    with pytest.raises(ConfigError, match="counts column 'time'"):
        run_on([DAY], lambda given: given | DetectDrift(counted, HOUR, event_time_column="time"))
