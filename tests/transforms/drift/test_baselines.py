"""Baselines that are made: joined, compared, planned with, and those of statistics."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of, run_on, shared_data
from transforms.drift.baseline import Baseline
from transforms.drift.baselines.describe import columns_of, differences, facts_of
from transforms.drift.baselines.imported import baseline_of_statistics
from transforms.drift.baselines.merge import merge_baselines
from transforms.drift.baselines.plan import plan, plan_window
from transforms.drift.build import BuildBaseline
from transforms.drift.counting.counts import count_batch
from transforms.drift.judging.compare import Comparer
from transforms.drift.judging.policy import Policy
from transforms.drift.make import build_baseline
from transforms.errors import ConfigError
from transforms.gate.places import read_statistics
from transforms.statistics.collect import statistics_of

HOUR = 3600 * 10**6


def rows(number=4000, seed=0, hours=40, shift=0.0):
    draw = np.random.default_rng(seed)
    return batch_of(
        time=pa.array(np.sort(draw.integers(0, hours * HOUR, number)), pa.timestamp("us")),
        amount=pa.array(draw.normal(shift, 1, number), mask=draw.random(number) < 0.1),
        hour=draw.integers(0, 24, number),
        kind=pa.array(draw.choice(["Cash", "Card", None], number, p=[0.6, 0.3, 0.1])),
    )


FIRST = build_baseline([rows()], "time", 3600)


def counted_like(*batches, size=3600.0):
    verb = BuildBaseline("time", size, like=FIRST)
    (made,) = run_on(list(batches), lambda given: given | verb)
    return made


def test_merged_is_that_of_all_rows():
    second = counted_like(rows(3000, 1))
    assert second.layout == FIRST.layout
    both = merge_baselines([FIRST, second])
    assert both.counts.rows.tolist() == [7000]
    assert (both.counts.cells == FIRST.counts.cells + second.counts.cells).all()
    assert both.windows == FIRST.windows + second.windows == 80
    assert Baseline.from_bytes(both.to_bytes()).hash == both.hash
    alone = merge_baselines([FIRST, FIRST])
    assert np.allclose(alone.calibrations[0].spread, FIRST.calibrations[0].spread)


def test_the_same_rows_in_the_same_cells_are_the_same_baseline():
    assert counted_like(rows()).hash == FIRST.hash


def test_what_does_not_fit_is_not_merged():
    other = build_baseline([rows(seed=2)], "time", 3600)
    with pytest.raises(ConfigError, match=r"those of column 'amount'.*--cells"):
        merge_baselines([FIRST, other])
    with pytest.raises(ConfigError, match="windows of another length"):
        merge_baselines([FIRST, counted_like(rows(), size=7200.0)])
    with pytest.raises(ConfigError, match="those of `like`"):
        BuildBaseline(kinds={"x": "numbers"}, like=FIRST)
    with pytest.raises(ConfigError, match="counts column 'hour'"):
        BuildBaseline("hour", like=FIRST)


def test_shown():
    facts = dict(facts_of(FIRST))
    assert facts["rows"] == "4,000"
    assert facts["calibrated"] == "of 40 windows of 3600 s"
    assert facts["not counted"] == "time"
    told = {row[0]: row[1:] for row in columns_of(FIRST)}
    assert told["kind"][0] == "labels"
    assert told["kind"][3] == "Cash"
    assert float(told["amount"][2].rstrip("%")) == pytest.approx(10, abs=1.5)


def test_differences():
    moved = counted_like(rows(4000, 3, shift=0.5))
    told = {row[0]: row[1:] for row in differences(FIRST, moved)}
    assert told["amount"][0] == "counts"
    assert float(told["amount"][1]) == pytest.approx(0.22, abs=0.05)
    assert abs(float(told["hour"][1])) < 0.01
    same = {row[0]: row[1] for row in differences(FIRST, FIRST)}
    assert set(same.values()) == {"nothing"}
    other = build_baseline([batch_of(amount=["a", "b"] * 500, more=[1] * 1000)])
    told = {row[0]: row[1] for row in differences(FIRST, other)}
    assert told["amount"] == "counted by numbers, then by labels"
    assert (told["more"], told["kind"]) == ("only after", "only before")


@given(st.integers(200, 10_000), st.integers(2, 20))
def test_more_rows_find_smaller_differences(number, times):
    few, many = (plan_window(FIRST, n, 60) for n in (number, number * times))
    for name, psi in few.detectable.items():
        assert many.detectable[name] <= psi * 1.25 + 1e-9
    assert len(plan_window(FIRST, 199, 60).judged) == 0


def test_a_plan_keeps_its_word():
    """Nine in ten windows find what the plan says that they do."""
    base = build_baseline([rows(50_000, 5)], "time")
    policy = Policy(uncalibrated=0.02)
    planned = plan_window(base, 1000, 60, policy)
    compare, draw = Comparer(base, policy), np.random.default_rng(6)
    shift = np.sqrt(planned.detectable["amount"] / 0.9)
    found = 0
    for _ in range(200):
        window = rows(1000, int(draw.integers(1 << 30)), shift=shift)
        verdicts = compare(count_batch(base.layout, window)).to_pylist()
        found += any(r["status"] != "OK" for r in verdicts if r["column"] == "amount")
    assert 0.8 <= found / 200 <= 0.99
    windows = plan(base, 10, policy)
    assert [each.rows for each in windows][:3] == [3000, 9000, 36_000]
    assert windows[0].found(1.0) == 1


def test_of_statistics_as_of_rows():
    """With the fine histograms of our own statistics a window gets about the same verdicts."""
    before = rows(20_000, 7).drop_columns(["time"])
    imported = baseline_of_statistics(statistics_of([before]))
    direct = build_baseline([before])
    assert Baseline.from_bytes(imported.to_bytes()).origin == "statistics"
    assert imported.counts.rows.tolist() == [20_000]
    window = rows(3000, 8, shift=0.4).drop_columns(["time"])
    both = []
    for base in (imported, direct):
        found = Comparer(base, Policy())(count_batch(base.layout, window)).to_pylist()
        both.append({row["column"]: row for row in found})
    for name in ("amount", "hour", "kind"):
        mine, theirs = (each[name] for each in both)
        assert mine["status"] == theirs["status"]
        assert mine["adjusted_psi"] == pytest.approx(theirs["adjusted_psi"], rel=0.15, abs=0.005)
        assert mine["missing_baseline"] == pytest.approx(theirs["missing_baseline"], abs=1e-4)


def test_of_statistics_of_tfx():
    """Train of the taxi example as TFX counted it, against eval: nothing of note moved."""
    folder = shared_data("tfx_artifacts", "statistics_gen")
    train, evaluation = (
        baseline_of_statistics(read_statistics(str(folder / f"Split-{name}")))
        for name in ("train", "eval")
    )
    told = {row[0]: row[1:] for row in columns_of(train)}
    assert told["payment_type"][3] == "Cash"
    assert train.counts.rows[0] > evaluation.counts.rows[0] > 1000
    assert differences(train, evaluation)[0][0] == "company"
    for base in (train, evaluation):
        sums = [base.counts.cells[0, base.layout.of(c.name)].sum() for c in base.layout.columns]
        assert set(sums) == {base.counts.rows[0]}


def test_statistics_without_rows():
    with pytest.raises(ConfigError, match="of none"):
        baseline_of_statistics(statistics_of([batch_of(x=[1.0]).slice(0, 0)]))
