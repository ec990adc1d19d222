"""Classes of rows that have the same quasi-identifiers, by columns; hashes stand for values.

k-anonymity (Samarati and Sweeney, 1998): each row shares its quasi-identifiers with at least k - 1
others. Distinct l-diversity (Machanavajjhala and others, 2006): each class has at least l different
values of a sensitive column.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.keys.key_hash import wide_hash

ROWS = "rows"
_KEY, _VALUE = ("key_low", "key_high"), ("value_low", "value_high")
CLASSES = pa.schema([*((name, pa.uint64()) for name in (*_KEY, *_VALUE)), (ROWS, pa.int64())])
"""Rows with the same quasi-identifiers and the same sensitive value; of both the 128-bit hashes."""


@dataclass(frozen=True)
class Measure:
    """How well rows hide.

    Attributes:
      rows: How many rows there are.
      classes: How many different quasi-identifiers they have.
      least: The k of k-anonymity, or the l of l-diversity; None where there are no rows.
      classes_below: How many classes have less than was asked for.
      rows_below: How many rows are in these classes.
    """

    rows: int = 0
    classes: int = 0
    least: int | None = None
    classes_below: int = 0
    rows_below: int = 0

    def merge(self, other: "Measure") -> "Measure":
        """Returns the measure of the rows of both, which have no class in common."""
        found = [each.least for each in (self, other) if each.least is not None]
        return Measure(
            self.rows + other.rows,
            self.classes + other.classes,
            min(found, default=None),
            self.classes_below + other.classes_below,
            self.rows_below + other.rows_below,
        )


def class_counts(
    batch: pa.RecordBatch, columns: Sequence[str], sensitive: str | None = None
) -> pa.RecordBatch:
    """Returns the classes of a batch, of schema `CLASSES`.

    Args:
      batch: n rows.
      columns: The quasi-identifiers: numbers, texts, times. Null is a value like any other.
      sensitive: The sensitive column; None where only the classes matter.

    Raises:
      ConfigError: The batch lacks a column, or it can't be part of a key.
    """
    keys = wide_hash(batch, columns)
    blank = np.zeros((batch.num_rows, 2), np.uint64)
    values = blank if sensitive is None else wide_hash(batch, [sensitive])
    rows = np.ones(batch.num_rows, np.int64)
    arrays = [*keys.T, *values.T, rows]
    given = pa.RecordBatch.from_arrays([pa.array(each) for each in arrays], schema=CLASSES)
    return merged_classes([given])


def merged_classes(parts: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """Returns the classes of several batches as one, each class and value once."""
    table = pa.Table.from_batches(list(parts), CLASSES)
    grouped = table.group_by([*_KEY, *_VALUE]).aggregate([(ROWS, "sum")])
    names = [*_KEY, *_VALUE, f"{ROWS}_sum"]
    arrays = [grouped[name].combine_chunks() for name in names]
    return pa.RecordBatch.from_arrays(arrays, schema=CLASSES)


def measured(classes: pa.RecordBatch, asked: int, diversity: bool) -> Measure:
    """Returns how well the rows of whole classes hide.

    Args:
      classes: Of schema `CLASSES`, merged; no class is anywhere else.
      asked: The k or l that is asked for.
      diversity: Whether different values of a class count, and not its rows.
    """
    if not classes.num_rows:
        return Measure()
    grouped = pa.table(classes).group_by(list(_KEY)).aggregate([(ROWS, "sum"), (ROWS, "count")])
    rows = np.asarray(grouped[f"{ROWS}_sum"])
    counts = np.asarray(grouped[f"{ROWS}_count"]) if diversity else rows
    below = counts < asked
    return Measure(
        int(rows.sum()), len(rows), int(counts.min()), int(below.sum()), int(rows[below].sum())
    )
