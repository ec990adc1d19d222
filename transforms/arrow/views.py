"""Views, which Arrow's kernels read amiss: made plain by way of Python.

Arrow validates no string view where its value is null, but its casts follow it there too, and crash
on a corrupt file; its cast from list views leaves out the last offset; and it can't filter them.
"""

import pyarrow as pa

from transforms.arrow.types import plain_type


def has_view(type: pa.DataType) -> bool:
    """Returns whether it is a view, or has one in it."""
    if isinstance(type, pa.BaseExtensionType):
        return has_view(type.storage_type)
    kinds = pa.types
    if kinds.is_dictionary(type) or kinds.is_run_end_encoded(type):
        return has_view(type.value_type)
    views = (kinds.is_string_view, kinds.is_binary_view, kinds.is_list_view)
    if kinds.is_large_list_view(type) or any(view(type) for view in views):
        return True
    return any(has_view(type.field(index).type) for index in range(type.num_fields))


def without_views(array: pa.Array) -> pa.Array:
    """Returns the same values, with plain types in place of views."""
    if not has_view(array.type):
        return array
    return pa.array(array.to_pylist(), plain_type(array.type))
