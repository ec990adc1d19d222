"""Blocks and ranges of text end where records end, and know their lines."""

import gzip
import io
import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transforms.files.format import BrokenFile, File
from transforms.files.formats.csv.quotes import QuotedRecords
from transforms.files.formats.text.cutting import blocks, byte_ranges
from transforms.files.formats.text.text import (
    PlainRecords,
    Sizes,
    count_byte,
    first_record,
    pieces,
    without_bom,
)

QUOTED, PLAIN = QuotedRecords(), PlainRecords()
TEXTS = st.text('a",\n\r', max_size=40).map(str.encode)
CUTS = st.lists(st.integers(0, 40), max_size=5)


def walked(data: bytes) -> tuple[list[int], bool]:
    """Where records end and whether the last is inside quotes: pyarrow's automaton by hand."""
    ends, state, at = [], "start", 0
    while at < len(data):
        char, following = data[at : at + 1], data[at + 1 : at + 2]
        at += 1
        if state == "quoted":
            if char == b'"' and following == b'"':
                at += 1
            elif char == b'"':
                state = "cell"
        elif char in b"\r\n":
            at += char == b"\r" and following == b"\n"
            ends.append(at)
            state = "start"
        elif char == b",":
            state = "start"
        else:
            state = "quoted" if char == b'"' and state == "start" else "cell"
    return ends, state == "quoted"


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    """The text in pieces, none of which parts a line break."""
    places = sorted({c for c in cuts if 0 < c < len(data) and data[c - 1 : c] != b"\r"})
    return [data[a:b] for a, b in itertools.pairwise([0, *places, len(data)])]


@given(TEXTS)
def test_records_end_where_pyarrow_ends_them(data: bytes) -> None:
    ends, is_open = walked(data)
    assert QUOTED.ends(data).tolist() == ends
    assert QUOTED.last_end(data) == (ends[-1] if ends else 0)
    assert len(QUOTED.quotes(data)) % 2 == is_open


@given(TEXTS, CUTS)
@example(b'"a""b",a"b,"c\nd"\n', [3])
def test_context_stands_for_what_came_before(data: bytes, cuts: list[int]) -> None:
    ends, offset, before = [], 0, b""
    for part in cut(data, cuts):
        found = QUOTED.ends(part, before)
        assert QUOTED.last_end(part, before) == (found[-1] if len(found) else 0)
        ends += (found + offset).tolist()
        offset += len(part)
        before = QUOTED.context(part, before)
        assert len(before) <= 2
    assert ends == walked(data)[0]


@given(TEXTS)
def test_lines_are_those_of_universal_newlines(data: bytes) -> None:
    lines = io.TextIOWrapper(io.BytesIO(data), newline=None).read().count("\n")
    assert QUOTED.lines(data) == len(QUOTED.line_ends(data)) == lines


def test_a_bare_quote_opens_nothing() -> None:
    data = b'a"b,1\n"c"d"e,2\n"f\n""g",3\n'
    assert QUOTED.ends(data).tolist() == [6, 15, len(data)]


@given(TEXTS, st.integers(1, 9), st.integers(0, 12))
def test_pieces_are_the_whole_text(data: bytes, size: int, length: int) -> None:
    assert b"".join(pieces(io.BytesIO(data), size)) == data
    found = list(pieces(io.BytesIO(data), size, length))
    assert b"".join(found) == data[:length]
    for one, other in itertools.pairwise(found):
        assert not (one.endswith(b"\r") and other.startswith(b"\n"))


def test_pieces_before_a_break_are_not_lost() -> None:
    text = b"".join(b"%d,%d\n" % (i, i * 7919) for i in range(5000))
    packed = gzip.compress(text)
    with gzip.open(io.BytesIO(packed[: len(packed) // 2])) as stream:
        found: list[bytes] = []
        with pytest.raises(BrokenFile) as error:
            found.extend(pieces(stream, 1 << 20))
    assert error.value.reason == "truncated_file"
    assert len(text) // 3 < len(b"".join(found))
    assert text.startswith(b"".join(found))


@given(TEXTS, st.integers(2, 9), st.booleans())
def test_blocks_are_whole_records_in_order(data: bytes, size: int, guess: bool) -> None:
    found = blocks(pieces(io.BytesIO(data), size), QUOTED, Sizes(block=size), 1, guess)
    texts: list[bytes] = []
    block = next(found, None)
    while block is not None:
        end = QUOTED.last_end(block.data) if block.guessed else len(block.data)
        whole, rest = block.data[:end], block.data[end:]
        assert block.line == 1 + QUOTED.lines(b"".join(texts))
        assert not block.complete or not whole or walked(whole)[0][-1] == len(whole)
        texts.append(whole)
        try:
            block = found.send(rest)
        except StopIteration:
            block = None
    assert b"".join(texts) == data


@given(TEXTS, st.integers(2, 9))
def test_long_records_give_their_head(data: bytes, size: int) -> None:
    sizes = Sizes(block=size, record=10, head=3)
    ends = walked(data)[0]
    spans = list(itertools.pairwise([0, *ends] + [len(data)] * (ends[-1:] != [len(data)])))
    long = [data[a : a + 3] for a, b in spans if b - a > 10]
    short = [data[a:b] for a, b in spans if b - a <= 10]
    found = list(blocks(pieces(io.BytesIO(data), size), QUOTED, sizes, 1))
    assert [block.data for block in found if block.oversized] == long
    assert b"".join(block.data for block in found if not block.oversized) == b"".join(short)
    starts = [0, *QUOTED.line_ends(data)]
    assert all(data[starts[block.line - 1] :].startswith(block.data[:3]) for block in found)


@given(TEXTS, st.integers(2, 9), st.integers(1, 30), st.sampled_from([QUOTED, PLAIN]))
def test_ranges_cover_the_file(data: bytes, size: int, target: int, rules: QuotedRecords) -> None:
    file = File("f", len(data))
    splits = list(byte_ranges(pieces(io.BytesIO(data), size), file, target, rules))
    assert b"".join(data[split.start : split.end] for split in splits) == data
    ends = set(rules.ends(data).tolist()) | {len(data)}
    for split in splits:
        assert split.end in ends
        assert split.first == 1 + rules.lines(data[: split.start])
        assert split.weight == split.end - split.start
    assert all(split.weight >= target for split in splits[:-1])


def test_a_byte_order_mark_is_no_text() -> None:
    data = b'\xef\xbb\xbf"a\nb"\nc\n'
    splits = list(byte_ranges(iter([data]), File("f", len(data)), 1, QUOTED))
    assert [(split.start, split.end, split.first) for split in splits] == [(0, 9, 1), (9, 11, 3)]
    assert b"".join(without_bom(pieces(io.BytesIO(data), 1))) == data[3:]


def test_the_first_record_and_the_rest() -> None:
    record, rest = first_record(pieces(io.BytesIO(b'"a\n",b\nc,d\n'), 3), QUOTED, 100)
    assert (record, b"".join(rest)) == (b'"a\n",b\n', b"c,d\n")
    record, rest = first_record(iter([b"abcdef", b"ghijkl"]), QUOTED, 4)
    assert (record, b"".join(rest)) == (b"abcdef", b"")


def test_bytes_are_counted() -> None:
    assert count_byte(b"a\nb\n" * 200_000, ord("\n")) == 400_000
