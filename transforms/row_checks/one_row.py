"""What a single value violates: a quick yes where it is plain and fine, else the column path."""

from typing import Any

import pyarrow as pa

from transforms.arrow.scalars import lists_of, one_value
from transforms.faults import Violation
from transforms.reasons import Reason
from transforms.row_checks.columns import column_faults, list_depth, missing
from transforms.row_checks.domains import INT64
from transforms.row_checks.features import FeatureCheck


def value_violations(check: FeatureCheck, value: Any) -> list[Violation]:
    """Returns the violations of a value, the same as in a column of one row.

    Args:
      check: What the schema says of it.
      value: A plain Python or numpy value, or a list or dict of such; None where it is missing.
    """
    if value is None:
        return [missing(check)] if check.required else []
    if surely_fine(check, value):
        return []
    try:
        array = _as_deep(one_value(value), value, check.depth)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        why = f"a value of column {check.name!r} is of a type that no column can hold"
        return [Violation(Reason.WRONG_TYPE, check.name, why)]
    return [fault.violation for fault in column_faults(check, array, 1)]


def _as_deep(array: pa.Array, value: Any, depth: int) -> pa.Array:
    """Lists without values as lists so deep, where they can be: alone they do not tell."""
    found, inner = list_depth(array.type)
    if found >= depth or not pa.types.is_null(inner):
        return array
    return pa.array([value], lists_of(inner, depth))


def surely_fine(check: FeatureCheck, value: Any) -> bool:
    """Returns whether a value is plain and valid; False means that Arrow must check it."""
    kind = type(value)
    if kind is list and len(value) == 1 and check.levels(1) is not None:
        least, most = check.levels(1)[0]  # type: ignore[index]
        if not least <= 1 <= (1 if most is None else most):
            return False
        value = value[0]
        kind = type(value)
    elif check.levels(0) is None:
        return False
    if check.kind == "FLOAT":
        plain = kind is float or (kind is int and INT64[0] <= value <= INT64[1])
    elif check.kind == "INT":
        plain = kind is bool or (kind is int and INT64[0] <= value <= INT64[1])
    else:
        plain = check.kind == "BYTES" and (kind is bytes or (kind is str and _is_unicode(value)))
    return plain and all(domain.holds(value) for domain in check.domains)


def _is_unicode(text: str) -> bool:
    """Returns whether a text has no lone surrogates, which UTF-8 can't hold."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
