"""Avro: splits are whole blocks, and know the numbers of their rows."""

import io
import json

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.files.formats.avro_files import ROWS, chunks, small_blocks, starts_of
from tests.transforms.files.formats.formats import table
from transforms.files.format import File
from transforms.files.formats.avro.format import Avro


@given(
    st.integers(1, 10_000),
    st.sampled_from(["null", "deflate", "xz", "bzip2"]),
    st.integers(1, 200),
    st.integers(100, 3000),
)
@settings(max_examples=25)
def test_splits_never_change_the_rows(target, codec, max_rows, interval):
    rows = ROWS.slice(0, 150)
    content = small_blocks(codec, rows, interval)
    splits = list(Avro().plan(io.BytesIO(content), File("f", len(content)), target))
    assert splits[-1].end == len(content)
    assert [s.end for s in splits[:-1]] == [s.start for s in splits[1:]]
    found, broken = chunks(content, ROWS.schema, target, max_rows)
    assert broken is None
    assert table(found).equals(pa.Table.from_batches([rows]))
    position = 1
    for chunk in found:
        assert chunk.first == position
        assert chunk.rows.num_rows <= max_rows
        position += chunk.rows.num_rows


def test_small_splits_hold_a_block_each():
    content = small_blocks()
    starts = starts_of(content)
    splits = list(Avro().plan(io.BytesIO(content), File("f", len(content)), 1))
    assert [split.start for split in splits] == [start for start, _ in starts]
    assert [split.first for split in splits][:2] == [1, 1 + starts[0][1]]


def test_rejects_of_a_later_split_know_their_row():
    wanted = pa.schema([("n", pa.int8())])
    found, _ = chunks(small_blocks(), wanted, target=600)
    assert len(found) > 3
    sources = [source for chunk in found for source in chunk.rejects["source"].to_pylist()]
    assert sources == [f"f#row={row}" for row in range(129, 501)]
    payload = json.loads(found[-1].rejects["payloadString"][-1].as_py())
    assert payload == {"n": 499}
