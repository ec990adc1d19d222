"""Checks a tree against the kinds of columns: what comes out can be computed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.casts import checked_cast
from transforms.nearest import most_similar, nearest_column
from transforms.rules.kinds import NUMBERS, TYPES, Kind, Kinds, Struct, kind_of
from transforms.rules.parse import COMPARISONS, Node
from transforms.rules.tokens import ExpressionError

AGGREGATES = {
    "count": "how many values there are",
    "distinct": "how many different values there are",
    "max": "the greatest value",
    "mean": "the mean, of truth values the share that is true",
    "min": "the least value",
    "null_share": "which part of the rows has no value",
    "sum": "the sum",
}
"""Functions of a whole column."""


@dataclass(frozen=True)
class Typed:
    """A part of an expression that fits the columns.

    Attributes:
      op: "literal", "column", "field", "aggregate", a function's name, or an operator.
      kind: The kind of its values.
      args: What it is made of.
      value: Of a literal its value, of a column, field or aggregate its name, of `in` and
        `matches` what is looked for.
    """

    op: str
    kind: Kind
    args: tuple["Typed", ...] = ()
    value: Any = None


@dataclass(frozen=True)
class _Function:
    takes: frozenset[Kind]
    gives: Kind | None  # None: what it takes
    says: str


_FUNCTIONS = {
    "abs": _Function(NUMBERS, None, "a number"),
    "day": _Function(frozenset({Kind.TIME}), Kind.INT, "a time"),
    "from_unix": _Function(frozenset({Kind.INT}), Kind.TIME, "seconds since 1970, an INT"),
    "hour": _Function(frozenset({Kind.TIME}), Kind.INT, "a time"),
    "is_nan": _Function(NUMBERS, Kind.BOOL, "a number"),
    "length": _Function(frozenset({Kind.TEXT, Kind.LIST}), Kind.INT, "a text or a list"),
    "lower": _Function(frozenset({Kind.TEXT}), Kind.TEXT, "a text"),
    "month": _Function(frozenset({Kind.TIME}), Kind.INT, "a time"),
    "upper": _Function(frozenset({Kind.TEXT}), Kind.TEXT, "a text"),
    "weekday": _Function(frozenset({Kind.TIME}), Kind.INT, "a time"),
    "year": _Function(frozenset({Kind.TIME}), Kind.INT, "a time"),
}


def typed_row(node: Node, columns: Mapping[str, Kinds], way_out: str = "") -> Typed:
    """Returns a typed tree about single rows.

    Args:
      node: The tree.
      columns: The columns and their kinds.
      way_out: What is said of an aggregate besides that it is of a whole column.

    Raises:
      ExpressionError: It names no such column or function, or mixes kinds that don't mix.
    """

    def no_aggregate(node: Node) -> Typed:
        raise ExpressionError(node.at, f"{node.value}() is of a whole column{way_out}")

    return _Checker(columns, no_aggregate).check(node)


def typed_column(node: Node, columns: Mapping[str, Kinds]) -> Typed:
    """Returns a typed tree about whole columns, which stand in aggregates only.

    Raises:
      ExpressionError: As of `typed_row`, or a column stands outside of an aggregate.
    """
    rows = _Checker(columns, _nested_aggregate)

    def aggregate(node: Node) -> Typed:
        return _aggregate(node, rows)

    return _Checker({}, aggregate, columns).check(node)


def _nested_aggregate(node: Node) -> Typed:
    raise ExpressionError(node.at, f"{node.value}() can't stand within another aggregate")


def _aggregate(node: Node, rows: "_Checker") -> Typed:
    name = node.value
    if name == "count" and not node.args:
        return Typed("aggregate", Kind.INT, value="count")
    if len(node.args) != 1:
        raise ExpressionError(node.at, f"{name}() takes one column or expression")
    inner = rows.check(node.args[0])
    allowed = {
        "mean": NUMBERS | {Kind.BOOL},
        "sum": NUMBERS,
        "min": NUMBERS | {Kind.TEXT, Kind.TIME},
        "max": NUMBERS | {Kind.TEXT, Kind.TIME},
        "distinct": NUMBERS | {Kind.TEXT, Kind.TIME, Kind.BOOL},
    }.get(name, frozenset(Kind))
    if inner.kind not in allowed:
        raise ExpressionError(node.args[0].at, f"{name}() can't be taken of {inner.kind} values")
    kinds = {"count": Kind.INT, "distinct": Kind.INT, "mean": Kind.FLOAT, "null_share": Kind.FLOAT}
    return Typed("aggregate", kinds.get(name, inner.kind), (inner,), name)


class _Checker:
    """Checks the parts of a tree from its leaves up."""

    def __init__(
        self,
        columns: Mapping[str, Kinds],
        aggregate: Callable[[Node], Typed],
        aggregated: Mapping[str, Kinds] | None = None,
    ) -> None:
        self.columns, self.aggregate, self.aggregated = columns, aggregate, aggregated

    def check(self, node: Node) -> Typed:
        if node.op == "call" and node.value in AGGREGATES:
            return self.aggregate(node)
        named = {"column": self.column, "field": self.field}
        made = {"literal": _literal, **named}.get(node.op)
        if made:
            return made(node)
        args = tuple(self.check(arg) for arg in node.args)
        return _RULES[node.op](node, args)

    def column(self, node: Node) -> Typed:
        return Typed("column", kind_of(self.known(node)), value=node.value)

    def field(self, node: Node) -> Typed:
        kind = kind_of(self.known(node))
        return Typed("field", kind, (self.check(node.args[0]),), node.value)

    def known(self, node: Node) -> Kinds:
        """Returns the type of a column, or of a field within one."""
        if node.op == "field":
            return self.known_field(node)
        if node.value in self.columns:
            return self.columns[node.value]
        if node.value in (self.aggregated or ()):
            raise ExpressionError(
                node.at,
                f"column {node.value!r} must stand in an aggregate, such as mean({node.value})",
            )
        known = self.aggregated or self.columns
        near = self.as_fields(node.value) or nearest_column(node.value, known)
        raise ExpressionError(node.at, f"there is no column {node.value!r}{near}")

    def known_field(self, node: Node) -> Kinds:
        (above,) = node.args
        path = _path(node)
        if path[0] not in self.columns and ".".join(path) in self.columns:
            plain = ".".join(path)
            raise ExpressionError(node.at, f"write the column {plain!r} in backquotes: `{plain}`")
        struct, name = self.known(above), ".".join(path[:-1])
        if struct is Kind.LIST:
            raise ExpressionError(
                node.at, f"{name!r} is of lists: rules see fields of structs, not within lists"
            )
        if not isinstance(struct, Struct):
            raise ExpressionError(node.at, f"{name!r} is {struct}, and no struct with fields")
        if node.value in struct.fields:
            return struct.fields[node.value]
        near = nearest_column(node.value, struct.fields)
        raise ExpressionError(node.at, f"struct {name!r} has no field {node.value!r}{near}")

    def as_fields(self, name: str) -> str:
        """Returns how to write a name in backquotes that means a field."""
        first, *fields = name.split(".")
        known = self.columns.get(first, (self.aggregated or {}).get(first))
        is_path = bool(fields) and isinstance(known, Struct)
        return f"; a field of struct {first!r} is written without backquotes" if is_path else ""


def _path(node: Node) -> list[str]:
    """Returns the names of a field, from its column on."""
    return [*(_path(node.args[0]) if node.args else []), node.value]


def _literal(node: Node) -> Typed:
    kinds = {bool: Kind.BOOL, int: Kind.INT, float: Kind.FLOAT, str: Kind.TEXT}
    return Typed("literal", kinds[type(node.value)], value=node.value)


def _needs(node: Node, args: tuple[Typed, ...], kinds: frozenset[Kind], what: str) -> None:
    for arg, written in zip(args, node.args, strict=True):
        if arg.kind not in kinds:
            raise ExpressionError(written.at, f"{node.op!r} needs {what}, but this is {arg.kind}")


def _logic(node: Node, args: tuple[Typed, ...]) -> Typed:
    _needs(node, args, frozenset({Kind.BOOL}), "conditions")
    return Typed(node.op, Kind.BOOL, args)


def _arithmetic(node: Node, args: tuple[Typed, ...]) -> Typed:
    _needs(node, args, NUMBERS, "numbers")
    whole = node.op != "/" and all(arg.kind is Kind.INT for arg in args)
    return Typed(node.op, Kind.INT if whole else Kind.FLOAT, args)


def _compared(node: Node, args: tuple[Typed, ...]) -> Typed:
    """Numbers with numbers; else like with like, and a time with the text of a time."""
    args = _alike(node, args)
    ordered = {Kind.TEXT, Kind.TIME, *NUMBERS}
    unordered = {Kind.BOOL} if node.op in ("=", "!=") else set()
    _needs(node, args, frozenset(ordered | unordered), "values that can be compared")
    return Typed(node.op, Kind.BOOL, args)


def _alike(node: Node, args: tuple[Typed, ...]) -> tuple[Typed, ...]:
    first = args[0]
    if first.kind is not Kind.TIME and any(arg.kind is Kind.TIME for arg in args):
        return (_time(first, node.args[0]), *args[1:])
    made = [first]
    for arg, written in zip(args[1:], node.args[1:], strict=True):
        arg = _time(arg, written) if first.kind is Kind.TIME else arg
        if arg.kind is not first.kind and not {arg.kind, first.kind} <= NUMBERS:
            raise ExpressionError(
                written.at, f"{first.kind} and {arg.kind} can't be compared by {node.op!r}"
            )
        made.append(arg)
    return tuple(made)


def _time(arg: Typed, written: Node) -> Typed:
    """Returns a literal text as a time; other expressions stay, and will not fit."""
    if arg.op != "literal" or arg.kind is not Kind.TEXT:
        return arg
    cast = checked_cast(pa.array([arg.value]), TYPES[Kind.TIME])
    if cast.bad is not None:
        raise ExpressionError(written.at, "this text is no time; write it as '2026-01-31 12:00'")
    return Typed("literal", Kind.TIME, value=cast.values[0].as_py())


def _member(node: Node, args: tuple[Typed, ...]) -> Typed:
    args = _alike(node, args)
    if args[0].kind not in TYPES:
        raise ExpressionError(node.args[0].at, f"{args[0].kind} can't be looked for by 'in'")
    floats = Kind.FLOAT in {arg.kind for arg in args}
    members = (float(arg.value) + 0.0 if floats else arg.value for arg in args[1:])
    return Typed("in", Kind.BOOL, args[:1], tuple(members))


def _pattern(node: Node, args: tuple[Typed, ...]) -> Typed:
    if args[0].kind is not Kind.TEXT:
        what = args[0].kind
        raise ExpressionError(node.args[0].at, f"'matches' needs a text, but this is {what}")
    pattern = node.args[1]
    try:
        pc.match_substring_regex(pa.array([""]), pattern.value)
    except pa.ArrowInvalid as error:
        why = str(error).removeprefix("Invalid regular expression: ")
        raise ExpressionError(pattern.at, f"not a regular expression of RE2: {why}") from None
    return Typed("matches", Kind.BOOL, args[:1], pattern.value)


def _call(node: Node, args: tuple[Typed, ...]) -> Typed:
    function = _FUNCTIONS.get(node.value)
    if function is None:
        known = sorted([*_FUNCTIONS, *AGGREGATES])
        near = most_similar(node.value, known)
        hint = f"; did you mean {near}()?" if near else f"; there are {', '.join(known)}"
        raise ExpressionError(node.at, f"there is no function {node.value}(){hint}")
    if len(args) != 1:
        raise ExpressionError(node.at, f"{node.value}() takes one value")
    if args[0].kind not in function.takes:
        raise ExpressionError(
            node.args[0].at, f"{node.value}() needs {function.says}, but this is {args[0].kind}"
        )
    return Typed(node.value, function.gives or args[0].kind, args)


def _is_null(node: Node, args: tuple[Typed, ...]) -> Typed:
    return Typed("is null", Kind.BOOL, args)


_RULES: dict[str, Callable[[Node, tuple[Typed, ...]], Typed]] = {
    **dict.fromkeys(("and", "or", "not"), _logic),
    **dict.fromkeys(("+", "-", "*", "/", "negate"), _arithmetic),
    **dict.fromkeys((*COMPARISONS, "between"), _compared),
    "call": _call,
    "in": _member,
    "is null": _is_null,
    "matches": _pattern,
}
