"""JSON that is not one object a line: an array of objects, or objects over several lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from transforms.files.format import BrokenFile
from transforms.files.formats.text.records import Records
from transforms.files.formats.text.text import Sizes
from transforms.reasons import Reason

_BLANK = b" \t\r\n"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|["\[\]{},]', re.DOTALL)


def is_document(head: bytes) -> bool:
    """Tells whether a file is an array of objects, or objects of several lines each.

    Args:
      head: Its first bytes, without a byte order mark.
    """
    text = head.lstrip(_BLANK)
    if text.startswith(b"["):
        return text[1:].lstrip(_BLANK)[:1] in (b"{", b"]")
    # A first line that is cut off among sound ones is a bad line: more than its bracket is there.
    return text.startswith(b"{") and text.partition(b"\n")[0].rstrip(_BLANK) == b"{"


@dataclass(frozen=True)
class Element:
    """An element of an array, or an object of several lines.

    Attributes:
      data: Its bytes.
      oversized: Whether it is too long, and this is its head.
    """

    data: bytes
    oversized: bool = False


def grouped(parts: Iterator[bytes], sizes: Sizes) -> Iterator[Records | Element]:
    """Parts a file into elements, as many together as are parsed at once.

    Args:
      parts: The file in pieces.
      sizes: How much is held at a time.

    Yields: Elements as records of one line each, whose line is the element's number, from 1; and
      alone, those that are too long. The numbers count both.

    Raises:
      BrokenFile: At the end: an array or object is never closed, or the file breaks off.
    """
    held: list[bytes] = []
    size, number = 0, 1
    broken = None
    try:
        for element in _scan(parts, sizes):
            if held and (element.oversized or size > sizes.block):
                yield _records(held, number)
                number, held, size = number + len(held), [], 0
            if element.oversized:
                yield element
                number += 1
            else:
                held.append(element.data)
                size += len(element.data)
    except BrokenFile as error:
        broken = error
    if held:
        yield _records(held, number)
    if broken is not None:
        raise broken


def _records(texts: list[bytes], first: int) -> Records:
    # Between values a line break is a mere blank; within a text JSON has none.
    lines = [text.replace(b"\r", b" ").replace(b"\n", b" ") for text in texts]
    lengths = np.array([len(line) + 1 for line in lines], np.int64)
    ends = np.cumsum(lengths)
    numbers = np.arange(first, first + len(lines))
    data = b"\n".join(lines) + b"\n"
    return Records(data, ends - lengths, ends, ends - 1, numbers, "element")


def _scan(parts: Iterator[bytes], sizes: Sizes) -> Iterator[Element]:
    """Yields the elements of arrays, and the values outside of arrays."""
    scan = _Scan(sizes)
    for part in parts:
        yield from scan.take(part)
    yield from scan.rest()
    if scan.depth or scan.in_array:
        raise BrokenFile(Reason.TRUNCATED_FILE, "the file ends inside a JSON array or object")


class _Scan:
    """Finds where elements end.

    Attributes:
      depth: How many brackets are open within the element in work.
      in_array: Whether it stands in an array.
    """

    def __init__(self, sizes: Sizes) -> None:
        self.depth, self.in_array = 0, False
        self._sizes = sizes
        self._buffer, self._at = b"", 0  # the element in work, and how far it was looked at
        self._head: bytes | None = None

    def take(self, part: bytes) -> Iterator[Element]:
        """Yields the elements that end in the next piece."""
        self._buffer += part
        start = 0
        while token := _TOKEN.search(self._buffer, self._at):
            sign = token[0]
            if sign == b'"':
                self._at = token.start()
                break
            self._at = token.end()
            end = self._step(sign, token)
            if end is not None:
                yield from self._element(self._buffer[start:end])
                start = self._at if sign in b",][" else end
        else:
            self._at = len(self._buffer)
        self._buffer, self._at = self._buffer[start:], self._at - start
        if len(self._buffer) > self._sizes.record:
            self._shorten()

    def _step(self, sign: bytes, token: re.Match[bytes]) -> int | None:
        """Returns where the current element ends, if this sign ends it."""
        if sign in b"{[" and not (sign == b"[" and not self.depth and not self.in_array):
            self.depth += 1
        elif sign == b"[":
            self.in_array = True
            return token.start()
        elif sign in b"}]" and self.depth:
            self.depth -= 1
            return token.end() if not self.depth and not self.in_array else None
        elif sign == b"]" and self.in_array:
            self.in_array = False
            return token.start()
        elif sign == b"," and not self.depth and self.in_array:
            return token.start()
        return None

    def _shorten(self) -> None:
        """Lets go of an element that is too long, but for its head.

        Raises:
          BrokenFile: It is one text that does not end.
        """
        if len(self._buffer) - self._at > self._sizes.record:
            why = f"a text in it does not end within {self._sizes.record:,} bytes"
            raise BrokenFile(Reason.TRUNCATED_FILE, why)
        self._head = self._head or self._buffer[: self._sizes.head]
        self._buffer, self._at = self._buffer[self._at :], 0

    def _element(self, data: bytes) -> Iterator[Element]:
        head, self._head = self._head, None
        if head is not None:
            yield Element(head, oversized=True)
        elif data.strip(_BLANK):
            yield Element(data.strip(_BLANK))

    def rest(self) -> Iterator[Element]:
        """Returns the text left at the end."""
        yield from self._element(self._buffer)
        self._buffer = b""
