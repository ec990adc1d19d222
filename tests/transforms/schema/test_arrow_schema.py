"""--schema files: tensorflow-metadata, BigQuery JSON, Avro."""

import json
import subprocess
import sys

import pyarrow as pa
import pytest

from tests.support import ROOT, shared_data
from transforms.errors import ConfigError
from transforms.schema.arrow_schema import (
    read_schema,
    schema_from_avsc,
    schema_from_bigquery,
    schema_from_pbtxt,
)

TAXI = {
    "company": pa.string(),
    "payment_type": pa.string(),
    "dropoff_census_tract": pa.int64(),
    "dropoff_community_area": pa.int64(),
    "dropoff_latitude": pa.float32(),
    "dropoff_longitude": pa.float32(),
    "fare": pa.float32(),
    "pickup_census_tract": pa.int64(),
    "pickup_community_area": pa.int64(),
    "pickup_latitude": pa.float32(),
    "pickup_longitude": pa.float32(),
    "tips": pa.float32(),
    "trip_miles": pa.float32(),
    "trip_seconds": pa.int64(),
    "trip_start_day": pa.int64(),
    "trip_start_hour": pa.int64(),
    "trip_start_month": pa.int64(),
    "trip_start_timestamp": pa.int64(),
}


def types(schema):
    return {field.name: field.type for field in schema}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("type: INT", pa.int64()),
        ("type: FLOAT", pa.float32()),
        ("type: BYTES", pa.string()),
        ("type: BYTES image_domain {}", pa.binary()),
        ("type: INT bool_domain {}", pa.int64()),
        ("type: INT shape {}", pa.int64()),
        ("type: INT shape { dim { size: 1 } }", pa.int64()),
        ("type: INT shape { dim { size: 1 } dim { size: 1 } }", pa.int64()),
        ("type: FLOAT shape { dim { size: 4 } }", pa.list_(pa.float32(), 4)),
        ("type: FLOAT shape { dim { size: 2 } dim { size: 3 } }", pa.list_(pa.float32(), 6)),
        ("type: FLOAT shape { dim { name: 'any' } }", pa.list_(pa.float32())),
        ("type: INT value_count { min: 1 max: 1 }", pa.int64()),
        ("type: INT value_count { max: 1 }", pa.int64()),
        ("type: INT value_count { min: 1 max: 3 }", pa.list_(pa.int64())),
        ("type: INT value_count { min: 1 }", pa.list_(pa.int64())),
        ("type: INT value_count { min: 2 max: 2 }", pa.list_(pa.int64())),
        ("type: INT presence { min_fraction: 1 min_count: 1 }", pa.int64()),
        (
            "type: INT value_counts { value_count { min: 1 } value_count { min: 1 } }",
            pa.list_(pa.list_(pa.int64())),
        ),
        (
            "type: STRUCT struct_domain { feature { name: 'x' type: INT } }",
            pa.struct([("x", pa.int64())]),
        ),
        (
            "type: STRUCT value_count { min: 1 } struct_domain { feature { name: 'x' type: INT } }",
            pa.list_(pa.struct([("x", pa.int64())])),
        ),
    ],
)
def test_features(body, expected):
    assert types(schema_from_pbtxt(f"feature {{ name: 'f' {body} }}")) == {"f": expected}


def test_deprecated_features_are_left_out():
    old = "feature { name: 'a' type: INT lifecycle_stage: DEPRECATED }"
    text = old + "feature { name: 'b' type: INT }"
    assert schema_from_pbtxt(text).names == ["b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("feature {\n name: 'a'\n tipe: INT\n}", "line 3: .*'tipe'; did you mean 'type'"),
        ("feature { name: 'a' }", "feature 'a' has no type"),
        (
            "feature { name: 'a' type: STRUCT struct_domain { feature { name: 'b' } } }",
            r"feature 'a\.b' has no type",
        ),
    ],
)
def test_wrong_pbtxt(text, message):
    with pytest.raises(ConfigError, match=message):
        schema_from_pbtxt(text)


@pytest.mark.parametrize(
    "path",
    [
        ("taxi_simple", "schema_user_provided.pbtxt"),
        ("tfx_artifacts", "schema_gen", "schema.pbtxt"),
    ],
)
def test_taxi_schemas_are_of_scalars(path):
    """The one has value counts throughout; TFX leaves them out where a row may lack the feature."""
    assert types(read_schema(str(shared_data(*path)))) == TAXI


def test_penguin_schema_is_of_scalars():
    found = types(read_schema(str(shared_data("penguin", "schema_raw.pbtxt"))))
    assert found["culmen_depth_mm"] == pa.float32()
    assert found["species"] == pa.string()


