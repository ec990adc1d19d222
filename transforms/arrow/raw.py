"""The numbers of an Arrow column as numpy sees them, without a copy."""

import numpy as np
import pyarrow as pa


def raw_numbers(array: pa.Array) -> np.ndarray:
    """Returns the n numbers of an integer or float column; the number under a null is arbitrary.

    A column whose numbers are all in range, under nulls too, needs no mask; numpy
    finds its least and greatest eight times as fast as Arrow does for floats.
    """
    dtype = np.dtype(array.type.to_pandas_dtype())
    values = array.buffers()[1]
    if values is None or not len(array):
        return np.zeros(len(array), dtype)
    return np.frombuffer(values, dtype, len(array), array.offset * dtype.itemsize)


def where_valid(array: pa.Array, mask: np.ndarray) -> np.ndarray:
    """Returns the mask, with false where the array is null."""
    if array.null_count == 0:
        return mask
    both: np.ndarray = mask & array.is_valid().to_numpy(zero_copy_only=False)
    return both
