import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.batches import row_positions
from transforms.errors import ConfigError, MillraceError
from transforms.files.formats.parquet import wide as wide_module
from transforms.files.formats.parquet.format import Parquet
from transforms.io.file_read import read_batches
from transforms.io.file_source import Source

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
    monkeypatch.setattr(wide_module, "HELD_BYTES", 1)
    pq.write_table(WIDE, tmp_path / "x.parquet", row_group_size=300)
    return str(tmp_path / "x.parquet")


def blocks_of(source, groups):
    names = WIDE.schema.names
    return wide_module.column_blocks(source.metadata, source.schema_arrow, groups, names)


@pytest.mark.parametrize("max_rows", [1000, 128])
def test_columns_that_are_decoded_apart_come_together(wide, max_rows):
    blocks = blocks_of(pq.ParquetFile(wide), [0])
    assert blocks == [[name] for name in WIDE.schema.names]
    outcomes = list(read_batches(Source.resolve(wide), max_rows))
    rows = pa.Table.from_batches([rows.replace_schema_metadata() for rows, _ in outcomes])
    assert rows == WIDE.cast(rows.schema)
    assert max(rows.num_rows for rows, _ in outcomes) == min(max_rows, 300)
    places = np.concatenate([row_positions(rows) for rows, _ in outcomes])
    assert places.tolist() == [*range(1, 1001)]


def test_blocks_hold_no_more_than_they_may(wide, monkeypatch):
    source = pq.ParquetFile(wide)
    groups = map(source.metadata.row_group, range(4))
    page = max(group.total_byte_size for group in groups) // 9
    monkeypatch.setattr(wide_module, "HELD_BYTES", 8 * page)
    # s has two leaves, m its keys and values.
    blocks = blocks_of(source, [0, 1, 2, 3])
    assert blocks == [["n", "a"], ["a.b"], ["s"], ["l", "d"], ["m"]]
    monkeypatch.setattr(wide_module, "HELD_BYTES", 9 * page)
    assert len(blocks_of(source, [0])) == 1


@pytest.mark.parametrize("place", range(0, 400, 7))
@pytest.mark.parametrize("block", [1, 1 << 30])
def test_rows_of_broken_files_are_right_or_told(tmp_path, monkeypatch, block, place):
    """Checksums do not cover the headers of pages, nor the footer."""
    monkeypatch.setattr(wide_module, "HELD_BYTES", block)
    rows = pa.table({"x": range(8), "y": [11 * each for each in range(8)]})
    path = tmp_path / "x.parquet"
    kinds = {"compression": "none", "use_dictionary": False, "store_schema": False}
    pq.write_table(rows, path, data_page_size=16, write_batch_size=2, **kinds)
    whole = path.read_bytes()
    for bit in range(8):
        broken = bytearray(whole)
        broken[place] ^= 1 << bit
        path.write_bytes(broken)
        try:
            outcomes = list(read_batches(Source.resolve(str(path))))
        except ConfigError:
            continue
        number = sum(rows.num_rows for rows, _ in outcomes)
        assert number == 8 or any(rejects.num_rows for _, rejects in outcomes)


@pytest.mark.parametrize("block", [1, 1 << 30])
def test_a_name_that_is_there_twice_is_told(tmp_path, monkeypatch, block):
    monkeypatch.setattr(wide_module, "HELD_BYTES", block)
    twice = pa.Table.from_arrays([pa.array([1])] * 3, names=["x", "x", "y"])
    pq.write_table(twice, tmp_path / "x.parquet")
    schema = pa.schema({"x": pa.int64(), "y": pa.int64()})
    ((rows, rejects),) = read_batches(Source.resolve(str(tmp_path / "x.parquet"), schema=schema))
    assert rows.num_rows == 0
    assert "more than one column x" in rejects["errorMessage"][0].as_py()


def test_dictionaries_within_structs_of_several_row_groups_are_told(tmp_path):
    coded = pa.array(["u", "v"] * 5).dictionary_encode()
    rows = pa.table({"s": pa.StructArray.from_arrays([coded], ["d"])})
    pq.write_table(rows, tmp_path / "x.parquet", row_group_size=5)
    ((_, rejects),) = read_batches(Source.resolve(str(tmp_path / "x.parquet")))
    assert "not implemented" in rejects["errorMessage"][0].as_py()


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


def test_a_name_that_is_no_text_makes_a_file_unreadable(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"abcdef": [1, 2]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"abcdef", b"\xffbcdef"))
    with pytest.raises(ConfigError, match="not a readable Parquet file"):
        Source.resolve(str(path))
