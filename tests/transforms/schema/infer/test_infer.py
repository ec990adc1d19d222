"""Inference: what a schema says of data, and that the data meets it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.schema.builders import add_column, kinds_of, schema_of, stats_of
from tests.transforms.schema.cases import custom, nested, x
from transforms.metadata.protos import statistics_pb2
from transforms.schema import (
    adopt_ranges,
    diff_schemas,
    infer_schema,
    update_schema,
    validate_statistics,
)

SHAPE = "presence { min_fraction: 1 min_count: 1 } shape { dim { size: 1 } }"


@pytest.mark.parametrize(
    ("values", "body"),
    [
        ([1, 2], f"type: INT {SHAPE}"),
        ([0, 0], f"type: INT {SHAPE}"),
        ([0, 1], f"type: INT {SHAPE} bool_domain {{}}"),
        ([1, 1], f"type: INT {SHAPE} bool_domain {{}}"),
        ([1.5], f"type: FLOAT {SHAPE}"),
        (["a", "b"], f"type: BYTES {SHAPE} domain: 'x'"),
        (
            ["true", "false"],
            f"type: BYTES {SHAPE} bool_domain {{ true_value: 'true' false_value: 'false' }}",
        ),
        (["clear"], f"type: BYTES {SHAPE} bool_domain {{ false_value: 'clear' }}"),
        (["1", ""], f"type: BYTES {SHAPE} domain: 'x'"),
        (["1", "true"], f"type: BYTES {SHAPE} domain: 'x'"),
        (["12", "-7 "], f"type: BYTES {SHAPE} int_domain {{}}"),
        (["9223372036854775808"], f"type: BYTES {SHAPE} domain: 'x'"),
        (["a", "__BYTES_VALUE__"], f"type: BYTES {SHAPE}"),
        ([b"\x00"], f"type: BYTES {SHAPE}"),
        ([7, None], "type: INT presence { min_count: 1 } value_count { min: 1 max: 1 }"),
        (
            [[1, 2], [3]],
            "type: INT presence { min_fraction: 1 min_count: 1 } value_count { min: 1 }",
        ),
        (
            [[1, 2], [3, 4]],
            "type: INT presence { min_fraction: 1 min_count: 1 } shape { dim { size: 2 } }",
        ),
        ([[7], []], "type: INT presence { min_fraction: 1 min_count: 1 }"),
        ([None], "type: BYTES presence { min_count: 0 }"),
        (
            [{}],
            "type: STRUCT presence { min_fraction: 1 min_count: 1 } value_count { min: 1 max: 1 }",
        ),
    ],
)
def test_a_column(values, body):
    expected = schema_of(x(body))
    if "domain: 'x'" in body:
        expected.string_domain.add(name="x", value=sorted(values))
    assert infer_schema(stats_of(x=values)) == expected


def test_a_domain_of_many_values_is_none():
    values = [f"v{n:03}" for n in range(101)]
    assert not infer_schema(stats_of(x=values)).string_domain
    assert len(infer_schema(stats_of(x=values[:100])).string_domain[0].value) == 100
    assert infer_schema(stats_of(x=values), max_string_domain_size=101).string_domain
    # Of a thousand values the statistics may hold but the most frequent.
    data = stats_of(x=values[:50])
    data.datasets[0].features[0].string_stats.unique = 1000
    assert not infer_schema(data).string_domain


def test_without_shapes():
    expected = schema_of(
        x("type: INT presence { min_fraction: 1 min_count: 1 } value_count { min: 1 max: 1 }")
    )
    assert infer_schema(stats_of(x=[7]), infer_shape=False) == expected


def test_nested_values():
    (feature,) = infer_schema(nested([(2, 2), (1, 3)])).feature
    counts = [(count.min, count.max) for count in feature.value_counts.value_count]
    assert counts == [(2, 2), (1, 0)]
    (feature,) = infer_schema(nested([(2, 2), (3, 3)])).feature
    assert [dim.size for dim in feature.shape.dim] == [2, 3]


def test_structs():
    data = stats_of(**{"a": [{}, None], "a.b": [1, 2], "a.c": [{}], "a.c.d": ["u"], "e": [1]})
    schema = infer_schema(data)
    assert [feature.name for feature in schema.feature] == ["a", "e"]
    assert [child.name for child in schema.feature[0].struct_domain.feature] == ["b", "c"]
    assert schema.string_domain[0].name == "a.c.d"


def test_two_domains_of_one_name():
    data = stats_of(**{"a": [{}], "a.b": ["u"], "a.b2": ["v"]})
    schema = infer_schema(data)
    update = update_schema(schema, stats_of(**{"a": [{}], "a.b": ["u"], "a.b2": ["v"], "c": ["w"]}))
    assert [domain.name for domain in update.string_domain] == ["a.b", "a.b2", "c"]
    schema.string_domain[0].name = "c"
    schema.feature[0].struct_domain.feature[0].domain = "c"
    added = update_schema(schema, stats_of(**{"a": [{}], "a.b": ["u"], "a.b2": ["v"], "c": ["w"]}))
    assert added.feature[1].domain == "c2"


@pytest.mark.parametrize(
    ("told", "domain"),
    [
        ("image_domain {}", "image_domain"),
        ("time_domain { string_format: '%Y' }", "time_domain"),
        ("float_domain {}", "float_domain"),
        ("struct_domain {}", None),
        ("type: INT", None),
        ("image_domain {} type: INT", None),
        ("imag_domain {}", None),
    ],
)
def test_semantic_domains(told, domain):
    data = custom("string_stats { common_stats { num_non_missing: 9 } }")
    data.datasets[0].features[0].custom_stats.add(name="domain_info", str=told)
    schema = infer_schema(data)
    assert schema.feature[0].WhichOneof("domain_info") == domain
    assert kinds_of(validate_statistics(data, schema)) == {}


def test_categories_of_integers():
    data = stats_of(x=["3", "5"])
    data.datasets[0].features[0].type = statistics_pb2.FeatureNameStatistics.INT
    schema = infer_schema(data)
    assert schema.feature[0].int_domain.is_categorical
    assert kinds_of(validate_statistics(data, schema)) == {}


def test_sparse_features_are_not_inferred():
    data = stats_of(x=[1])
    data.datasets[0].features.add().path.step.append("s")
    data.datasets[0].features[1].custom_stats.add(name="missing_value", num=0)
    assert [feature.name for feature in infer_schema(data).feature] == ["x"]


def test_derived_features():
    data = custom(
        "num_stats { common_stats { num_non_missing: 9 } } "
        "validation_derived_source { deriver_name: 'd' }",
        "INT",
    )
    schema = infer_schema(data)
    assert schema.feature[0].validation_derived_source.deriver_name == "d"
    assert kinds_of(validate_statistics(data, schema)) == {}


def test_suggested_ranges_are_not_enforced_until_they_are_adopted():
    data = stats_of(
        x=[-(2**63), 2**53 + 3],
        y=[0.1, 0.3],
        s=["a", "b"],
        b=[0, 1],
        **{"t": [{}, {}], "t.u": [5, 7]},
    )
    schema = infer_schema(data, suggest_ranges=True)
    assert schema.feature[0].annotation.comment[0] == (
        "suggested: int_domain { min: -9223372036854775808 max: 9007199254740995 } "
        "(of 2 values; the next is outside with a chance of at most 67%)"
    )
    assert list(schema.feature[0].annotation.tag) == ["suggested"]
    wider = stats_of(x=[2**60], y=[9.0], s=["a"], b=[0], **{"t": [{}], "t.u": [8]})
    assert kinds_of(validate_statistics(wider, schema)) == {}
    assert adopt_ranges(schema) == ["x", "y", "u"]
    assert not schema.feature[0].HasField("annotation")
    assert kinds_of(validate_statistics(data, schema)) == {}
    assert kinds_of(validate_statistics(wider, schema)) == {
        "x": ["INT_TYPE_BIG_INT"],
        "y": ["FLOAT_TYPE_BIG_FLOAT"],
        "t.u": ["INT_TYPE_BIG_INT"],
    }
    assert adopt_ranges(schema) == []


def test_a_domain_that_someone_gave_stays_and_other_notes_too():
    schema = infer_schema(stats_of(x=[1, 5]), suggest_ranges=True)
    schema.feature[0].int_domain.max = 9
    schema.feature[0].annotation.comment.append("in minutes")
    assert adopt_ranges(schema) == []
    assert schema.feature[0].int_domain.max == 9
    assert list(schema.feature[0].annotation.comment) == ["in minutes"]


FLOATS = st.floats(allow_nan=True, allow_infinity=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(
    ["1", "0", "true", "", "-5", "1_000", "set"]
)


def values_of(element):
    some = st.none() | element | st.lists(element, max_size=3)
    return st.lists(some, min_size=1, max_size=12)


COLUMNS = st.dictionaries(
    st.sampled_from("abcde"),
    st.one_of(
        values_of(st.integers(-(2**63), 2**63 - 1)),
        values_of(st.integers(0, 1)),
        values_of(FLOATS),
        values_of(TEXTS),
        values_of(st.binary(max_size=3)),
    ),
    min_size=1,
    max_size=4,
)


def data_of(columns):
    rows = max(map(len, columns.values()))
    data = stats_of(rows=rows)
    for name, values in columns.items():
        add_column(data.datasets[0], name, values + [None] * (rows - len(values)))
    return data


@given(COLUMNS, st.booleans(), st.booleans())
def test_data_meets_the_schema_that_is_inferred_from_it(columns, shapes, adopt):
    data = data_of(columns)
    schema = infer_schema(data, infer_shape=shapes, suggest_ranges=True)
    if adopt:
        adopt_ranges(schema)
    assert kinds_of(validate_statistics(data, schema)) == {}
    assert update_schema(schema, data) == schema


@given(COLUMNS, COLUMNS)
def test_an_updated_schema_accepts_the_data(before, after):
    schema = infer_schema(data_of(before), suggest_ranges=True)
    adopt_ranges(schema)
    data = data_of(after)
    found = validate_statistics(data, schema)
    updated = update_schema(schema, data)
    assert kinds_of(validate_statistics(data, updated)) == {}
    assert bool(found.anomaly_info) == (updated != schema)


@given(COLUMNS, COLUMNS)
def test_what_is_not_accepted_is_still_found(before, after):
    schema = infer_schema(data_of(before), suggest_ranges=True)
    adopt_ranges(schema)
    data = data_of(after)
    found = validate_statistics(data, schema)
    kept = sorted(found.anomaly_info)[:1]
    for path in kept:
        del found.anomaly_info[path]
    updated = update_schema(schema, data, anomalies=found)
    assert sorted(kinds_of(validate_statistics(data, updated))) == kept


@given(COLUMNS, COLUMNS)
def test_a_diff_is_empty_if_and_only_if_schemas_are_equal(before, after):
    one, other = infer_schema(data_of(before)), infer_schema(data_of(after))
    assert (diff_schemas(one, other) == []) == (one == other)
    assert diff_schemas(one, one) == []
