"""Avro: what is written is read, by us and by others."""

import decimal
import io

import fastavro
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support import batch_of, record_batches, shared_data
from tests.transforms.files.formats.avro_files import ROWS, chunks, own_schema, rows_of
from tests.transforms.files.formats.formats import table, written
from transforms.errors import ConfigError, MillraceError
from transforms.files.format import File
from transforms.files.formats.avro.format import Avro

RICH = batch_of(
    small=pa.array([1, None, -3], pa.int8()),
    u32=pa.array([2**32 - 1, None, 0], pa.uint32()),
    u64=pa.array([2**63 - 1, None, 0], pa.uint64()),
    half=pa.array([0.5, None, 1.0], pa.float16()),
    at_s=pa.array([1, None, -1], pa.timestamp("s")),
    at_ns=pa.array([1, None, 10**18 + 1], pa.timestamp("ns", "UTC")),
    paris=pa.array([1, None, 2], pa.timestamp("us", "Europe/Paris")),
    day=pa.array([1, None, -1], pa.date32()),
    time=pa.array([1, None, 2], pa.time32("s")),
    price=pa.array([decimal.Decimal("1.23"), None, decimal.Decimal("-0.01")]),
    fixed=pa.array([b"ab", None, b"cd"], pa.binary(2)),
    pair=pa.array([[1, 2], None, [None, 4]], pa.list_(pa.int64(), 2)),
    days=pa.array([[1, None], None, []], pa.list_(pa.date32())),
    rows=pa.array(
        [[{"a": 1, "at": 2}], None, [None]],
        pa.list_(pa.struct([("a", pa.int64()), ("at", pa.timestamp("us"))])),
    ),
    counts=pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    empty=pa.nulls(3),
    word=pa.array(["a", None, "b"]).dictionary_encode(),
)


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_what_is_written_is_read(codec):
    content = written(Avro(codec=codec), RICH, RICH.slice(1, 1))
    word = pa.field("word", pa.string())
    schema = pa.schema([*list(RICH.schema)[:-1], word])
    expected = [*RICH.to_pylist(), *RICH.slice(1, 1).to_pylist()]
    assert rows_of(content, schema=schema) == expected
    kept = {
        "small": pa.int32(),
        "u32": pa.int64(),
        "half": pa.float32(),
        "at_s": pa.timestamp("ms"),
        "at_ns": pa.timestamp("ns", "UTC"),
        "paris": pa.timestamp("us", "UTC"),
        "day": pa.date32(),
        "time": pa.time32("ms"),
        "price": RICH.schema.field("price").type,
        "fixed": pa.binary(2),
        "pair": pa.list_(pa.int64()),
        "rows": RICH.schema.field("rows").type,
    }
    own = own_schema(content)
    assert {name: own.field(name).type for name in kept} == kept


def test_other_readers_see_the_same_rows():
    found = list(fastavro.reader(io.BytesIO(written(Avro(), ROWS))))
    assert found == ROWS.to_pylist()


@given(record_batches())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_any_batch_round_trips(batch):
    assert table_or_empty(written(Avro(), batch), batch.schema).equals(
        pa.Table.from_batches([batch])
    )


def table_or_empty(content, schema):
    found, broken = chunks(content, schema)
    assert broken is None
    return pa.concat_tables([schema.empty_table(), *([table(found)] if found else [])])


def test_what_can_not_be_written():
    with pytest.raises(ConfigError, match="'a b' can't be a field"):
        written(Avro(), pa.RecordBatch.from_pydict({"a b": [1]}))
    with pytest.raises(ConfigError, match="'gap' is duration"):
        written(Avro(), batch_of(gap=pa.array([1], pa.duration("s"))))
    with pytest.raises(MillraceError, match="'big' is out of the range of int64"):
        written(Avro(), batch_of(big=pa.array([2**63], pa.uint64())))
    with pytest.raises(MillraceError, match="map of column 'm' has a key twice"):
        written(
            Avro(), batch_of(m=pa.array([[("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int64())))
        )
    with pytest.raises(ConfigError, match="keys of an Avro map"):
        written(Avro(), batch_of(m=pa.array([[(1, 1)]], pa.map_(pa.int64(), pa.int64()))))
    with pytest.raises(ConfigError, match="deflate or null"):
        Avro(codec="zip")


def test_the_public_taxi_file():
    """Its record's name has a blank, and its codec is null."""
    path = shared_data("taxi_formats", "avro", "data.avro")
    content = path.read_bytes()
    schema = own_schema(content)
    assert len(schema) == 18
    assert schema.field("fare").type == pa.float32()
    assert schema.field("trip_start_timestamp").type == pa.int32()
    found, broken = chunks(content, schema, 100_000)
    assert broken is None
    assert table(found).num_rows == 10_000
    splits = list(Avro().plan(io.BytesIO(content), File("f", len(content)), 100_000))
    assert len(splits) == 9
