"""The table of types: BigQuery to Arrow and back, and the same table in the docs."""

import pathlib
import re

import pyarrow as pa
import pytest

from transforms.errors import ConfigError
from transforms.schema.bigquery_types import (
    DECIMALS,
    NO_LOAD,
    SCALARS,
    arrow_schema,
    bigquery_fields,
)

DOC = pathlib.Path(__file__).parents[3] / "docs/bigquery.md"
RANGE = {"type": "RANGE", "rangeElementType": {"type": "DATE"}}


def _arrow(type, **more):
    return arrow_schema([{"name": "c", "type": type, **more}]).field("c").type


def test_every_type_and_its_arrow_type_are_in_the_docs():
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", DOC.read_text(), re.MULTILINE)
    wanted = {name: str(type) for name, type in SCALARS.items()}
    wanted |= {name: str(_arrow(name)) for name in DECIMALS}
    wanted["RANGE"] = str(_arrow(**RANGE))
    record = [{"name": "a", "type": "INT64"}]
    wanted["STRUCT"] = str(_arrow("STRUCT", fields=record))
    wanted["ARRAY"] = str(_arrow("INT64", mode="REPEATED"))
    assert dict(rows) == wanted


def test_what_no_load_takes_is_in_the_docs():
    pattern = r"^\| `(\w+)` \| `.* \| ([^|]+) \| ([^|]+) \|$"
    rows = re.findall(pattern, DOC.read_text(), re.MULTILINE)
    loaded = {name: how.startswith("yes") for name, how, _ in rows if name != "ARRAY"}
    assert {name for name, taken in loaded.items() if not taken} == set(NO_LOAD)
    assert all(how.startswith("yes") for _, _, how in rows)
    assert len(rows) == len(SCALARS) + len(DECIMALS) + 3


@pytest.mark.parametrize("kind", [*SCALARS, *DECIMALS])
def test_there_and_back(kind):
    described = [
        {"name": "c", "type": kind},
        {"name": "l", "type": kind, "mode": "REPEATED"},
        {"name": "r", "type": "RECORD", "fields": [{"name": "c", "type": kind}]},
    ]
    schema = arrow_schema(described)
    assert arrow_schema(bigquery_fields(schema)).equals(schema)


def test_decimals_with_a_precision():
    assert _arrow("NUMERIC", precision="10", scale="2") == pa.decimal128(10, 2)
    assert _arrow("BIGNUMERIC", precision=50) == pa.decimal256(50, 0)
    with pytest.raises(ConfigError, match="'c' has a wrong precision"):
        _arrow("NUMERIC", precision="many")


@pytest.mark.parametrize(
    ("type", "described"),
    [
        (pa.uint64(), {"type": "NUMERIC", "mode": "NULLABLE"}),
        (pa.decimal128(38, 9), {"type": "NUMERIC", "mode": "NULLABLE"}),
        (pa.decimal128(38, 10), {"type": "BIGNUMERIC", "mode": "NULLABLE"}),
        (pa.large_string(), {"type": "STRING", "mode": "NULLABLE"}),
        (pa.dictionary(pa.int8(), pa.string()), {"type": "STRING", "mode": "NULLABLE"}),
        (pa.timestamp("ns", "Europe/Zurich"), {"type": "TIMESTAMP", "mode": "NULLABLE"}),
        (pa.list_(pa.float32(), 3), {"type": "FLOAT", "mode": "REPEATED"}),
        (
            pa.map_(pa.string(), pa.int64()),
            {
                "type": "RECORD",
                "mode": "REPEATED",
                "fields": [
                    {"name": "key", "type": "STRING", "mode": "NULLABLE"},
                    {"name": "value", "type": "INTEGER", "mode": "NULLABLE"},
                ],
            },
        ),
    ],
)
def test_types_of_other_files(type, described):
    assert bigquery_fields([pa.field("c", type)]) == [{"name": "c", **described}]


@pytest.mark.parametrize(
    ("type", "why"),
    [
        (pa.list_(pa.list_(pa.int8())), "'c' is .* no lists of lists"),
        (pa.decimal256(76, 10), "at most 38 digits before the point"),
        (pa.struct([("a", pa.struct([]))]), r"'c\.a' is a struct without fields"),
        (pa.dense_union([pa.field("a", pa.int8())]), "'c' is .* no BigQuery table can hold"),
    ],
)
def test_types_that_no_table_holds(type, why):
    with pytest.raises(ConfigError, match=why):
        bigquery_fields([pa.field("c", type)])
