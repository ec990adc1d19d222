"""Aggregates of expressions: small states that merge in any order."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.keys.least_hashes import KEPT, distinct_values, hashes_of, joined, least
from transforms.rules.evaluate import Columns, evaluate
from transforms.rules.kinds import Kind
from transforms.rules.typed import Typed

EXACT_DISTINCT = KEPT
"""Up to so many different values are counted exactly; more with a standard error of 1.6 %."""


@dataclass(frozen=True)
class Partial:
    """An aggregate of some of the rows.

    Attributes:
      rows: How many rows.
      valid: How many of them have a value.
      total: Their sum; of integers exact. `lost` is what the float sum lost by rounding.
      lowest: The least value, NaN left out.
      highest: The greatest value.
      hashes: The smallest hashes of different values, ascending.
    """

    rows: int = 0
    valid: int = 0
    total: int | float = 0
    lost: float = 0.0
    lowest: Any = None
    highest: Any = None
    hashes: np.ndarray | None = None


def partial_of(aggregate: Typed, columns: Columns) -> Partial:
    """Returns the aggregate of the rows of a batch.

    Args:
      aggregate: An expression of the op "aggregate".
      columns: The columns that it names.
    """
    if not aggregate.args:
        return Partial(columns.rows, columns.rows)
    values = evaluate(aggregate.args[0], columns)
    counts = columns.rows, columns.rows - values.null_count
    name = aggregate.value
    if name in ("mean", "sum"):
        return Partial(*counts, total=_sum(values))
    if name in ("min", "max"):
        return Partial(*counts, lowest=_end(pc.min(values)), highest=_end(pc.max(values)))
    if name == "distinct":
        return Partial(*counts, hashes=least(hashes_of(values.drop_null())))
    return Partial(*counts)


def merged(left: Partial, right: Partial) -> Partial:
    """Returns the aggregate over the rows of both."""
    total, lost = _added(left, right)
    return Partial(
        left.rows + right.rows,
        left.valid + right.valid,
        total,
        lost,
        _least(left.lowest, right.lowest, min),
        _least(left.highest, right.highest, max),
        _union(left.hashes, right.hashes),
    )


def value_of(aggregate: Typed, partial: Partial) -> Any:
    """Returns the value of an aggregate; None if there were no values."""
    total = partial.total + partial.lost if partial.lost else partial.total
    values = {
        "count": partial.valid,
        "distinct": 0 if partial.hashes is None else distinct_values(partial.hashes),
        "max": partial.highest,
        "mean": total / partial.valid if partial.valid else None,
        "min": partial.lowest,
        "null_share": 1 - partial.valid / partial.rows if partial.rows else None,
        "sum": (total if partial.valid else None),
    }
    value = values[aggregate.value]
    if aggregate.kind is Kind.INT and value is not None:
        return max(-(2**63), min(2**63 - 1, value))
    return value


def is_exact(aggregate: Typed, partial: Partial) -> bool:
    """Returns whether an aggregate is counted, not estimated."""
    hashes = partial.hashes
    return aggregate.value != "distinct" or hashes is None or len(hashes) <= EXACT_DISTINCT


def _sum(values: pa.Array) -> int | float:
    if pa.types.is_floating(values.type):
        return float(np.sum(values.drop_null().to_numpy()))
    if pa.types.is_boolean(values.type):
        return int(values.true_count)
    numbers = values.drop_null().to_numpy(zero_copy_only=False)
    # In two halves: 2^31 of each can be added before an int64 overflows.
    return (int((numbers >> 32).sum()) << 32) + int((numbers & 0xFFFFFFFF).sum())


def _end(scalar: pa.Scalar) -> Any:
    if pa.types.is_timestamp(scalar.type):
        # Python's own times end with the year 9999.
        return np.datetime64(scalar.value, "us") if scalar.is_valid else None
    value = scalar.as_py()
    return None if isinstance(value, float) and np.isnan(value) else value


def _added(left: Partial, right: Partial) -> tuple[int | float, float]:
    """Returns the sum, for floats with the error of the addition (Neumaier, ZAMM 54, 1974)."""
    total = left.total + right.total
    lost = left.lost + right.lost
    if isinstance(total, int) or not np.isfinite(total):
        return total, 0.0
    big, small = sorted((left.total, right.total), key=abs, reverse=True)
    return total, lost + ((big - total) + small)


def _least(left: Any, right: Any, pick: Any) -> Any:
    if left is None or right is None:
        return right if left is None else left
    return pick(left, right)


def _union(left: np.ndarray | None, right: np.ndarray | None) -> np.ndarray | None:
    if left is None or right is None:
        return right if left is None else left
    return joined(left, right)
