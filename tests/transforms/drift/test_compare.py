"""Verdicts of what a person can tell by looking."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of, shared_data
from transforms.drift.baseline import Baseline, read_baseline
from transforms.drift.counting.counts import count_batch
from transforms.drift.judging.calibration import calibrate
from transforms.drift.judging.comparators import comparators_of
from transforms.drift.judging.compare import Comparer
from transforms.drift.judging.policy import Policy
from transforms.drift.judging.pooling import compare_cells
from transforms.drift.judging.verdicts import VERDICTS, Window, verdict_id
from transforms.drift.make import build_baseline
from transforms.drift.outcome import outcome_of
from transforms.errors import ConfigError

LOOSE = Policy(uncalibrated=0.02)


def verdicts(before, after, policy=LOOSE, **settings):
    """The verdicts of some rows, by column, after others were the baseline."""
    base = build_baseline([before], **settings)
    found = Comparer(base, policy)(count_batch(base.layout, after))
    return {row["column"]: row for row in found.to_pylist() if not row["slice"]}


def normal(number, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, number)


def test_nothing_moved():
    (row,) = verdicts(batch_of(x=normal(50_000)), batch_of(x=normal(5_000, 1))).values()
    assert (row["status"], row["measure"]) == ("OK", None)
    assert abs(row["adjusted_psi"]) < 0.005
    assert row["jsd"] < 0.005
    assert row["ks"] < 0.03
    assert (row["rows"], row["rows_baseline"]) == (5_000, 50_000)
    assert not row["calibrated"]


def test_half_a_standard_deviation():
    """The table of sizes in docs/drift.md: PSI 0.24, JSD 0.042 bits, KS 0.2."""
    (row,) = verdicts(batch_of(x=normal(100_000)), batch_of(x=normal(20_000, 1, 0.5))).values()
    assert row["status"] == "DRIFT"
    assert row["adjusted_psi"] == pytest.approx(0.238, rel=0.06)
    assert row["jsd"] == pytest.approx(0.042, rel=0.1)
    assert row["ks"] == pytest.approx(0.197, rel=0.05)
    assert row["mean_shift"] == pytest.approx(0.5, rel=0.06)
    assert row["median_shift"] == pytest.approx(0.5, rel=0.06)


def test_statistic_and_psi_by_hand():
    """Two by two: the shortcut n (ad - bc)² / (row and column sums)."""
    window, baseline = np.array([30, 70]), np.array([500, 500])
    tested = compare_cells(window, baseline, np.array([0]))
    expected = 1100 * (30 * 500 - 70 * 500) ** 2 / (100 * 1000 * 530 * 570)
    assert tested.statistic[0] == pytest.approx(expected)
    p, q = np.array([500.5, 500.5]) / 1001, np.array([30.5, 70.5]) / 101
    assert tested.psi[0] == pytest.approx(((p - q) * np.log(p / q)).sum())
    assert tested.adjusted[0] == pytest.approx(tested.psi[0] - (1 / 100 + 1 / 1000))
    assert tested.size[0] == pytest.approx(100 * 1000 / 1100)


def test_rare_cells_are_one():
    window, baseline = np.array([90, 4, 3, 3]), np.array([9900, 40, 30, 30])
    tested = compare_cells(window, baseline, np.array([0]))
    assert (tested.cells[0], tested.kept[0]) == (2, 1)
    few = compare_cells(np.array([98, 1, 1, 0]), baseline, np.array([0]))
    assert (few.cells[0], few.statistic[0]) == (1, 0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 500)), min_size=1, max_size=12))
def test_columns_are_compared_alone(cells):
    """All at once gives what one after the other gives, and nothing is not a number."""
    window, baseline = np.array(cells, np.int64).T
    alone = compare_cells(window, baseline, np.array([0]))
    both = compare_cells(
        np.tile(window, 2), np.tile(baseline, 2), np.array([0, len(window)], np.int64)
    )
    for name in ("statistic", "cells", "psi", "adjusted", "size"):
        one, other = getattr(alone, name), getattr(both, name)
        assert other.tolist() == [one[0], one[0]]
        assert np.isfinite(one).all()


def test_one_outlier_is_no_drift():
    """TFDV's standard histogram gives a divergence of 0.99 for it."""
    values = normal(10_000)
    after = np.append(normal(10_000, 1), 1e8)
    (row,) = verdicts(batch_of(x=values), batch_of(x=after)).values()
    assert row["status"] == "OK"
    assert row["jsd"] < 0.01
    assert row["mean_shift"] == pytest.approx(0, abs=0.05)


