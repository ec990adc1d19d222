"""Text to any type: what `checked_cast` parses, and what only text files need."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.base64_text import decode_base64
from transforms.arrow.cast_faults import Cast, attempt, null_where, true_where
from transforms.arrow.casts import checked_cast
from transforms.faults import Fault
from transforms.reasons import Reason

_CLOCK = r"^[0-9]{2}:[0-9]{2}"
_DAY = r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?\s*$"
_NUMBER = r"^\s*[+-]?[0-9.]+([eE][+-]?[0-9]+)?\s*$"


def text_cast(texts: pa.Array, type: pa.DataType) -> Cast:
    """Parses strings as values of a type that is not nested.

    Bytes are base64, a duration is a count of its unit, times and dates are as in ISO 8601.

    Args:
      texts: n strings.
      type: A plain type.
    """
    kinds = pa.types
    if kinds.is_binary(type):
        values, bad = decode_base64(texts)
        return Cast(values, _unparsable(bad))
    if kinds.is_fixed_size_binary(type):
        decoded = text_cast(texts, pa.binary())
        sized = attempt(decoded.values, type, Reason.WRONG_SHAPE)
        return Cast(sized.values, decoded.faults + sized.faults)
    if kinds.is_duration(type):
        return _then(checked_cast(texts, pa.int64()), type)
    if kinds.is_time(type):
        return _then(_times(texts, type), type)
    shape = _shape(type)
    return _shaped(texts, type, shape) if shape else checked_cast(texts, type)


def _shape(type: pa.DataType) -> str | None:
    if pa.types.is_decimal(type):
        return _NUMBER
    return _DAY if pa.types.is_timestamp(type) or pa.types.is_date(type) else None


def _shaped(texts: pa.Array, type: pa.DataType, shape: str) -> Cast:
    """Casts the texts of one shape only, and finds all others at once, as they may be many."""
    wrong = true_where(pc.invert(pc.match_substring_regex(texts, shape)))
    if not wrong.any():
        return checked_cast(texts, type)
    cast = checked_cast(null_where(texts, wrong), type)
    return Cast(cast.values, (*cast.faults, Fault(wrong, Reason.UNPARSABLE)))


def utf8_cast(cells: pa.Array) -> Cast:
    """Casts byte strings to strings, and finds those that are not UTF-8 in one pass.

    Args:
      cells: n binary values.
    """
    try:
        return Cast(cells.cast(pa.string()))
    except pa.ArrowInvalid:
        bad = _not_utf8(cells)
    sound = pc.if_else(pa.array(bad), pa.scalar(None, pa.binary()), cells)
    return Cast(sound.cast(pa.string()), (Fault(bad, Reason.INVALID_UTF8),))


def _not_utf8(cells: pa.Array) -> np.ndarray:
    """Returns which byte strings are not UTF-8."""
    # A line break after each, so that no character is made of the end of one and the next.
    parted = pc.binary_join_element_wise(cells.fill_null(b""), b"\n", b"")
    _, offsets, data = parted.buffers()
    text = data.to_pybytes().decode("utf-8", "surrogateescape")
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    escaped = (codes >= 0xDC80) & (codes <= 0xDCFF)  # each stands for a byte of no character
    widths = 1 + (codes > 0x7F) + (codes > 0x7FF) + (codes > 0xFFFF)
    ends = np.cumsum(np.where(escaped, 1, widths))[escaped]
    bad = np.zeros(len(cells), bool)
    bad[np.searchsorted(np.frombuffer(offsets, np.int32)[1 : len(cells) + 1], ends)] = True
    return bad


def _unparsable(bad: np.ndarray) -> tuple[Fault, ...]:
    return (Fault(bad, Reason.UNPARSABLE),) if bad.any() else ()


def _times(texts: pa.Array, type: pa.DataType) -> Cast:
    """Times of day, as timestamps of the first day: Arrow casts no text to times."""
    trimmed = pc.utf8_trim_whitespace(texts)
    clock = pc.match_substring_regex(trimmed, _CLOCK)
    stamps = pc.binary_join_element_wise("1970-01-01T", trimmed, "")
    return checked_cast(pc.if_else(clock, stamps, ""), pa.timestamp(type.unit))


def _then(cast: Cast, type: pa.DataType) -> Cast:
    """Casts a second time after a first."""
    values = checked_cast(cast.values, type)
    return Cast(values.values, cast.faults + values.faults)
