"""Whole cells: what a policy does with the values of a field, one after the other."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.local.columns.conditions import Condition
from privacy.local.columns.records import Contexts
from privacy.transformations.transformation import Transformation, context_of, transform


@dataclass(frozen=True, eq=False)
class CellStep:
    """One transformation of whole cells.

    Attributes:
      transformation: It.
      condition: The rows that it is about; None for all.
    """

    transformation: Transformation
    condition: Condition | None = None


def transform_cells(
    column: pa.Array,
    steps: tuple[CellStep, ...],
    masks: list[np.ndarray | None],
    of: Contexts,
    lenient: bool = False,
) -> tuple[pa.Array, np.ndarray]:
    """Transforms whole cells, each different value once where nothing else decides.

    Args:
      column: n values.
      steps: What is done, in order.
      masks: For each step the rows that it is about; None for all.
      of: Gives contexts.
      lenient: Whether a value that can't be transformed stays what it is; else it becomes null.

    Returns: n texts; and n booleans: which could not be transformed.
    """
    values: pa.Array | None = None
    bad = np.zeros(len(column), bool)
    for step, mask in zip(steps, masks, strict=True):
        given = column if values is None else values
        made, faults = _step(given, step.transformation, of)
        if lenient and faults.any():
            made = pc.if_else(pa.array(faults), decoded_text(given), made)
        if mask is not None:
            faults = faults & mask
            made = pc.if_else(pa.array(mask), made, decoded_text(given))
        values, bad = made, bad | faults
    return values, bad


def _step(
    column: pa.Array, transformation: Transformation, of: Contexts
) -> tuple[pa.Array, np.ndarray]:
    name = context_of(transformation)
    if name:
        made, faults = transform(transformation, decoded_text(column), of(name))
        return made.cast(pa.string()), faults
    coded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    made, faults = transformation(plain_text(coded.dictionary))
    mask = np.asarray(pa.array(faults).take(coded.indices).fill_null(False))
    return made.cast(pa.string()).take(coded.indices), mask


def decoded_text(column: pa.Array) -> pa.Array:
    """Returns a column of any type as texts."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return plain_text(column)


def plain_text(values: pa.Array) -> pa.Array:
    """Returns values as texts."""
    if pa.types.is_floating(values.type):
        # A whole number is written as one: cards and phones that were read as floats.
        whole = pc.and_(pc.is_finite(values), pc.equal(pc.floor(values), values))
        safe = pc.and_(whole, pc.less(pc.abs(values), 2.0**63))
        texts = pc.if_else(safe, values, None).cast(pa.int64()).cast(pa.string())
        return pc.coalesce(texts, values.cast(pa.string()))
    return values.cast(pa.string())
