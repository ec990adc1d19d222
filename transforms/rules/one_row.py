"""Evaluates a checked expression for one row, in plain Python: what a service asks of a request.

Arrow takes some five microseconds for each operator, whatever the number of rows. What is said
here of numbers, truth and texts is what `evaluate` says of columns, and a test compares the two;
regular expressions, letters' cases, times and lists stay with Arrow.
"""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.arrow.scalars import one_value, plain_value
from transforms.rules.kinds import Kind, as_kind
from transforms.rules.typed import Typed

Scalar = Callable[[Mapping[str, Any]], Any]
"""From a row's values, already of their kinds, to the value of an expression; None is unknown."""

_LEAST, _MOST = -(2**63), 2**63 - 1
_PLAIN = frozenset({bool, int, float, str, bytes, type(None)})


def scalar_of(tree: Typed) -> Scalar | None:
    """Returns an expression as a function of one row; None if only Arrow can evaluate it."""
    if tree.op == "column":
        return _column(tree)
    if tree.op == "field":
        return _field(tree)
    if tree.op == "literal" and tree.kind is not Kind.TIME:
        return lambda row: tree.value
    args = [scalar_of(arg) for arg in tree.args]
    make = _MAKERS.get(tree.op)
    if make is None or any(arg is None for arg in args):
        return None
    return make(tree, *args)


def _column(tree: Typed) -> Scalar | None:
    if tree.kind in (Kind.TIME, Kind.LIST, Kind.STRUCT):
        return None
    name, kind = tree.value, tree.kind

    def column(row: Mapping[str, Any]) -> Any:
        return as_kind_of(row.get(name), kind)

    return column


def _field(tree: Typed) -> Scalar | None:
    """Returns the value of a field, at any depth; None if only Arrow can evaluate its kind."""
    if tree.kind in (Kind.TIME, Kind.LIST, Kind.STRUCT):
        return None
    names, kind = _names(tree), tree.kind

    def field(row: Mapping[str, Any]) -> Any:
        value: Any = row
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return as_kind_of(value, kind)

    return field


def _names(tree: Typed) -> list[str]:
    return [*(_names(tree.args[0]) if tree.args else []), tree.value]


def as_kind_of(value: Any, kind: Kind) -> Any:
    """Returns a value as a kind, else None, as `kinds.as_kind` does for columns."""
    if isinstance(value, np.generic | np.ndarray):
        value = plain_value(value)
    while isinstance(value, list | tuple):
        value = value[0] if len(value) == 1 else None
    given = type(value)
    if given not in _PLAIN:
        return _by_arrow(value, kind)
    if kind is Kind.FLOAT:
        fits = given is float or (given is int and _LEAST <= value < 2**64)
        return float(value) if fits else None
    if kind is Kind.INT:
        return _whole(value, given)
    if kind is Kind.TEXT:
        return _text(value, given)
    return value if given is bool else None


def _by_arrow(value: Any, kind: Kind) -> Any:
    """Evaluates a value of a type of its own by Arrow, in a column."""
    try:
        return as_kind(one_value(value), kind)[0].as_py()
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return None


def _whole(value: Any, given: type) -> int | None:
    if given is float and not (math.isfinite(value) and value.is_integer()):
        return None
    fits = given in (bool, int, float) and _LEAST <= value <= _MOST
    return int(value) if fits else None


def _text(value: Any, given: type) -> str | None:
    try:
        if given is str:
            value.encode()
            return str(value)
        return str(value, "utf-8") if given is bytes else None
    except UnicodeError:
        return None


def _known(function: Callable[..., Any]) -> Callable[..., Scalar]:
    """Returns an operator whose value is unknown if one of its arguments is."""

    def make(tree: Typed, *args: Scalar) -> Scalar:
        floats = _to_floats(tree)

        def apply(row: Mapping[str, Any]) -> Any:
            values = [arg(row) for arg in args]
            if any(value is None for value in values):
                return None
            return function(*(map(float, values) if floats else values))

        return apply

    return make


def _to_floats(tree: Typed) -> bool:
    """Returns whether integers stand beside floats, so that all become floats."""
    kinds = {arg.kind for arg in tree.args}
    return tree.op == "/" or kinds == {Kind.INT, Kind.FLOAT}


def _arithmetic(function: Callable[..., Any]) -> Callable[..., Scalar]:
    def bounded(*values: Any) -> Any:
        result = function(*values)
        return min(max(result, _LEAST), _MOST) if isinstance(result, int) else result

    return _known(bounded)


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _joined(decisive: bool) -> Callable[..., Scalar]:
    """Joins by `and`, which a single false decides, or by `or`, which a single true decides."""

    def make(tree: Typed, *args: Scalar) -> Scalar:
        def joined(row: Mapping[str, Any]) -> bool | None:
            values: list[bool | None] = []
            for arg in args:
                values.append(arg(row))
                if values[-1] is decisive:
                    return decisive
            return None if None in values else not decisive

        return joined

    return make


def _between(tree: Typed, value: Scalar, low: Scalar, high: Scalar) -> Scalar:
    first, last, middle = tree.args[1], tree.args[2], tree.args[0]
    at_least = _known(operator.ge)(Typed(">=", Kind.BOOL, (middle, first)), value, low)
    at_most = _known(operator.le)(Typed("<=", Kind.BOOL, (middle, last)), value, high)
    return _joined(False)(tree, at_least, at_most)


def _is_null(tree: Typed, value: Scalar) -> Scalar:
    return lambda row: value(row) is None


def _in(tree: Typed, value: Scalar) -> Scalar:
    numbers, members = isinstance(tree.value[0], float), frozenset(tree.value)

    def among(row: Mapping[str, Any]) -> bool | None:
        found = value(row)
        if found is None:
            return None
        return (float(found) if numbers else found) in members

    return among


def _is_nan(value: float) -> bool:
    return value != value


_MAKERS: dict[str, Callable[..., Scalar | None]] = {
    "and": _joined(False),
    "or": _joined(True),
    "not": _known(operator.not_),
    "=": _known(operator.eq),
    "!=": _known(operator.ne),
    "<": _known(operator.lt),
    "<=": _known(operator.le),
    ">": _known(operator.gt),
    ">=": _known(operator.ge),
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _known(_divided),
    "negate": _arithmetic(operator.neg),
    "abs": _arithmetic(abs),
    "between": _between,
    "in": _in,
    "is_nan": _known(_is_nan),
    "is null": _is_null,
    "length": _known(len),
}
