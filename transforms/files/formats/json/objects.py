"""JSON as Python's objects, and these as columns: for the few lines that need a closer look."""

import json
import math
import operator
import re
from decimal import Decimal
from types import NoneType
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.arrow.cast_faults import Cast
from transforms.arrow.casts import checked_cast
from transforms.arrow.types import is_list
from transforms.faults import Fault
from transforms.files.formats.json.wire import Unfit, unwire
from transforms.files.formats.text.cast import text_cast, utf8_cast
from transforms.reasons import Reason

MAX_DEPTH = 200
MAX_KEYS = 100_000
"""The most keys of a line or of an element of an array, including nested objects."""
NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
"""How JSON spells the floats for which it has no numbers, as strings."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


class Number(str):
    """A number as it is written: what it becomes is for the wanted type to say."""

    __slots__ = ()

    @property
    def is_integer(self) -> bool:
        """Whether it has no fraction or exponent."""
        return self.removeprefix("-").isdecimal()


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=Number)


def parse_object(line: bytes) -> dict[str, Any]:
    """Returns the object in a line; of a repeated key the last value.

    Raises:
      Unfit: It is not valid UTF-8, not valid JSON, no object, has too many keys, or is nested too
        deeply.
    """
    try:
        text = line.decode()
        if depth(line) > MAX_DEPTH:
            raise Unfit(Reason.UNPARSABLE, f"the line is nested more than {MAX_DEPTH} deep")
        if has_too_many_keys(line):
            raise Unfit(Reason.OVERSIZED, f"the line has more than {MAX_KEYS:,} keys")
        value = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise Unfit(Reason.INVALID_UTF8, "the line is not valid UTF-8") from None
    except (ValueError, RecursionError):
        raise Unfit(Reason.UNPARSABLE, "the line is not valid JSON") from None
    if not isinstance(value, dict):
        raise Unfit(Reason.WRONG_TYPE, "the line is not a JSON object")
    return value


def depth(line: bytes) -> int:
    """Returns how deep brackets are nested; a line of few brackets is not read closely."""
    openings = line.count(b"{") + line.count(b"[")
    if openings <= MAX_DEPTH:
        return openings
    codes = np.frombuffer(_STRING.sub(b"", line), np.uint8) | 0x20  # makes braces of brackets
    steps = (codes == ord("{")).astype(np.int64) - (codes == ord("}"))
    return int(np.cumsum(steps).max(initial=0))


def has_too_many_keys(line: bytes) -> bool:
    """Tells whether a line has more than `MAX_KEYS` keys; one of few colons is not looked at."""
    return line.count(b":") > MAX_KEYS and _STRING.sub(b"", line).count(b":") > MAX_KEYS


def values_cast(values: list[Any], type: pa.DataType) -> Cast:
    """Python's objects from JSON to a column, with what can be converted without loss.

    Args:
      values: n objects of any kinds.
      type: A plain type. Numbers in strings are taken for numbers, and numbers for strings as
        they are written; of numbers as dates or times nobody knows the unit, so they are wrong.
    """
    if is_list(type) or pa.types.is_struct(type) or pa.types.is_map(type):
        return _each(values, type)
    kinds = set(map(_kind, values)) - {NoneType}
    if len(kinds) < 2:
        return _kind_cast(kinds.pop() if kinds else NoneType, values, type)
    places: dict[Any, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(_kind(value), []).append(place)
    casts = [
        (np.array(found), _kind_cast(kind, [values[place] for place in found], type))
        for kind, found in places.items()
    ]
    return _merged(casts, type)


_kind = operator.attrgetter("__class__")


def _merged(casts: list[tuple[np.ndarray, Cast]], type: pa.DataType) -> Cast:
    """Casts of some of the values each, to one."""
    order = np.concatenate([places for places, _ in casts])
    values = pa.concat_arrays([cast.values for _, cast in casts]).take(pa.array(np.argsort(order)))
    faults = []
    for places, cast in casts:
        for fault in cast.faults:
            bad = np.zeros(len(order), bool)
            bad[places[fault.mask]] = True
            faults.append(Fault(bad, fault.reason))
    return Cast(values, tuple(faults))


def _kind_cast(kind: Any, values: list[Any], type: pa.DataType) -> Cast:
    """Casts values that are null or all of one kind."""
    kinds = pa.types
    if kind is NoneType:
        return Cast(pa.nulls(len(values), type))
    if kind is str:
        return _strings(values, type)
    unknown_unit = kinds.is_temporal(type) and not kinds.is_duration(type)
    is_bytes = kinds.is_binary(type) or kinds.is_fixed_size_binary(type)
    if kind in (dict, list) or unknown_unit or is_bytes:
        wrong = np.array([value is not None for value in values])
        return Cast(pa.nulls(len(values), type), (Fault(wrong, Reason.WRONG_TYPE),))
    if kind is bool:
        return checked_cast(pa.array(values, pa.bool_()), type)
    written = pa.array(values, pa.string())
    if not kinds.is_floating(type):
        return text_cast(written, type)
    parsed = text_cast(written, pa.float64())  # as pyarrow.json does, and only then to less
    narrowed = checked_cast(parsed.values, type)
    return Cast(narrowed.values, parsed.faults + narrowed.faults)


def _strings(values: list[str | None], type: pa.DataType) -> Cast:
    """Casts strings; half a surrogate pair, which JSON can escape, is not text."""
    try:
        return text_cast(pa.array(values, pa.string()), type)
    except UnicodeEncodeError:
        texts = [None if v is None else v.encode("utf-8", "surrogatepass") for v in values]
    checked = utf8_cast(pa.array(texts, pa.binary()))
    cast = text_cast(checked.values, type)
    return Cast(cast.values, checked.faults + cast.faults)


def _each(values: list[Any], type: pa.DataType) -> Cast:
    """Casts nested values one by one: Arrow has no type for a column of various ones."""
    arrays, faults = [], []
    for place, value in enumerate(values):
        try:
            arrays.append(unwire(pa.array([_prepared(value, type)]), type))
        except (Unfit, pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
            bad = np.zeros(len(values), bool)
            bad[place] = True
            faults.append(Fault(bad, _reason(error)))
            arrays.append(pa.nulls(1, type))
    return Cast(pa.concat_arrays(arrays) if arrays else pa.nulls(0, type), tuple(faults))


def _reason(error: Exception) -> Reason:
    if isinstance(error, Unfit):
        return error.reason
    if isinstance(error, UnicodeEncodeError):
        return Reason.INVALID_UTF8
    return Reason.OVERFLOW if isinstance(error, OverflowError) else Reason.WRONG_TYPE


def _prepared(value: Any, type: pa.DataType) -> Any:
    """Returns a nested value in a form from which Arrow guesses a type that can be cast."""
    kinds = pa.types
    if isinstance(value, dict) and kinds.is_map(type):
        return [{"key": k, "value": _prepared(v, type.item_type)} for k, v in value.items()]
    if isinstance(value, dict) and kinds.is_struct(type):
        return {field.name: _prepared(value.get(field.name), field.type) for field in type}
    if isinstance(value, list) and is_list(type):
        return [_prepared(item, type.value_type) for item in value]
    if isinstance(value, Number):
        return _number(value, type)
    # Beside numbers, Arrow guesses no type for a text.
    is_float = pa.types.is_floating(type) and isinstance(value, str) and value in NOT_FINITE
    return float(value) if is_float else value


def _number(value: Number, type: pa.DataType) -> Any:
    kinds = pa.types
    if kinds.is_temporal(type) and not kinds.is_duration(type):
        raise Unfit(Reason.WRONG_TYPE)
    if kinds.is_string(type):
        return str(value)
    if kinds.is_decimal(type):
        return Decimal(value)
    number = float(value)
    if math.isinf(number) and not value.endswith("y"):  # it does not say that it is infinite
        raise Unfit(Reason.OVERFLOW)
    return int(value) if value.is_integer and not kinds.is_floating(type) else number
