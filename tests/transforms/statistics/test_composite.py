"""Sparse and weighted features: from rows to the anomalies of their parts."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of
from tests.transforms.schema.builders import kinds_of, schema_of
from transforms.errors import ConfigError
from transforms.schema import validate_statistics
from transforms.statistics import state
from transforms.statistics.collect import Collector, statistics_of
from transforms.statistics.dataset import described, merged
from transforms.statistics.options import StatisticsOptions

SPARSE = schema_of(
    "sparse_feature { name: 's' value_feature { name: 'v' }"
    " index_feature { name: 'x' } index_feature { name: 'y' } }"
)
WEIGHTED = schema_of(
    "weighted_feature { name: 's' feature { step: 'v' } weight_feature { step: 'w' } }"
)
INTS = pa.list_(pa.int64())


def ints(values):
    return pa.array(values, INTS)


def custom(schema, *batches, **options):
    """The custom statistics of the feature "s", and what validation makes of all."""
    made = statistics_of(batches, StatisticsOptions(schema=schema, **options))
    return told(made), kinds_of(validate_statistics(made, schema)).get("s", [])


def told(made):
    (feature,) = (each for each in made.datasets[0].features if each.path.step == ["s"])
    assert feature.WhichOneof("stats") is None
    return {
        each.name: {bucket.label: bucket.sample_count for bucket in each.rank_histogram.buckets}
        if each.HasField("rank_histogram")
        else each.num
        for each in feature.custom_stats
    }


def test_a_sparse_feature_that_is_whole():
    found, kinds = custom(
        SPARSE,
        batch_of(v=ints([[1], [], None]), x=ints([[1], [], None]), y=ints([[5], [], None])),
    )
    assert found == {
        "missing_value": 0,
        "missing_index": {"x": 0, "y": 0},
        "max_length_diff": {"x": 0, "y": 0},
        "min_length_diff": {"x": 0, "y": 0},
    }
    assert kinds == []


@pytest.mark.parametrize(
    ("v", "x", "kinds"),
    [
        (None, [], ["SPARSE_FEATURE_MISSING_VALUE"]),
        ([], None, ["SPARSE_FEATURE_MISSING_INDEX"]),
        ([1], [1, 2], ["SPARSE_FEATURE_LENGTH_MISMATCH"]),
        ([1, 2], [1], ["SPARSE_FEATURE_LENGTH_MISMATCH"]),
        (None, None, []),
    ],
)
def test_from_rows_to_the_anomaly_of_a_sparse_feature(v, x, kinds):
    y = v if v is not None else x
    found, raised = custom(SPARSE, batch_of(v=ints([[1], v]), x=ints([[1], x]), y=ints([[1], y])))
    assert raised == kinds
    assert found["missing_value"] == (kinds == ["SPARSE_FEATURE_MISSING_VALUE"])


def test_the_differences_of_each_index():
    batch = batch_of(v=ints([[1, 2], [1], None]), x=ints([[1], [1], [7]]), y=ints([None] * 3))
    found, _ = custom(SPARSE, batch, batch_of(n=[1]))
    assert found == {
        "missing_value": 1,
        "missing_index": {"x": 0, "y": 3},
        "max_length_diff": {"x": 1, "y": 0},
        "min_length_diff": {"x": -1, "y": -2},
    }


@pytest.mark.parametrize(
    ("v", "w", "kinds"),
    [
        ([1], [0.5], []),
        (None, None, []),
        (None, [], ["WEIGHTED_FEATURE_MISSING_VALUE"]),
        ([], None, ["WEIGHTED_FEATURE_MISSING_WEIGHT"]),
        ([1, 2], [0.5], ["WEIGHTED_FEATURE_LENGTH_MISMATCH"]),
    ],
)
def test_from_rows_to_the_anomaly_of_a_weighted_feature(v, w, kinds):
    batch = batch_of(v=ints([[1], v]), w=pa.array([[1.0], w], pa.list_(pa.float64())))
    assert custom(WEIGHTED, batch)[1] == kinds


def test_the_differences_of_weights():
    found, _ = custom(WEIGHTED, batch_of(v=ints([[1, 2], [1]]), w=[None, 0.5]))
    assert found == {
        "missing_weight": 1,
        "missing_value": 0,
        "min_weight_length_diff": -2,
        "max_weight_length_diff": 0,
    }


def test_columns_that_are_in_no_batch_are_missing_nowhere():
    found, kinds = custom(WEIGHTED, batch_of(n=[1, 2]))
    assert set(found.values()) == {0}
    assert kinds == []


def test_parts_in_structs():
    schema = schema_of(
        "feature { name: 'a' type: STRUCT struct_domain { sparse_feature { name: 's'"
        " value_feature { name: 'v' } index_feature { name: 'x' } } } }"
    )
    rows = [[{"v": [1], "x": [1, 2]}, {"v": None, "x": None}], [], [{"v": None, "x": [3]}], None]
    made = statistics_of([batch_of(a=rows)], StatisticsOptions(schema=schema))
    (feature,) = (each for each in made.datasets[0].features if each.path.step == ["a", "s"])
    by_name = {each.name: each for each in feature.custom_stats}
    assert by_name["missing_value"].num == 1
    assert by_name["missing_index"].rank_histogram.buckets[0].sample_count == 0
    assert by_name["max_length_diff"].rank_histogram.buckets[0].sample_count == 1
    anomalies = kinds_of(validate_statistics(made, schema))
    assert set(anomalies["a.s"]) == {
        "SPARSE_FEATURE_MISSING_VALUE",
        "SPARSE_FEATURE_LENGTH_MISMATCH",
    }


def test_parts_in_different_lists_of_structs():
    schema = schema_of(
        "weighted_feature { name: 's' feature { step: 'a' step: 'v' }"
        " weight_feature { step: 'w' } }"
    )
    with pytest.raises(ConfigError, match="'s' are not in the same structs"):
        custom(schema, batch_of(a=[[{"v": 1}, {"v": 2}]], w=[1.0]))


def test_only_of_columns_that_are_wanted():
    options = StatisticsOptions(schema=WEIGHTED, columns=("v",))
    made = statistics_of([batch_of(v=[1], w=[1])], options)
    assert [each.path.step[:] for each in made.datasets[0].features] == [["v"]]


def test_a_column_of_the_name():
    batch = batch_of(v=ints([[1]]), w=[None], s=[1])
    made = statistics_of([batch], StatisticsOptions(schema=WEIGHTED))
    assert [each.path.step[0] for each in made.datasets[0].features] == ["v", "w", "s"]


LISTS = st.one_of(st.none(), st.lists(st.integers(0, 9), max_size=3))
ROWS = st.lists(st.tuples(LISTS, LISTS, LISTS), max_size=6)


@given(ROWS, ROWS)
def test_parts_merged_by_way_of_a_file_are_what_rows_tell(one, other):
    options = StatisticsOptions(schema=SPARSE)

    def collected(rows):
        collector = Collector(options)
        collector.add(
            batch_of(**{name: ints([row[at] for row in rows]) for at, name in enumerate("vxy")})
        )
        return state.from_batches(state.to_batches(collector.slices()))

    found = told(described(merged([collected(one), collected(other)]), options))
    there = [row for row in (*one, *other) if any(each is not None for each in row)]
    assert found["missing_value"] == sum(row[0] is None for row in there)
    for at, name in ((1, "x"), (2, "y")):
        assert found["missing_index"][name] == sum(row[at] is None for row in there)
        apart = [len(row[at] or []) - len(row[0] or []) for row in there]
        assert found["max_length_diff"][name] == max(apart, default=0)
        assert found["min_length_diff"][name] == min(apart, default=0)
