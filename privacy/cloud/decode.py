"""Tables of texts read from the bytes of a reply, by columns; see `encode`.

An object a cell costs five times as much. Only what the service usually sends is read here: rows of
texts, nulls and the number at the end. Anything else is left to protobuf.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from privacy.cloud.cells import Table
from privacy.spans import quotes
from transforms.varints import read_varint

_ITEM, _TABLE, _ROW, _HEADER, _VALUE, _TEXT, _INTEGER = 0x0A, 0x22, 0x12, 0x0A, 0x0A, 0x1A, 0x08


class Unusual(Exception):
    """The reply is not of the usual form: protobuf must read it."""


def read_texts(reply: bytes, width: int) -> tuple[list[str], list[pa.Array], np.ndarray, bytes]:
    """Returns the headers, the columns of texts, the numbers of the rows, and the overview.

    Args:
      reply: A response of DeidentifyContent or ReidentifyContent.
      width: How many columns there should be, without the column of numbers.

    Raises:
      Unusual: It has other values than texts, nulls and numbers, or another form.
      ValueError: A text is no UTF-8.
    """
    item, overview = _split(reply)
    if item is None:
        raise Unusual
    starts, header_end = _rows(reply, *item)
    headers = [x.name for x in Table.FromString(reply[item[0] : header_end]).headers]
    data = np.frombuffer(reply + bytes(16), np.uint8)
    places, ends = np.array(starts, np.int64).reshape(-1, 2).T
    columns = []
    for _ in range(width):
        column, places = _texts(data, places)
        columns.append(column)
    numbers, places = _numbers(data, places)
    if (places != ends).any():
        raise Unusual
    return headers, columns, numbers, overview


def _split(reply: bytes) -> tuple[tuple[int, int] | None, bytes]:
    """Returns where the table begins and ends, and the overview."""
    at, table, overview = 0, None, b""
    while at < len(reply):
        tag = reply[at]
        size, begin = read_varint(reply, at + 1)
        at = begin + size
        if tag == _ITEM and size:
            length, start = read_varint(reply, begin + 1)
            if reply[begin] != _TABLE or start + length != at:
                raise Unusual
            table = (start, at)
        elif tag == 0x12:
            overview = reply[begin:at]
        else:
            raise Unusual
    return table, overview


def _rows(reply: bytes, at: int, end: int) -> tuple[list[int], int]:
    """Returns where the rows begin and end, one after the other, and where the headers end."""
    while at < end and reply[at] == _HEADER:
        size, begin = read_varint(reply, at + 1)
        at = begin + size
    first, places = at, list[int]()
    # A loop by row: each says where the next one is. Lengths of one and two bytes are read here.
    while at < end:
        if reply[at] != _ROW:
            raise Unusual
        size = reply[at + 1]
        begin = at + 2
        if size > 0x7F:
            more = reply[begin]
            if more > 0x7F:
                size, begin = read_varint(reply, at + 1)
            else:
                size, begin = size & 0x7F | more << 7, begin + 1
        at = begin + size
        places.append(begin)
        places.append(at)
    return places, first


def _varints(data: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers at places, of up to 21 bits, and the places behind them."""
    first, second, third = (data[at + i].astype(np.int64) for i in range(3))
    long, longer = first > 0x7F, (first > 0x7F) & (second > 0x7F)
    if (longer & (third > 0x7F)).any():
        raise Unusual
    value = first & 0x7F
    value += np.where(long, (second & 0x7F) << 7, 0) + np.where(longer, third << 14, 0)
    return value, at + 1 + long + longer


def _texts(data: np.ndarray, at: np.ndarray) -> tuple[pa.Array, np.ndarray]:
    """Returns the texts that begin at places, and the places behind them."""
    if (data[at] != _VALUE).any():
        raise Unusual
    size, begin = _varints(data, at + 1)
    after, null = begin + size, size == 0
    length, start = _varints(data, begin + 1)
    if (~null & ((data[begin] != _TEXT) | (start + length != after))).any():
        raise Unusual
    starts = np.where(null, after, start)
    texts = quotes(data, starts, after)
    texts.validate(full=True)
    if null.any():
        texts = pa.array(texts.to_pylist(), pa.string(), mask=null)
    return texts, after


def _numbers(data: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the whole numbers that begin at places, and the places behind them."""
    if (data[at] != _VALUE).any() or (data[at + 2] != _INTEGER).any():
        raise Unusual
    size, begin = _varints(data, at + 1)
    value, after = _varints(data, begin + 1)
    if (after != begin + size).any():
        raise Unusual
    return value, after


def all_texts(kinds: Sequence[pa.DataType]) -> bool:
    """Tells whether `read_texts` may be tried."""
    return all(pa.types.is_string(kind) for kind in kinds)
