"""Blank rows: a model is called with them before the first real row comes."""

import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from inference.batching import SMALLEST
from inference.binding import bind
from inference.features import Feature, features_of
from inference.predictions import Output, RaggedOutput
from inference.signature import Layout, Signature, TensorSpec
from inference.tensors import tensors

if TYPE_CHECKING:
    from inference.handlers import Program


def observed_ranks(program: "Program", signature: Signature) -> dict[str, int]:
    """Returns the ranks of a model's outputs as one call has them, for those its graph hides.

    Where the model refuses blank rows, each output is taken to be a scalar for each row.

    Args:
      program: The loaded model.
      signature: What it takes and gives.
    """
    rows = signature.rows or SMALLEST
    try:
        outputs = program(tensors(blank_features(signature, rows), 0, rows, rows))
    except Exception:
        # What fails here may work with real rows; a wrong guess is found when they are scored.
        return {spec.name: 1 for spec in signature.outputs}
    return {name: _rank(output) for name, output in outputs.items()}


def _rank(output: Output) -> int:
    return 2 if isinstance(output, RaggedOutput) else max(1, output.ndim)


def blank_features(signature: Signature, rows: int) -> list[Feature]:
    """Returns the inputs for rows of zeros and empty strings, with one value where that is open."""
    specs = signature.features or signature.inputs
    names = [spec.name for spec in specs]
    batch = pa.RecordBatch.from_arrays([_blank(spec, rows) for spec in specs], names)
    features, _ = features_of(batch, bind(signature, {}, batch.schema))
    return features


def _blank(spec: TensorSpec, rows: int) -> pa.Array:
    sizes = _blank_sizes(spec)
    count = rows * math.prod(sizes)
    if spec.is_text:
        leaf: pa.Array = pa.repeat(pa.scalar(b"", pa.binary()), count)
    else:
        leaf = pa.array(np.zeros(count, np.int8)).cast(spec.arrow())
    for size in reversed(sizes):
        leaf = pa.FixedSizeListArray.from_arrays(leaf, size)
    return leaf


def _blank_sizes(spec: TensorSpec) -> list[int]:
    """The sizes of a blank row's value; a sparse input of any size is content with one value."""
    known = spec.row_shape or ()
    return [size or 1 if spec.layout == Layout.DENSE else 1 for size in known]


def row_bytes(inputs: tuple[TensorSpec, ...]) -> int:
    """About the bytes that a row of tensors takes, at most."""
    return sum(8 * math.prod(_blank_sizes(spec)) for spec in inputs)
