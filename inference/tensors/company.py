"""Whether what a model makes of a row depends on the other rows of its call.

Rows are padded with copies of the last one. That leaves every row's own output as it is, unless the
model looks at all rows of a call: at their mean, their order, their number. So a row is called in
other company, and its outputs are compared.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inference.tensors.features import Feature
from inference.tensors.predictions import Prediction
from transforms.arrow.types import is_list

Score = Callable[[list[Feature], int], list[Prediction]]
"""Calls a model with features of so many rows."""

_ROUNDING = 1e-4
_ROUNDING_HALF = 1e-2
_ROUNDING_ALONE = 1e-2
"""By how much outputs of one row may differ: kernels for a single row differ more."""


def depends_on_company(score: Score, pool: list[Feature], size: int, fixed: bool) -> bool | None:
    """Returns whether a row's outputs depend on the rows that it is called with.

    Args:
      score: Calls the model.
      pool: Features of n rows, at least two that differ.
      size: How many rows to call it with.
      fixed: Whether the model takes no other number of rows.

    Returns: None where these rows can't tell: the model gives nothing but NaN for them. A model
      that gives the same row different values each time, at random, counts as not depending.

    Raises:
      Exception: The model can't score these rows.
    """
    row, rows = min(size // 2, size - 1), len(pool[0].columns[0])
    usual = np.arange(size) % rows

    def outputs(members: np.ndarray, place: int) -> list[pa.Array]:
        features = [feature.take(members) for feature in pool]
        return [one.values.slice(place, 1) for one in score(features, len(members))]

    first = outputs(usual, row)
    if not any(_tells(value) for value in first):
        return None
    if not _alike(first, outputs(usual, row), _ROUNDING):
        return False
    others = [np.full(size, usual[row]), *((usual + start) % rows for start in (size, 2 * size))]
    for members in others:
        members[row] = usual[row]
        if not _alike(first, outputs(members, row), _ROUNDING):
            return True
    return not fixed and not _alike(first, outputs(usual[row : row + 1], 0), _ROUNDING_ALONE)


def _tells(value: pa.Array) -> bool:
    """Returns whether a value is neither NaN nor infinite."""
    leaf = _leaf(value)
    if not pa.types.is_floating(leaf.type):
        return len(leaf) > 0
    return bool(np.isfinite(leaf.to_numpy(zero_copy_only=False)).any())


def _alike(first: list[pa.Array], second: list[pa.Array], rounding: float) -> bool:
    return all(_close(a, b, rounding) for a, b in zip(first, second, strict=True))


def _close(first: pa.Array, second: pa.Array, rounding: float) -> bool:
    """Returns whether two values are equal, floats within rounding."""
    while is_list(first.type):
        if not pc.list_value_length(first).equals(pc.list_value_length(second)):
            return False
        first, second = first.flatten(), second.flatten()
    if not pa.types.is_floating(first.type):
        return bool(first.equals(second))
    if pa.types.is_float16(first.type):
        rounding = max(rounding, _ROUNDING_HALF)
    values = (array.to_numpy(zero_copy_only=False).astype(np.float64) for array in (first, second))
    a, b = values
    return bool(np.allclose(a, b, rtol=rounding, atol=rounding / 10, equal_nan=True))


def _leaf(value: pa.Array) -> pa.Array:
    while is_list(value.type):
        value = value.flatten()
    return value
