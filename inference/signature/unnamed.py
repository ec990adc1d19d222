"""Inputs that Keras named itself, such as `keras_tensor_5`: fed by the position of the columns."""

import re
from fnmatch import fnmatchcase

import pyarrow as pa

from inference.signature.spec import Layout, Mappings, Signature, TensorSpec
from transforms.arrow.types import is_list, plain_type

_MADE_UP = re.compile(r"(keras_tensor|input_layer|input|inputs|args)(_\d+)?")


def by_position(signature: Signature, mappings: Mappings, schema: pa.Schema) -> Mappings:
    """Returns the columns of inputs that nobody named, where there is no doubt.

    There is none where as many columns are left as those inputs take: of each that is one value a
    row one, of one that takes k values k columns of scalars, or one of lists.

    Args:
      signature: The model's.
      mappings: The columns that the user gave to inputs.
      schema: The columns there are.
    """
    if signature.features is not None:
        return {}
    open_ = [spec for spec in signature.inputs if not _is_given(spec, mappings, schema)]
    if not open_ or not all(_is_unnamed(spec) for spec in open_):
        return {}
    taken = [column for columns in mappings.values() for column in columns]
    taken += [spec.name for spec in signature.inputs if spec not in open_]
    left = [name for name in schema.names if not any(fnmatchcase(name, each) for each in taken)]
    if len(left) == len(open_):
        return {spec.name: (name,) for spec, name in zip(open_, left, strict=True)}
    widths = [_width(spec) for spec in open_]
    scalar = not any(is_list(plain_type(schema.field(name).type)) for name in left)
    if not scalar or sum(widths) != len(left) or len(set(left)) < len(left):
        return {}
    starts = [sum(widths[:index]) for index in range(len(widths))]
    return {
        spec.name: tuple(left[start : start + width])
        for spec, start, width in zip(open_, starts, widths, strict=True)
    }


def _is_given(spec: TensorSpec, mappings: Mappings, schema: pa.Schema) -> bool:
    """Returns whether the user mapped an input, or a column has its name."""
    return any(name in mappings for name in (spec.name, *spec.parts[:1])) or (
        spec.name in schema.names
    )


def _is_unnamed(spec: TensorSpec) -> bool:
    return spec.layout == Layout.DENSE and bool(_MADE_UP.fullmatch(spec.name))


def _width(spec: TensorSpec) -> int:
    """Returns how many columns of scalars an input takes; 0 if unknown."""
    shape = spec.row_shape
    if shape == ():
        return 1
    return (shape[0] or 0) if shape is not None and len(shape) == 1 else 0