def test_as_many_nan_on_both_sides_are_no_drift():
    parts = [normal(20_000), normal(5_000, 1)]
    for values in parts:
        values[: int(0.3 * len(values))] = np.nan
    (row,) = verdicts(*(batch_of(x=values) for values in parts)).values()
    assert row["status"] == "OK"
    assert row["missing"] == row["missing_baseline"] == pytest.approx(0.3)
    assert row["jsd"] < 0.005


def test_ids_and_empty_columns_are_calm():
    def rows(seed):
        draw = np.random.default_rng(seed)
        names = [f"user-{n:012d}" for n in draw.integers(0, 10**12, 4000)]
        return batch_of(user=names, nothing=pa.nulls(4000), key=np.arange(4000) + 10**6 * seed)

    found = verdicts(rows(1), rows(2))
    assert {name: row["status"] for name, row in found.items()} == dict.fromkeys(found, "OK")
    assert found["nothing"]["moved_cell"] is None
    assert found["nothing"]["missing"] == 1


def test_missing_values_are_a_measure_of_their_own():
    before, after = normal(50_000), normal(5_000, 1)
    masks = [
        np.random.default_rng(2).random(len(v)) < p for v, p in ((before, 0.01), (after, 0.03))
    ]
    parts = [batch_of(x=pa.array(v, mask=m)) for v, m in zip((before, after), masks, strict=True)]
    (row,) = verdicts(*parts, Policy(suspect=0.1, uncalibrated=0.1)).values()
    assert (row["status"], row["measure"]) == ("SUSPECT", "missing")
    assert row["missing"] == pytest.approx(0.03, abs=0.01)
    assert row["moved_cell"] == "null"


def test_texts_that_are_new():
    before = batch_of(kind=["Cash"] * 6000 + ["Card"] * 4000)
    after = batch_of(kind=["Cash"] * 550 + ["Card"] * 350 + ["Crypto"] * 100)
    (row,) = verdicts(before, after).values()
    assert row["status"] == "DRIFT"
    assert (row["moved_cell"], row["moved_from"], row["moved_to"]) == ("other", 0.0, 0.1)
    assert (row["outside"], row["outside_baseline"]) == (0.1, 0.0)
    assert row["ks"] is None
    assert row["mean_shift"] is None


def test_what_is_not_judged():
    base = build_baseline([batch_of(x=normal(5000), kind=["a", "b"] * 2500)], slices=("kind",))
    compare = Comparer(base)

    def status(rows):
        found = compare(count_batch(base.layout, rows)).to_pylist()
        return {(row["slice"], row["column"]): row["status"] for row in found}

    few = status(batch_of(x=normal(300), kind=["a"] * 300))
    assert few["", "x"] == "OK"
    assert few["kind=a", "x"] == "OK"
    assert few["kind=b", "x"] == "NO_DATA"
    assert set(status(batch_of(x=normal(50), kind=["a"] * 50)).values()) == {
        "NOT_ENOUGH_DATA",
        "NO_DATA",
    }
    odd = status(batch_of(kind=["a"] * 300, more=["m"] * 300))
    assert odd["", "x"] == "MISSING_COLUMN"
    assert odd["", "more"] == "NEW_COLUMN"
    none = compare.no_data(Window(0, 1)).to_pylist()
    assert {row["status"] for row in none} == {"NO_DATA"}
    assert {row["adjusted_psi"] for row in none} == {None}


def test_ids_do_not_change():
    window = Window(0, 3_600_000_000)
    again = Window(0, 3_600_000_000, 1, "late")
    assert verdict_id("m", "", "x", window) == verdict_id("m", "", "x", again)
    others = {
        verdict_id(*each, window) for each in (("n", "", "x"), ("m", "s", "x"), ("m", "", "y"))
    }
    assert len(others | {verdict_id("m", "", "x", window)}) == 4


def test_discoveries_are_fewer_than_raw_tests():
    """Of 40 windows of 60 columns without drift none is suspect; one in twenty raw tests is."""
    draw = np.random.default_rng(11)
    names = [f"x{n}" for n in range(60)]
    base = build_baseline([batch_of(**{n: draw.normal(size=20_000) for n in names})])
    compare, rows = Comparer(base, LOOSE), []
    for _ in range(40):
        counts = count_batch(base.layout, batch_of(**{n: draw.normal(size=500) for n in names}))
        rows += compare(counts).to_pylist()
    assert sum(row["p_value"] < 0.05 for row in rows) / len(rows) == pytest.approx(0.05, abs=0.015)
    assert sum(row["status"] != "OK" for row in rows) <= 1


