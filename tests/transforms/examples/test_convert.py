"""tf.Examples: what tfx-bsl's C++ coders make of every kind of array, and what TensorFlow reads."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support import batch_of, record_batches
from transforms.batches import row_positions, with_source
from transforms.conform import described_faults
from transforms.errors import ConfigError
from transforms.examples.convert import (
    SEQUENCE,
    decode_examples,
    encode_examples,
)
from transforms.examples.schema import infer_example_schema
from transforms.reasons import Reason
from transforms.rejects import split_by_faults

COLUMNS = {
    "i": pa.array([1, None, 3, 4], pa.int64()),
    "x": pa.array([1.5, 2.5, None, -0.25], pa.float32()),
    "s": pa.array(["a", "", None, "ü"], pa.string()),
    "b": pa.array([b"\xff", None, b"", b"z"], pa.binary()),
    "l": pa.array([[1, 2], None, [], [3]], pa.list_(pa.int64())),
    "t": pa.array([["a", "bc"], [], None, ["d"]], pa.list_(pa.string())),
}
BATCH = pa.RecordBatch.from_pydict(COLUMNS)


def serialized(batch):
    examples, casts = encode_examples(batch)
    assert all(cast.bad is None for cast in casts.values())
    return pa.RecordBatch.from_arrays([examples], ["example"])


def decoded(batch, schema):
    rows, rejects = decode_examples(batch, schema)
    assert rejects.num_rows == 0
    return rows


def test_round_trip_keeps_nulls_and_empty_lists_apart():
    assert decoded(serialized(BATCH), BATCH.schema).to_pylist() == BATCH.to_pylist()


@pytest.mark.parametrize("start", range(5))
@pytest.mark.parametrize("length", [0, 1, 3])
def test_slices(start, length):
    part = BATCH.slice(start, length)
    found = decoded(serialized(part), BATCH.schema)
    assert found.to_pylist() == part.to_pylist()
    assert found.schema.equals(BATCH.schema)


def test_a_list_whose_values_are_a_slice():
    values = pa.array([9, 9, 1, 2, 3], pa.int64()).slice(2)
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 3], pa.int32()), values)
    batch = batch_of(l=lists).slice(1)
    assert decoded(serialized(batch), batch.schema)["l"].to_pylist() == [[2, 3]]


def test_other_types_are_narrowed():
    batch = batch_of(
        small=pa.array([1, None], pa.uint8()),
        flag=pa.array([True, None]),
        double=pa.array([0.5, None]),
        wide=pa.array(["a", None], pa.large_string()),
        word=pa.array(["a", None]).dictionary_encode(),
        pair=pa.array([[1.0, 2.0], None], pa.list_(pa.float64(), 2)),
        nothing=pa.nulls(2),
    )
    schema = pa.schema(
        [
            ("small", pa.uint8()),
            ("flag", pa.bool_()),
            ("double", pa.float64()),
            ("wide", pa.string()),
            ("word", pa.string()),
            ("pair", pa.list_(pa.float32(), 2)),
            ("nothing", pa.int64()),
        ]
    )
    row = {"small": 1, "flag": True, "double": 0.5, "wide": "a", "word": "a", "pair": [1.0, 2.0]}
    none = dict.fromkeys(batch.schema.names)
    expected = [{**row, "nothing": None}, none]
    assert decoded(serialized(batch), schema).to_pylist() == expected


def test_rows_that_do_not_fit_are_marked_by_column_and_reason():
    batch = batch_of(
        big=pa.array([1, 2**63, 3, 4], pa.uint64()),
        x=pa.array([1.0, 2.0, 1e300, 4.0]),
        l=pa.array([[1], [2], [3], [4, None]], pa.list_(pa.int64())),
    )
    examples, casts = encode_examples(batch)
    assert examples.is_null().to_pylist() == [False, True, True, True]
    reasons = {name: cast.reason for name, cast in casts.items()}
    assert reasons == {"big": Reason.OVERFLOW, "x": Reason.OVERFLOW, "l": Reason.LOSSY_CAST}
    good, rejects = split_by_faults(
        batch,
        described_faults(casts),
        good=pa.RecordBatch.from_arrays([examples], ["example"]),
    )
    assert good.num_rows == 1
    assert rejects["column"].to_pylist() == ["big", "x", "l"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([{"a": 1}]),
        pa.array([[[1]]], pa.list_(pa.list_(pa.int64()))),
        pa.array([0], pa.timestamp("us")),
    ],
)
def test_a_type_that_no_example_holds_is_named(column):
    with pytest.raises(ConfigError, match=r"column 'odd' is .*tf\.Example holds only"):
        encode_examples(batch_of(odd=column))


@given(record_batches())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_batch_round_trips_but_for_what_is_marked(batch):
    examples, casts = encode_examples(batch)
    bad = [cast.bad for cast in casts.values() if cast.bad is not None]
    kept = ~np.logical_or.reduce(bad) if bad else np.ones(batch.num_rows, bool)
    assert examples.is_valid().to_pylist() == kept.tolist()
    raw = pa.RecordBatch.from_arrays([examples.filter(pa.array(kept))], ["example"])
    schema = pa.schema(
        [(f.name, pa.float32() if pa.types.is_float64(f.type) else f.type) for f in batch.schema]
    )
    expected = batch.filter(pa.array(kept))
    found = decoded(raw, schema)
    for field in schema:
        column = expected[field.name].cast(field.type, safe=False)
        assert found[field.name].to_pylist() == column.to_pylist()


def records(*batches):
    """One record of each one-row batch."""
    parts = [encode_examples(batch)[0] for batch in batches]
    raw = pa.RecordBatch.from_arrays([pa.concat_arrays(parts)], ["example"])
    return with_source(raw, "f", 1, "record")


def test_only_the_guilty_records_are_rejected():
    good = [batch_of(x=pa.array([float(i)], pa.float32())) for i in range(7)]
    raw = records(*good)
    broken = raw.column(0).to_pylist()
    broken[2] = b"\xff\xff\xff"
    broken[5] = b"hello"
    raw = with_source(pa.RecordBatch.from_pydict({"example": broken}), "f", 1, "record")
    rows, rejects = decode_examples(raw, good[0].schema)
    assert rows["x"].to_pylist() == [0.0, 1.0, 3.0, 4.0, 6.0]
    assert row_positions(rows).tolist() == [1, 2, 4, 5, 7]
    assert rejects["source"].to_pylist() == ["f#record=3", "f#record=6"]
    assert rejects["payloadBytes"].to_pylist() == [b"\xff\xff\xff", b"hello"]
    assert set(rejects["reason"].to_pylist()) == {"unparsable"}
    # A decoder that has failed keeps half-built columns; the next batch must not meet them.
    assert decode_examples(records(*good), good[0].schema)[0].num_rows == 7


def test_a_feature_of_another_kind_is_cast_if_it_loses_nothing():
    schema = pa.schema([("x", pa.float32()), ("n", pa.int64())])
    raw = records(
        batch_of(x=pa.array([1.5], pa.float32()), n=[1]),
        batch_of(x=[2], n=pa.array([3.0], pa.float32())),
        batch_of(x=["text"], n=[4]),
        batch_of(x=[2**24 + 1], n=[5]),
        batch_of(x=[3], n=pa.array([0.5], pa.float32())),
    )
    rows, rejects = decode_examples(raw, schema)
    assert rows.to_pylist() == [{"x": 1.5, "n": 1}, {"x": 2.0, "n": 3}]
    assert rejects["column"].to_pylist() == ["x", "x", "n"]
    assert rejects["source"].to_pylist() == ["f#record=3", "f#record=4", "f#record=5"]


def test_several_values_in_a_scalar_column():
    raw = records(
        batch_of(x=[[1]]), batch_of(x=[[1, 2]]), batch_of(x=pa.array([[]], COLUMNS["l"].type))
    )
    rows, rejects = decode_examples(raw, pa.schema([("x", pa.int64())]))
    assert rows["x"].to_pylist() == [1, None]
    assert rejects["reason"].to_pylist() == ["wrong_shape"]
    assert rejects["source"].to_pylist() == ["f#record=2"]


def test_bytes_that_are_no_text():
    raw = records(batch_of(s=[b"ok"]), batch_of(s=[b"\xff"]))
    rows, rejects = decode_examples(raw, pa.schema([("s", pa.string())]))
    assert rows["s"].to_pylist() == ["ok"]
    assert rejects["reason"].to_pylist() == ["invalid_utf8"]


def test_no_record_is_valid():
    raw = with_source(batch_of(example=[b"\xff", b"\xfe"]), "f", 1, "record")
    rows, rejects = decode_examples(raw, BATCH.schema)
    assert rows.schema.equals(BATCH.schema)
    assert (rows.num_rows, rejects.num_rows) == (0, 2)


def test_no_records():
    raw = pa.RecordBatch.from_pydict({"example": pa.array([], pa.binary())})
    assert decode_examples(raw, BATCH.schema)[0].schema.equals(BATCH.schema)
    assert decode_examples(raw, BATCH.schema, SEQUENCE)[0].num_rows == 0


def test_inferred_schema():
    raw = serialized(BATCH).column(0).to_pylist()
    found = infer_example_schema([*raw, b"\xff"])
    assert found.equals(pa.schema([(name, COLUMNS[name].type) for name in sorted(COLUMNS)]))


def test_inferred_schema_of_records_that_differ():
    raw = records(
        batch_of(a=[1], b=["x"]),
        batch_of(a=[1.5], b=[b"\xff"]),
        batch_of(a=[[1, 2]], c=pa.nulls(1)),
    )
    found = infer_example_schema(raw.column(0).to_pylist())
    assert found.to_string() == "a: list<item: double>\n  child 0, item: double\nb: binary\nc: null"


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_integers_beside_floats_of_one_file_are_doubles(order):
    parts = [batch_of(a=[1]), batch_of(a=[1.5]), batch_of(a=[3.0])]
    raw = records(*[parts[place] for place in order])
    schema = infer_example_schema(raw.column(0).to_pylist())
    assert schema == pa.schema([("a", pa.float64())])
    rows, rejects = decode_examples(raw, schema)
    assert rejects.num_rows == 0
    assert rows["a"].to_pylist() == [[1.0, 1.5, 3.0][place] for place in order]


def test_tensorflow_reads_a_null_as_absent():
    import tensorflow as tf

    examples = serialized(BATCH).column(0).to_pylist()
    features = {
        "i": tf.io.FixedLenFeature([1], tf.int64, default_value=[-1]),
        "x": tf.io.FixedLenFeature([], tf.float32, default_value=-1.0),
        "s": tf.io.FixedLenFeature([], tf.string, default_value="none"),
        "l": tf.io.RaggedFeature(tf.int64),
    }
    parsed = tf.io.parse_example(examples, features)
    assert parsed["i"].numpy().tolist() == [[1], [-1], [3], [4]]
    assert parsed["x"].numpy().tolist() == [1.5, 2.5, -1.0, -0.25]
    assert parsed["s"].numpy().tolist() == [b"a", b"", b"none", "ü".encode()]
    assert parsed["l"].to_list() == [[1, 2], [], [], [3]]
