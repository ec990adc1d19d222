"""Batches as values of steps: columns cast and checked, rows that don't fit left out."""

from typing import Any

import numpy as np
import pyarrow as pa

from transforms.arrow.lists import list_lengths
from transforms.arrow.types import is_list, plain_type
from transforms.examples.convert import as_lists, without_null_items
from transforms.preprocess.columns import DENSE, RawFeature
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.declared.values import Many, One, Value, Vector


def values_of(batch: pa.RecordBatch, plan: Plan) -> dict[str, Value]:
    """Returns the columns of a batch that a plan takes, without the rows that don't fit.

    Args:
      batch: n rows with at least these columns, each of a type that can be cast.
      plan: It.
    """
    arrays, wrong = {}, np.zeros(batch.num_rows, bool)
    for feature in plan.columns.features:
        arrays[feature.name], faults = _cast(feature, batch.column(feature.name), plan)
        wrong |= faults
    if wrong.any():
        good = pa.array(~wrong)
        arrays = {name: array.filter(good) for name, array in arrays.items()}
    features = plan.columns.features
    return {each.name: _value(each, arrays[each.name], plan) for each in features}


def _cast(feature: RawFeature, column: pa.Array, plan: Plan) -> tuple[pa.Array, np.ndarray]:
    """Returns a column of a feature's type, and which rows don't fit."""
    one = _is_one(feature, plan)
    listed = is_list(plain_type(column.type))
    wanted = pa.list_(feature.leaf) if listed and not one else feature.leaf
    cast = feature.cast(column, wanted)
    if listed and not one:
        cast = without_null_items(cast)
    array = cast.values if one else as_lists(cast.values)
    wrong = np.zeros(len(array), bool)
    for fault in cast.faults:
        wrong |= fault.mask
    if feature.kind == DENSE and array.null_count:
        wrong |= np.asarray(array.is_null().to_numpy(zero_copy_only=False))
    if feature.kind == DENSE and not one:
        lengths = list_lengths(array)
        wrong |= lengths != feature.size
    return array, wrong


def _is_one(feature: RawFeature, plan: Plan) -> bool:
    return feature.size == 1 if feature.kind == DENSE else feature.name in plan.single


def _value(feature: RawFeature, array: pa.Array, plan: Plan) -> Value:
    if _is_one(feature, plan):
        return One(*_flat(array))
    if feature.kind == DENSE:
        return Vector(_numbers(array.flatten()).reshape(len(array), feature.size or 0))
    lengths = np.where(array.is_valid().to_numpy(zero_copy_only=False), list_lengths(array), 0)
    values = array.flatten()
    rows = np.repeat(np.arange(len(array)), lengths)
    return Many(values if feature.dtype == "string" else _numbers(values), rows, len(array))


def _flat(array: pa.Array) -> tuple[Any, np.ndarray | None]:
    """Returns values, and where there are some."""
    present = None
    if array.null_count:
        present = np.asarray(array.is_valid().to_numpy(zero_copy_only=False))
    if pa.types.is_binary(array.type):
        return array, present
    return _numbers(array if present is None else array.fill_null(0)), present


def _numbers(array: pa.Array) -> np.ndarray:
    return np.asarray(array.to_numpy(zero_copy_only=False))
