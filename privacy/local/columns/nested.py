"""Columns of lists and structs: their texts are looked at as columns, and put back."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.lists import list_lengths

Visit = Callable[[pa.Array, str], tuple[pa.Array, np.ndarray]]
"""What is done with the values of one path: it gives as many values, and which are at fault."""


def visit_leaves(array: pa.Array, path: str, visit: Visit) -> tuple[pa.Array, np.ndarray]:
    """Visits all values that are neither lists nor structs.

    Args:
      array: n values.
      path: Their name; that of fields within is `path.field`.
      visit: Is given the values of each path, and the path.

    Returns: The n values with what the visits gave, or the same array where no visit gave anything
      new; and n booleans, true where a value within is at fault.
    """
    if pa.types.is_struct(array.type):
        return _struct(array, path, visit)
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return _list(array, path, visit)
    if pa.types.is_map(array.type):
        return _map(array, path, visit)
    if pa.types.is_fixed_size_list(array.type):
        given = as_list(array)
        made, faults = _list(given, path, visit)
        return (array if made is given else _of_one_size(made, array.type.list_size)), faults
    return visit(array, path)


def as_list(array: pa.Array) -> pa.Array:
    """Returns maps as lists of structs of key and value, and lists of one size as plain ones."""
    if pa.types.is_map(array.type):
        fields = [
            pa.field("key", array.type.key_type, False),
            pa.field("value", array.type.item_type),
        ]
        return array.cast(pa.list_(pa.struct(fields)))
    if pa.types.is_fixed_size_list(array.type):
        sizes = np.asarray(array.is_valid()) * array.type.list_size
        offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
        return pa.ListArray.from_arrays(offsets, array.flatten(), mask=array.is_null())
    return array


def _of_one_size(lists: pa.Array, size: int) -> pa.Array:
    """Returns lists as lists of one size; beneath a null one lie nulls."""
    valid = np.repeat(np.asarray(lists.is_valid()), size)
    places = pa.array(np.cumsum(valid) - 1, mask=~valid)
    values = lists.flatten().take(places)
    return pa.FixedSizeListArray.from_arrays(values, size, mask=lists.is_null())


def is_nested(type: pa.DataType) -> bool:
    """Tells whether values of a type hold others."""
    return bool(pa.types.is_nested(type))


def leaf_types(type: pa.DataType, path: str) -> list[tuple[str, pa.DataType]]:
    """Returns the paths within a type and their types; what can't be visited is one path."""
    if pa.types.is_struct(type):
        fields = [type.field(place) for place in range(type.num_fields)]
        return [leaf for each in fields for leaf in leaf_types(each.type, f"{path}.{each.name}")]
    if pa.types.is_list(type) or pa.types.is_large_list(type):
        return leaf_types(type.value_type, path)
    if pa.types.is_fixed_size_list(type):
        return leaf_types(type.value_type, path)
    if pa.types.is_map(type):
        return leaf_types(type.key_type, f"{path}.key") + leaf_types(
            type.item_type, f"{path}.value"
        )
    return [(path, type)]


def _struct(array: pa.Array, path: str, visit: Visit) -> tuple[pa.Array, np.ndarray]:
    names = [array.type.field(place).name for place in range(array.type.num_fields)]
    old = array.flatten()
    made = [
        visit_leaves(part, f"{path}.{name}", visit) for part, name in zip(old, names, strict=True)
    ]
    faults = np.logical_or.reduce([np.zeros(len(array), bool), *(fault for _, fault in made)])
    if all(new is part for (new, _), part in zip(made, old, strict=True)):
        return array, faults
    mask = array.is_null() if array.null_count else None
    return pa.StructArray.from_arrays([new for new, _ in made], names=names, mask=mask), faults


def _map(array: pa.Array, path: str, visit: Visit) -> tuple[pa.Array, np.ndarray]:
    """Visits keys as `path.key`, and values as `path.value`."""
    given = as_list(array)
    made, faults = _list(given, path, visit)
    if made is given:
        return array, faults
    offsets = pa.array(np.concatenate([[0], np.cumsum(list_lengths(made))]), pa.int32())
    keys, values = made.flatten().flatten()
    mask = array.is_null() if array.null_count else None
    return pa.MapArray.from_arrays(offsets, keys, values, mask=mask), faults


def _list(array: pa.Array, path: str, visit: Visit) -> tuple[pa.Array, np.ndarray]:
    values = array.flatten()
    new, inner = visit_leaves(values, path, visit)
    parents = np.asarray(pc.list_parent_indices(array))
    faults = np.bincount(parents, inner, len(array)).astype(bool)
    if new is values:
        return array, faults
    sizes = list_lengths(array)
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]))
    large = pa.types.is_large_list(array.type)
    kind, width = (pa.LargeListArray, pa.int64()) if large else (pa.ListArray, pa.int32())
    mask = array.is_null() if array.null_count else None
    return kind.from_arrays(offsets.cast(width), new, mask=mask), faults