def test_calibration_knows_that_days_differ():
    """Each day has a mean of its own: a new day is no news, to who has seen sixty."""
    draw = np.random.default_rng(3)

    def day(shift):
        return draw.normal(shift, 1, 5000)

    edges = np.quantile(draw.normal(size=100_000), np.linspace(0, 1, 11)[1:-1])
    windows = [
        np.bincount(np.searchsorted(edges, day(s)), minlength=10) for s in draw.normal(0, 0.1, 60)
    ]
    total = np.sum(windows, axis=0)
    known = calibrate(windows, total, np.array([0]))
    assert known.windows[0] == 60
    assert known.mean[0] > 0.002
    new = [
        np.bincount(np.searchsorted(edges, day(s)), minlength=10) for s in draw.normal(0, 0.1, 100)
    ]
    tails = [known.tails(compare_cells(each, total, np.array([0])))[0] for each in new]
    assert np.mean(np.array(tails) < 0.01) < 0.06
    moved = compare_cells(
        np.bincount(np.searchsorted(edges, day(0.8)), minlength=10), total, np.array([0])
    )
    assert known.tails(moved)[0] < 1e-4


def test_the_file_is_what_it_was(tmp_path):
    rows = batch_of(
        x=normal(3000),
        raw=pa.array([b"\xff\xfe", b"a"] * 1500),
        kind=["é", 'quote"'] * 1500,
    )
    made = build_baseline([rows], slices=("kind",))
    (tmp_path / "baseline.json").write_bytes(made.to_bytes())
    again = read_baseline(str(tmp_path))
    assert again.hash == made.hash
    assert again.layout == made.layout
    assert again.to_bytes() == made.to_bytes()
    counts = count_batch(made.layout, rows)
    assert Comparer(again)(counts).equals(Comparer(made)(counts))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told.update(version=2), "version 2"),
        (lambda told: told.update(format="x"), "no baseline"),
        (lambda told: told["rows"].clear(), "broken|not what it was"),
        (lambda told: told["counts"][0][0].append(1), "broken"),
        (lambda told: told["counts"][0][0].__setitem__(1, 7), "not what it was"),
        (lambda told: told.pop("columns"), "broken"),
    ],
)
def test_a_file_that_was_changed(change, message):
    told = json.loads(build_baseline([batch_of(x=normal(500))]).to_bytes())
    change(told)
    with pytest.raises(ConfigError, match=message):
        Baseline.from_bytes(json.dumps(told).encode(), "b.json")
    with pytest.raises(ConfigError, match="not JSON"):
        Baseline.from_bytes(b"\x80\x04", "b.json")


def test_windows_without_rows_have_verdicts():
    base = build_baseline([batch_of(x=normal(5000))])
    hour = 3600 * 10**6
    counts = count_batch(base.layout, batch_of(x=normal(500, 1)))
    windows = [(Window(at * hour, (at + 1) * hour), counts) for at in (0, 3)]
    found = outcome_of(base, windows, period_us=hour)
    assert found.verdicts.schema.equals(VERDICTS)
    assert found.verdicts["status"].to_pylist() == ["OK", "NO_DATA", "NO_DATA", "OK"]
    assert [name for name, _ in found.files] == [
        "verdicts.parquet",
        "incidents.parquet",
        "metrics.prom",
        "report.html",
    ]
    assert found.findings == ()


def test_report_shows_values_as_text():
    before = batch_of(kind=["<b>a</b>"] * 900 + ["b"] * 100, x=normal(1000))
    after = batch_of(kind=["<b>a</b>"] * 400 + ["<script>"] * 600, x=normal(1000, 1, 2))
    base = build_baseline([before])
    found = outcome_of(base, [(Window(), count_batch(base.layout, after))], LOOSE, title="<Title>")
    page = dict(found.files)["report.html"].decode()
    assert "&lt;b&gt;a&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "&lt;Title&gt;" in page
    assert "Adjusted PSI" in page
    assert [(severity, column) for severity, column, _ in found.findings] == [
        ("ERROR", "kind"),
        ("ERROR", "x"),
    ]
    assert not any("script" in why for _, _, why in found.findings)


