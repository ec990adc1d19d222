"""Rules about whole columns: `mean(fare) between 5 and 50`."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from transforms.rules.aggregates import Partial, is_exact, merged, partial_of, value_of
from transforms.rules.evaluate import Columns, evaluate
from transforms.rules.kinds import TYPES, Kind, Kinds
from transforms.rules.parse import parse
from transforms.rules.tokens import ExpressionError
from transforms.rules.typed import Typed, typed_column


@dataclass(frozen=True)
class ColumnRule:
    """What must not be false of all rows together.

    NaN makes a mean and a sum NaN; min and max leave it out. `count(x)` and `mean(x)` are of the
    rows that have a value, `count()` is of all.

    Attributes:
      name: Its name, or its text.
      tree: The expression, checked, in which aggregates stand as columns `0`, `1`, ...
      aggregates: What these are.
    """

    name: str
    tree: Typed
    aggregates: tuple[Typed, ...]

    @classmethod
    def of(cls, text: str, columns: Mapping[str, Kinds], name: str | None = None) -> "ColumnRule":
        """Returns the state of a batch.

        Raises:
          ExpressionError: The text is no expression, or doesn't fit the columns.
        """
        node = parse(text)
        tree = typed_column(node, columns)
        if tree.kind is not Kind.BOOL:
            raise ExpressionError(node.at, f"a rule is a condition, but this is {tree.kind}")
        found: dict[Typed, str] = {}
        tree = _with_columns(tree, found)
        if not found:
            raise ExpressionError(node.at, "a column rule needs an aggregate, such as count()")
        return cls(name or " ".join(text.split()), tree, tuple(found))


def _with_columns(tree: Typed, found: dict[Typed, str]) -> Typed:
    """Returns a tree with a column in place of each aggregate."""
    if tree.op == "aggregate":
        return Typed("column", tree.kind, value=found.setdefault(tree, str(len(found))))
    args = tuple(_with_columns(arg, found) for arg in tree.args)
    return dataclasses.replace(tree, args=args)


@dataclass(frozen=True)
class Verdict:
    """How a column rule came out.

    Attributes:
      rule: Its name.
      holds: Whether it holds; None where that is unknown, as of the mean of nothing.
      measured: The results of its aggregates, in order; times as `numpy.datetime64`, in UTC.
      exact: Whether all of them were counted, none estimated.
      rows: Of how many rows.
      aggregates: The names of the aggregates, such as "mean".
    """

    rule: str
    holds: bool | None
    measured: tuple[Any, ...]
    exact: bool
    rows: int
    aggregates: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnState:
    """What column rules need to know of the rows so far; states merge in any order.

    Attributes:
      rules: The rules.
      partials: For each rule, one for each of its aggregates.
    """

    rules: tuple[ColumnRule, ...]
    partials: tuple[tuple[Partial, ...], ...]

    @classmethod
    def empty(cls, rules: tuple[ColumnRule, ...]) -> "ColumnState":
        """Returns the state of no rows."""
        return cls(rules, tuple(tuple(Partial() for _ in rule.aggregates) for rule in rules))

    @classmethod
    def of(cls, rules: tuple[ColumnRule, ...], batch: pa.RecordBatch) -> "ColumnState":
        """Returns the state of a batch."""
        columns = Columns.of(batch)
        partials = [tuple(partial_of(a, columns) for a in rule.aggregates) for rule in rules]
        return cls(rules, tuple(partials))

    def merge(self, other: "ColumnState") -> "ColumnState":
        """Returns the state of the rows of both."""
        pairs = zip(self.partials, other.partials, strict=True)
        both = [tuple(map(merged, left, right)) for left, right in pairs]
        return ColumnState(self.rules, tuple(both))

    def verdicts(self) -> tuple[Verdict, ...]:
        """Returns the verdict on each rule."""
        pairs = zip(self.rules, self.partials, strict=True)
        return tuple(_verdict(rule, partials) for rule, partials in pairs)


def _verdict(rule: ColumnRule, partials: tuple[Partial, ...]) -> Verdict:
    pairs = list(zip(rule.aggregates, partials, strict=True))
    measured = tuple(value_of(aggregate, partial) for aggregate, partial in pairs)
    values = {
        str(place): pa.array([value], TYPES[aggregate.kind])
        for place, (value, (aggregate, _)) in enumerate(zip(measured, pairs, strict=True))
    }
    holds = evaluate(rule.tree, Columns(values, 1))[0].as_py()
    exact = all(is_exact(aggregate, partial) for aggregate, partial in pairs)
    names = tuple(str(aggregate.value) for aggregate in rule.aggregates)
    return Verdict(rule.name, holds, measured, exact, partials[0].rows, names)
