"""A model's outputs as typed columns."""

import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from inference.signature.spec import Layout, TensorSpec
from transforms.arrow.casts import checked_cast
from transforms.errors import ConfigError


@dataclass(frozen=True)
class RaggedOutput:
    """A ragged tensor: lists of lists of values.

    Attributes:
      values: All values, perhaps with inner dimensions of one size.
      splits: For each level, outermost first, where in the level below each list begins, and
        where the last one ends.
    """

    values: np.ndarray
    splits: tuple[np.ndarray, ...]


Output = np.ndarray | RaggedOutput
"""What a program returns; a sparse tensor is a ragged one with the values of each row."""


@dataclass(frozen=True)
class Prediction:
    """One output as a column.

    Attributes:
      values: n values.
      bad: n booleans, true where the output can't be stored; None if all can.
    """

    values: pa.Array
    bad: np.ndarray | None = None


@functools.cache
def column_type(spec: TensorSpec) -> pa.DataType:
    """Returns the type of the column that an output becomes.

    One value for each row is a scalar, [n, 1] too. A dimension of a known size is a fixed-size
    list, others are lists. An output of unknown rank is taken to be a scalar.
    """
    leaf = spec.arrow()
    sizes = spec.row_shape or ()
    if spec.layout == Layout.SPARSE:
        return pa.list_(leaf)
    if spec.layout == Layout.DENSE and sizes == (1,):
        return leaf
    splits = spec.splits if spec.layout == Layout.RAGGED else 0
    for level in reversed(range(len(sizes))):
        size = None if level < splits else sizes[level]
        leaf = pa.list_(leaf) if size is None else pa.list_(leaf, size)
    return leaf


def predicted(spec: TensorSpec, output: Output, rows: int, called: int) -> Prediction:
    """Returns one output of a call as a column.

    Args:
      spec: What the signature says of it.
      output: Its value for all rows of the call.
      rows: How many of them are wanted, the first ones; the rest were padding.
      called: How many rows the call had.

    Raises:
      ConfigError: It does not have one value for each row, or not of the shape it promised.
    """
    type = column_type(spec)
    if isinstance(output, RaggedOutput):
        _check_rows(spec, len(output.splits[0]) - 1, called)
        return _ragged(output, rows, type)
    if output.ndim == 0:
        output = np.broadcast_to(output, (called,))
    _check_rows(spec, output.shape[0], called)
    values = output[:rows]
    if not pa.types.is_nested(type) and values.size == rows:
        values = values.reshape(rows)
    _check_shape(spec, values.shape[1:], type)
    leaf, bad = _leaf(np.ascontiguousarray(values).reshape(-1), type)
    return Prediction(_nested(leaf, rows, values.shape[1:], type), _any_in(bad, rows))


def _check_rows(spec: TensorSpec, given: int, called: int) -> None:
    if given != called:
        raise ConfigError(
            f"output {spec.name!r} of the model has {given} rows for {called} rows of input, so "
            "it is no prediction for each row: export a signature without it"
        )


def _check_shape(spec: TensorSpec, sizes: tuple[int, ...], type: pa.DataType) -> None:
    for size in sizes:
        known = type.list_size if pa.types.is_fixed_size_list(type) else size
        if not pa.types.is_nested(type) or known != size:
            break
        type = type.value_type
    else:
        if not pa.types.is_nested(type):
            return
    raise ConfigError(
        f"output {spec.name!r} of the model has values of shape {list(sizes)}, unlike its "
        "signature: export the model with the shapes of its outputs"
    )


def _leaf(flat: np.ndarray, type: pa.DataType) -> tuple[pa.Array, np.ndarray | None]:
    """Returns values without their nesting, and which of them can't be stored."""
    while pa.types.is_nested(type):
        type = type.value_type
    if pa.types.is_string(type):
        text = checked_cast(pa.array(flat, pa.binary()), type)
        return text.values, text.bad
    if flat.dtype.kind == "V" or flat.dtype.name == "bfloat16":
        flat = flat.astype(np.float32)
    return pa.array(flat, type), None


def _nested(leaf: pa.Array, rows: int, sizes: tuple[int, ...], type: pa.DataType) -> pa.Array:
    """Returns values nested by the sizes of one row's value."""
    if not sizes:
        return leaf
    inner = _nested(leaf, rows * sizes[0], sizes[1:], type.value_type)
    if pa.types.is_fixed_size_list(type):
        return pa.FixedSizeListArray.from_arrays(inner, type=type)
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(sizes[0])
    return pa.ListArray.from_arrays(offsets, inner, type=type)


def _ragged(output: RaggedOutput, rows: int, type: pa.DataType) -> Prediction:
    kept, count, levels = [], rows, [type]
    for splits in output.splits:
        kept.append(splits[: count + 1].astype(np.int32))
        count = int(splits[count])
        levels.append(levels[-1].value_type)
    values = output.values[:count]
    leaf, bad = _leaf(np.ascontiguousarray(values).reshape(-1), type)
    array = _nested(leaf, count, values.shape[1:], levels.pop())
    bad = _any_in(bad, count)
    for splits in reversed(kept):
        array = pa.ListArray.from_arrays(splits, array, type=levels.pop())
        bad = None if bad is None else _any_between(bad, splits)
    return Prediction(array, bad)


def _any_in(mask: np.ndarray | None, rows: int) -> np.ndarray | None:
    """Returns whether any is true among the values of each row, which all have equally many."""
    return None if mask is None else np.logical_or.reduce(mask.reshape(rows, -1), axis=1)


def _any_between(mask: np.ndarray, splits: np.ndarray) -> np.ndarray:
    """Returns whether any is true in each list of a level."""
    counts = np.concatenate([[0], np.cumsum(mask)])
    return np.asarray(counts[splits[1:]] > counts[splits[:-1]])
