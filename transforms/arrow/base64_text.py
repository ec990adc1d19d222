"""Columns of bytes as base64 text, and back: a whole column in one call of the C codec."""

import binascii

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_VALID = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_PAD, _ZERO = ord("="), ord("A")


def encode_base64(array: pa.Array) -> pa.Array:
    """Returns byte strings as base64 text.

    Every value is padded with zeros to whole groups of three bytes, so that one call encodes them
    all; what stands for the padding is overwritten with "=".

    Args:
      array: n binary values.

    Returns: n strings; nulls stay null.
    """
    lengths, data = _bytes(array)
    groups = (lengths + 2) // 3
    padded = np.zeros(3 * int(groups.sum()), np.uint8)
    padded[_places(3 * groups, lengths)] = data
    text = np.frombuffer(binascii.b2a_base64(padded.tobytes(), newline=False), np.uint8).copy()
    stops = 4 * np.cumsum(groups)
    text[stops[lengths % 3 == 1] - 2] = _PAD
    text[stops[lengths % 3 > 0] - 1] = _PAD
    return _array(pa.string(), 4 * groups, text, array)


def decode_base64(array: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Returns the byte strings of base64 text.

    Args:
      array: n strings.

    Returns: n binary values, null where the text is null or no base64, and n booleans that are
      true where it is no base64.
    """
    valid = pc.match_substring_regex(array, _VALID)
    bad = pc.fill_null(pc.invert(valid), False).to_numpy(zero_copy_only=False)
    clean = pc.if_else(pc.fill_null(valid, False), array, pa.scalar(None, pa.string()))
    lengths, text = _bytes(clean)
    pads = pc.fill_null(pc.count_substring(clean, "="), 0).to_numpy(zero_copy_only=False)
    filled = np.where(text == _PAD, np.uint8(_ZERO), text)
    decoded = np.frombuffer(binascii.a2b_base64(filled.tobytes()), np.uint8)
    widths = lengths // 4 * 3
    kept = decoded[_places(widths, widths - pads)]
    return _array(pa.binary(), widths - pads, kept, clean), bad


def _bytes(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Returns the lengths of the values (0 for null), and their bytes one after the other."""
    if array.null_count:
        array = pc.fill_null(array, b"" if pa.types.is_binary(array.type) else "")
    if not len(array):
        return np.zeros(0, np.int64), np.zeros(0, np.uint8)
    _, offsets_buffer, data = array.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32)[array.offset :][: len(array) + 1]
    codes = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    return np.diff(offsets).astype(np.int64), codes[offsets[0] : offsets[-1]]


def _places(widths: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Positions of the first `lengths[i]` bytes of each of the fields that are `widths[i]` wide."""
    moved = (np.cumsum(widths) - widths) - (np.cumsum(lengths) - lengths)
    places: np.ndarray = np.arange(int(lengths.sum())) + np.repeat(moved, lengths)
    return places


def _array(type: pa.DataType, lengths: np.ndarray, data: np.ndarray, like: pa.Array) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))]
    array = pa.Array.from_buffers(type, len(lengths), buffers)
    if like.null_count == 0:
        return array
    return pc.if_else(like.is_valid(), array, pa.scalar(None, type))
