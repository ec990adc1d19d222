"""Evaluates a checked expression over whole columns by Arrow's kernels."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from transforms.rules.kinds import TYPES, Kind, as_kind
from transforms.rules.typed import Typed

Values: TypeAlias = Any
"""An Arrow array, or one scalar that stands for a column of it."""

_MOST, _LEAST = 2**63 - 1, -(2**63)
_CYCLE = 146_097 * 86_400 * 1_000_000
"""The microseconds of 400 years, after which the calendar begins anew."""


class Columns:
    """The columns of a batch as expressions see them; each is brought to its kind once.

    Args:
      columns: Arrays of n values, by name; what is not there is null in all rows.
      rows: n.
    """

    def __init__(self, columns: Mapping[str, pa.Array], rows: int) -> None:
        self.rows = rows
        self._columns = columns
        self._made: dict[tuple[str, Kind], pa.Array] = {}

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> "Columns":
        """Returns the columns of a batch; of several with one name the first."""
        named = {n: i for i, n in reversed(list(enumerate(batch.schema.names)))}
        return cls(_Lazy(batch, named), batch.num_rows)

    def get(self, name: str, kind: Kind) -> pa.Array:
        """Returns a column as a kind."""
        key = name, kind
        if key not in self._made:
            array = self._columns.get(name)
            array = pa.nulls(self.rows) if array is None else array
            self._made[key] = as_kind(array, kind)
        return self._made[key]


class _Lazy(Mapping[str, pa.Array]):
    """Columns of a batch, taken out of it only where a rule needs them."""

    def __init__(self, batch: pa.RecordBatch, named: dict[str, int]) -> None:
        self.batch, self.named = batch, named

    def __getitem__(self, name: str) -> pa.Array:
        return self.batch.column(self.named[name])

    def __iter__(self) -> Any:
        return iter(self.named)

    def __len__(self) -> int:
        return len(self.named)


def evaluate(tree: Typed, columns: Columns) -> pa.Array:
    """Returns the values of an expression.

    Integers are added, subtracted and multiplied in 64 bits, and what does not fit becomes the
    greatest or least that does. A division is of floats; by 0 it gives infinity or NaN. NaN is
    equal to nothing and in no range, as IEEE 754 has it. An INT beside a FLOAT is a float64.

    Args:
      tree: An expression that was checked.
      columns: The columns that it names, of n rows.

    Returns: n values of the tree's kind, null where they are unknown.
    """
    values = _value(tree, columns)
    return pa.repeat(values, columns.rows) if isinstance(values, pa.Scalar) else values


def _value(tree: Typed, columns: Columns) -> Values:
    if tree.op == "column":
        return columns.get(tree.value, tree.kind)
    if tree.op == "literal":
        return pa.scalar(tree.value, TYPES[tree.kind])
    args = [_value(arg, columns) for arg in tree.args]
    if tree.op == "field":
        return _field(args[0], tree)
    if tree.op in ("and", "or"):
        return functools.reduce(_OPERATORS[tree.op], args)
    if tree.op in ("+", "-", "*", "negate") and tree.kind is Kind.INT:
        return _whole(tree.op, args)
    if tree.op in ("in", "matches"):
        return _LOOKUPS[tree.op](args[0], tree)
    return _OPERATORS[tree.op](*args)


def _field(structs: pa.Array, tree: Typed) -> pa.Array:
    """Returns the values of a field; unknown if there is no struct, or none with such a field."""
    is_struct = pa.types.is_struct(structs.type)
    index = structs.type.get_field_index(tree.value) if is_struct else -1
    field = pc.struct_field(structs, [index]) if index >= 0 else pa.nulls(len(structs))
    return as_kind(field, tree.kind)


def _whole(op: str, args: list[Values]) -> Values:
    """Computes with integers; if they overflow, once more with floats, to see where."""
    left, right = (pa.scalar(0), *args)[-2:]
    name = {"+": "add", "-": "subtract", "*": "multiply", "negate": "subtract"}[op]
    try:
        return pc.call_function(f"{name}_checked", [left, right])
    except pa.ArrowInvalid:
        wrapped = pc.call_function(name, [left, right])
    about = pc.call_function(name, [pc.cast(v, pa.float64(), safe=False) for v in (left, right)])
    # A result that wrapped round is off by a multiple of 2^64; floats are off by far less.
    apart = pc.subtract(about, pc.cast(wrapped, pa.float64(), safe=False))
    off = pc.greater(pc.abs(apart), 2.0**62)
    ends = pc.if_else(pc.greater(about, 0), _MOST, _LEAST)
    return pc.if_else(off, ends, wrapped)


def _divide(left: Values, right: Values) -> Values:
    left, right = (pc.cast(value, pa.float64(), safe=False) for value in (left, right))
    return pc.divide(left, right)


def _floats(compare: Callable[[Values, Values], Values]) -> Callable[[Values, Values], Values]:
    """Computes with floats; integers beside floats become floats, rounded if they must be."""

    def compared(left: Values, right: Values) -> Values:
        if left.type != right.type:
            left, right = (pc.cast(value, pa.float64(), safe=False) for value in (left, right))
        return compare(left, right)

    return compared


_at_least, _at_most = _floats(pc.greater_equal), _floats(pc.less_equal)


def _between(value: Values, low: Values, high: Values) -> Values:
    return pc.and_kleene(_at_least(value, low), _at_most(value, high))


def _length(value: Values) -> Values:
    text = pa.types.is_string(value.type)
    return pc.cast(pc.utf8_length(value) if text else pc.list_value_length(value), pa.int64())


def _is_nan(value: Values) -> Values:
    return pc.is_nan(pc.cast(value, pa.float64(), safe=False))


def _part(function: Callable[[Values], Values]) -> Callable[[Values], Values]:
    return lambda value: pc.cast(function(value), pa.int64())


def _year(value: Values) -> Values:
    """Arrow's own year has 16 bits, so it is asked of one in the cycle of 400 years around 1970."""
    micros = pc.cast(value, pa.int64())
    cycles = pc.divide(micros, _CYCLE)
    near = pc.cast(pc.subtract(micros, pc.multiply(cycles, _CYCLE)), value.type)
    return pc.add(pc.cast(pc.year(near), pa.int64()), pc.multiply(cycles, 400))


