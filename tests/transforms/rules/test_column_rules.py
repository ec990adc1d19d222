"""Rules about columns: their states merge in any order, and verdicts are right."""

import math
import pickle
import statistics

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from hypothesis import given
from hypothesis import strategies as st

from tests.support import Collect, batch_of, local_pipeline, run_on
from tests.transforms.rules.expressions import COLUMNS, batches
from transforms.errors import ConfigError
from transforms.rules.aggregates import EXACT_DISTINCT
from transforms.rules.check_columns import CheckColumns
from transforms.rules.column_rules import ColumnRule, ColumnState


def judged(text, *given):
    """The verdict on some batches, each a state of its own."""
    rules = (ColumnRule.of(text, COLUMNS),)
    state = ColumnState.empty(rules)
    for batch in given:
        state = state.merge(pickle.loads(pickle.dumps(ColumnState.of(rules, batch))))
    (verdict,) = state.verdicts()
    return verdict


@pytest.mark.parametrize(
    ("text", "holds", "measured"),
    [
        ("mean(f) between 1 and 3", True, 2.0),
        ("sum(f) = 4", True, 4.0),
        ("min(f) >= 1.5", False, 1.0),
        ("max(f) < 3", False, 3.0),
        ("count() = 4", True, 4),
        ("count(f) = 2", True, 2),
        ("null_share(f) <= 0.5", True, 0.5),
        ("distinct(f) > 2", False, 2),
        ("mean(f > 2) < 0.6", True, 0.5),
        ("max(s) = 'b'", True, "b"),
        ("mean(f + i) > 0", True, 3.5),
        ("sum(i) > 9", True, 10),
        ("distinct(s) = 2", True, 2),
        ("null_share(tags) = 1", True, 1.0),
    ],
)
@pytest.mark.parametrize("cut", [0, 1, 4])
def test_aggregates(text, holds, measured, cut):
    batch = batch_of(f=[1.0, None, 3.0, None], i=[1, 2, 2, 5], s=["a", "b", None, "a"])
    verdict = judged(text, batch.slice(0, cut), batch.slice(cut))
    assert verdict.holds is holds
    assert verdict.measured == (measured,)
    assert (verdict.rows, verdict.exact, verdict.rule) == (4, True, text)


def test_times_beyond_those_of_python():
    far = pa.record_batch({"t": pa.array([2**62, None], pa.timestamp("us"))})
    near = pa.record_batch({"t": pa.array([0, None], pa.timestamp("us"))})
    verdict = judged("max(t) < '2030-01-01' or min(t) > '2000-01-01'", far, near, near.slice(1))
    assert verdict.holds is False
    times = (np.datetime64(2**62, "us"), np.datetime64(0, "us"))
    assert verdict.measured == times
    assert judged("max(t) < '2030-01-01'", near).holds is True
    assert judged("max(t) < '2030-01-01'", near.slice(1)).holds is None


def test_several_aggregates_and_arithmetic():
    batch = batch_of(f=[1.0, 3.0], g=[10.0, 20.0])
    verdict = judged("max(f) - min(f) <= mean(g) / 5 and count() > 1", batch)
    assert verdict.holds is True
    assert verdict.measured == (3.0, 1.0, 15.0, 2)


def test_of_nothing_most_is_unknown():
    empty = batch_of(f=pa.array([], pa.float64()))
    assert judged("mean(f) > 0", empty).holds is None
    assert judged("null_share(f) = 0").holds is None
    assert judged("count() = 0").holds is True
    assert judged("mean(f) > 0", batch_of(f=pa.nulls(3, pa.float64()))).holds is None


def test_nan_is_in_a_mean_and_not_in_a_range():
    batch = batch_of(f=[1.0, math.nan])
    assert math.isnan(judged("mean(f) > 0", batch).measured[0])
    assert judged("mean(f) > 0", batch).holds is False
    assert judged("max(f) = 1", batch, batch_of(f=[math.nan])).holds is True


