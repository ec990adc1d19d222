"""Avro: damage costs the rows it touches, in whatever splits."""

import io
import json
import math

import fastavro
import pyarrow as pa
import pytest

from tests.transforms.files.formats.avro_files import (
    ROWS,
    chunks,
    own_schema,
    small_blocks,
    starts_of,
)
from tests.transforms.files.formats.formats import table
from transforms.batches import row_positions
from transforms.files.format import BrokenFile
from transforms.reasons import Reason


def test_text_that_is_not_utf8_costs_its_row():
    content = small_blocks("null").replace(b"row 7 ", b"row \xff ")
    found, broken = chunks(content)
    assert broken is None
    assert [row["n"] for row in table(found).to_pylist()] == [n for n in range(500) if n != 7]
    rejects = [row for chunk in found for row in chunk.rejects.to_pylist()]
    assert [(r["reason"], r["source"]) for r in rejects] == [("invalid_utf8", "f#row=8")]
    positions = [place for chunk in found for place in row_positions(chunk.rows).tolist()]
    assert positions == [n for n in range(1, 501) if n != 8]


def test_a_rejected_row_has_words_for_what_is_not_finite():
    stream = io.BytesIO()
    fields = [{"name": "s", "type": "string"}, {"name": "x", "type": "double"}]
    schema = fastavro.parse_schema({"type": "record", "name": "R", "fields": fields})
    fastavro.writer(stream, schema, [{"s": "bad!", "x": math.nan}, {"s": "ok", "x": -math.inf}])
    ((chunk,), broken) = chunks(stream.getvalue().replace(b"bad!", b"bad\xff"))
    assert broken is None
    (payload,) = chunk.rejects["payloadString"].to_pylist()
    assert json.loads(payload)["x"] == "NaN"
    assert '"x": "NaN"' in payload
    assert chunk.rows.to_pylist() == [{"s": "ok", "x": -math.inf}]


@pytest.mark.parametrize("target", [1, 2000, 1 << 40])
def test_a_corrupt_block_costs_its_rows_in_any_split(target):
    content = bytearray(small_blocks())
    starts = starts_of(content)
    start, rows = starts[3]
    before = sum(count for _, count in starts[:3])
    content[start + 10 : start + 30] = bytes(20)
    found, broken = chunks(bytes(content), ROWS.schema, target)
    numbers = [row["n"] for row in table(found).to_pylist()]
    assert numbers == [n for n in range(500) if not before <= n < before + rows]
    assert broken.reason == Reason.TRUNCATED_FILE
    assert f"{rows} rows stand in blocks" in broken.message
    assert all(chunk.rows["n"][0].as_py() + 1 == chunk.first for chunk in found)


def test_a_block_that_holds_more_than_it_says_is_corrupt():
    content = bytearray(small_blocks("null"))
    start, rows = starts_of(content)[3]
    assert content[start] == 2 * rows, "a number of one byte"
    content[start] -= 2
    found, broken = chunks(bytes(content))
    assert table(found).num_rows == 500 - rows
    assert f"{rows - 1} rows stand in blocks" in broken.message


def test_a_size_beyond_all_memory_breaks_the_file():
    content = small_blocks()
    head = content[: starts_of(content)[0][0]]
    found, broken = chunks(head + b"\x02" + b"\x80" * 5 + b"\x40" + b"abc")
    assert not found
    assert broken.reason == Reason.TRUNCATED_FILE


@pytest.mark.parametrize("target", [1, 2000, 1 << 40])
def test_a_lost_sync_mark_ends_the_file(target):
    content = bytearray(small_blocks())
    starts = starts_of(content)
    content[starts[5][0] - 3] ^= 0xFF
    found, broken = chunks(bytes(content), ROWS.schema, target)
    assert table(found).num_rows == sum(count for _, count in starts[:4])
    assert broken.reason == Reason.TRUNCATED_FILE


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_file_cut_short_keeps_the_rows_before(codec):
    content = small_blocks(codec, interval=4000)
    starts = starts_of(content)
    whole_blocks = sum(count for _, count in starts[:-1])
    found, broken = chunks(content[: (starts[-1][0] + len(content)) // 2], ROWS.schema)
    rows = table(found)
    assert broken.reason == Reason.TRUNCATED_FILE
    assert whole_blocks < rows.num_rows < 500
    assert rows.equals(pa.Table.from_batches([ROWS.slice(0, rows.num_rows)]))


def test_a_file_cut_within_a_sync_mark_keeps_all():
    found, broken = chunks(small_blocks()[:-5], ROWS.schema)
    assert table(found).num_rows == 500
    assert broken is not None


@pytest.mark.parametrize("content", [b"", b"Obj", b"Obj\x01", b"a,b\n1,2\n", small_blocks()[:60]])
def test_no_avro_file(content):
    with pytest.raises(BrokenFile, match="not an Avro file") as broken:
        own_schema(content)
    assert broken.value.reason == Reason.UNREADABLE_FILE