def _from_unix(value: Values) -> Values:
    """Seconds as times; those beyond what microseconds can count are unknown."""
    limit = _MOST // 1_000_000
    near = pc.if_else(_between(value, pa.scalar(-limit), pa.scalar(limit)), value, None)
    return pc.cast(pc.cast(near, pa.timestamp("s")), pa.timestamp("us"))


def _abs(value: Values) -> Values:
    if value.type != pa.int64():
        return pc.abs(value)
    # The least integer has no positive twin.
    return pc.abs(pc.max_element_wise(value, -_MOST, skip_nulls=False))


def _in(value: Values, tree: Typed) -> Values:
    numbers = isinstance(tree.value[0], float)
    type = pa.float64() if numbers else value.type
    value = pc.cast(value, type, safe=False)
    if numbers:
        # Arrow looks values up by their bits; adding zero makes -0.0 the other one.
        value = pc.add(value, 0.0)
    members = pa.array(tree.value, type)
    known = pc.is_in(value, value_set=members)
    if numbers:
        # Arrow finds NaN among NaNs, but NaN is equal to nothing.
        known = pc.and_not(known, pc.fill_null(pc.is_nan(value), False))
    return pc.if_else(pc.is_valid(value), known, pa.scalar(None, pa.bool_()))


def _matches(value: Values, tree: Typed) -> Values:
    return pc.match_substring_regex(value, tree.value)


_LOOKUPS: dict[str, Callable[[Values, Typed], Values]] = {"in": _in, "matches": _matches}

_OPERATORS: dict[str, Callable[..., Values]] = {
    "and": pc.and_kleene,
    "or": pc.or_kleene,
    "not": pc.invert,
    "=": _floats(pc.equal),
    "!=": _floats(pc.not_equal),
    "<": _floats(pc.less),
    "<=": _at_most,
    ">": _floats(pc.greater),
    ">=": _at_least,
    "+": _floats(pc.add),
    "-": _floats(pc.subtract),
    "*": _floats(pc.multiply),
    "/": _divide,
    "negate": pc.negate,
    "between": _between,
    "is null": pc.is_null,
    "abs": _abs,
    "day": _part(pc.day),
    "from_unix": _from_unix,
    "hour": _part(pc.hour),
    "is_nan": _is_nan,
    "length": _length,
    "lower": pc.utf8_lower,
    "month": _part(pc.month),
    "upper": pc.utf8_upper,
    "weekday": _part(pc.day_of_week),
    "year": _year,
}
