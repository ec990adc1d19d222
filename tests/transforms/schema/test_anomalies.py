"""Every kind of anomaly: raised where it is due, not raised nearby, and gone once accepted."""

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2

from tests.transforms.schema.builders import kinds_of, schema_of, stats_from, stats_of
from tests.transforms.schema.cases import ABC, CASES, Y, nested, x
from transforms.errors import ConfigError
from transforms.schema import diff_schemas, update_schema, validate_statistics
from transforms.schema.anomalies.rules import KINDS

IDS = [f"{case.kind}-{number}" for number, case in enumerate(CASES)]


def test_every_kind_has_a_case():
    assert {case.kind for case in CASES} == KINDS
    assert len(KINDS) == 60


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_it_is_found(case):
    found = validate_statistics(**case.arguments())
    assert kinds_of(found) == {case.path: [case.kind, *case.also]}
    info = found.anomaly_info[case.path] if case.path else found.dataset_anomaly_info
    assert info.severity == anomalies_pb2.AnomalyInfo.ERROR
    assert info.short_description == info.reason[0].short_description
    assert case.short in info.short_description
    assert info.description
    assert not info.diff_regions


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_it_is_not_found_nearby(case):
    assert kinds_of(validate_statistics(**case.arguments(good=True))) == {}


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_it_is_gone_once_accepted(case):
    given = case.arguments()
    before = given["schema"].SerializeToString(deterministic=True)
    updated = update_schema(**given)
    assert given["schema"].SerializeToString(deterministic=True) == before
    assert diff_schemas(given["schema"], updated)
    assert kinds_of(validate_statistics(**(given | {"schema": updated}))) == {}


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_only_what_is_named_is_accepted(case):
    given = case.arguments()
    nothing = update_schema(**given, anomalies=anomalies_pb2.Anomalies())
    assert nothing == given["schema"]
    found = validate_statistics(**given)
    assert update_schema(**given, anomalies=found) == update_schema(**given)


def test_one_of_two_reasons_is_accepted():
    schema = schema_of(x("type: INT presence { min_fraction: 1 } int_domain { max: 5 }"))
    data = stats_of(x=[7, None])
    found = validate_statistics(data, schema)
    assert kinds_of(found) == {"x": ["FEATURE_TYPE_LOW_FRACTION_PRESENT", "INT_TYPE_BIG_INT"]}
    info = found.anomaly_info["x"]
    assert info.short_description == "Multiple errors"
    assert info.description == " ".join(reason.description for reason in info.reason)
    del info.reason[0]
    updated = update_schema(schema, data, anomalies=found)
    assert diff_schemas(schema, updated) == ['feature "x": greatest value 5 -> 7']


def test_no_rows_are_data_missing():
    schema = schema_of(x("type: INT presence { min_count: 1 }"))
    found = validate_statistics(stats_from("num_examples: 0"), schema)
    assert found.data_missing
    assert kinds_of(found) == {}
    assert found.baseline == schema
    assert update_schema(schema, stats_from("num_examples: 0")) == schema


@pytest.mark.parametrize("stage", ["PLANNED", "ALPHA", "DEPRECATED", "DEBUG_ONLY", "DISABLED"])
def test_stages_that_are_not_checked(stage):
    body = f"type: INT presence {{ min_count: 1 }} lifecycle_stage: {stage}"
    schema = schema_of(x(body) + Y)
    assert kinds_of(validate_statistics(stats_of(x=["a"], y=["a"]), schema)) == {}
    assert kinds_of(validate_statistics(stats_of(y=["a"]), schema)) == {}


@pytest.mark.parametrize("stage", ["BETA", "PRODUCTION", "UNKNOWN_STAGE", "VALIDATION_DERIVED"])
def test_stages_that_are_checked(stage):
    schema = schema_of(x(f"type: INT lifecycle_stage: {stage}"))
    found = validate_statistics(stats_of(x=["a"]), schema)
    assert kinds_of(found) == {"x": ["UNEXPECTED_DATA_TYPE"]}


def test_deprecated_the_old_way():
    schema = schema_of(x("type: INT deprecated: true"))
    assert kinds_of(validate_statistics(stats_of(x=["a"]), schema)) == {}


