"""What must hold of every format whose records are lines of text."""

import gzip
import io
from dataclasses import dataclass

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support import record_batches
from tests.transforms.files.formats import hostile
from tests.transforms.files.formats.formats import EVERY_TYPE, read_lines, written
from transforms.arrow.types import plain_schema
from transforms.files.format import BrokenFile, File, whole
from transforms.files.formats.csv.format import Csv, Tsv
from transforms.files.formats.json.elements import is_document
from transforms.files.formats.json.format import JsonLines
from transforms.files.formats.text.text import SIZES, Sizes

ROWS = pa.schema([("a", pa.int64()), ("b", pa.string())])
SMALL = Sizes(block=16, record=1 << 12)


@dataclass(frozen=True)
class Text:
    """What is known of a format.

    Attributes:
      format: Its class.
      header: What files of `ROWS` begin with.
      line: A row of them, given two numbers.
      bodies: What may stand after the header, if someone wishes us ill.
    """

    format: type
    header: bytes
    line: bytes
    bodies: st.SearchStrategy[bytes]


TEXTS = {
    "csv": Text(Csv, b"a,b\n", b"%d,t%d\n", hostile.CSV),
    "tsv": Text(Tsv, b"a\tb\n", b"%d\tt%d\n", hostile.TSV),
    "jsonl": Text(JsonLines, b"", b'{"a":%d,"b":"t%d"}\n', hostile.JSONL),
}
every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


@every_text
@pytest.mark.parametrize("keep", [0.2, 0.9])
def test_a_truncated_gzip_gives_what_stands_before(text, keep):
    numbers = [i * 7919 % 10007 for i in range(9000)]
    lines = b"".join(text.line % (number, i) for i, number in enumerate(numbers))
    packed = gzip.compress(text.header + lines)
    packed = packed[: int(len(packed) * keep)]
    chunks = []
    with gzip.open(io.BytesIO(packed)) as stream:
        found = text.format().read(stream, whole(File("f", len(packed))), ROWS, 500, 1 << 20)
        with pytest.raises(BrokenFile, match="breaks off") as error:
            chunks.extend(found)
    rows = [row for chunk in chunks for row in chunk.rows.to_pylist()]
    assert all(chunk.rejects.num_rows == 0 for chunk in chunks)
    assert error.value.reason == "truncated_file"
    assert rows == [{"a": numbers[i], "b": f"t{i}"} for i in range(len(rows))]
    assert len(rows) > 9000 * keep * 0.8


def in_parts(text, body, block, target, rows):
    """What is read of a file in small blocks and splits, and in one."""
    data = text.header + body
    parted = text.format(sizes=Sizes(block=block, record=1 << 12))
    return read_lines(parted, data, ROWS, target, rows), read_lines(text.format(), data, ROWS)


@every_text
@settings(max_examples=150)
@given(st.data(), st.integers(4, 40), st.integers(1, 50), st.integers(1, 5))
def test_parts_and_blocks_change_nothing(text, data, block, target, rows):
    body = data.draw(text.bodies | st.binary(max_size=60))
    # An array is read in one part.
    assume(text.format is not JsonLines or not is_document(body))
    parts, one = in_parts(text, body, block, target, rows)
    assert parts == one


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("csv", b'1,"\n"'),
        ("jsonl", b'{"a":\n1}\n{"a":2}'),
        ("jsonl", b'{"a":1} {"a":2}\n\n'),
    ],
)
@pytest.mark.parametrize("block", [4, 40])
def test_bodies_that_blocks_once_changed(name, body, block):
    parts, one = in_parts(TEXTS[name], body, block, target=50, rows=5)
    assert parts == one


def rewritten(format, batch):
    """What is read of a batch that was written in two."""
    data = written(format, batch.slice(0, 1), batch.slice(1))
    kept, lost = read_lines(format, data, plain_schema(batch.schema))
    assert lost == []
    return [row for _, row in kept]


@every_text
@settings(max_examples=60)
@given(record_batches())
def test_what_is_written_is_read_back(text, batch):
    assert rewritten(text.format(sizes=SMALL), batch) == batch.to_pylist()


@every_text
@pytest.mark.parametrize("sizes", [SMALL, SIZES], ids=["small", "usual"])
def test_every_type_is_read_back(text, sizes):
    """Maps apart, for no JSON that holds one is left to pyarrow."""
    format = text.format(sizes=sizes)
    maps = pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64()))
    for batch in (EVERY_TYPE, EVERY_TYPE.append_column("map", maps)):
        assert rewritten(format, batch) == batch.to_pylist()
