"""How large rows of Parquet become once they are decoded, which the file does not say.

A dictionary holds each text once, and runs hold a value once for thousands of rows: what takes a
kilobyte in the file may take gigabytes decoded.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.casts import as_plain
from transforms.arrow.lists import list_lengths
from transforms.arrow.types import is_list, plain_type
from transforms.files.formats.parquet.wide import leaves

PROBED_ROWS = 64
"""Rows of nested columns that are read to estimate the size of a row."""


def text_paths(source: Any, names: list[str]) -> list[str]:
    """Returns the paths of the leaves of some columns that are texts or bytes.

    Args:
      source: The open file.
      names: The columns.
    """
    wanted, paths, at = set(names), [], 0
    for field in source.schema_arrow:
        for leaf in range(at, at + leaves(field.type)):
            described = source.schema.column(leaf)
            if field.name in wanted and described.physical_type == "BYTE_ARRAY":
                paths.append(described.path)
        at += leaves(field.type)
    return paths


def row_bytes(source: Any, groups: list[int], blocks: list[list[str]]) -> tuple[int, int]:
    """Returns how large a row may be when decoded, by the first rows of row groups.

    Args:
      source: The file, opened so that texts come with their dictionaries.
      groups: The row groups.
      blocks: The columns, by what can be decoded together.

    Returns: The bytes of a row if each of its texts is the longest of its dictionary, and those of
      the columns that are nested, by the first rows. The greatest of all row groups.
    """
    types = {field.name: field.type for field in source.schema_arrow}
    names = [name for block in blocks for name in block]
    fixed = sum(_width(types[name]) for name in names)
    texts = nested = 0
    for group in groups:
        longest = mean = 0
        for block in blocks:
            flat = [name for name in block if pa.types.is_dictionary(types[name])]
            deep = [name for name in block if pa.types.is_nested(types[name])]
            longest += sum(map(_longest, _first(source, group, flat, 1)))
            mean += sum(map(_mean, _first(source, group, deep, PROBED_ROWS)))
        texts, nested = max(texts, longest), max(nested, mean)
    return fixed + texts, nested


def _width(type: pa.DataType) -> int:
    """Returns the bytes of a value, if all values have as many."""
    try:
        return max(1, int(type.bit_width) // 8)
    except ValueError:
        return 0


def _first(source: Any, group: int, names: list[str], rows: int) -> list[pa.Array]:
    if not names:
        return []
    batch = None
    # Broken data is reported where it is read, after the rows before it.
    with contextlib.suppress(pa.ArrowException, OSError):
        batch = next(source.iter_batches(rows, row_groups=[group], columns=names), None)
    return [] if batch is None else [batch.column(name) for name in names]


def _longest(column: pa.Array) -> int:
    """Returns the bytes of the longest text in a dictionary, with its offset."""
    return int(pc.max(pc.binary_length(column.dictionary)).as_py() or 0) + 4


def _mean(column: pa.Array) -> int:
    return int(np.ceil(sizes(column).mean())) if len(column) else 0


def sizes(array: pa.Array) -> np.ndarray:
    """Returns about how many bytes each of n values takes when it is decoded.

    Args:
      array: n values, dictionaries among them.
    """
    type = array.type
    if isinstance(array, pa.ExtensionArray):
        return sizes(array.storage)
    if pa.types.is_dictionary(type):
        lengths = pc.fill_null(pc.binary_length(array.dictionary), 0)
        found = lengths.take(array.indices)
        return np.asarray(pc.fill_null(found, 0).to_numpy(zero_copy_only=False), np.int64) + 4
    if is_list(type) or pa.types.is_map(type):
        return _list_sizes(array)
    if pa.types.is_struct(type):
        parts = [np.ones(len(array), np.int64), *map(sizes, array.flatten())]
        summed: np.ndarray = np.add.reduce(parts)
        return summed
    mean = -(-array.nbytes // len(array)) if len(array) else 0
    return np.full(len(array), mean, np.int64)


def _list_sizes(array: pa.Array) -> np.ndarray:
    if pa.types.is_map(array.type):
        offsets = array.offsets.to_numpy()
        lengths = np.where(array.is_valid().to_numpy(zero_copy_only=False), np.diff(offsets), 0)
        start, count = int(offsets[0]), int(offsets[-1] - offsets[0])
        pairs = [side.slice(start, count) for side in (array.keys, array.items)]
        return _summed(sizes(pairs[0]) + sizes(pairs[1]), np.diff(offsets)) * (lengths > 0) + 4
    lengths = list_lengths(array)
    return _summed(sizes(pc.list_flatten(array)), lengths) + 4


def _summed(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Returns the sums of runs of values, of the given lengths."""
    ends = np.cumsum(lengths)
    sums = np.concatenate([[0], np.cumsum(values)])
    found: np.ndarray = sums[ends] - sums[ends - lengths]
    return found


def decoded(batch: pa.RecordBatch, max_bytes: int) -> Iterator[pa.RecordBatch]:
    """Decodes the dictionaries of a batch, in slices of about `max_bytes` bytes.

    Args:
      batch: n rows.
      max_bytes: How large a slice may become; a larger row is a slice by itself.
    """
    rows = batch.num_rows
    row_sizes = sum((sizes(column) for column in batch.columns), np.zeros(rows, np.int64))
    ends = np.cumsum(row_sizes)
    start = 0
    while start < rows:
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + max_bytes, side="right")))
        piece = batch.slice(start, stop - start)
        plain = [as_plain(column, plain_type(column.type)) for column in piece.columns]
        yield pa.RecordBatch.from_arrays(plain, names=batch.schema.names)
        start = stop
