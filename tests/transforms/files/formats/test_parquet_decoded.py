"""Parquet small in the file and large in memory, and times that 64 bits of ns can't hold."""

import datetime
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.files.format import File
from transforms.files.formats.parquet.decoded import decoded, sizes
from transforms.files.formats.parquet.format import Parquet

MOST = 1 << 20


def read(data, max_rows=8192, max_bytes=MOST):
    """The batches of a file."""
    format, stream = Parquet(), io.BytesIO(data)
    (split,) = format.plan(stream, File("f", len(data)), 1 << 40)
    schema = format.sample_schema(stream, "f")
    return [chunk.rows for chunk in format.read(stream, split, schema, max_rows, max_bytes)]


def stored(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def test_int96_times_far_from_now_are_read_as_they_are():
    far = [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), None]
    at = pa.timestamp("us")
    columns = {
        "t": pa.array(far, at),
        "l": pa.array([[each] for each in far], pa.list_(at)),
        "s": pa.array([{"x": each} for each in far], pa.struct([("x", at)])),
    }
    data = stored(pa.table(columns), use_deprecated_int96_timestamps=True)
    assert pq.ParquetFile(io.BytesIO(data)).schema.column(0).physical_type == "INT96"
    (rows,) = read(data)
    assert rows.to_pydict() == {name: column.to_pylist() for name, column in columns.items()}


@pytest.mark.parametrize("nested", [False, True])
def test_texts_of_a_dictionary_come_in_batches_of_bounded_bytes(nested):
    long = "x" * 100_000
    texts = pa.array([long] * 500 + ["short"] * 500)
    column = pa.array([[each] for each in texts.to_pylist()]) if nested else texts
    data = stored(pa.table({"n": range(1000), "t": column}))
    assert len(data) < 200_000
    batches = read(data)
    assert max(rows.nbytes for rows in batches) < 1.1 * MOST
    found = pa.Table.from_batches([rows.replace_schema_metadata(None) for rows in batches])
    assert found["t"].to_pylist() == column.to_pylist()
    assert found["n"].to_pylist() == list(range(1000))


def test_a_long_text_behind_short_ones_is_seen_before_it_is_decoded():
    texts = ["short"] * 5000 + ["x" * 200_000] * 1000
    batches = read(stored(pa.table({"t": texts})))
    assert max(rows.nbytes for rows in batches) < 1.1 * MOST
    assert [text for rows in batches for text in rows["t"].to_pylist()] == texts


def test_lists_of_one_value_in_runs_come_in_batches_of_bounded_bytes():
    data = stored(pa.table({"l": pa.array([[7] * 50_000] * 400)}))
    assert len(data) < 1 << 20
    batches = read(data)
    assert max(rows.nbytes for rows in batches) < 1.1 * MOST
    assert sum(rows.num_rows for rows in batches) == 400
    assert all(set(rows["l"].flatten().to_pylist()) == {7} for rows in batches)


TEXTS = st.lists(st.none() | st.text(max_size=9), max_size=12)


@given(TEXTS, st.integers(1, 60))
def test_slices_hold_all_rows_and_no_more_bytes_than_asked(texts, most):
    column = pa.array(texts, pa.string()).dictionary_encode()
    batch = pa.RecordBatch.from_arrays([column], ["t"])
    pieces = list(decoded(batch, most))
    assert [text for piece in pieces for text in piece["t"].to_pylist()] == texts
    for piece in pieces:
        assert piece.schema.field("t").type == pa.string()
        held = sum(4 + len((text or "").encode()) for text in piece["t"].to_pylist())
        assert held <= most or piece.num_rows == 1


def test_sizes_follow_slices_nulls_and_nesting():
    texts = pa.array(["aaaa", None, "b", "aaaa"]).dictionary_encode()
    assert sizes(texts.slice(1)).tolist() == [4, 5, 8]
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 2, 4], pa.int32()), texts)
    assert sizes(lists).tolist() == [8 + 4 + 4, 4, 5 + 8 + 4]
    assert sizes(lists.slice(2)).tolist() == [17]
    maps = pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64()))
    found = sizes(maps)
    assert found[1:].tolist() == [4, 4]
    assert found[0] > 8
    assert sizes(pa.StructArray.from_arrays([texts], ["t"])).tolist() == [9, 5, 6, 9]
    assert np.array_equal(sizes(pa.array([1, 2])), [8, 8])


def test_a_file_of_fewer_row_groups_than_at_launch_is_broken():
    from dataclasses import replace

    from transforms.files.format import BrokenFile

    format, stream = Parquet(), io.BytesIO(stored(pa.table({"n": [1, 2]}), row_group_size=1))
    (split,) = format.plan(stream, File("f", 1), 1 << 40)
    schema = pa.schema([("n", pa.int64())])
    with pytest.raises(BrokenFile, match="2 row groups, and had 5"):
        list(format.read(stream, replace(split, end=5), schema, 10, MOST))
