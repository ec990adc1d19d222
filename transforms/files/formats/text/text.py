"""Text files in bytes: how much is held at a time, where records end, and reading in pieces."""

import gzip
import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np

from transforms.files.format import BrokenFile
from transforms.reasons import Reason

BOM = b"\xef\xbb\xbf"
_CACHED = 1 << 18


@dataclass(frozen=True)
class Sizes:
    """How much of a text file is held at a time, in bytes.

    Attributes:
      block: What is parsed at once; several times this is held in memory.
      record: The longest record; a longer one is rejected, and only its head is kept.
      head: How much of it is kept.
    """

    block: int = 4 << 20
    record: int = 32 << 20
    head: int = 4 << 10


SIZES = Sizes()


@dataclass(frozen=True)
class Block:
    """Whole records of a file.

    Attributes:
      data: Their bytes, line breaks included.
      line: The line where the first begins, from 1.
      lines: How many line breaks they hold.
      complete: Whether the last ends in a line break.
      guessed: Whether it was cut at a line break that may stand inside a record.
      oversized: Whether this is the head of a single record that is too long.
      unclosed: Whether the text ends inside a quoted cell.
    """

    data: bytes
    line: int
    lines: int = 0
    complete: bool = True
    guessed: bool = False
    oversized: bool = False
    unclosed: bool = False


class Rules(Protocol):
    """Where records end; see `quotes.QuotedRecords` for what each method gives."""

    def line_ends(self, data: bytes) -> np.ndarray: ...  # noqa: D102

    def ends(self, data: bytes, before: bytes = b"") -> np.ndarray: ...  # noqa: D102

    def last_end(self, data: bytes, before: bytes = b"") -> int: ...  # noqa: D102

    def last_line_end(self, data: bytes) -> int: ...  # noqa: D102

    def lines(self, data: bytes) -> int: ...  # noqa: D102

    def context(self, data: bytes, before: bytes = b"") -> bytes: ...  # noqa: D102


@dataclass(frozen=True)
class PlainRecords:
    """Every line is a record, as in JSON Lines, where no string holds a raw line break."""

    def line_ends(self, data: bytes) -> np.ndarray:
        """Positions one past each line break."""
        return np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1

    def ends(self, data: bytes, before: bytes = b"") -> np.ndarray:
        """Returns the same."""
        return self.line_ends(data)

    def last_end(self, data: bytes, before: bytes = b"") -> int:
        """Returns the position one past the last line break, or 0."""
        return self.last_line_end(data)

    def last_line_end(self, data: bytes) -> int:
        """Returns the same."""
        return data.rfind(b"\n") + 1

    def lines(self, data: bytes) -> int:
        """Returns the number of line breaks."""
        return count_byte(data, ord("\n"))

    def context(self, data: bytes, before: bytes = b"") -> bytes:
        """Returns nothing: the end of a line does not depend on the text before it."""
        return b""


def count_byte(data: bytes, code: int) -> int:
    """Returns how often a byte occurs, several times as fast as bytes.count if it is frequent."""
    codes = np.frombuffer(data, np.uint8)
    parts = (codes[start : start + _CACHED] for start in range(0, len(codes), _CACHED))
    return sum(int(np.count_nonzero(part == code)) for part in parts)


def pieces(stream: BinaryIO, size: int, length: int | None = None) -> Iterator[bytes]:
    r"""Reads a stream on from where it is.

    Args:
      stream: Only ever read forward.
      size: About the bytes of a piece. No piece ends between "\r" and "\n".
      length: How much to read; None reads to the end.

    Raises:
      BrokenFile: After the last piece, when a compressed stream breaks off.
    """
    carry = b""
    for part in _parts(stream, size, length):
        piece = carry + part
        carry = b"\r" if piece.endswith(b"\r") else b""
        if len(piece) > len(carry):
            yield piece[: len(piece) - len(carry)]
    if carry:
        yield carry


def _parts(stream: BinaryIO, size: int, length: int | None) -> Iterator[bytes]:
    # read1 gives what has been decompressed so far; read would lose it when the rest is broken.
    read = getattr(stream, "read1", stream.read)
    kept: list[bytes] = []
    held, left = 0, length
    try:
        while part := read(size - held if left is None else min(size - held, left)):
            kept.append(part)
            held, left = held + len(part), None if left is None else left - len(part)
            if held == size:
                yield b"".join(kept)
                held, kept = 0, []
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        if kept:
            yield b"".join(kept)
        raise BrokenFile(Reason.TRUNCATED_FILE, f"the file breaks off: {error}") from error
    if kept:
        yield b"".join(kept)


def without_bom(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Returns the same text, without the byte order mark that some programs put before it."""
    head = b""
    for part in parts:
        head += part
        if len(head) >= len(BOM):
            break
    head = head.removeprefix(BOM)
    return itertools.chain([head] if head else [], parts)


def first_record(
    parts: Iterator[bytes], rules: Rules, longest: int
) -> tuple[bytes, Iterator[bytes]]:
    """Parts the first record of a text from the rest.

    Returns: The record with its line break, which is all there is where the text ends before;
      cut at about `longest` bytes. And the rest.
    """
    held = b""
    for part in parts:
        held += part
        ends = rules.ends(held)
        if len(ends):
            return held[: ends[0]], itertools.chain([held[ends[0] :]], parts)
        if len(held) > longest:
            break
    return held, iter(())
