"""Numbers and moments: exact counts, sums and ends; NaN and the infinite apart."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import statistics_pb2

from tests.transforms.statistics.test_feature import alike
from transforms.statistics import dataset
from transforms.statistics.collect import Collector
from transforms.statistics.dataset import merged
from transforms.statistics.numbers import Numbers
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.sketches.moments import exact_sum

INTEGERS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30)
FLOATS = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]), max_size=30)


def described(*parts, integers=False, weights=None):
    """The statistics of parts, each taken in by itself and then merged."""
    whole = Numbers(integers)
    for part in parts:
        made = Numbers(integers)
        made.add(pa.array(part, pa.int64() if integers else pa.float64()), weights)
        whole.merge(made)
    stats = statistics_pb2.FeatureNameStatistics()
    whole.describe(stats)
    return stats


@given(st.lists(INTEGERS, min_size=1, max_size=3))
def test_integers_are_exact(parts):
    values = list(itertools.chain(*parts))
    stats = described(*parts, integers=True)
    assert stats.type == statistics_pb2.FeatureNameStatistics.INT
    assert stats.num_stats.num_zeros == values.count(0)
    if values:
        assert stats.num_stats.mean == sum(values) / len(values)
        assert {each.name: each.str for each in stats.custom_stats if each.str} == {
            "min_int64": str(min(values)),
            "max_int64": str(max(values)),
        }
        assert stats.num_stats.median == float(sorted(values)[(len(values) - 1) // 2])


@given(st.lists(FLOATS, min_size=1, max_size=3))
def test_floats(parts):
    values = np.array(list(itertools.chain(*parts)))
    finite = values[np.isfinite(values)]
    stats = described(*parts).num_stats
    assert stats.num_zeros == (finite == 0).sum()
    if len(finite):
        assert stats.mean == pytest.approx(finite.mean(), abs=1e-6)
        assert stats.std_dev == pytest.approx(finite.std(), abs=1e-6)
    there = values[~np.isnan(values)]
    if len(there):
        assert (stats.min, stats.max) == (there.min(), there.max())
        assert stats.median == np.sort(there)[(len(there) - 1) // 2]
    for histogram in stats.histograms:
        assert histogram.num_nan == np.isnan(values).sum()
        assert sum(bucket.sample_count for bucket in histogram.buckets) == pytest.approx(len(there))


def test_equal_widths_and_equal_shares():
    standard, quantiles = described([0, 1, 2, 3, 10] * 2).num_stats.histograms
    assert standard.type == statistics_pb2.Histogram.STANDARD
    assert [(b.low_value, b.high_value, b.sample_count) for b in standard.buckets][:4] == [
        (0, 1, 2),
        (1, 2, 2),
        (2, 3, 2),
        (3, 4, 2),
    ]
    assert standard.buckets[9].sample_count == 2
    assert quantiles.type == statistics_pb2.Histogram.QUANTILES
    assert [b.high_value for b in quantiles.buckets] == [0, 0, 1, 1, 2, 2, 3, 3, 10, 10]
    assert {b.sample_count for b in quantiles.buckets} == {1}


def test_the_infinite_are_in_the_outermost_buckets():
    stats = described([-np.inf, 0.0, 5.0, 10.0, np.inf, np.inf]).num_stats
    first, *_, last = stats.histograms[0].buckets
    assert (first.low_value, first.sample_count) == (-np.inf, 2)
    assert (last.high_value, last.sample_count) == (np.inf, 3)
    assert stats.mean == 5


def test_only_the_infinite():
    stats = described([np.inf, np.inf]).num_stats
    assert (stats.min, stats.max, stats.median) == (np.inf, np.inf, np.inf)
    assert stats.histograms[0].buckets[0].sample_count == 2


def test_nothing_but_nan():
    stats = described([np.nan]).num_stats
    assert stats.histograms[0].num_nan == 1
    assert not stats.histograms[0].buckets


def test_many_values_and_a_chunk_more():
    """Hashed while few differ, sorted when many do, and back."""
    few, many = np.arange(200_000) % 7, np.arange(200_000)
    made = Numbers(True)
    for values in (few, many, few):
        made.add(pa.array(values))
    stats = statistics_pb2.FeatureNameStatistics()
    made.describe(stats)
    values = np.concatenate([few, many, few])
    assert stats.num_stats.num_zeros == (values == 0).sum()
    assert stats.num_stats.mean == values.mean()
    assert stats.num_stats.std_dev == pytest.approx(values.std())
    assert made.summary.error < 0.005 * len(values)


@pytest.mark.parametrize("weights", [[0.5, 2.7, 0.9], [0.1, 0.0, 0.0]])
def test_the_infinite_weigh_what_they_weigh(weights):
    """Also less than 1, and where no number is finite."""
    stats = described([np.inf, np.inf, -np.inf], weights=np.array(weights)).num_stats
    for histogram in stats.weighted_numeric_stats.histograms:
        found = sum(bucket.sample_count for bucket in histogram.buckets)
        assert found == pytest.approx(sum(weights))


def test_numbers_that_weigh_nothing_are_in_no_weighted_statistics():
    weighed = described([-1e3, 1.0, 2.0, 1e3], weights=np.array([0.0, 1.0, 1.0, 0.0])).num_stats
    expected = described([1.0, 2.0], weights=np.ones(2)).num_stats
    assert weighed.weighted_numeric_stats == expected.weighted_numeric_stats
    none = described([1.0, 2.0], weights=np.zeros(2)).num_stats.weighted_numeric_stats
    assert not any(histogram.buckets for histogram in none.histograms)
    assert (weighed.min, weighed.max) == (-1e3, 1e3)


def test_weights():
    stats = described([1.0, 2.0, np.inf], weights=np.array([3.0, 1.0, 2.0])).num_stats
    weighted = stats.weighted_numeric_stats
    assert weighted.mean == 1.25
    assert weighted.std_dev == pytest.approx(np.sqrt(3 * 0.0625 / 4 + 0.5625 / 4))
    assert weighted.median == 1.0
    assert stats.mean == 1.5


@given(INTEGERS)
def test_sums_of_integers_are_exact(values):
    assert exact_sum(np.array(values, np.int64)) == sum(values)


@given(FLOATS)
def test_fine_buckets_of_few_values_are_points(values):
    found = {each.name: each.histogram for each in described(values).custom_stats}
    buckets = found["fine_histogram"].buckets if found else []
    points, counts = np.unique(np.array([v for v in values if v == v]) + 0.0, return_counts=True)
    assert [b.low_value for b in buckets] == [b.high_value for b in buckets] == points.tolist()
    assert [b.sample_count for b in buckets] == counts.tolist()


def test_fine_buckets_of_integers_that_are_one_double():
    stats = described([2**63 - 1, 2**63 - 2, -(2**63), 1 - 2**63], integers=True)
    (fine,) = (each.histogram for each in stats.custom_stats if not each.str)
    buckets = [(b.low_value, b.high_value, b.sample_count) for b in fine.buckets]
    assert buckets == [(-(2.0**63), -(2.0**63), 2), (2.0**63, 2.0**63, 2)]


@pytest.mark.parametrize("values", [[5e-324, 1e-323], [-1.7e308, 1.7e308], [1.0, 1.0 + 2**-52]])
def test_edges_of_equal_widths_rise(values):
    buckets = described(values).num_stats.histograms[0].buckets
    assert (buckets[0].low_value, buckets[9].high_value) == tuple(values)
    assert all(bucket.low_value <= bucket.high_value for bucket in buckets)
    assert all(one.high_value == two.low_value for one, two in itertools.pairwise(buckets))
    assert sum(bucket.sample_count for bucket in buckets) == 2


def test_fine_buckets_of_many_values():
    draw = np.random.default_rng(4)
    values = np.concatenate([draw.normal(size=3000), np.zeros(500), [np.inf]])
    (fine,) = (each.histogram for each in described(values).custom_stats)
    lows = [bucket.low_value for bucket in fine.buckets]
    highs = [bucket.high_value for bucket in fine.buckets]
    assert 200 < len(lows) < 300
    assert all(low <= high for low, high in zip(lows, highs, strict=True))
    assert all(high < low for high, low in zip(highs[:-1], lows[1:], strict=True))
    points = {b.low_value: b.sample_count for b in fine.buckets if b.low_value == b.high_value}
    assert points[0.0] == 500
    assert points[np.inf] == 1
    others = [b.sample_count for b in fine.buckets if b.low_value != b.high_value]
    assert max(others) <= 2 * 3501 / 256
    assert sum(bucket.sample_count for bucket in fine.buckets) == 3501


@pytest.mark.parametrize(
    "others",
    [
        [pa.array([1.5, np.nan, -np.inf])],
        [pa.array([2**64 - 1, 7], pa.uint64())],
        [pa.array([2**63, 2**63], pa.uint64()), pa.array([0.25])],
        [pa.array([], pa.float64())],
    ],
)
@pytest.mark.parametrize("merges", [False, True])
def test_integers_and_floats_of_one_column_count_as_floats_in_any_order(others, merges):
    batches = [pa.record_batch({"a": each}) for each in [pa.array([1, 2, 0]), *others]]
    found = []
    for order in itertools.permutations(batches):
        parts = [[batch] for batch in order] if merges else [order]
        (feature,) = features_of(merged(map(collected, parts)))
        assert feature.type == statistics_pb2.FeatureNameStatistics.FLOAT
        assert not any(each.str for each in feature.custom_stats)
        found.append(feature)
    for feature in found[1:]:
        alike(feature, found[0])


def test_a_column_of_numbers_near_2_64_has_a_mean():
    many = np.arange(70_000, dtype="u8"), np.full(70_000, 2**64 - 1, "u8")
    for parts in (many, many[::-1]):
        slices = collected([pa.record_batch({"a": pa.array(part)}) for part in parts])
        (feature,) = features_of(slices)
        stats = feature.num_stats
        assert stats.mean == pytest.approx(2**63 + 70_000 / 4)
        assert (stats.min, stats.max) == (0, float(2**64))


OPTIONS = StatisticsOptions()


def collected(batches):
    collector = Collector(OPTIONS)
    for batch in batches:
        collector.add(batch)
    return collector.slices()


def features_of(slices):
    return dataset.described(slices, OPTIONS).datasets[0].features
