"""Rows that are made up: a model is called with them before the first real row comes."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from inference.signature.binding import bind
from inference.signature.spec import Layout, Signature, TensorSpec
from inference.tensors.features import Feature, features_of
from inference.tensors.inputs import tensors
from inference.tensors.predictions import Output, RaggedOutput
from inference.time_limit import ModelTimeoutError, TimeLimit
from transforms.calls import SMALLEST

if TYPE_CHECKING:
    from inference.tensors.program import Program


def observed_ranks(program: "Program", signature: Signature, limit: TimeLimit) -> dict[str, int]:
    """Returns the ranks of a model's outputs as one call has them, for those its graph hides.

    Where the model refuses blank rows, each output is taken to be a scalar for each row.

    Args:
      program: The loaded model.
      signature: What it takes and gives.
      limit: How long the call may take.
    """
    rows = signature.rows or SMALLEST
    try:
        given = tensors(blank_features(signature, rows), 0, rows, rows)
        outputs = limit.call(lambda: program(given), rows)
    except ModelTimeoutError:
        raise
    except Exception:
        # What fails here may work with real rows; a wrong guess is found when they are scored.
        return {spec.name: 1 for spec in signature.outputs}
    return {name: _rank(output) for name, output in outputs.items()}


def _rank(output: Output) -> int:
    return 2 if isinstance(output, RaggedOutput) else max(1, output.ndim)


def blank_features(signature: Signature, rows: int) -> list[Feature]:
    """Returns the inputs for rows of zeros and empty strings, with one value where that is open."""
    return _features(signature, lambda spec: _blank(spec, rows))


def mixed_features(signature: Signature, rows: int) -> list[Feature]:
    """Returns the inputs for rows of random values, the same each time, and as many blank ones.

    The values are such as most models take: whole numbers are 0 or 1, others lie between 0 and 2.

    Args:
      signature: What the model takes.
      rows: How many of either kind.
    """
    draw = np.random.default_rng(0)
    return _features(
        signature, lambda spec: pa.concat_arrays([_drawn(spec, rows, draw), _blank(spec, rows)])
    )


def _features(signature: Signature, made: Callable[[TensorSpec], pa.Array]) -> list[Feature]:
    specs = signature.features or signature.inputs
    names = [spec.name for spec in specs]
    batch = pa.RecordBatch.from_arrays([made(spec) for spec in specs], names)
    features, _ = features_of(batch, bind(signature, {}, batch.schema))
    return features


def _blank(spec: TensorSpec, rows: int) -> pa.Array:
    count = rows * math.prod(_blank_sizes(spec))
    if spec.is_text:
        return _nested(spec, pa.repeat(pa.scalar(b"", pa.binary()), count))
    return _nested(spec, pa.array(np.zeros(count, np.int8)).cast(spec.arrow()))


def _drawn(spec: TensorSpec, rows: int, draw: np.random.Generator) -> pa.Array:
    count, type = rows * math.prod(_blank_sizes(spec)), spec.arrow()
    if spec.is_text:
        letters = pa.array([b"a", b"b", b"c"], pa.binary())
        return _nested(spec, letters.take(pa.array(draw.integers(0, 3, count))))
    if pa.types.is_floating(type):
        values = pa.array(draw.uniform(0, 2, count).astype(type.to_pandas_dtype()), type)
    else:
        values = pa.array(draw.integers(0, 2, count)).cast(type)
    return _nested(spec, values)


def _nested(spec: TensorSpec, leaf: pa.Array) -> pa.Array:
    for size in reversed(_blank_sizes(spec)):
        leaf = pa.FixedSizeListArray.from_arrays(leaf, size)
    return leaf


def _blank_sizes(spec: TensorSpec) -> list[int]:
    """Returns the sizes of a blank row's value; one value is enough for a sparse input."""
    known = spec.row_shape or ()
    return [size or 1 if spec.layout == Layout.DENSE else 1 for size in known]


def row_bytes(inputs: tuple[TensorSpec, ...]) -> int:
    """Returns about how many bytes a row of tensors takes, at most."""
    return sum(8 * math.prod(_blank_sizes(spec)) for spec in inputs)
