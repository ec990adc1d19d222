"""Quality: figures from sums, labels that come later, and what is estimated without them."""

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import Collect, batch_of, local_pipeline, run_on
from tests.support_streams import run_stream, stream
from transforms.drift.baseline import Baseline
from transforms.drift.confirm import ConfirmErrors
from transforms.drift.incidents.events import EVENTS
from transforms.drift.judging.verdicts import Window
from transforms.drift.make import build_baseline
from transforms.drift.measure import MeasureQuality
from transforms.drift.quality.errors import quality_events
from transforms.drift.quality.join import Joining, ShardJoin
from transforms.drift.quality.judge import QUALITY, quality_of
from transforms.drift.quality.metrics import auc_of, calibrated, estimate, metrics_of
from transforms.drift.quality.reference import Reference
from transforms.drift.quality.sums import BINS, SIZES, Quality, Sums, size_bins, sums_of
from transforms.errors import ConfigError

HOUR = 3600 * 10**6
BINARY = Quality("binary", "score", "y")
REGRESSION = Quality("regression", "score", "y")
CLASSES = Quality("classes", "score", "y")
SURE = Quality("classes", "score", "y", "sure")


def predicted(number, seed=0, flipped=0.0, hours=1, first=0):
    """Rows with calibrated scores; of some the label is the other one."""
    draw = np.random.default_rng(seed)
    score = draw.beta(0.7, 0.7, number)
    label = (draw.random(number) < score).astype(int)
    label = np.where(draw.random(number) < flipped, 1 - label, label)
    times = np.sort(draw.integers(first * HOUR, (first + hours) * HOUR, number))
    return batch_of(
        id=np.arange(number) + 10**6 * seed,
        time=pa.array(times, pa.timestamp("us")),
        score=score,
        y=label,
    )


def test_figures_by_hand():
    rows = batch_of(score=[0.1, 0.4, 0.35, 0.8, 0.9], y=[0, 0, 1, 1, None])
    sums = sums_of(BINARY, rows)
    assert (sums.rows, sums.labelled) == (5, 4)
    found = metrics_of("binary", sums)
    assert found.accuracy == 0.75
    assert found.auc == 0.75
    losses = -np.log([0.9, 0.6, 0.35, 0.8])
    assert found.log_loss == pytest.approx(losses.mean())
    assert found.error == 0.25
    numbers = batch_of(score=[1.0, 2.0, None, 4.0], y=[1.0, 4.0, 3.0, None])
    found = metrics_of("regression", sums_of(REGRESSION, numbers))
    assert (found.rmse, found.mae, found.bias) == (2**0.5, 1.0, -1.0)
    texts = batch_of(score=["a", "b", "c", None], y=["a", "c", None, "x"])
    sums = sums_of(CLASSES, texts)
    assert (sums.rows, sums.labelled, metrics_of("classes", sums).accuracy) == (3, 2, 0.5)


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0, 1, None])), max_size=40), st.data())
def test_sums_add_up_in_any_order(rows, data):
    def made(some):
        return sums_of(
            BINARY,
            batch_of(
                score=pa.array([row[0] for row in some], pa.float64()),
                y=pa.array([row[1] for row in some], pa.int64()),
            ),
        )

    at = data.draw(st.integers(0, len(rows)))
    whole, parts = made(rows), made(rows[at:]).merge(made(rows[:at]))
    assert (whole.counts == parts.counts).all()
    assert np.allclose(whole.sums, parts.sums)


def test_auc_and_calibration_as_scikit_learn_defines_them():
    rows = predicted(4000, 3)
    score, label = rows["score"].to_numpy(), rows["y"].to_numpy()
    order = np.argsort(score)
    ranks = np.empty(4000)
    ranks[order] = np.arange(1, 4001)
    ones = label.sum()
    exact = (ranks[label == 1].sum() - ones * (ones + 1) / 2) / (ones * (4000 - ones))
    found = metrics_of("binary", sums_of(BINARY, rows))
    assert found.auc == pytest.approx(exact, abs=0.002)
    assert found.calibration_error < 0.03
    assert auc_of(np.zeros(3), np.ones(3)) != auc_of(np.zeros(3), np.ones(3)), "NaN"


def test_what_is_estimated_without_labels():
    """Harder rows are known by their scores; the labels themselves are not needed."""
    base = sums_of(BINARY, predicted(50_000, 4))
    draw = np.random.default_rng(5)
    score = np.clip(draw.normal(0.5, 0.1, 20_000), 0, 1)
    label = (draw.random(20_000) < score).astype(int)
    true = metrics_of("binary", sums_of(BINARY, batch_of(score=score, y=label)))
    unlabelled = sums_of(BINARY, batch_of(score=score))
    likely = estimate(BINARY, unlabelled, base)
    assert likely.accuracy == pytest.approx(true.accuracy, abs=0.015)
    assert likely.auc == pytest.approx(true.auc, abs=0.02)
    assert metrics_of("binary", base).accuracy - true.accuracy > 0.1
    curve = calibrated(base)
    assert (np.diff(curve) >= 0).all()
    assert len(curve) == BINS