def test_integers_are_summed_exactly():
    big = 2**53 + 1
    assert judged("sum(i) > 0", batch_of(i=[big] * 3), batch_of(i=[-big])).measured == (2 * big,)
    whole = judged("mean(i) > 0", batch_of(i=[2**63 - 1] * 4))
    assert whole.measured == (float(2**63 - 1),)
    assert judged("sum(i) > 0", batch_of(i=[2**63 - 1] * 4)).measured == (2**63 - 1,)
    assert judged("sum(i) < 0", batch_of(i=[-(2**63)] * 2)).measured == (-(2**63),)


def test_float_sums_lose_little():
    parts = [batch_of(f=[1e16]), *[batch_of(f=[1.0])] * 1000, batch_of(f=[-1e16])]
    assert judged("sum(f) = 1000", *parts).holds is True


def test_distinct_values_beyond_those_that_are_counted():
    rows = 200_000
    numbers = np.random.default_rng(7).permutation(rows).repeat(2)
    parts = [batch_of(i=part) for part in np.array_split(numbers, 10)]
    verdict = judged("distinct(i) > 0", *parts)
    assert not verdict.exact
    assert verdict.measured[0] == pytest.approx(rows, rel=4 / math.sqrt(EXACT_DISTINCT))
    few = judged("distinct(i) > 0", batch_of(i=numbers % EXACT_DISTINCT))
    assert few.exact
    assert few.measured == (EXACT_DISTINCT,)
    more = judged("distinct(i) > 0", batch_of(i=numbers % (EXACT_DISTINCT + 1)))
    assert not more.exact


TEXTS = [
    "count(f) > 0",
    "min(i) > 0",
    "max(s) > 'a'",
    "sum(i) > 0",
    "mean(b) > 0",
    "null_share(s) > 0",
    "distinct(s) > 0",
]


@given(st.lists(batches(), min_size=1, max_size=4), st.sampled_from(TEXTS), st.randoms())
def test_order_and_cuts_do_not_matter(given, text, random):
    whole = (
        judged(text, pa.Table.from_batches(given).combine_chunks().to_batches()[0])
        if any(batch.num_rows for batch in given)
        else judged(text, given[0])
    )
    pieces = [batch.slice(i, 1) for batch in given for i in range(batch.num_rows)]
    random.shuffle(pieces)
    assert judged(text, *pieces, given[0].slice(0, 0)) == whole


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_means_against_python(values):
    verdict = judged("mean(f) > 0", *[batch_of(f=[value]) for value in values])
    assert verdict.measured[0] == pytest.approx(statistics.fmean(values), rel=1e-12, abs=1e-9)


RULES = (ColumnRule.of("mean(f) > 1", COLUMNS), ColumnRule.of("count() = 2", COLUMNS))


def test_the_verb():
    out = run_on([batch_of(f=[1.0]), batch_of(f=[2.0])], lambda rows: rows | CheckColumns(RULES))
    assert sorted((v.rule, v.holds, v.measured) for v in out) == [
        ("count() = 2", True, (2,)),
        ("mean(f) > 1", True, (1.5,)),
    ]
    nothing = run_on([], lambda rows: rows | CheckColumns(RULES))
    assert {(v.rule, v.holds) for v in nothing} == {("mean(f) > 1", None), ("count() = 2", False)}


def test_by_windows():
    collect = Collect()
    with local_pipeline() as root:
        stamped = [TimestampedValue(batch_of(f=[float(t)]), t) for t in (1, 2, 61)]
        _ = (
            root
            | beam.Create(stamped)
            | beam.WindowInto(FixedWindows(60))
            | beam.Map(lambda batch: batch).with_output_types(pa.RecordBatch)
            | CheckColumns(RULES[1:])
            | beam.Map(lambda v, w=beam.DoFn.WindowParam: (int(w.start), v.holds))
            | collect
        )
    assert sorted(collect.found) == [(0, True), (60, False)]


def test_no_rules_are_an_error():
    with pytest.raises(ConfigError, match="no column rule"):
        CheckColumns(())
