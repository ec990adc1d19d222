"""Pairs of columns, compared value by value whatever their widths."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import true_where
from transforms.arrow.casts import as_plain
from transforms.arrow.json_text import json_values
from transforms.arrow.lists import list_lengths
from transforms.arrow.number_casts import doubles
from transforms.arrow.types import is_list, is_text, plain_type


@dataclass(frozen=True)
class PairMasks:
    """How the values of two columns compare, pair by pair: four masks of n booleans.

    A pair where both are missing is in no group.
    """

    match: np.ndarray
    mismatch: np.ndarray
    base_only: np.ndarray
    test_only: np.ndarray


def compare_pairs(base: pa.Array, test: pa.Array, float_digits: int | None = None) -> PairMasks:
    """Compares two columns of n rows.

    Numbers are compared as numbers and texts as bytes, whatever their types; NaN is equal to NaN.
    Lists and structs are equal where all that is in them is, whatever the order of fields. Other
    values of two types are not equal.

    Args:
      base: n values.
      test: n values.
      float_digits: To how many digits after the point floats are rounded first; None for none.
    """
    base, test = (as_plain(each, plain_type(each.type)) for each in (base, test))
    here, there = true_where(base.is_valid()), true_where(test.is_valid())
    both = here & there
    equal = _equal(base, test, float_digits) & both
    return PairMasks(equal, both & ~equal, here & ~there, there & ~here)


def _equal(base: pa.Array, test: pa.Array, digits: int | None) -> np.ndarray:
    types = base.type, test.type
    if any(pa.types.is_null(type) for type in types):
        return np.zeros(len(base), bool)
    if any(pa.types.is_floating(type) for type in types) and all(map(_is_number, types)):
        return _equal_floats(_floats(base, digits), _floats(test, digits))
    if any(pa.types.is_decimal(type) for type in types) and all(map(_is_number, types)):
        return _equal_decimals(base, test)
    if any(pa.types.is_nested(type) for type in types) or not _like(*types):
        alike = pc.equal(_texts(base, digits), _texts(test, digits))
        odd = pc.equal(*(json_values(_mapped(each, _oddity)) for each in (base, test)))
        return true_where(pc.and_(alike, odd))
    if all(map(is_text, types)):
        base, test = base.cast(pa.binary()), test.cast(pa.binary())
    if pa.types.is_boolean(types[0]) and pa.types.is_boolean(types[1]):
        return true_where(pc.equal(base, test))
    if all(map(_is_number, types)) and types[0] != types[1]:
        return _equal_integers(base, test)
    return true_where(pc.equal(base, test))


def _is_number(type: pa.DataType) -> bool:
    kinds = pa.types
    tests = (kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_decimal)
    return any(test(type) for test in tests)


def _like(one: pa.DataType, other: pa.DataType) -> bool:
    alike = (_is_number, is_text, pa.types.is_timestamp)
    return bool(one == other or any(kind(one) and kind(other) for kind in alike))


def _numbers(array: pa.Array) -> pa.Array:
    """Returns numbers, with booleans as 0 and 1."""
    return array.cast(pa.uint8()) if pa.types.is_boolean(array.type) else array


def _floats(array: pa.Array, digits: int | None) -> np.ndarray:
    numbers = doubles(_numbers(array)).to_numpy(zero_copy_only=False)
    if digits is None:
        return np.asarray(numbers)
    # Greater ones have no such digits, and would overflow where they are moved before the point.
    has_digits = np.abs(numbers) < 2.0**53 / 10.0 ** min(digits, 300)
    return np.where(has_digits, np.round(np.where(has_digits, numbers, 0.0), digits), numbers)


def _equal_floats(base: np.ndarray, test: np.ndarray) -> np.ndarray:
    equal: np.ndarray = (base == test) | (np.isnan(base) & np.isnan(test))
    return equal


def _equal_decimals(base: pa.Array, test: pa.Array) -> np.ndarray:
    """Compares decimals of any scale, or with integers, exactly up to the digits of a decimal."""
    scale = max(each.type.scale for each in (base, test) if pa.types.is_decimal(each.type))
    try:
        left, right = (_numbers(each).cast(pa.decimal256(76, scale)) for each in (base, test))
    except pa.ArrowInvalid:
        return _equal_floats(_floats(base, None), _floats(test, None))
    return true_where(pc.equal(left, right))


def _equal_integers(base: pa.Array, test: pa.Array) -> np.ndarray:
    """Compares integers of any width; numpy compares signed and unsigned ones exactly."""
    left, right = (
        _numbers(each).fill_null(0).to_numpy(zero_copy_only=False) for each in (base, test)
    )
    equal: np.ndarray = left == right
    return equal


def _texts(array: pa.Array, digits: int | None) -> pa.Array:
    """Returns texts of values; floats as rounded float64, spelled alike if they are equal."""
    return json_values(_mapped(array, functools.partial(_rounded, digits=digits)))


def _rounded(array: pa.Array, digits: int | None) -> pa.Array:
    if pa.types.is_string(array.type):
        # As JSON has bytes.
        return array.cast(pa.binary())
    if not (pa.types.is_floating(array.type) or pa.types.is_decimal(array.type)):
        return array
    return pa.array(_floats(array, digits) + 0.0, mask=~true_where(array.is_valid()))


def _oddity(array: pa.Array) -> pa.Array:
    """Returns 1 for NaN, 2 and 3 for infinities, which JSON has no numbers for; else 0."""
    odd = np.zeros(len(array), np.int8)
    if pa.types.is_floating(array.type):
        numbers = _floats(array, None)
        odd = np.select([np.isnan(numbers), numbers == np.inf, numbers == -np.inf], [1, 2, 3], 0)
    return pa.array(odd, mask=~true_where(array.is_valid()))


def _mapped(array: pa.Array, leaf: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Returns nested values with the innermost ones replaced."""
    if is_list(array.type):
        lengths = list_lengths(array)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        inner = _mapped(pc.list_flatten(array), leaf)
        absent = pa.array(~true_where(array.is_valid()))
        return pa.ListArray.from_arrays(offsets, inner, mask=absent)
    if pa.types.is_struct(array.type) and array.type.num_fields:
        names = sorted(array.type.field(index).name for index in range(array.type.num_fields))
        fields = [_mapped(pc.struct_field(array, name), leaf) for name in names]
        return pa.StructArray.from_arrays(fields, names, mask=pc.is_null(array))
    return leaf(array)
