"""Rows that are made up for a model's raw columns, where the user gives none."""

import numpy as np
import pyarrow as pa

from inference.signature.spec import Layout, Signature, TensorSpec

_TEXTS = pa.array([b"", b"a", b"b", b"not in any vocabulary"], pa.binary())


def sample_rows(signature: Signature, rows: int = 64) -> pa.Table:
    """Returns rows for a signature, the same each time.

    Args:
      signature: Raw columns of int64, float32 and bytes.
      rows: How many.

    Returns: Numbers of several sizes, small texts, and no value in a third of the rows where none
      is needed.
    """
    draw = np.random.default_rng(0)
    columns = {spec.name: _column(spec, rows, draw) for spec in signature.inputs}
    return pa.table(columns)


def _column(spec: TensorSpec, rows: int, draw: np.random.Generator) -> pa.Array:
    sizes = [size or 1 for size in spec.row_shape or ()] if spec.layout == Layout.DENSE else []
    column = _values(spec, rows * int(np.prod(sizes, dtype=np.int64)), draw)
    for size in reversed(sizes):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    if spec.required:
        return column
    return column.take(pa.array(np.arange(rows), mask=draw.uniform(size=rows) < 1 / 3))


def _values(spec: TensorSpec, count: int, draw: np.random.Generator) -> pa.Array:
    if spec.is_text:
        return _TEXTS.take(pa.array(draw.integers(0, len(_TEXTS), count)))
    scales = 10.0 ** draw.integers(-1, 4, count)
    if pa.types.is_floating(spec.arrow()):
        return pa.array(draw.uniform(0, 1, count) * scales).cast(spec.arrow())
    return pa.array(np.floor(draw.uniform(0, 1, count) * scales).astype(np.int64))
