"""The schema layer on statistics that our own `statistics_of` computed."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2

from tests.support import record_batches, shared_data
from tests.transforms.schema.builders import kinds_of, schema_of
from tests.transforms.schema.cases import x
from transforms.row_checks.checks import Checks
from transforms.schema import adopt_ranges, infer_schema, update_schema, validate_statistics
from transforms.statistics.collect import statistics_of


def stats(**columns):
    return statistics_of([pa.record_batch(columns)])


def taxi(split):
    path = shared_data("taxi_split", f"{split}.csv")
    floats = ["fare", "tips", "trip_miles"]
    convert = pyarrow.csv.ConvertOptions(
        column_types={name: pa.float64() for name in floats}, strings_can_be_null=True
    )
    table = pyarrow.csv.read_csv(path, convert_options=convert)
    return statistics_of(table.to_batches())


def test_the_schema_of_the_taxi_data_is_that_of_tfdv():
    golden = shared_data("tfdv_goldens", "1.16.1", "schema_inferred.pbtxt").read_text()
    theirs = text_format.Parse(golden, schema_pb2.Schema())
    ours = infer_schema(taxi("train"))
    by_name = [{each.name: each for each in schema.feature} for schema in (ours, theirs)]
    assert by_name[0].keys() == by_name[1].keys()
    # A column that is always empty has another type by CSV reader.
    different = {name for name in by_name[0] if by_name[0][name] != by_name[1][name]}
    assert different <= {"pickup_census_tract"}
    domains = [{each.name: each for each in schema.string_domain} for schema in (ours, theirs)]
    assert domains[0] == domains[1]


def test_the_anomalies_of_the_taxi_data():
    found = kinds_of(validate_statistics(taxi("eval"), infer_schema(taxi("train"))))
    found.pop("pickup_census_tract", None)
    assert found == {
        "company": ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"],
        "payment_type": ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"],
    }


@settings(max_examples=60)
@given(record_batches())
def test_data_meets_its_own_schema(batch):
    with np.errstate(over="ignore"):
        data = statistics_of([batch])
    schema = infer_schema(data, suggest_ranges=True)
    adopt_ranges(schema)
    assert kinds_of(validate_statistics(data, schema)) == {}
    assert update_schema(schema, data) == schema


DRIFT = x("type: FLOAT drift_comparator { infinity_norm {} jensen_shannon_divergence {} }")


def drift(current, previous):
    found = validate_statistics(stats(x=current), schema_of(DRIFT), previous_span=stats(x=previous))
    return [each.value for each in found.drift_skew_info[0].drift_measurements]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("share", [0.01, 0.3])
def test_a_column_is_like_itself(odd, share):
    rng = np.random.default_rng(3)
    values = rng.exponential(10, 10_000)
    values[: int(share * len(values))] = odd
    assert drift(values, values) == [0, 0]


@pytest.mark.parametrize("odd", [math.inf, -math.inf])
def test_some_infinite_values_make_no_more_drift_than_they_are(odd):
    """Where most values lie in the bin that reaches to infinity, they are not infinite too."""
    rng = np.random.default_rng(3)
    values = rng.exponential(10, 10_000) * (-1 if odd > 0 else 1)
    some = values.copy()
    some[:100] = odd
    assert drift(some, values)[0] <= 0.02
    assert drift(values, some)[0] <= 0.02
    many = values.copy()
    many[:3000] = odd
    # Ten quantiles tell it to a tenth.
    assert 0.2 <= drift(many, values)[0] <= 0.3


def test_integers_to_the_last_bit():
    schema = schema_of(x("type: INT int_domain { max: 9007199254740994 }"))
    assert kinds_of(validate_statistics(stats(x=[2**53 + 3]), schema)) == {
        "x": ["INT_TYPE_BIG_INT"]
    }
    assert kinds_of(validate_statistics(stats(x=[2**53 + 2]), schema)) == {}


def test_a_rare_value_among_four_thousand():
    names = [f"v{number:04}" for number in range(4000)]
    schema = infer_schema(stats(x=names * 2), max_string_domain_size=4000)
    assert len(schema.string_domain[0].value) == 4000
    assert kinds_of(validate_statistics(stats(x=[*(names * 2), "rare"]), schema)) == {
        "x": ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"]
    }


WRITTEN = st.text("0159+-._eEnaif \n\uff11x", max_size=6) | st.sampled_from(
    ["", "true", "false", "inf", "-Infinity", "nan", "1e400", "9223372036854775808", "0" * 60 + "7"]
)
DOMAINS = [
    "int_domain { min: -5 max: 10 }",
    "int_domain {}",
    "float_domain { min: -5 max: 10 disallow_nan: true }",
    "float_domain { disallow_inf: true }",
    "float_domain {}",
    "bool_domain {}",
    "bool_domain { true_value: 'true' false_value: 'false' }",
    "bool_domain { true_value: '' }",
]


@settings(max_examples=300)
@given(WRITTEN, st.sampled_from(DOMAINS))
def test_rows_and_statistics_agree_about_texts(text, domain):
    schema = schema_of(x(f"type: BYTES {domain}"))
    is_fine = not validate_statistics(stats(x=pa.array([text])), schema).anomaly_info
    assert is_fine == (not Checks.of(schema).check_row({"x": text}))


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("type: INT int_domain { min: 1 max: 5 }", pa.int64()),
        ("type: INT int_domain { max: -5 }", pa.int64()),
        ("type: INT bool_domain {}", pa.bool_()),
        ("type: FLOAT float_domain { min: 1 max: 5 }", pa.float64()),
        ("type: FLOAT float_domain { max: -5 disallow_inf: true }", pa.float64()),
        ("type: FLOAT bool_domain {}", pa.float64()),
    ],
)
def test_without_values_there_is_no_range(text, type):
    schema = schema_of(x(text))
    for lists in ([[], []], [[], None]):
        found = validate_statistics(stats(x=pa.array(lists, pa.list_(type))), schema)
        assert not found.anomaly_info


def test_a_column_of_empty_texts_meets_its_own_schema():
    columns = {"x": pa.array(["", ""])}
    schema = infer_schema(stats(**columns))
    assert schema.feature[0].bool_domain.HasField("true_value")  # as by TFDV
    assert not validate_statistics(stats(**columns), schema).anomaly_info
    assert not Checks.of(schema).faults(pa.record_batch(columns))