def test_an_unknown_environment_names_the_nearest():
    schema = schema_of('default_environment: "TRAINING" default_environment: "SERVING"')
    with pytest.raises(ConfigError, match=r"'servng'.*did you mean 'SERVING'.*TRAINING, SERVING"):
        validate_statistics(stats_of(x=[1]), schema, environment="servng")
    with pytest.raises(ConfigError, match="none; add `default_environment`"):
        update_schema(schema_of(""), stats_of(x=[1]), environment="A")


def test_default_and_other_environments():
    schema = schema_of(
        x('type: INT presence { min_count: 1 } in_environment: "A"')
        + Y
        + ' default_environment: "B"'
    )
    data = stats_of(y=["a"])
    # Default environments have every feature that is not kept out of them.
    assert kinds_of(validate_statistics(data, schema, "B")) == {"x": ["SCHEMA_MISSING_COLUMN"]}
    # A is no default environment: only features that ask for it are in it.
    assert kinds_of(validate_statistics(data, schema, "A")) == {
        "x": ["SCHEMA_MISSING_COLUMN"],
        "y": ["SCHEMA_NEW_COLUMN"],
    }


def test_severities():
    schema = schema_of(x("type: INT presence { min_fraction: 1 } int_domain { max: 5 }"))
    data = stats_of(x=[7, None], z=[1, 1])
    found = validate_statistics(
        data, schema, severities={"INT_TYPE_BIG_INT": "WARNING", "SCHEMA_NEW_COLUMN": "WARNING"}
    )
    assert found.anomaly_info["x"].severity == anomalies_pb2.AnomalyInfo.ERROR
    assert found.anomaly_info["z"].severity == anomalies_pb2.AnomalyInfo.WARNING


@pytest.mark.parametrize(
    ("severities", "words"),
    [
        ({"INT_TYPE_BIG": "WARNING"}, "did you mean INT_TYPE_BIG_INT"),
        ({"INT_TYPE_BIG_INT": "WARN"}, "did you mean WARNING"),
    ],
)
def test_an_unknown_severity(severities, words):
    with pytest.raises(ConfigError, match=words):
        validate_statistics(stats_of(x=[1]), schema_of(""), severities=severities)


def test_the_slice_of_all_rows_counts():
    data = stats_of(x=[1])
    data.datasets[0].name = "All Examples"
    part = data.datasets.add(name="city_7", num_examples=1)
    part.features.add(type="STRING").path.step.append("other")
    schema = schema_of(x("type: INT"))
    assert kinds_of(validate_statistics(data, schema)) == {}
    del data.datasets[0]
    data.datasets.add(name="city_8")
    with pytest.raises(ConfigError, match=r"'city_7', 'city_8'.*All Examples"):
        validate_statistics(data, schema)


def test_weights_count_where_every_column_has_them():
    data = stats_of(x=["a", "b", None])
    dataset = data.datasets[0]
    dataset.weighted_num_examples = 10
    texts = dataset.features[0].string_stats
    weighted = texts.common_stats.weighted_common_stats
    weighted.num_non_missing, weighted.num_missing, weighted.tot_num_values = 9.5, 0.5, 9.5
    ranks = texts.weighted_string_stats.rank_histogram
    for label, weight in (("a", 9.0), ("b", 0.5)):
        ranks.buckets.add(label=label, sample_count=weight)
    mass = "distribution_constraints { min_domain_mass: 0.9 } presence { min_fraction: 0.95 }"
    schema = schema_of(x(f"type: BYTES string_domain {{ value: 'a' }} {mass}"))
    assert kinds_of(validate_statistics(data, schema)) == {}
    dataset.weighted_num_examples = 0
    assert kinds_of(validate_statistics(data, schema)) == {
        "x": ["FEATURE_TYPE_LOW_FRACTION_PRESENT", "ENUM_TYPE_UNEXPECTED_STRING_VALUES"]
    }


STRUCT = """feature { name: "trip" type: STRUCT %s struct_domain {
    feature { name: "fare" type: FLOAT presence { min_count: 1 } float_domain { min: 0 } }
    feature { name: "a.b" type: INT } } }"""


