"""Slices by conditions: fare > 100, or payment_type = 'Cash' and tips = 0."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from transforms.arrow.cast_faults import true_where
from transforms.batches import select_rows
from transforms.rules.evaluate import Columns, evaluate
from transforms.rules.kinds import Kinds
from transforms.rules.row_rules import condition
from transforms.rules.typed import Typed


@dataclass(frozen=True)
class SliceWhere:
    """The rows for which an expression of rules is true, so neither false nor unknown.

    Attributes:
      name: Of the slice.
      of: The expression's text.
      tree: The expression, checked.
    """

    name: str
    of: str
    tree: Typed

    @classmethod
    def parse(
        cls, text: str, columns: Mapping[str, Kinds], name: str | None = None
    ) -> "SliceWhere":
        """Parses and checks an expression.

        Args:
          text: Such as `fare > 100`.
          columns: The columns and their kinds.
          name: Of the slice; None for the text.

        Raises:
          ExpressionError: The text is no condition, or doesn't fit the columns.
        """
        tree, _ = condition(text, columns, "a slice", "; a slice is of single rows")
        plain = " ".join(text.split())
        return cls(name or plain, plain, tree)

    def __call__(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Returns the slice of a batch, if it has rows."""
        holds = evaluate(self.tree, Columns.of(batch))
        if holds.true_count:
            yield self.name, select_rows(batch, true_where(holds))