def test_taxi():
    """Train against itself in parts: nothing moved; serving lacks the label."""
    import pyarrow.csv

    train, evaluation, serving = (
        pyarrow.csv.read_csv(shared_data("taxi_split", f"{name}.csv")).combine_chunks()
        for name in ("train", "eval", "serving")
    )
    base = build_baseline(train.to_batches())
    compare = Comparer(base, LOOSE)

    def status(table):
        counts = count_batch(base.layout, table.to_batches()[0])
        return {row["column"]: row["status"] for row in compare(counts).to_pylist()}

    assert set(status(evaluation).values()) == {"OK"}
    found = status(serving)
    assert found.pop("tips") == "MISSING_COLUMN"
    assert set(found.values()) == {"NOT_ENOUGH_DATA"}


def test_methods_by_their_names():
    """The table of sizes in docs/drift.md: half a standard deviation, by each method."""
    before, after = batch_of(x=normal(100_000)), batch_of(x=normal(50_000, 1, 0.5))
    (row,) = verdicts(before, after).values()
    assert row["hellinger"] == pytest.approx(0.170, rel=0.05)
    assert row["wasserstein"] == pytest.approx(0.5, rel=0.05)
    sizes = {"psi": 0.238, "js": 0.170, "jsd": 0.042, "linf": 0.066, "ks": 0.197}
    sizes |= {"hellinger": 0.170, "wasserstein": 0.5}
    for name, size in sizes.items():
        found = []
        for factor in (0.8, 1.25):
            (row,) = verdicts(before, after, Policy(methods=((name, size * factor),))).values()
            found.append((row["status"], row["measure"]))
        assert found == [("DRIFT", name), ("OK", None)], name
    (row,) = verdicts(before, after, Policy(methods=(("chi2", 1e-6),))).values()
    assert (row["status"], row["measure"]) == ("DRIFT", "chi2")
    with pytest.raises(ConfigError, match="'mmd' is unknown"):
        Policy(methods=(("mmd", 1.0),))
    with pytest.raises(ConfigError, match="more than 0"):
        Policy(methods=(("psi", 0.0),))


def test_hellinger_by_hand():
    before = batch_of(kind=["a"] * 500 + ["b"] * 500)
    after = batch_of(kind=["a"] * 180 + ["b"] * 820)
    (row,) = verdicts(before, after).values()
    expected = (1 - (0.5 * 0.18) ** 0.5 - (0.5 * 0.82) ** 0.5) ** 0.5
    assert row["hellinger"] == pytest.approx(expected)
    assert row["wasserstein"] is None


def test_comparators_of_a_schema_decide():
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    text = """
    feature { name: "x" type: FLOAT drift_comparator {
      jensen_shannon_divergence { threshold: 0.1 } } }
    feature { name: "kind" type: BYTES drift_comparator { infinity_norm { threshold: 0.01 } } }
    feature { name: "z" type: FLOAT }
    """
    columns = comparators_of(text_format.Parse(text, schema_pb2.Schema()))
    assert columns == (("x", (("jsd", 0.1),)), ("kind", (("linf", 0.01),)))
    kinds = [["a"] * 2500 + ["b"] * 2500, ["a"] * 260 + ["b"] * 240]
    before = batch_of(x=normal(5000), z=normal(5000, 2), kind=kinds[0])
    after = batch_of(x=normal(500, 1, 0.5), z=normal(500, 3, 0.5), kind=kinds[1])
    found = verdicts(before, after, Policy(columns=columns))
    told = {name: (row["status"], row["measure"]) for name, row in found.items()}
    assert told == {
        "x": ("OK", None),
        "z": ("DRIFT", "distribution"),
        "kind": ("DRIFT", "linf"),
    }


def test_prometheus_text():
    base = build_baseline([batch_of(**{'a"b': normal(5000), "kind": ["x"] * 5000})])
    hour = 3600 * 10**6
    counts = [
        count_batch(base.layout, batch_of(**{'a"b': normal(500, 1, shift), "kind": ["x"] * 500}))
        for shift in (0, 1, 1)
    ]
    windows = [(Window(at * hour, (at + 1) * hour), each) for at, each in enumerate(counts)]
    text = dict(outcome_of(base, windows).files)["metrics.prom"].decode()
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    pattern = re.compile(r'[a-z_]+({[a-z]+="(\\.|[^"\\])*"(,[a-z]+="(\\.|[^"\\])*")*})? [0-9.e+-]+')
    assert all(pattern.fullmatch(line) for line in samples), samples
    assert 'millrace_drift_status{column="a\\"b",slice="",status="DRIFT"} 1' in samples
    assert "millrace_drift_incidents_open 1" in samples
    assert "millrace_drift_window_end_seconds 10800.0" in samples
    assert "millrace_drift_rows 500" in samples
