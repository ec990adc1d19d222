"""Feature and Dataset: presence, valency and nesting; parts merged are the whole."""

import copy
import datetime
import decimal
import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from tests.support import batch_of
from transforms.errors import ConfigError
from transforms.statistics import state
from transforms.statistics.collect import Collector, statistics_of
from transforms.statistics.dataset import WHOLE, described, merged
from transforms.statistics.feature import DEEPEST
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices.values import SliceBy

FeatureNameStatistics = statistics_pb2.FeatureNameStatistics


def features(*batches, **options):
    """The statistics of features, by path."""
    (data,) = statistics_of(batches, StatisticsOptions(**options)).datasets
    return {".".join(feature.path.step): feature for feature in data.features}


def common(feature):
    return getattr(feature, feature.WhichOneof("stats")).common_stats


def test_null_is_missing_and_an_empty_list_is_there():
    lists = pa.array([[1, 2, 3], [], None, [4]])
    found = common(features(batch_of(a=lists))["a"])
    assert (found.num_non_missing, found.num_missing) == (3, 1)
    assert (found.min_num_values, found.max_num_values, found.tot_num_values) == (0, 3, 4)
    assert found.avg_num_values == pytest.approx(4 / 3)
    assert [b.high_value for b in found.num_values_histogram.buckets][-1] == 3


def test_lists_in_lists_have_levels():
    lists = pa.array([[["a"], ["b", "c"]], None, [None, []]])
    feature = features(batch_of(a=lists))["a"]
    outer, inner = common(feature).presence_and_valency_stats
    assert (outer.num_non_missing, outer.num_missing, outer.tot_num_values) == (2, 1, 4)
    assert (inner.num_non_missing, inner.num_missing, inner.tot_num_values) == (3, 1, 3)
    assert (inner.min_num_values, inner.max_num_values) == (0, 2)
    assert feature.string_stats.unique == 3


def test_fields_of_structs():
    structs = pa.array([{"x": 1, "y": "a"}, {"x": None, "y": "b"}, None])
    found = features(batch_of(s=structs))
    assert list(found) == ["s", "s.x", "s.y"]
    assert found["s"].type == FeatureNameStatistics.STRUCT
    assert (common(found["s"]).num_non_missing, common(found["s"]).num_missing) == (2, 1)
    assert (common(found["s.x"]).num_non_missing, common(found["s.x"]).num_missing) == (1, 1)
    assert found["s.y"].string_stats.unique == 2


def test_structs_in_lists():
    lists = pa.array([[{"x": 1.5}, {"x": None}], [], [{"x": 2.5}]])
    found = features(batch_of(s=lists))
    assert common(found["s"]).tot_num_values == 3
    assert found["s.x"].num_stats.mean == 2.0
    assert common(found["s.x"]).num_missing == 1


@pytest.mark.parametrize(
    ("array", "kind", "least"),
    [
        (pa.array([True, False, True]), FeatureNameStatistics.INT, 0),
        (pa.array([3, 1], pa.uint8()), FeatureNameStatistics.INT, 1),
        (pa.array([2**64 - 1], pa.uint64()), FeatureNameStatistics.FLOAT, 2.0**64),
        (pa.array([1.5], pa.float16()), FeatureNameStatistics.FLOAT, 1.5),
        (pa.array([decimal.Decimal("1.25")]), FeatureNameStatistics.FLOAT, 1.25),
        (pa.array([datetime.date(1970, 1, 3)]), FeatureNameStatistics.INT, 2),
        (pa.array([7], pa.timestamp("ms", "UTC")), FeatureNameStatistics.INT, 7),
        (pa.array(["b", "a", "b"]).dictionary_encode(), FeatureNameStatistics.STRING, None),
        (pa.array(["x"], pa.large_string()), FeatureNameStatistics.STRING, None),
        (pa.array(["x"], pa.string_view()), FeatureNameStatistics.STRING, None),
        (pa.array([b"\x00\x01"], pa.binary(2)), FeatureNameStatistics.STRING, None),
        (pa.nulls(3), FeatureNameStatistics.STRING, None),
    ],
)
def test_types(array, kind, least):
    feature = features(batch_of(a=array))["a"]
    assert feature.type == kind
    if least is not None:
        assert feature.num_stats.min == least


@given(
    st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=20),
    st.sampled_from(
        [pa.decimal128(18, 3), pa.decimal128(38, 20), pa.decimal128(18, -5), pa.decimal256(60, 30)]
    ),
)
def test_decimals_are_the_doubles_that_are_nearest(units, type):
    values = [decimal.Decimal(each).scaleb(-type.scale) for each in [407, *units]]
    made = statistics_of(pa.table({"x": pa.array(values, type)})).datasets[0].features[0]
    (fine,) = [each.histogram for each in made.custom_stats]
    assert [bucket.low_value for bucket in fine.buckets] == sorted(set(map(float, values)))