def test_paths_below_a_struct():
    schema = schema_of(STRUCT % "presence { min_count: 1 }")
    data = stats_of(**{"trip": [{}], "trip.fare": [-1.0], "trip.new": [1]})
    found = validate_statistics(data, schema)
    assert kinds_of(found) == {
        "trip.fare": ["FLOAT_TYPE_SMALL_FLOAT"],
        "trip.new": ["SCHEMA_NEW_COLUMN"],
    }
    assert list(found.anomaly_info["trip.fare"].path.step) == ["trip", "fare"]
    updated = update_schema(schema, data)
    assert kinds_of(validate_statistics(data, updated)) == {}
    lines = diff_schemas(schema, updated)
    assert lines == [
        'feature "trip", feature "fare": least value 0 -> -1',
        'feature "trip", feature "new": added (INT)',
    ]


def test_a_new_struct_is_one_anomaly():
    data = stats_of(**{"y": ["a"], "trip": [{}], "trip.fare": [1.0], "trip.deep.er": [1]})
    found = validate_statistics(data, schema_of(Y))
    assert kinds_of(found) == {"trip": ["SCHEMA_NEW_COLUMN"]}
    updated = update_schema(schema_of(Y), data)
    assert updated.feature[1].struct_domain.feature[0].name == "fare"


def test_names_in_place_of_paths():
    data = stats_of(**{"trip": [{}], "trip.fare": [-1.0], "no.struct": [1]})
    for feature in data.datasets[0].features:
        feature.name = ".".join(feature.path.step)
    schema = schema_of(STRUCT % "")
    assert kinds_of(validate_statistics(data, schema)) == {
        "trip.fare": ["FLOAT_TYPE_SMALL_FLOAT"],
        "'no.struct'": ["SCHEMA_NEW_COLUMN"],
    }


def test_a_child_is_missing_only_if_its_parent_should_be_there():
    required = schema_of(STRUCT % "presence { min_count: 1 }" + Y)
    optional = schema_of(STRUCT % "" + Y)
    lacking = ["SCHEMA_MISSING_COLUMN"]
    data = stats_of(y=["a"])
    found = kinds_of(validate_statistics(data, required))
    assert found == {"trip": lacking, "trip.fare": lacking}
    assert kinds_of(validate_statistics(data, optional)) == {}
    # Where the struct is there, its fare should be too.
    data = stats_of(**{"y": ["a"], "trip": [{}]})
    assert kinds_of(validate_statistics(data, optional)) == {"trip.fare": lacking}


def test_nothing_is_said_below_what_is_out_of_the_checks():
    schema = schema_of(STRUCT % "lifecycle_stage: DEPRECATED")
    data = stats_of(**{"trip": [{}], "trip.fare": [-1.0], "trip.new": [1]})
    assert kinds_of(validate_statistics(data, schema)) == {}


def test_a_shared_domain_is_widened_once():
    schema = schema_of(
        "feature { name: 'x' type: BYTES domain: 'd' } feature { name: 'y' type: BYTES domain: 'd'}"
        "string_domain { name: 'd' value: 'a' }"
    )
    updated = update_schema(schema, stats_of(x=["b", "c"], y=["c", "d"]))
    assert list(updated.string_domain[0].value) == ["a", "b", "c", "d"]


def test_a_domain_that_others_share_stays():
    schema = schema_of(
        "feature { name: 'x' type: BYTES domain: 'd' } feature { name: 'y' type: BYTES domain: 'd'}"
        "string_domain { name: 'd' value: 'a' }"
    )
    updated = update_schema(schema, stats_of(x=["__BYTES_VALUE__"], y=["a"]))
    assert not updated.feature[0].HasField("domain")
    assert updated.feature[1].domain == "d"
    assert updated.string_domain[0] == schema.string_domain[0]


def test_messages_are_short():
    found = validate_statistics(
        stats_of(x=[f"{'v' * 5000}{n}" for n in range(300)]), schema_of(x(ABC))
    )
    text = found.anomaly_info["x"].description
    assert len(text) < 600
    assert text.endswith("and 295 more.")


def test_a_nested_column_gets_value_counts():
    schema = schema_of(x("type: INT value_count { min: 1 }"))
    updated = update_schema(schema, nested([(1, 1), (2, 3)]))
    levels = updated.feature[0].value_counts.value_count
    assert [(level.min, level.max) for level in levels] == [(1, 1), (1, 0)]


def test_statistics_of_composites_that_the_schema_lacks_are_no_columns():
    data = stats_of(y=["a"])
    data.datasets[0].features.add().path.step.append("sparse")
    data.datasets[0].features[1].custom_stats.add(name="missing_value", num=1)
    assert kinds_of(validate_statistics(data, schema_of(Y))) == {}
