"""How long lists are."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def list_lengths(array: pa.Array) -> np.ndarray:
    """Returns how many values each list has; a null has none."""
    lengths = pc.list_value_length(array)
    if array.null_count:
        lengths = lengths.fill_null(0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False)).astype(np.int64)


def value_type(type: pa.DataType) -> pa.DataType:
    """Returns the type of the values within lists, however deep; another type is its own."""
    while (
        pa.types.is_list(type) or pa.types.is_large_list(type) or pa.types.is_fixed_size_list(type)
    ):
        type = type.value_type
    return type
