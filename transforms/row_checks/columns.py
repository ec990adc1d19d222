"""What a column violates, found by whole columns: a mask is made only where something is wrong."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import true_where
from transforms.arrow.casts import as_feature, as_plain, checked_cast
from transforms.arrow.lists import list_lengths
from transforms.arrow.raw import where_valid
from transforms.arrow.types import (
    feature_type,
    has_map,
    is_list,
    is_text,
    is_time,
    plain_type,
    unmapped_type,
    whole_times,
)
from transforms.arrow.views import without_views
from transforms.faults import Fault, Violation
from transforms.reasons import Reason
from transforms.row_checks.features import FeatureCheck

Spread = Callable[[np.ndarray], np.ndarray]
"""From guilty values to guilty rows, where a row has several values."""


def column_faults(check: FeatureCheck, array: pa.Array | None, rows: int) -> list[Fault]:
    """Returns what is wrong with the values of a column.

    Args:
      check: What the schema says of it.
      array: n values of any type; None where the batch lacks the column, which is as if all
        were null.
      rows: n.
    """
    if array is None:
        return [missing(check).at(np.ones(rows, bool))] if check.required and rows else []
    if has_map(array.type):
        array = as_plain(array, unmapped_type(array.type))
    found: list[Fault] = []
    if check.required and array.null_count:
        found.append(missing(check).at(true_where(array.is_null())))
    if array.null_count < rows:
        found += _of_lists(check, array)
    return found


def missing(check: FeatureCheck) -> Violation:
    """Returns the violation of a row that lacks a feature."""
    return Violation(Reason.MISSING_VALUE, check.name, f"column {check.name!r} has no value")


def _of_lists(check: FeatureCheck, array: pa.Array) -> list[Fault]:
    if not is_list(array.type):
        # Of a scalar the question is settled by the type: most columns end here.
        return _of_values(check, array) if check.levels(0) is not None else _nested(check, array, 0)
    depth, inner = list_depth(array.type)
    levels = check.levels(depth)
    if levels is None and pa.types.is_null(inner) and depth < len(check.counts):
        # Of empty lists alone nobody can tell how deep they are.
        levels = check.counts[:depth]
    if levels is None:
        return _nested(check, array, depth)
    found: list[Fault] = []
    spread: Spread = _as_it_is
    for least, most in levels:
        array = without_views(array)
        lengths = list_lengths(array)
        wrong = (lengths < least) | (lengths > (most if most is not None else lengths))
        wrong = where_valid(array, wrong)
        if wrong.any():
            found.append(_wrong_count(check, least, most).at(spread(wrong)))
        array, spread = pc.list_flatten(array), _spread(spread, lengths)
        if array.null_count:
            why = f"a list of column {check.name!r} lacks one of its values"
            lacking = spread(true_where(array.is_null()))
            found.append(Fault(lacking, Reason.MISSING_VALUE, check.name, why))
    return found + [fault.over(spread(fault.mask)) for fault in _of_values(check, array)]


def _as_it_is(mask: np.ndarray) -> np.ndarray:
    return mask


def _spread(outer: Spread, lengths: np.ndarray) -> Spread:
    owners = np.repeat(np.arange(len(lengths)), lengths)

    def spread(mask: np.ndarray) -> np.ndarray:
        rows = np.zeros(len(lengths), bool)
        rows[owners[mask]] = True
        return outer(rows)

    return spread


def _nested(check: FeatureCheck, array: pa.Array, depth: int) -> list[Fault]:
    how = f"lists {depth} deep" if depth else "single values"
    why = f"column {check.name!r} has {how}, which is not the shape that the schema gives it"
    return [Fault(true_where(array.is_valid()), Reason.WRONG_SHAPE, check.name, why)]


def _wrong_count(check: FeatureCheck, least: int, most: int | None) -> Violation:
    upper = f" to {most}" if most is not None else " or more"
    wanted = str(least) if least == most else f"{least}{upper}"
    why = f"a list of column {check.name!r} has not {wanted} values"
    return Violation(Reason.WRONG_SHAPE, check.name, why)


def _of_values(check: FeatureCheck, values: pa.Array) -> list[Fault]:
    """Returns the faults of values that are not lists."""
    type = values.type
    if pa.types.is_dictionary(type):
        return _of_dictionary(check, values)
    if not _is_primitive(type):
        values = as_feature(as_plain(values, plain_type(values.type)))
    if not fits(check, values.type):
        return _wrong_type(check, values)
    if check.kind == "STRUCT":
        return _of_fields(check, values)
    if check.kind == "BYTES":
        return _of_domains(check, values)
    return _of_numbers(check, values)


def fits(check: FeatureCheck, type: pa.DataType) -> bool:
    """Returns whether values of a plain type, no list, can be valid.

    Integers will do for a FLOAT, and floats for an INT as long as they are whole: a reader can't
    tell what was meant by a column of them. Times are an INT too: whole numbers of their unit.
    """
    type, kinds = feature_type(type), pa.types
    if is_time(type):
        return check.temporal or check.kind == "INT"
    if check.kind == "STRUCT":
        return bool(kinds.is_struct(type))
    if check.kind == "BYTES":
        return is_text(type)
    numbers = kinds.is_floating(type) or kinds.is_integer(type)
    return bool(numbers or (check.kind == "INT" and kinds.is_boolean(type)))


def list_depth(type: pa.DataType) -> tuple[int, pa.DataType]:
    """Returns how deep lists are nested in a type, and the type of their items."""
    depth = 0
    while is_list(type):
        depth, type = depth + 1, type.value_type
    return depth, type


def _is_primitive(type: pa.DataType) -> bool:
    return bool(pa.types.is_primitive(type) or pa.types.is_string(type))


def _of_dictionary(check: FeatureCheck, values: pa.DictionaryArray) -> list[Fault]:
    """Judges each value of a dictionary once."""
    found = _of_values(check, values.dictionary)
    if not found:
        return []
    codes = values.indices.fill_null(0).to_numpy(zero_copy_only=False)
    faults = [fault.over(where_valid(values, fault.mask[codes])) for fault in found]
    return [fault for fault in faults if fault.mask.any()]


def _of_fields(check: FeatureCheck, values: pa.Array) -> list[Fault]:
    found = []
    for field in check.fields:
        name = field.name[len(check.name) + 1 :]
        index = values.type.get_field_index(name)
        array = None if index < 0 else pc.struct_field(values, name)
        for fault in column_faults(field, array, len(values)):
            # A field of what is missing is not missing.
            mask = where_valid(values, fault.mask)
            if mask.any():
                found.append(fault.over(mask))
    return found


def _of_numbers(check: FeatureCheck, values: pa.Array) -> list[Fault]:
    type, kinds = values.type, pa.types
    if is_time(type):
        return _of_domains(check, whole_times(values))
    if kinds.is_boolean(type):
        return _of_domains(check, values.cast(pa.int8()))
    if check.kind == "FLOAT" or (kinds.is_integer(type) and not kinds.is_uint64(type)):
        return _of_domains(check, values)
    cast = checked_cast(values, pa.int64())
    found = _of_domains(check, cast.values)
    if cast.bad is None:
        return found
    why = f"a value of column {check.name!r} is no whole number of 64 bits"
    return [Fault(cast.bad, Reason.WRONG_TYPE, check.name, why), *found]


def _of_domains(check: FeatureCheck, values: pa.Array) -> list[Fault]:
    return [fault for domain in check.domains for fault in domain.faults(values)]


def _wrong_type(check: FeatureCheck, values: pa.Array) -> list[Fault]:
    wrong = true_where(values.is_valid())
    if not wrong.any():
        return []
    why = f"column {check.name!r} is of type {values.type}, not {check.kind}"
    return [Fault(wrong, Reason.WRONG_TYPE, check.name, why)]