def test_a_type_without_statistics_is_named():
    with pytest.raises(ConfigError, match="column 'a': there are no statistics of type month"):
        features(batch_of(a=pa.array([pa.MonthDayNano([1, 2, 3])])))


def test_what_is_not_utf8_is_counted_and_pooled():
    found = features(batch_of(a=pa.array([b"\xff", b"\xfe", b"ok", b"\xff"])))["a"].string_stats
    assert found.invalid_utf8_count == 3
    assert [(v.value, v.frequency) for v in found.top_values] == [("__BYTES_VALUE__", 3), ("ok", 1)]


def test_strings_that_are_no_texts_are_counted_like_bytes():
    """Arrow takes it on trust that a file's strings are UTF-8."""
    values = [b"\xff", b"\xfe", "ü".encode(), b"ok", None]
    array = pa.array(values).view(pa.string())
    assert features(batch_of(a=array))["a"] == features(batch_of(a=pa.array(values)))["a"]
    by_value = StatisticsOptions(slices=(SliceBy(("a",)),))
    names = [data.name for data in statistics_of(batch_of(a=array), by_value).datasets]
    assert sorted(names) == [WHOLE, "a___BYTES_VALUE__", "a_ok", "a_ü"]


@pytest.mark.parametrize("type", [pa.string_view(), pa.binary_view(), pa.list_(pa.string_view())])
def test_views_have_slices_and_samples(type):
    value = ["a"] if pa.types.is_list(type) else "a"
    batch = batch_of(x=pa.array([value] * 40, type), s=["p", "q"] * 20)
    by_s = StatisticsOptions(slices=(SliceBy(("s",)),), sample_rate=0.5)
    whole, *parts = statistics_of(batch, by_s).datasets
    assert 0 < whole.num_examples < 40
    assert sum(part.num_examples for part in parts) == whole.num_examples


def test_a_slice_whose_maps_hold_nothing_but_nulls():
    """Arrow's own cast of it would end the process."""
    type = pa.map_(pa.string(), pa.struct([("n", pa.null())]))
    maps = pa.array([[("k", {"n": None})], [], None, None, None], type)
    assert common(features(batch_of(a=maps).slice(1))["a"]).num_missing == 3


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("lists", [False, True])
def test_a_field_that_some_structs_lack_is_missing_in_them(lists, weight):
    """However the rows are cut, and in whichever order they come."""
    rows = [{"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": None}}, {"a": 3}, None, {"d": 4}, {"a": 5}]
    types = {"a": pa.int64(), "b": pa.struct([("c", pa.int64())]), "d": pa.int64()}

    def batch(row):
        struct = pa.struct([(name, types[name]) for name in row or ()])
        values = [[row, row]] if lists else [row]
        column = pa.array(values, pa.list_(struct) if lists else struct)
        return batch_of(s=column, w=[0.5])

    struct = pa.struct(list(types.items()))
    whole = pa.array(
        [[row, row] if lists else row for row in rows], pa.list_(struct) if lists else struct
    )
    expected = features(batch_of(s=whole, w=[0.5] * len(rows)), weight=weight)
    assert common(expected["s.b"]).num_missing == 3 * (1 + lists)
    options = StatisticsOptions(weight=weight)
    for order in (rows, rows[::-1]):
        batches = [batch(row) for row in order]
        assert presences(features(*batches, weight=weight)) == presences(expected)
        slices = [_collected(each, options) for each in batches]
        (made,) = described(merged(slices), options).datasets
        found = {".".join(each.path.step): each for each in made.features}
        assert presences(found) == presences(expected)


def presences(found):
    return {
        path: common(each).SerializeToString(deterministic=True) for path, each in found.items()
    }


def _collected(batch, options):
    collector = Collector(options)
    collector.add(batch)
    return collector.slices()


def test_what_rows_without_weight_lack_weighs_nothing():
    draw = np.random.default_rng(0)
    for _ in range(50):
        weights = draw.random(101)
        weights[7] = 0.0
        x = [None if weight == 0 else 1.0 for weight in weights]
        found = common(features(batch_of(x=x, w=weights), weight="w")["x"])
        assert found.weighted_common_stats.num_missing == 0


