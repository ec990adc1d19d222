"""Traces a transform graph and a model as functions of raw columns and of tf.Examples."""

from collections.abc import Callable, Mapping
from typing import Any

from inference.model.model import Model
from inference.signature.spec import Layout, TensorSpec
from transforms.errors import ConfigError
from transforms.tensorflow import tensorflow

RAW, EXAMPLES = "serving_default", "serving_examples"
"""The signatures: of raw columns, a tensor each; and of serialized tf.Examples."""

EXAMPLES_INPUT = "examples"

Call = Callable[[Mapping[str, Any]], dict[str, Any]]


def fused_module(model: Model) -> tuple[Any, dict[str, Any]]:
    """Returns what is saved of a model behind its transform graph.

    Args:
      model: Resolved with a transform graph.

    Returns: A tf.Module that tracks all tables and weights; and its signatures by name.

    Raises:
      ConfigError: A column has a name that no signature can have.
    """
    tf, transformed = tensorflow(), model.transformed
    assert transformed is not None
    program = model.load_own()
    call = transformed.calling(program)
    module = tf.Module()
    module.transform_graph, module.model = transformed.resources(), program.owner
    inputs = tuple(model.signature.inputs)
    module.raw = _raw(call, inputs)
    module.examples = _examples(call, inputs)
    return module, {RAW: module.raw, EXAMPLES: module.examples}


def _raw(call: Call, inputs: tuple[TensorSpec, ...]) -> Any:
    """Returns the function of a tensor for each raw column."""
    tf = tensorflow()

    def serve(**columns: Any) -> dict[str, Any]:
        return call(columns)

    for spec in inputs:
        if not spec.name.isidentifier():
            raise ConfigError(
                f"column {spec.name!r} can't be an input of a signature, whose names have letters, "
                "digits and _ only: rename it in the data and the schema, and analyze again"
            )
    specs = {spec.name: _spec(spec) for spec in inputs}
    return tf.function(serve, autograph=False).get_concrete_function(**specs)


def _examples(call: Call, inputs: tuple[TensorSpec, ...]) -> Any:
    """Returns the function of serialized tf.Examples, which parses what the model needs alone."""
    tf = tensorflow()
    parsed = {spec.name: _parsed(spec) for spec in inputs}

    def serve(examples: Any) -> dict[str, Any]:
        return call(tf.io.parse_example(examples, parsed))

    spec = tf.TensorSpec([None], tf.string, EXAMPLES_INPUT)
    return tf.function(serve, autograph=False).get_concrete_function(spec)


def _spec(spec: TensorSpec) -> Any:
    tf, shape = tensorflow(), list(spec.shape or ())
    if spec.layout == Layout.SPARSE:
        return tf.SparseTensorSpec(shape, spec.dtype)
    if spec.layout == Layout.RAGGED:
        return tf.RaggedTensorSpec(shape, spec.dtype, spec.splits)
    return tf.TensorSpec(shape, spec.dtype, spec.name)


def _parsed(spec: TensorSpec) -> Any:
    """Returns how a column is parsed from a tf.Example."""
    tf = tensorflow()
    if spec.layout == Layout.SPARSE:
        return tf.io.VarLenFeature(spec.dtype)
    if spec.layout == Layout.RAGGED:
        return tf.io.RaggedFeature(spec.dtype, row_splits_dtype=tf.int64)
    return tf.io.FixedLenFeature(list(spec.row_shape or ()), spec.dtype)
