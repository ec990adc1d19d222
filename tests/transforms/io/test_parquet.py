import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.batches import row_positions
from transforms.errors import MillraceError
from transforms.io.formats import parquet_wide
from transforms.io.formats.parquet import Parquet
from transforms.io.read import read_batches
from transforms.io.source import Source

PAIRS = pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2))


def test_null_among_lists_of_fixed_size_is_not_written(tmp_path):
    rows = pa.RecordBatch.from_arrays([PAIRS], ["pair"])
    with (tmp_path / "x.parquet").open("wb") as stream:
        writer = Parquet().writer(stream, rows.schema)
        writer.write(rows.slice(0, 1))
        with pytest.raises(MillraceError, match=r"column 'pair' has null .* cast it to a list"):
            writer.write(rows)
        writer.close()


def test_null_among_lists_of_fixed_size_can_not_be_read(tmp_path):
    pq.write_table(pa.table([PAIRS], ["pair"]), tmp_path / "x.parquet")
    ((rows, rejects),) = read_batches(Source.resolve(str(tmp_path / "x.parquet")))
    assert rows.num_rows == 0
    assert "null in a column of fixed-size lists" in rejects["errorMessage"][0].as_py()


WIDE = pa.table(
    {
        "n": pa.array([*range(999), None]),
        "a": pa.array([f"text {each % 7}" for each in range(1000)]),
        "a.b": pa.array([each / 3 for each in range(1000)]),
        "s": pa.array([{"x": each, "y": {"z": str(each)}} for each in range(1000)]),
        "l": pa.array([[each] * (each % 3) for each in range(1000)]),
        "d": pa.array(["u", "v"] * 500).dictionary_encode(),
        "m": pa.array([[("k", each)] for each in range(1000)], pa.map_(pa.string(), pa.int64())),
    }
)


@pytest.fixture
def wide(tmp_path, monkeypatch):
    """A file of which each column is a block of its own."""
    monkeypatch.setattr(parquet_wide, "BLOCK_BYTES", 1)
    pq.write_table(WIDE, tmp_path / "x.parquet", row_group_size=300)
    return str(tmp_path / "x.parquet")


@pytest.mark.parametrize("max_rows", [1000, 128])
def test_columns_that_are_decoded_apart_come_together(wide, max_rows):
    meta = pq.read_metadata(wide)
    blocks = parquet_wide.column_blocks(meta, [0], WIDE.schema.names)
    assert blocks == [[name] for name in WIDE.schema.names]
    outcomes = list(read_batches(Source.resolve(wide), max_rows))
    rows = pa.Table.from_batches([rows.replace_schema_metadata() for rows, _ in outcomes])
    assert rows == WIDE.cast(rows.schema)
    assert max(rows.num_rows for rows, _ in outcomes) == min(max_rows, 300)
    places = np.concatenate([row_positions(rows) for rows, _ in outcomes])
    assert places.tolist() == [*range(1, 1001)]


def test_blocks_hold_no_more_than_they_may(wide, monkeypatch):
    meta = pq.read_metadata(wide)
    sizes = {}
    for group in map(meta.row_group, range(4)):
        for column in map(group.column, range(group.num_columns)):
            size = max(column.total_uncompressed_size, sizes.get(column.path_in_schema, 0))
            sizes[column.path_in_schema] = size
    monkeypatch.setattr(parquet_wide, "BLOCK_BYTES", sizes["n"] + sizes["a"])
    blocks = parquet_wide.column_blocks(meta, [0, 1, 2, 3], ["n", "a", "a.b", "d"])
    assert blocks == [["n", "a"], ["a.b", "d"]]
    monkeypatch.setattr(parquet_wide, "BLOCK_BYTES", sum(sizes.values()))
    assert len(parquet_wide.column_blocks(meta, [0], WIDE.schema.names)) == 1


def test_nothing_is_left_of_blocks(wide, tmp_path, monkeypatch):
    (tmp_path / "room").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "room"))
    outcomes = read_batches(Source.resolve(wide))
    next(outcomes)
    assert not list((tmp_path / "room").iterdir())


def test_a_row_group_that_breaks_off_within_a_block_is_told(wide, tmp_path):
    content = bytearray((tmp_path / "x.parquet").read_bytes())
    column = pq.read_metadata(wide).row_group(1).column(2)
    start = column.data_page_offset
    content[start : start + 40] = b"\xff" * 40
    (tmp_path / "x.parquet").write_bytes(content)
    outcomes = list(read_batches(Source.resolve(wide)))
    assert sum(rows.num_rows for rows, _ in outcomes) == 300
    ((reject,),) = [rejects.to_pylist() for _, rejects in outcomes if rejects.num_rows]
    assert "a row group can't be read" in reject["errorMessage"]


def test_no_room_for_blocks_is_told(wide, monkeypatch):
    """/dev/full takes nothing, as a full disk."""
    real = pa.OSFile
    monkeypatch.setattr(
        pa, "OSFile", lambda path, mode="r": real("/dev/full" if mode == "wb" else path, mode)
    )
    with pytest.raises(MillraceError, match=r"No space .*: name a folder with room"):
        list(read_batches(Source.resolve(wide)))