def test_the_schema_tells_of_categories_and_of_bytes():
    schema = schema_pb2.Schema()
    schema.feature.add(name="code", type=schema_pb2.INT).int_domain.is_categorical = True
    schema.feature.add(name="image", type=schema_pb2.BYTES).image_domain.SetInParent()
    batch = batch_of(code=[7, 7, 8], image=[b"\xff" * 10, b"\xff" * 20, None])
    found = features(batch, schema=schema)
    assert found["code"].string_stats.top_values[0].value == "7"
    assert found["code"].type == FeatureNameStatistics.INT
    assert found["image"].type == FeatureNameStatistics.BYTES
    image = found["image"].bytes_stats
    assert (image.unique, image.avg_num_bytes) == (2, 15)
    assert (image.min_num_bytes, image.max_num_bytes, image.max_num_bytes_int) == (10, 20, 20)
    assert image.common_stats.num_missing == 1


def test_a_column_that_is_not_in_every_batch_is_missing_there():
    found = features(batch_of(a=[1]), batch_of(a=[2], b=["x"]), batch_of(b=["y", "z"]))
    assert (common(found["a"]).num_non_missing, common(found["a"]).num_missing) == (2, 2)
    assert (common(found["b"]).num_non_missing, common(found["b"]).num_missing) == (3, 1)


KINDS = {"numbers": [1], "structs": [{"x": 1}], "texts": ["x"]}


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(KINDS, 2)))
def test_values_of_several_kinds(one, other):
    batches = [batch_of(a=KINDS[kind]) for kind in (one, other)]
    told = " in some rows and ".join(sorted((one, other)))
    with pytest.raises(ConfigError, match=f"column 'a' holds {told} in others"):
        features(*batches)
    with pytest.raises(ConfigError, match=f"column 'a' holds {told} in others"):
        merged([_collected(batch, StatisticsOptions()) for batch in batches])


def test_weights_in_a_dictionary():
    batch = batch_of(x=[1, 2], w=pa.array([0.5, 2.0]).dictionary_encode())
    assert features(batch, weight="w")["x"].num_stats.weighted_numeric_stats.mean == 1.8


def test_nothing_is_statistics_of_nothing():
    (data,) = statistics_of([]).datasets
    assert (data.name, data.num_examples, len(data.features)) == ("All Examples", 0, 0)
    found = features(batch_of(a=pa.array([], pa.int64()), b=pa.array([], pa.string())))
    assert common(found["a"]).num_non_missing == 0
    assert list(found) == ["a", "b"]


def test_weights_and_columns():
    batch = batch_of(a=["x", "y", None], b=[1, 2, 3], w=[0.5, 2.0, 4.0])
    (data,) = statistics_of([batch], StatisticsOptions(weight="w", columns=("a", "b"))).datasets
    text, number = data.features
    assert data.weighted_num_examples == 6.5
    assert text.string_stats.weighted_string_stats.top_values[0].value == "y"
    weighted = text.string_stats.common_stats.weighted_common_stats
    assert (weighted.num_non_missing, weighted.num_missing) == (2.5, 4.0)
    assert number.num_stats.weighted_numeric_stats.mean == pytest.approx(16.5 / 6.5)
    assert number.num_stats.mean == 2


@pytest.mark.parametrize(
    ("weights", "why"),
    [([1.0, -1.0], "negative"), ([1.0, np.nan], "not finite"), (["a", "b"], "it has no numbers")],
)
def test_weights_that_are_none(weights, why):
    with pytest.raises(ConfigError, match=why):
        features(batch_of(a=[1, 2], w=weights), weight="w")


def test_a_weight_that_is_not_there():
    with pytest.raises(ConfigError, match="there is no column 'w' of weights"):
        features(batch_of(a=[1]), weight="w")


def test_a_sample_is_of_rows():
    batches = [batch_of(n=np.arange(100)) for _ in range(100)]
    (data,) = statistics_of(batches, StatisticsOptions(sample_rate=0.5)).datasets
    assert 4600 < data.num_examples < 5400, "eight standard deviations"
    (feature,) = data.features
    assert feature.num_stats.num_zeros < 90, "not whole batches"


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.integers(-5, 5) | st.none(),
            "f": st.floats(-10, 10) | st.sampled_from([np.nan, np.inf]) | st.none(),
            "t": st.sampled_from(["a", "b", "ü"]) | st.none(),
            "l": st.lists(st.integers(0, 3) | st.none(), max_size=3) | st.none(),
        }
    ),
    max_size=20,
)
SCHEMA = pa.schema(
    [("n", pa.int64()), ("f", pa.float64()), ("t", pa.string()), ("l", pa.list_(pa.int64()))]
)
OPTIONS = StatisticsOptions(pairs=True)


def collected(rows):
    collector = Collector(OPTIONS)
    collector.add(pa.RecordBatch.from_pylist(rows, SCHEMA))
    return collector.slices()


