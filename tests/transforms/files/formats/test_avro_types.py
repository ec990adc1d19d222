"""Avro: what types of a file become, and those that are refused."""

import datetime
import decimal
import io

import fastavro
import pyarrow as pa
import pytest

from tests.transforms.files.formats.avro_files import chunks, own_schema, rows_of
from transforms.errors import ConfigError


def file_of(schema, rows):
    stream = io.BytesIO()
    fastavro.writer(stream, fastavro.parse_schema(schema), rows)
    return stream.getvalue()


def record(**fields):
    named = [{"name": name, "type": type} for name, type in fields.items()]
    return {"type": "record", "name": "R", "fields": named}


def test_types_of_a_file():
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, datetime.UTC)
    long = {"type": "long"}
    content = file_of(
        record(
            i="int",
            l=["null", "long"],
            f="float",
            d=["double", "null"],
            b="boolean",
            raw="bytes",
            only_null="null",
            fixed={"type": "fixed", "name": "F", "size": 2},
            suit={"type": "enum", "name": "Suit", "symbols": ["CLUBS", "HEARTS"]},
            suit_again=["null", "Suit"],
            tags={"type": "array", "items": ["null", "string"]},
            counts={"type": "map", "values": "int"},
            point={"type": "record", "name": "P", "fields": [{"name": "x", "type": "float"}]},
            point_again="P",
            millis={**long, "logicalType": "timestamp-millis"},
            micros={**long, "logicalType": "timestamp-micros"},
            local={**long, "logicalType": "local-timestamp-micros"},
            day={"type": "int", "logicalType": "date"},
            time={"type": "int", "logicalType": "time-millis"},
            time_us={**long, "logicalType": "time-micros"},
            price={"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            id={"type": "string", "logicalType": "uuid"},
            odd={**long, "logicalType": "of-another-age"},
        ),
        [
            {
                "i": 1,
                "l": 2**40,
                "f": 0.5,
                "d": None,
                "b": True,
                "raw": b"\xff",
                "only_null": None,
                "fixed": b"ab",
                "suit": "HEARTS",
                "suit_again": "CLUBS",
                "tags": ["a", None],
                "counts": {"k": 3},
                "point": {"x": 1.5},
                "point_again": {"x": 2.5},
                "millis": moment,
                "micros": moment,
                "local": moment.replace(tzinfo=None),
                "day": datetime.date(1969, 12, 31),
                "time": datetime.time(1, 2, 3),
                "time_us": datetime.time(1, 2, 3, 4),
                "price": decimal.Decimal("-12.34"),
                "id": "c0ffee00-0000-0000-0000-000000000000",
                "odd": 7,
            }
        ],
    )
    names = own_schema(content).names
    types = [
        *(pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.bool_(), pa.binary(), pa.null()),
        *(pa.binary(2), pa.string(), pa.string(), pa.list_(pa.string())),
        *(pa.map_(pa.string(), pa.int32()), *[pa.struct([("x", pa.float32())])] * 2),
        *(pa.timestamp("ms", "UTC"), pa.timestamp("us", "UTC"), pa.timestamp("us")),
        *(pa.date32(), pa.time32("ms"), pa.time64("us"), pa.decimal128(9, 2)),
        *(pa.string(), pa.int64()),
    ]
    assert own_schema(content).equals(pa.schema(list(zip(names, types, strict=True))))
    (row,) = rows_of(content)
    assert row["l"] == 2**40
    assert (row["fixed"], row["suit"], row["suit_again"]) == (b"ab", "HEARTS", "CLUBS")
    assert (row["tags"], row["counts"], row["point_again"]) == (["a", None], [("k", 3)], {"x": 2.5})
    assert row["millis"] == row["micros"] == moment
    assert row["local"] == moment.replace(tzinfo=None)
    assert row["day"] == datetime.date(1969, 12, 31)
    assert (row["time"], row["time_us"]) == (datetime.time(1, 2, 3), datetime.time(1, 2, 3, 4))
    assert (row["price"], row["odd"]) == (decimal.Decimal("-12.34"), 7)


def test_a_union_of_types_is_refused_by_name_but_only_where_wanted():
    content = file_of(record(n="long", odd=["null", "int", "string"]), [{"n": 1, "odd": "x"}])
    with pytest.raises(ConfigError, match=r"f\.avro: field 'odd' is a union of 2 types"):
        own_schema(content)
    assert rows_of(content, schema=pa.schema([("n", pa.int64())])) == [{"n": 1}]
    with pytest.raises(ConfigError, match="'odd'"):
        chunks(content, pa.schema([("odd", pa.string())]))


def test_unions_and_recursions_within_are_named_by_path():
    inner = {"type": "record", "name": "P", "fields": [{"name": "x", "type": ["int", "string"]}]}
    with pytest.raises(ConfigError, match=r"field 'list\[\]\.x' is a union"):
        own_schema(file_of(record(list={"type": "array", "items": inner}), []))
    tree = {"type": "record", "name": "T", "fields": [{"name": "next", "type": ["null", "T"]}]}
    with pytest.raises(ConfigError, match=r"field 'tree\.next' holds itself"):
        own_schema(file_of(record(tree=tree), []))
    with pytest.raises(ConfigError, match="not a record"):
        own_schema(file_of({"type": "string"}, ["x"]))