def classified(number, seed, low=0.5):
    """Classes of three, with how sure the model is: it is right so often, and less of "c"."""
    draw = np.random.default_rng(seed)
    sure = draw.uniform(low, 1, number)
    given = draw.choice(["a", "b", "c"], number)
    right = draw.random(number) < np.where(given == "c", sure - 0.2, sure)
    return batch_of(score=given, sure=sure, y=np.where(right, given, "d"))


def likely_of(quality, rows, base):
    """What is estimated without the labels of some rows, and what is so."""
    bare = rows.drop_columns(["y"])
    found = estimate(quality, sums_of(quality, bare), sums_of(quality, base))
    return found, metrics_of(quality.task, sums_of(quality, rows))


def test_accuracy_of_classes_is_estimated():
    """By how sure the model is; without that, by how often each class was right."""
    base, rows = classified(50_000, 1), classified(20_000, 2, low=0.9)
    likely, true = likely_of(SURE, rows, base)
    assert likely.accuracy == pytest.approx(true.accuracy, abs=0.015)
    blind, _ = likely_of(CLASSES, rows, base)
    assert true.accuracy - blind.accuracy > 0.1, "it does not know how sure the model is"
    more = classified(20_000, 3)
    hard = more.filter(pa.compute.equal(more["score"], "c"))
    likely, true = likely_of(CLASSES, hard, base)
    assert likely.accuracy == pytest.approx(true.accuracy, abs=0.015)
    assert np.isnan(likely.auc)


def test_error_of_numbers_is_estimated():
    """By the loss that predictions of that size had: fares ten times as high are harder."""

    def fares(number, seed, scale):
        draw = np.random.default_rng(seed)
        score = scale * draw.lognormal(2, 0.5, number)
        return batch_of(score=score, y=score * draw.normal(1, 0.1, number))

    base = pa.Table.from_batches([fares(50_000, 1, 1.0), fares(5_000, 2, 10.0)]).combine_chunks()
    rows = fares(20_000, 3, 10.0)
    likely, true = likely_of(REGRESSION, rows, base.to_batches()[0])
    assert likely.rmse == pytest.approx(true.rmse, rel=0.1)
    before = metrics_of("regression", sums_of(REGRESSION, base.to_batches()[0]))
    assert likely.rmse > 2 * before.rmse
    assert np.isnan(likely.accuracy)


@given(st.lists(st.floats(), min_size=2, max_size=20))
def test_bins_of_size_rise_with_the_numbers(values):
    rising = np.sort(np.array([value for value in values if value == value]))
    bins = size_bins(rising)
    assert (np.diff(bins) >= 0).all()
    assert ((bins >= 0) & (bins < SIZES)).all()


LABELLED = build_baseline([predicted(20_000, 1, hours=40)], "time", 3600, quality=BINARY)


def judged(*windows):
    pairs = [
        (Window(at * HOUR, (at + 1) * HOUR), sums_of(BINARY, rows))
        for at, rows in enumerate(windows)
    ]
    assert LABELLED.reference is not None
    return quality_of(LABELLED.reference, pairs, LABELLED.hash)


def test_a_baseline_keeps_how_good_predictions_were():
    again = Baseline.from_bytes(LABELLED.to_bytes())
    assert again.hash == LABELLED.hash
    assert isinstance(again.reference, Reference)
    assert again.reference.windows == 40
    assert metrics_of("binary", again.reference.sums).accuracy == pytest.approx(0.77, abs=0.02)
    with pytest.raises(ConfigError, match="no row has both"):
        build_baseline([batch_of(score=[0.5], y=[None])], quality=BINARY)


def test_windows_by_status():
    few = predicted(1000, 6)
    some = few.set_column(3, "y", pa.array([1] * 300 + [None] * 700))
    good, bad = predicted(1000, 7), predicted(1000, 8, flipped=0.2)
    found = judged(good, bad, some, few.slice(0, 60)).to_pylist()
    assert [row["status"] for row in found] == [
        "OK",
        "SUSPECT",
        "NOT_ENOUGH_LABELS",
        "NOT_ENOUGH_LABELS",
    ]
    assert found[2]["coverage"] == 0.3
    assert found[1]["z"] > 3.1
    assert found[1]["estimated_accuracy"] == pytest.approx(found[0]["accuracy"], abs=0.05)
    assert len({row["quality_id"] for row in found}) == 4