@given(st.lists(ROWS, min_size=1, max_size=3))
def test_parts_merged_are_the_whole_also_by_way_of_a_file(parts):
    whole = described(collected(list(itertools.chain(*parts))), OPTIONS).datasets[0]
    stored = [state.from_batches(state.to_batches(collected(part))) for part in parts]
    for made in (merged(map(collected, parts)), merged(stored)):
        (data,) = described(made, OPTIONS).datasets
        for mine, expected in zip(data.features, whole.features, strict=True):
            alike(mine, expected)
        for mine, expected in zip(data.cross_features, whole.cross_features, strict=True):
            assert mine.count == expected.count
            assert mine.num_cross_stats.covariance == pytest.approx(
                expected.num_cross_stats.covariance, abs=1e-9
            )


def alike(mine, expected):
    """Equal; but sums of floats depend on their order in the last bits."""
    mine, expected = copy.deepcopy(mine), copy.deepcopy(expected)
    for name in ("mean", "std_dev"):
        value = getattr(expected.num_stats, name)
        assert getattr(mine.num_stats, name) == pytest.approx(value, rel=1e-9, abs=1e-6)
        for feature in (mine, expected):
            if feature.HasField("num_stats"):
                feature.num_stats.ClearField(name)
    assert mine == expected


def test_weights_that_add_up_to_no_number():
    batch = batch_of(a=[1.0, 2.0, 4.0], w=[1e308] * 3)
    with pytest.raises(ConfigError, match="the weights of column 'w' add up to more than 1e"):
        features(batch, weight="w")
    half = batch_of(a=[[1.0] * 300], w=[0.7e280])
    features(half, weight="w")
    with pytest.raises(ConfigError, match="the weights of column 'w' add up to more than 1e"):
        merged([collected_by("w", half), collected_by("w", half)])


def collected_by(weight, *batches):
    collector = Collector(StatisticsOptions(weight=weight))
    for batch in batches:
        collector.add(batch)
    return state.from_batches(state.to_batches(collector.slices()))


def test_states_of_weighted_rows_tell_their_weight():
    held = merged([collected_by("w", WEIGHED), collected_by("w", WEIGHED)])
    (data,) = described(held, StatisticsOptions()).datasets
    assert data.weighted_num_examples == 5
    assert data.features[0].num_stats.common_stats.weighted_common_stats.num_non_missing == 5


WEIGHED = batch_of(a=[1.0, 2.0], w=[0.5, 2.0], v=[1.0, 1.0])


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("w", None, "some parts are weighted by column 'w', others not weighted"),
        (None, "w", "some parts are not weighted, others weighted by column 'w'"),
        ("w", "v", "some parts are weighted by column 'w', others weighted by column 'v'"),
    ],
)
def test_parts_of_other_weights_are_not_added_up(one, other, why):
    with pytest.raises(ConfigError, match=why):
        merged([collected_by(one, WEIGHED), collected_by(other, WEIGHED)])
    for parts in itertools.permutations(
        [collected_by(other), collected_by(one, WEIGHED), collected_by(other, WEIGHED.slice(2))]
    ):
        whole = merged(map(copy.deepcopy, parts))[WHOLE]
        assert (whole.rows, whole.weighted_by) == (2, one)


@pytest.mark.parametrize(
    ("batch", "why"),
    [
        (
            pa.record_batch([pa.array([1]), pa.array([2])], ["s", "s"]),
            "there are several columns 's'",
        ),
        (pa.record_batch([pa.array([1]), pa.array([2])], ["a", ""]), "column 2 has no name"),
        (batch_of(s=pa.array([{"": 1}])), "column 's' has a field without a name"),
        (
            batch_of(s=pa.StructArray.from_arrays([pa.array([1])] * 2, names=["x", "x"])),
            "column 's' has several fields 'x'",
        ),
    ],
)
def test_columns_without_a_name_of_their_own(batch, why):
    with pytest.raises(ConfigError, match=why):
        features(batch)


def test_a_column_without_a_name_may_be_left_out():
    batch = pa.record_batch([pa.array([1]), pa.array([2])], ["a", ""])
    assert features(batch, columns=("a",)).keys() == {"a"}


def nested(depth):
    value = pa.array([1, 2])
    for _ in range(depth):
        value = pa.StructArray.from_arrays([value], ["f"])
    return pa.record_batch({"deep": value})


def test_structs_as_deep_as_may_be_are_stored_and_read():
    slices = merged([collected_by(None, nested(DEEPEST))])
    (data,) = described(slices, StatisticsOptions()).datasets
    assert len(data.features[-1].path.step) == DEEPEST + 1
    with pytest.raises(
        ConfigError, match="column 'deep' has structs in structs, more than 64 deep"
    ):
        statistics_of(nested(DEEPEST + 1))
