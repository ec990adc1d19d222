"""TFRecord: framing, checksums, damage, tf.Examples and tf.SequenceExamples."""

import collections
import gzip
import io
import struct

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.support import batch_of, shared_data
from tests.transforms.files.formats.formats import written
from transforms.batches import row_positions
from transforms.errors import ConfigError, MillraceError
from transforms.files.filesystem import open_read
from transforms.files.format import BrokenFile, File, whole
from transforms.files.formats.tfrecord import TfRecord, TfSequence, checksums, frames
from transforms.files.uris import load_format
from transforms.reasons import Reason
from transforms.schema.arrow_schema import read_schema

# What tf.io.TFRecordWriter makes of b"abc" and b"".
GOLDEN = bytes.fromhex("0300000000000000b099490e6162636e57f121000000000000000029039807d8ea82a2")
ROWS = batch_of(
    n=pa.array(range(10), pa.int64()), s=pa.array([f"row {i}" for i in range(10)], pa.string())
)


def chunks(content, schema, format=None, max_rows=1000, max_bytes=1 << 20):
    """The chunks read, and how the file broke off."""
    stream = content if hasattr(content, "read") else io.BytesIO(content)
    found = []
    try:
        for chunk in (format or TfRecord()).read(
            stream, whole(File("f", 0)), schema, max_rows, max_bytes
        ):
            found.append(chunk)
    except BrokenFile as error:
        return found, error
    return found, None


def values(found, column):
    return [value for chunk in found for value in chunk.rows[column].to_pylist()]


def offsets(content):
    """Where each frame starts."""
    starts, at = [], 0
    while at < len(content):
        starts.append(at)
        at += 16 + struct.unpack_from("<Q", content, at)[0]
    return starts


def test_the_framing_is_tensorflows():
    assert [value for value, _ in frames(io.BytesIO(GOLDEN))] == [b"abc", b""]
    batch = batch_of(raw=[b"abc", b""])
    assert written(TfRecord(column="raw"), batch) == GOLDEN


def test_checksums_are_masked_crc32c():
    assert checksums([b"abc", b""]).tolist() == [0x21F1576E, 0xA282EAD8]


@pytest.mark.parametrize(("rows", "size"), [(3, 1 << 20), (1000, 100), (1, 1)])
def test_chunks_are_bounded_and_numbered(rows, size):
    found, broken = chunks(written(TfRecord(), ROWS), ROWS.schema, max_rows=rows, max_bytes=size)
    assert broken is None
    assert values(found, "n") == list(range(10))
    assert [c.first for c in found] == np.cumsum([1, *(c.rows.num_rows for c in found)])[
        :-1
    ].tolist()
    assert len(found) > 1


def test_a_record_longer_than_a_read(monkeypatch):
    import transforms.files.formats.forward as forward

    monkeypatch.setattr(forward, "READ_BYTES", 7)
    found, broken = chunks(written(TfRecord(), ROWS), ROWS.schema)
    assert broken is None
    assert values(found, "n") == list(range(10))


def test_a_flipped_byte_costs_one_record():
    content = bytearray(written(TfRecord(), ROWS))
    start = offsets(content)[4]
    content[start + 15] ^= 0xFF
    corrupt = bytes(content[start + 12 : offsets(content)[5] - 4])
    found, broken = chunks(bytes(content), ROWS.schema)
    assert broken is None
    assert values(found, "n") == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert found[0].first is None
    assert row_positions(found[0].rows).tolist() == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    rejects = found[0].rejects.to_pylist()
    assert [r["source"] for r in rejects] == ["f#record=5"]
    assert rejects[0]["payloadBytes"] == corrupt
    assert rejects[0]["reason"] == "unparsable"
    assert "checksum" in rejects[0]["errorMessage"]


def test_rejects_past_a_flipped_byte_know_their_record():
    content = bytearray(written(TfRecord(), ROWS))
    content[offsets(content)[1] + 13] ^= 0xFF
    wanted = pa.schema([("n", pa.int64()), ("s", pa.int64())])
    found, _ = chunks(bytes(content), wanted)
    assert sorted(found[0].rejects["source"].to_pylist()) == sorted(
        f"f#record={i}" for i in range(1, 11)
    )
    assert found[0].rows.num_rows == 0


