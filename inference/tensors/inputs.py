"""Features as the named tensors of one call, padded to a fixed number of rows."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inference.signature.spec import Layout, TensorSpec
from inference.tensors.features import Feature
from transforms.arrow.lists import list_lengths
from transforms.arrow.types import is_list

ALIGNMENT = 64
"""A tensor can share the memory of an array that begins at a multiple of so many bytes."""


def tensors(
    features: Iterable[Feature], start: int, count: int, padded: int
) -> dict[str, np.ndarray]:
    """Returns some rows of all features as the tensors that a program takes.

    Args:
      features: Without faulty rows; where sizes are open, these rows agree in them.
      start: The first row.
      count: How many rows, at least one.
      padded: How many rows the tensors have; the last row is repeated, so that what is added are
        values that the model may meet anyway.

    Returns: Arrays by the names of the inputs' parts. Byte strings are objects.
    """
    found: dict[str, np.ndarray] = {}
    for feature in features:
        spec = feature.spec
        if spec.layout == Layout.DENSE:
            found[spec.parts[0]] = _dense(feature, start, count, padded)
            continue
        rows = np.minimum(np.arange(start, start + padded), start + count - 1)
        column = feature.columns[0].take(pa.array(rows))
        parts = _sparse(spec, column) if spec.layout == Layout.SPARSE else _ragged(spec, column)
        found.update(zip(spec.parts, parts, strict=True))
    return found


def _dense(feature: Feature, start: int, count: int, padded: int) -> np.ndarray:
    dtype, shape = _dtype(feature.spec.dtype), _row_shape(feature, start)
    columns = _flat(feature, start, count)
    if len(columns) == 1 and count == padded and columns[0].dtype == dtype:
        return columns[0].reshape(count, *shape)
    filled = _aligned((padded, *shape), dtype)
    if len(columns) == 1:
        filled[:count] = columns[0].reshape(count, *shape)
    else:
        for index, values in enumerate(columns):
            filled[:count, index] = values
    filled[count:] = filled[count - 1]
    return filled


def _row_shape(feature: Feature, start: int) -> tuple[int, ...]:
    """Returns the sizes of a row's value, which all rows of a call have in common."""
    if len(feature.columns) > 1:
        return (len(feature.columns),)
    if feature.sizes is not None:
        return tuple(int(size) for size in feature.sizes[start])
    known = feature.spec.row_shape or ()
    return tuple(1 if size is None else size for size in known)


def _flat(feature: Feature, start: int, count: int) -> list[np.ndarray]:
    """Returns the values of some rows of each column, one after the other."""
    columns: Sequence[pa.Array] = feature.columns
    if count < len(feature.columns[0]):
        columns = [column.slice(start, count) for column in columns]
    while pa.types.is_nested(columns[0].type):
        columns = [column.flatten() for column in columns]
    if feature.spec.is_text:
        columns = [column.cast(pa.binary()) for column in columns]
    return [column.to_numpy(zero_copy_only=False) for column in columns]


def _values(column: pa.Array, spec: TensorSpec) -> np.ndarray:
    """Returns the values of a column without nulls."""
    if spec.is_text:
        column = column.cast(pa.binary())
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _dtype(name: str) -> np.dtype:
    if name == "string":
        return np.dtype(object)
    if name == "bfloat16":
        import ml_dtypes

        name = ml_dtypes.bfloat16
    return np.dtype(name)


def _aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Returns an empty array that TensorFlow need not copy."""
    if dtype.hasobject:
        return np.empty(shape, dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    offset = -memory.ctypes.data % ALIGNMENT
    return memory[offset : offset + size].view(dtype).reshape(shape)


def _typed(values: np.ndarray, spec: TensorSpec) -> np.ndarray:
    return values.astype(_dtype(spec.dtype), copy=False)


def _sparse(spec: TensorSpec, column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns indices, values and dense shape. A null is no value; the others keep their places."""
    rank = 2 if spec.shape is None else len(spec.shape)
    sizes, coordinates = [len(column)], [np.arange(len(column))]
    for level in range(1, rank):
        lengths = list_lengths(column) if is_list(column.type) else np.ones(len(column), np.int64)
        starts = np.cumsum(lengths) - lengths
        places = np.arange(lengths.sum()) - np.repeat(starts, lengths)
        coordinates = [np.repeat(coordinate, lengths) for coordinate in coordinates] + [places]
        known = spec.shape[level] if spec.shape else None
        sizes.append(known or int(lengths.max(initial=0)))
        column = pc.list_flatten(column) if is_list(column.type) else column
    indices = np.stack(coordinates, axis=1)
    if column.null_count:
        indices = indices[_valid(column)]
    values = _typed(_values(column.drop_null(), spec), spec)
    return indices.astype(np.int64, copy=False), values, np.array(sizes, np.int64)


def _ragged(spec: TensorSpec, column: pa.Array) -> list[np.ndarray]:
    """Returns values and row splits, outermost first. A null is no value."""
    splits = []
    for _ in range(spec.splits):
        if is_list(column.type):
            lengths, column = list_lengths(column), pc.list_flatten(column)
        else:
            lengths = _valid(column).astype(np.int64)
            column = column.drop_null()
        splits.append(_ends(lengths))
    inner: list[int] = []
    for size in (spec.row_shape or ())[spec.splits :]:
        inner.append(size or int(list_lengths(column).max(initial=0)))
        column = column.flatten()
    if column.null_count:
        splits[-1] = _ends(_valid(column))[splits[-1]]
        column = column.drop_null()
    values = _typed(_values(column, spec), spec)
    dtype = np.dtype(spec.splits_dtype)
    return [values.reshape(-1, *inner), *(part.astype(dtype) for part in splits)]


def _ends(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)])


def _valid(column: pa.Array) -> np.ndarray:
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False))