def test_labels_of_other_rows_are_noticed():
    rows = predicted(4000, 9)
    high = rows["score"].to_numpy() > 0.6
    kept = pa.array(rows["y"].to_numpy(), mask=~high)
    biased = judged(rows.set_column(3, "y", kept)).to_pylist()[0]
    random = pa.array(rows["y"].to_numpy(), mask=np.random.default_rng(0).random(4000) < 0.6)
    fair = judged(rows.set_column(3, "y", random)).to_pylist()[0]
    assert biased["selection_psi"] > 1
    assert abs(fair["selection_psi"]) < 0.02


def test_errors_that_rise_are_one_incident():
    flips = [0, 0, 0, 0.2, 0.2, 0.2, 0, 0, 0]
    quality = judged(*(predicted(1000, 20 + at, flip) for at, flip in enumerate(flips)))
    told = [
        (row["window_start"].timestamp() / 3600, row["event"], row["column"])
        for row in quality_events(quality).to_pylist()
    ]
    assert told == [(4, "OPENED", "score"), (8, "RECOVERED", "score")]


def test_a_small_rise_that_lasts_is_found():
    """A rise of two points in windows of 1,000: hardly ever suspect, and yet an incident."""
    found = 0
    for seed in range(10):
        quality = judged(*(predicted(1000, 1000 * seed + at, 0.04) for at in range(60)))
        found += any(row["cause"] == "slow" for row in quality_events(quality).to_pylist())
    quiet = judged(*(predicted(1000, 50_000 + at) for at in range(300)))
    assert found >= 8
    assert quality_events(quiet).num_rows <= 2


@given(st.integers(0, 5), st.integers(1, 60), st.integers(1, 60))
def test_labels_join_in_any_order(seed, rows_at, labels_at):
    rows = predicted(60, seed)
    joining = Joining(BINARY, ("id",), "time", HOUR)
    labels = rows.select(["id", "y"])
    told = rows.select(["id", "time", "score"])
    given_rows = [told.slice(0, rows_at), told.slice(rows_at)]
    given_labels = [labels.slice(labels_at), labels.slice(0, labels_at)]
    made = ShardJoin(joining)
    made.add_predictions(joining.predictions(given_rows[0]))
    for part in given_labels:
        made.add_labels(joining.labels(part))
    made.add_predictions(joining.predictions(given_rows[1]))
    whole = sums_of(BINARY, rows)
    (sums,) = made.sums.values()
    assert (sums.counts == whole.counts).all()
    assert np.allclose(sums.sums, whole.sums)
    assert made.pop(0) is sums
    assert not made.sums


def test_labels_are_kept_for_the_predictions_of_a_backlog():
    """Labels of ten windows are read first, then predictions window by window: each is joined."""
    joining = Joining(BINARY, ("id",), "time", HOUR, kept=2)
    made = ShardJoin(joining)
    parts = [predicted(40, seed, first=100 + seed) for seed in range(10)]
    for part in parts:
        came = pa.array(part["time"].cast(pa.int64()).to_numpy(), pa.timestamp("us", "UTC"))
        made.add_labels(joining.labels(part.append_column("publish_time", came)))
    for hour, part in enumerate(parts):
        made.add_predictions(joining.predictions(part))
        sums = made.pop((100 + hour) * HOUR)
        assert sums.labelled == sums.rows == 40
    assert sum(map(len, made.labels)) == 400, "all came between two windows' ends"
    made.pop(113 * HOUR)
    assert sum(map(len, made.labels)) == 0
    made.add_labels(joining.labels(predicted(10, 50), 113 * HOUR))
    made.pop(114 * HOUR)
    assert sum(map(len, made.labels)) == 10


def day(seed=30):
    """Predictions of four hours, and labels in another order; some labels never come."""
    rows = predicted(4000, seed, hours=4, first=100)
    labels = rows.select(["id", "y"]).take(pa.array(np.random.default_rng(1).permutation(4000)))
    return rows.select(["id", "time", "score"]), labels.slice(400)


def measured(rows, labels):
    verb = MeasureQuality(LABELLED, ("id",), 3600, "time")
    collect = Collect()
    with local_pipeline() as root:
        sides = tuple(
            root | name >> beam.Create([part.slice(at, 500) for at in range(0, part.num_rows, 500)])
            for name, part in (("Rows", rows), ("Labels", labels))
        )
        for side in sides:
            side.element_type = pa.RecordBatch
        _ = sides | verb | collect
    return pa.Table.from_batches(collect.found, QUALITY).sort_by("window_start")