def test_every_record_corrupt():
    content = bytearray(written(TfRecord(), ROWS))
    for start in offsets(content):
        content[start + 13] ^= 0xFF
    found, broken = chunks(bytes(content), ROWS.schema)
    assert broken is None
    assert found[0].rows.num_rows == 0
    assert found[0].rejects.num_rows == 10


def test_a_corrupt_length_ends_the_file():
    content = bytearray(written(TfRecord(), ROWS))
    content[offsets(content)[6] + 1] ^= 0xFF
    found, broken = chunks(bytes(content), ROWS.schema, max_rows=4)
    assert values(found, "n") == [0, 1, 2, 3, 4, 5]
    assert broken.reason == Reason.TRUNCATED_FILE


def test_a_length_that_no_record_has():
    length = struct.pack("<Q", 1 << 40)
    content = length + struct.pack("<I", checksums([length])[0]) + b"x" * 100
    assert chunks(content, ROWS.schema)[1] is not None


@pytest.mark.parametrize("lost", [1, 3, 5, 15])
def test_a_file_cut_short(lost):
    found, broken = chunks(written(TfRecord(), ROWS)[:-lost], ROWS.schema)
    assert values(found, "n") == list(range(9))
    assert broken.reason == Reason.TRUNCATED_FILE
    assert "ends inside a record" in broken.message


