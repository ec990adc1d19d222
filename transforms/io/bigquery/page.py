"""Answers of ReadRows, taken apart without a copy of the rows that they bear."""

from typing import Any, NamedTuple

import pyarrow as pa

from transforms.varints import read_varint

_BATCH, _ROWS = 4, 1
"""Numbers of the fields `ReadRowsResponse.arrow_record_batch`, and of the bytes within it."""
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_ALIGNED = 8


class Page(NamedTuple):
    """An answer.

    Attributes:
      rows: A record batch, serialized; None where the answer has none.
      rest: The answer without it, serialized.
    """

    rows: pa.Buffer | None
    rest: bytes

    @property
    def share(self) -> float:
        """Which part of the stream was sent once this was, from 0 to 1."""
        from google.cloud.bigquery_storage_v1 import types

        told: Any = types.ReadRowsResponse.pb(types.ReadRowsResponse()).FromString(self.rest)
        return float(told.stats.progress.at_response_end)


def page_of(answer: bytes) -> Page:
    """Takes an answer apart. Google's class would copy the rows twice before Arrow has them.

    Args:
      answer: A `ReadRowsResponse` as protobuf writes it.

    Raises:
      ValueError: It is not one.
    """
    try:
        return _taken_apart(answer)
    except IndexError:
        raise ValueError("an answer of ReadRows breaks off") from None


def _taken_apart(answer: bytes) -> Page:
    rows, rest, place = None, [], 0
    while place < len(answer):
        start = place
        number, begin, place = _field(answer, place)
        if number != _BATCH:
            rest.append(answer[start:place])
            continue
        while begin < place:
            number, first, begin = _field(answer, begin)
            if number == _ROWS:
                rows = _aligned(memoryview(answer)[first:begin])
    if place > len(answer):
        raise ValueError("an answer of ReadRows breaks off")
    return Page(rows, b"".join(rest))


def _field(data: bytes, place: int) -> tuple[int, int, int]:
    """Returns a field's number, and where its content begins and ends."""
    tag, place = read_varint(data, place)
    kind = tag & 7
    if kind == _BYTES:
        size, place = read_varint(data, place)
        return tag >> 3, place, place + size
    if kind == _VARINT:
        return tag >> 3, place, read_varint(data, place)[1]
    if kind in (_EIGHT, _FOUR):
        return tag >> 3, place, place + (8 if kind == _EIGHT else 4)
    raise ValueError("an answer of ReadRows has a field of unknown kind")


def _aligned(content: memoryview) -> pa.Buffer:
    """Returns bytes where Arrow may compute with them as they are."""
    found = pa.py_buffer(content)
    return found if found.address % _ALIGNED == 0 else pa.py_buffer(bytes(content))
