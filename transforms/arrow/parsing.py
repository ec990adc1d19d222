"""Text to values, and which texts are none."""

import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import Cast, attempt, marked, null_where, true_where
from transforms.arrow.number_casts import narrow, whole_numbers
from transforms.faults import Fault
from transforms.reasons import Reason

_INT = r"^[+-]?[0-9]+$"
_FLOAT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^(?i:[+-]?(nan|inf|infinity))$"
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[ T][0-9])"
_ZONE = r":.*([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$"
_TRUE, _FALSE = ["true", "1"], ["false", "0"]


def parse(array: pa.Array, type: pa.DataType) -> Cast:
    """Reads strings as a type.

    Args:
      array: n strings; white space around a value is no part of it.
      type: A plain type. Booleans are true, false, 1 or 0; integers may be spelled 3.0 or 1e3;
        times are ISO 8601, in UTC where they name no zone.
    """
    kinds = pa.types
    if kinds.is_binary(type) or kinds.is_struct(type) or kinds.is_map(type):
        return attempt(array, type, Reason.WRONG_TYPE)
    text = pc.utf8_trim_whitespace(array)
    if kinds.is_boolean(type):
        return _parse_bits(text)
    if kinds.is_integer(type):
        return _parse_ints(text, type)
    if kinds.is_floating(type):
        return _parse_floats(text, type)
    if kinds.is_timestamp(type):
        return _parse_times(text, type)
    return attempt(text, type, Reason.UNPARSABLE)


def _parse_times(text: pa.Array, type: pa.DataType) -> Cast:
    """Parses ISO 8601. Without a zone they are in UTC, so both forms make one instant."""
    # Values that are plainly no times are removed at once: Arrow's cast reports one at a time.
    bad = true_where(pc.invert(pc.match_substring_regex(text, _TIME)))
    text = null_where(text, bad) if bad.any() else text
    zoned = pc.match_substring_regex(text, _ZONE)
    none = pa.scalar(None, pa.string())
    zoned = pc.fill_null(zoned, False)
    instants = attempt(
        pc.if_else(zoned, text, none), pa.timestamp(type.unit, "UTC"), Reason.UNPARSABLE
    )
    naive = attempt(pc.if_else(zoned, none, text), pa.timestamp(type.unit), Reason.UNPARSABLE)
    plain = pc.coalesce(instants.values.cast(pa.timestamp(type.unit)), naive.values)
    values = plain.cast(pa.timestamp(type.unit, "UTC")).cast(type) if type.tz else plain
    return marked(values, Fault(bad, Reason.UNPARSABLE), *instants.faults, *naive.faults)


def parse_bytes(array: pa.Array, type: pa.DataType) -> Cast:
    """Reads byte strings as a type, by way of UTF-8."""
    text = attempt(array, pa.string(), Reason.INVALID_UTF8)
    parsed = parse(text.values, type)
    return marked(parsed.values, *text.faults, *parsed.faults)


def _parse_bits(text: pa.Array) -> Cast:
    lower = pc.utf8_lower(text)
    yes = pc.is_in(lower, value_set=pa.array(_TRUE))
    known = pc.or_(yes, pc.is_in(lower, value_set=pa.array(_FALSE)))
    values = pc.if_else(text.is_valid(), yes, pa.scalar(None, pa.bool_()))
    return marked(values, Fault(true_where(pc.and_not(text.is_valid(), known)), Reason.UNPARSABLE))


def _parse_ints(text: pa.Array, type: pa.DataType) -> Cast:
    """Parses integers, and whole floats such as 3.0, which columns with nulls often hold."""
    whole = pc.match_substring_regex(text, _INT)
    if true_where(pc.or_kleene(whole, text.is_null())).all():
        unsigned = pc.replace_substring_regex(text, r"^\+", "")
        return attempt(unsigned, type, Reason.OVERFLOW)
    digits = pc.if_else(pc.fill_null(whole, False), text, pa.scalar(None, pa.string()))
    ints = _parse_ints(digits, type)
    rest = pc.if_else(pc.fill_null(whole, True), pa.scalar(None, pa.string()), text)
    floats = _parse_floats(rest, pa.float64())
    wholes = whole_numbers(floats.values, type)
    return marked(
        pc.coalesce(ints.values, wholes.values), *ints.faults, *floats.faults, *wholes.faults
    )


def _parse_floats(text: pa.Array, type: pa.DataType) -> Cast:
    number = pc.match_substring_regex(text, _FLOAT)
    bad = true_where(pc.invert(number))
    if bad.any():
        text = null_where(text, bad)
    text = pc.replace_substring_regex(text, r"^\+", "")
    if pa.types.is_float16(type):
        wide = _parse_floats(text, pa.float32())
        return marked(narrow(wide.values, type).values, Fault(bad, Reason.UNPARSABLE), *wide.faults)
    read = attempt(text, type, Reason.OVERFLOW)
    infinite = true_where(pc.is_inf(read.values))
    if infinite.any():
        spelled = true_where(pc.match_substring(text, "inf", ignore_case=True))
        infinite &= ~spelled
    return marked(
        read.values, Fault(bad, Reason.UNPARSABLE), *read.faults, Fault(infinite, Reason.OVERFLOW)
    )