def test_a_gzip_cut_short():
    noise = np.random.default_rng(3).bytes(20_000)
    batch = batch_of(s=[noise[i : i + 100] for i in range(0, 20_000, 100)])
    content = gzip.compress(written(TfRecord(), batch))
    stream = gzip.GzipFile(fileobj=io.BytesIO(content[: len(content) // 2]))
    found, broken = chunks(stream, batch.schema)
    count = len(values(found, "s"))
    assert count > 80
    assert values(found, "s") == batch["s"].to_pylist()[:count]
    assert broken.reason == Reason.TRUNCATED_FILE


def test_text_is_no_tfrecord():
    with pytest.raises(BrokenFile, match="not a TFRecord"):
        TfRecord().sample_schema(io.BytesIO(b"a,b\n1,2\n3,4,5,6,7\n"), "f")


def test_one_split_even_of_a_large_file():
    assert len(list(TfRecord().plan(None, File("f", 1 << 40), 1))) == 1


def test_sampled_schema():
    content = written(
        TfRecord(), batch_of(a=[[1, 2], [3]], b=["x", None], c=pa.array([1.0, 2.0], pa.float32()))
    )
    found = TfRecord().sample_schema(io.BytesIO(content), "f")
    expected = [("a", pa.list_(pa.int64())), ("b", pa.string()), ("c", pa.float32())]
    assert found.equals(pa.schema(expected))


def test_serialized_records_as_they_are():
    format = load_format("tfrecord", (("column", "examples"),))
    content = written(TfRecord(), ROWS)
    schema = format.sample_schema(io.BytesIO(content), "f")
    assert schema.equals(pa.schema([("examples", pa.binary())]))
    found, _ = chunks(content, schema, format, max_rows=4)
    assert values(found, "examples") == [value for value, _ in frames(io.BytesIO(content))]
    assert written(format, batch_of(examples=values(found, "examples"))) == content


def test_what_can_not_be_written():
    with pytest.raises(ConfigError, match="'at' is timestamp"):
        written(TfRecord(), batch_of(at=pa.array([1], pa.timestamp("s"))))
    with pytest.raises(MillraceError, match="column 'x' is out of the range of float"):
        written(TfRecord(), batch_of(x=[1e300]))
    with pytest.raises(MillraceError, match="column 'x' can't become list"):
        written(TfRecord(), batch_of(x=[[1, None]]))
    with pytest.raises(ConfigError, match="no column 'raw'"):
        written(TfRecord(column="raw"), ROWS)
    with pytest.raises(MillraceError, match="'raw' holds nulls"):
        written(TfRecord(column="raw"), batch_of(raw=[b"a", None]))
    with pytest.raises(ConfigError, match="can be read but not written"):
        TfSequence().writer(io.BytesIO(), ROWS.schema)


def taxi(format, *names, schema=None):
    """The rows of public files in one table."""
    found = []
    for name in names:
        path = str(shared_data("taxi_formats", *name.split("/")))
        with open_read(path, "gzip" if path.endswith(".gz") else "") as stream:
            file = File(path, shared_data(path).stat().st_size)
            (split,) = format.plan(None if path.endswith(".gz") else stream, file, 1 << 30)
            stream.seek(0)
            for chunk in format.read(stream, split, schema, 8192, 1 << 25):
                assert chunk.rejects.num_rows == 0
                found.append(chunk.rows.replace_schema_metadata(None))
    return pa.Table.from_batches(found)


def wanted_taxi():
    """The columns of the Parquet file, narrowed as its tf.Examples are."""
    path = str(shared_data("taxi_formats", "parquet", "data.parquet"))
    with open_read(path) as stream:
        own = load_format("parquet").sample_schema(stream, path)
    return pa.schema(
        [(f.name, pa.float32() if pa.types.is_float64(f.type) else f.type) for f in own]
    )


@pytest.mark.parametrize(("name", "file"), [("csv", "csv/data.csv"), ("avro", "avro/data.avro")])
def test_taxi_formats_hold_the_same_10_000_rows(name, file):
    schema = wanted_taxi()
    parquet = taxi(load_format("parquet"), "parquet/data.parquet", schema=schema)
    assert parquet.num_rows == 10_000
    # Whoever made the Parquet file wrote the text "nan" where the others have no company.
    company = pc.replace_with_mask(
        parquet["company"].combine_chunks(),
        pc.equal(parquet["company"], "nan").combine_chunks(),
        pa.scalar(None, pa.string()),
    )
    index = schema.get_field_index("company")
    expected = parquet.set_column(index, "company", company)
    assert taxi(load_format(name), file, schema=schema).equals(expected)


def test_taxi_examples_are_the_15_000_rows_of_the_csv():
    schema = wanted_taxi()
    files = [f"tfrecord/data_tfrecord-0000{i}-of-00002.gz" for i in range(2)]
    found = taxi(TfRecord(), *files, schema=schema)
    text = taxi(load_format("csv"), "csv/data.csv", "csv/data2.csv", schema=schema)
    assert found.num_rows == text.num_rows == 15_000
    rows, lines = (
        collections.Counter(tuple(row.values()) for row in table.to_pylist())
        for table in (found, text)
    )
    # One row differs in the public files themselves: the only one with a pickup_census_tract.
    (line,) = (lines - rows).elements()
    (row,) = (rows - lines).elements()
    place = schema.get_field_index("pickup_census_tract")
    assert (row[place], line[place]) == (None, 17031080960.0)


def test_taxi_examples_under_their_schema_file():
    """Its integers are floats in the records: whole ones, and so they can be cast."""
    schema = read_schema(str(shared_data("taxi_simple", "schema_user_provided.pbtxt")))
    found = taxi(TfRecord(), "tfrecord/data_tfrecord-00000-of-00002.gz", schema=schema)
    assert found.num_rows == 9_988
    assert found["dropoff_community_area"].to_pylist()[:3] == [32, None, 7]


def test_sequence_examples():
    path = "tfrecord_sequence/data_tfrecord-00000-of-00001.gz"
    with open_read(str(shared_data("taxi_formats", *path.split("/"))), "gzip") as stream:
        schema = TfSequence().sample_schema(stream, path)
    steps = pa.struct([("s", pa.list_(pa.list_(pa.string())))])
    fields = [("f", pa.float32()), ("i", pa.int64()), ("##SEQUENCE##", steps)]
    assert schema.equals(pa.schema(fields))
    found = taxi(TfSequence(), path, schema=schema)
    assert found.num_rows == 15_000
    first = {"f": None, "i": None, "##SEQUENCE##": {"s": [["0"], ["1"]]}}
    last = {"f": 14999.0, "i": 14999, "##SEQUENCE##": {"s": [["14999"], ["15000"]]}}
    assert found.slice(0, 1).to_pylist() + found.slice(14_999).to_pylist() == [first, last]


def test_sequence_examples_under_their_schema_file():
    """There a step is a single value."""
    schema = read_schema(str(shared_data("tfx_artifacts", "schema_gen_sequence", "schema.pbtxt")))
    path = "tfrecord_sequence/data_tfrecord-00000-of-00001.gz"
    found = taxi(TfSequence(), path, schema=schema)
    assert found.slice(1, 1).to_pylist() == [{"f": 1.0, "i": 1, "##SEQUENCE##": {"s": ["1", "2"]}}]