def test_sequence_schema():
    path = shared_data("tfx_artifacts", "schema_gen_sequence", "schema.pbtxt")
    steps = pa.struct([("s", pa.list_(pa.string()))])
    expected = {"f": pa.float32(), "i": pa.int64(), "##SEQUENCE##": steps}
    assert types(read_schema(str(path))) == expected


FIELDS = [
    {"name": "id", "type": "INT64", "mode": "REQUIRED"},
    {"name": "name", "type": "string"},
    {"name": "tags", "type": "STRING", "mode": "REPEATED"},
    {"name": "at", "type": "TIMESTAMP", "mode": None},
    {"name": "price", "type": "NUMERIC"},
    {"name": "exact", "type": "BIGNUMERIC"},
    {"name": "short", "type": "NUMERIC", "precision": "5", "scale": "2"},
    {"name": "stop", "type": "RECORD", "fields": [{"name": "lat", "type": "FLOAT"}]},
    {
        "name": "legs",
        "type": "STRUCT",
        "mode": "REPEATED",
        "fields": [{"name": "day", "type": "DATE"}],
    },
]


@pytest.mark.parametrize("wrap", [FIELDS, {"fields": FIELDS}, {"schema": {"fields": FIELDS}}])
def test_bigquery(wrap):
    assert types(schema_from_bigquery(json.dumps(wrap))) == {
        "id": pa.int64(),
        "name": pa.string(),
        "tags": pa.list_(pa.string()),
        "at": pa.timestamp("us", "UTC"),
        "price": pa.decimal128(38, 9),
        "exact": pa.decimal256(76, 38),
        "short": pa.decimal128(5, 2),
        "stop": pa.struct([("lat", pa.float64())]),
        "legs": pa.list_(pa.struct([("day", pa.date32())])),
    }


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ([{"name": "a", "type": "INT65"}], "field 'a' has an unknown type 'INT65'; known: BOOL"),
        ([{"name": "a"}], "field 'a' has an unknown type None"),
        ([{"name": "a", "type": "STRING"}, {"type": "STRING"}], "field 2 of the list has no name"),
        ([{"name": "a", "type": "RECORD"}], "field 'a' is a record without fields"),
        (
            [{"name": "a", "type": "RECORD", "fields": [{"name": "b", "type": "X"}]}],
            r"field 'a\.b' has an unknown type",
        ),
        ([{"name": "a", "type": "STRING", "mode": "MANY"}], "field 'a' has an unknown mode 'MANY'"),
        ([{"name": "a", "type": "NUMERIC", "precision": 99}], "field 'a' has a wrong precision"),
        ({"tables": []}, "neither a list of fields"),
        ("x", "neither a list of fields"),
    ],
)
def test_wrong_bigquery(described, message):
    with pytest.raises(ConfigError, match=message):
        schema_from_bigquery(json.dumps(described))


def test_json_that_breaks_off():
    with pytest.raises(ConfigError, match="line 2: not JSON"):
        schema_from_bigquery('[{"name": "a",\n "type":')


def test_avsc():
    schema = {
        "type": "record",
        "name": "R",
        "fields": [
            {"name": "id", "type": "long"},
            {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
            {"name": "count", "type": "int", "default": "wrong"},
        ],
    }
    expected = {"id": pa.int64(), "at": pa.timestamp("us", "UTC"), "count": pa.int32()}
    assert types(schema_from_avsc(json.dumps(schema))) == expected


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "record", "name": "R", "fields": [{"name": "x"}]}, "'x' is missing 'type'"),
        ({"type": "record", "name": "R", "fields": [{"name": "x", "type": "int32"}]}, "int32"),
        ({"type": "record"}, "not a valid Avro schema"),
        ("long", "not a record"),
        (5, "not a valid Avro schema"),
    ],
)
def test_wrong_avsc(schema, message):
    with pytest.raises(ConfigError, match=message):
        schema_from_avsc(json.dumps(schema))


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "s.json"
    path.write_text('[{"name": "a", "type": "STRING"}, {"name": "a", "type": "INT64"}]')
    with pytest.raises(ConfigError, match=r"--schema .*s\.json: field 'a' is there twice"):
        read_schema(str(path))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"s\.json: is not UTF-8"):
        read_schema(str(path))
    path.write_text('{"fields": []}')
    with pytest.raises(ConfigError, match=r"s\.json: has no columns"):
        read_schema(str(path))
    with pytest.raises(ConfigError, match=r"none\.json: can't be read"):
        read_schema(str(tmp_path / "none.json"))
    with pytest.raises(ConfigError, match=r"ends in one of \.avsc, \.json, \.pbtxt"):
        read_schema("schema.txt")


def test_a_schema_file_does_not_load_tensorflow():
    code = (
        "import sys; from transforms.schema.arrow_schema import schema_from_pbtxt as read;"
        "read(\"feature { name: 'a' type: INT }\"); assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
