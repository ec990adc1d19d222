"""Rules about single rows: an expression, or a Python function of a batch."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import true_where
from transforms.faults import Violation
from transforms.reasons import Reason
from transforms.rules.evaluate import Columns, evaluate
from transforms.rules.kinds import Kind, Kinds
from transforms.rules.one_row import Scalar, scalar_of
from transforms.rules.parse import Node, parse
from transforms.rules.tokens import ExpressionError
from transforms.rules.typed import Typed, typed_row


@dataclass(frozen=True)
class RowRule:
    """What must not be false of any row.

    Attributes:
      name: Its name, or its text.
      tree: The expression, checked.
      columns: The columns that it names.
    """

    name: str
    tree: Typed
    columns: tuple[str, ...]

    @classmethod
    def of(cls, text: str, columns: Mapping[str, Kinds], name: str | None = None) -> "RowRule":
        """Parses and checks a rule.

        Args:
          text: An expression, such as `fare >= 0 and trip_miles < 500`.
          columns: The columns and their kinds.
          name: What violations call it; None for its text.

        Raises:
          ExpressionError: The text is no expression, or doesn't fit the columns.
        """
        tree, named = condition(text, columns, "a rule", ": put it in a rule that says column:")
        return cls(name or " ".join(text.split()), tree, named)

    @property
    def violation(self) -> Violation:
        """The message for a row that violates it."""
        only = self.columns[0] if len(self.columns) == 1 else None
        why = f"rule {self.name!r} does not hold"
        return Violation(Reason.RULE_VIOLATED, only, why, self.name)

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        """Pickles the rule without its function for one row, which can't be pickled."""
        return RowRule, (self.name, self.tree, self.columns)

    @functools.cached_property
    def scalar(self) -> Scalar | None:
        """Returns the rule as a function of one row; None if only Arrow can evaluate it."""
        return scalar_of(self.tree)

    def broken(self, columns: Columns) -> np.ndarray | None:
        """Returns n booleans, true where a row breaks the rule; None if no row does."""
        return where_false(evaluate(self.tree, columns))


def condition(
    text: str, columns: Mapping[str, Kinds], what: str, way_out: str
) -> tuple[Typed, tuple[str, ...]]:
    """Parses and checks an expression that is true, false or unknown of a row.

    Args:
      text: The expression.
      columns: The columns and their kinds.
      what: What it is called in errors.
      way_out: What is said of an aggregate in it.

    Returns: Its tree, and the columns that it names.

    Raises:
      ExpressionError: The text is no expression, doesn't fit the columns, or is no condition.
    """
    node = parse(text)
    tree = typed_row(node, columns, way_out)
    if tree.kind is not Kind.BOOL:
        raise ExpressionError(node.at, f"{what} is a condition, but this is {tree.kind}")
    return tree, tuple(dict.fromkeys(_columns(node)))


def where_false(holds: pa.Array) -> np.ndarray | None:
    """Returns n booleans, true where it is false and not unknown; None if it is nowhere."""
    if holds.true_count == len(holds) - holds.null_count:
        return None
    return true_where(pc.invert(holds))


def _columns(node: Node) -> list[str]:
    if node.op == "column":
        return [node.value]
    return [name for arg in node.args for name in _columns(arg)]