def test_the_verb_joins_files():
    rows, labels = day()
    found = measured(rows, labels).to_pylist()
    assert [row["rows"] for row in found] == [
        int(n) for n in np.bincount(rows["time"].cast(pa.int64()).to_numpy() // HOUR - 100)
    ]
    assert sum(row["labelled"] for row in found) == 3600
    assert {row["status"] for row in found} == {"OK"}


def measured_late(some):
    """The quality of a stream that has both sides."""
    verb = MeasureQuality(LABELLED, ("id",), 3600, "time", wait=3 * 3600, shards=2)
    sides = [
        some
        | name
        >> beam.Filter(lambda b, n=column: n in b.schema.names).with_output_types(pa.RecordBatch)
        for name, column in (("Rows", "score"), ("Labels", "y"))
    ]
    return tuple(sides) | verb


def late_labels(rows, labels):
    """A stream in which labels come two hours after their predictions."""
    micros = rows["time"].cast(pa.int64()).to_numpy()
    place = dict(zip(rows["id"].to_pylist(), (micros // HOUR).tolist(), strict=True))
    hours = np.array([place[key] for key in labels["id"].to_pylist()])
    given = stream().advance_watermark_to(100 * 3600)
    for hour in range(100, 112):
        parts = [
            (rows, micros // HOUR == hour),
            (labels, hours == hour - 2),
        ]
        for side, mask in parts:
            part = side.filter(pa.array(mask))
            if part.num_rows:
                given = given.add_elements([part])
        given = given.advance_watermark_to((hour + 1) * 3600)
    return given.advance_watermark_to_infinity()


def test_the_verb_joins_a_stream_in_which_labels_are_late():
    """Labels count in the window of their prediction."""
    rows, labels = day()
    found, _ = run_stream(late_labels(rows, labels), measured_late)
    streamed = pa.Table.from_batches(found, QUALITY).sort_by("window_start")
    of_files = measured(rows, labels)
    figures = [field.name for field in QUALITY if pa.types.is_floating(field.type)]
    assert streamed.drop_columns(figures).equals(of_files.drop_columns(figures))
    for name in figures:
        one, other = (each[name].to_pylist() for each in (streamed, of_files))
        assert one == pytest.approx(other)


def test_errors_of_a_stream_are_incidents():
    """Three hours with many wrong predictions: one incident, as of files, and it recovers."""
    flips = [0, 0, 0.25, 0.25, 0.25, 0, 0, 0, 0]
    parts = [predicted(600, 60 + at, flip, first=100 + at) for at, flip in enumerate(flips)]
    rows = pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
    told, labels = rows.select(["id", "time", "score"]), rows.select(["id", "y"])

    def confirmed(some):
        return measured_late(some) | ConfirmErrors(wait=3 * 3600 + 0.001)

    found, _ = run_stream(late_labels(told, labels), confirmed)
    events = pa.Table.from_batches(found, EVENTS)
    assert [row["event"] for row in events.to_pylist()] == ["OPENED", "RECOVERED"]
    assert round(events["since"][0].as_py().timestamp()) == 102 * 3600
    assert events.equals(quality_events(measured(told, labels)))
    quality = measured(told, labels).to_batches()
    (one, *more) = run_on(quality[::-1], lambda some: some | ConfirmErrors())
    assert pa.Table.from_batches([one, *more], EVENTS).equals(events)
    with pytest.raises(ConfigError, match="wait"):
        ConfirmErrors(wait=-1)


def test_wrong_settings():
    with pytest.raises(ConfigError, match="knows no labels"):
        MeasureQuality(build_baseline([batch_of(x=[1.0])]), ("id",))
    with pytest.raises(ConfigError, match="keys"):
        MeasureQuality(LABELLED, ())
    with pytest.raises(ConfigError, match="size needs"):
        MeasureQuality(LABELLED, ("id",), 60)
    with pytest.raises(ConfigError, match="'ranking' is unknown"):
        Quality("ranking", "score", "y")
    with pytest.raises(ConfigError, match="confidence is for classes"):
        Quality("binary", "score", "y", "sure")
    with pytest.raises(ConfigError, match="'sure' is not from 0 to 1"):
        sums_of(SURE, batch_of(score=["a"], sure=[1.5], y=["a"]))
    with pytest.raises(ConfigError, match="not from 0 to 1"):
        sums_of(BINARY, batch_of(score=[2.0], y=[1]))
    with pytest.raises(ConfigError, match="not 0 or 1"):
        sums_of(BINARY, batch_of(score=[0.2], y=[3]))
    with pytest.raises(ConfigError, match="should be a number"):
        sums_of(REGRESSION, batch_of(score=["x"], y=[3]))
    assert Sums.empty("binary").rows == 0
