"""A model behind a transform graph: raw columns in, one call of TensorFlow for both."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from inference.handlers.tensorflow import (
    ByName,
    TensorFlowProgram,
    flat_specs,
    node_names,
    together,
)
from inference.signature.spec import Layout, Signature, TensorSpec
from transforms.errors import ConfigError
from transforms.preprocess.columns import DENSE, SPARSE, RawFeature
from transforms.preprocess.graph import TransformGraph, check_outputs
from transforms.preprocess.saved_function import TransformFunction
from transforms.tensorflow import tensorflow
from transforms.wording import mapped

Feeds = tuple[tuple[str, tuple[str, ...]], ...]
"""Outputs of a graph by the inputs of a model that they feed; several are stacked."""


@dataclass(frozen=True)
class Transformed:
    """How a model is fed by a transform graph.

    Attributes:
      graph: The graph.
      own: What the model itself takes and gives.
      feeds: The outputs of the graph that feed each of its inputs.
    """

    graph: TransformGraph
    own: Signature
    feeds: Feeds

    @classmethod
    def of(
        cls, graph: TransformGraph, own: Signature, mapping: Mapping[str, tuple[str, ...]]
    ) -> "Transformed":
        """Finds the outputs that feed a model, by their names.

        Args:
          graph: The graph.
          own: What the model takes.
          mapping: Outputs of inputs that are not named like them.

        Raises:
          ConfigError: The graph doesn't make what the model takes.
        """
        if own.features is not None:
            raise ConfigError(
                f"signature {own.name!r} takes serialized tf.Examples, and the transform graph "
                "makes tensors: export the model with a signature of its features, or save it as "
                "a .keras file"
            )
        feeds = tuple((spec.name, mapping.get(spec.name, (spec.name,))) for spec in own.inputs)
        _check_made(graph, feeds, mapping)
        made = cls(graph, own, feeds)
        problems = list(made._problems())
        if problems:
            raise ConfigError("\n".join(problems))
        return made

    def signature(self) -> Signature:
        """Returns the signature of the graph and the model together."""
        return replace(self.own, inputs=tuple(self._inputs()))

    def fused(self, program: TensorFlowProgram) -> TensorFlowProgram:
        """Returns the graph and the loaded model as one program."""
        tf, inputs = tensorflow(), tuple(self._inputs())
        names = [part for spec in inputs for part in spec.parts]
        whole = self.calling(program)

        def call(*tensors: Any) -> Any:
            parts = dict(zip(names, tensors, strict=True))
            return whole({spec.name: together(spec, parts) for spec in inputs})

        specs = [each for spec in inputs for each in flat_specs(spec)]
        concrete = tf.function(call, input_signature=specs, autograph=False).get_concrete_function()
        return TensorFlowProgram(
            ByName(concrete, names),
            lambda: node_names(concrete.graph.as_graph_def()),
            owner=(program, self._function()),
        )

    def calling(self, program: TensorFlowProgram) -> Callable[[Mapping[str, Any]], Any]:
        """Returns a function from raw columns, each a tensor by its name, to the outputs."""
        function, outputs = self._function(), self._outputs()

        def call(raw: Mapping[str, Any]) -> Any:
            return program.function(**self._fed(function(raw, outputs)))

        return call

    def resources(self) -> Any:
        """Returns the object that holds the graph's tables, to be tracked by what is saved."""
        return self._function().resources

    def _function(self) -> TransformFunction:
        return self.graph.function("trust_model")

    def _outputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for _, names in self.feeds for name in names))

    def _inputs(self) -> Iterator[TensorSpec]:
        """Yields the raw columns that the model's features depend on."""
        needed = self._function().needed(self._outputs())
        for feature in self.graph.columns.features:
            if feature.name in needed:
                yield _raw_spec(feature)

    def _problems(self) -> Iterator[str]:
        """Yields why the graph can't feed the model."""
        outputs = self._function().outputs
        for spec, (_, names) in zip(self.own.inputs, self.feeds, strict=True):
            for name in names:
                why = _misfit(spec, outputs[name], len(names))
                if why:
                    yield f"{name!r} of the transform graph can't feed input {spec.name!r}: {why}"

    def _fed(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the model's tensors by its own names, from the graph's outputs."""
        fed: dict[str, Any] = {}
        for spec, (_, names) in zip(self.own.inputs, self.feeds, strict=True):
            if spec.layout == Layout.DENSE:
                fed[spec.parts[0]] = _dense(spec, [made[name] for name in names])
            else:
                fed |= zip(spec.parts, _parts(spec, made[names[0]]), strict=True)
        return fed


_CAST = {"int64": ("float32", "float64", "int32"), "float32": ("float64",)}
"""To which types dense outputs of a graph are cast, where the model takes another."""


def _check_made(graph: TransformGraph, feeds: Feeds, mapping: Mapping[str, Any]) -> None:
    """Raises a ConfigError if the graph lacks an output; names that nobody mapped can be mapped."""
    try:
        check_outputs(graph, (name for _, names in feeds for name in names))
    except ConfigError as error:
        lacking = [name for name, _ in feeds if name not in graph.outputs and name not in mapping]
        hint = f"; or name the feature of an input: {mapped(lacking[0], ['FEATURE'])}"
        raise ConfigError(f"{error}{hint if lacking else ''}") from None


def _raw_spec(feature: RawFeature) -> TensorSpec:
    """Returns a raw column as an input."""
    name, dtype = feature.name, feature.dtype
    if feature.has_default:
        raise ConfigError(
            f"column {name!r} has a default in the schema of the transform graph, which is not "
            "filled in while scoring: fill it in the preprocessing_fn, or score what "
            "python -m beam_jobs.preprocess makes"
        )
    if feature.kind == DENSE:
        return TensorSpec(name, dtype, (None, *feature.shape), parts=(name,), unit=feature.unit)
    if feature.kind == SPARSE:
        parts = tuple(f"{name}_{part}" for part in ("indices", "values", "dense_shape"))
        return TensorSpec(
            name, dtype, (None, None), Layout.SPARSE, parts, required=False, unit=feature.unit
        )
    parts = (name, f"{name}_splits")
    return TensorSpec(name, dtype, (None, None), Layout.RAGGED, parts, splits=1, required=False)


def _misfit(spec: TensorSpec, output: Any, stacked: int) -> str | None:
    """Returns why an output of the graph can't feed an input; None if it can."""
    tf = tensorflow()
    kinds = {
        Layout.DENSE: tf.Tensor,
        Layout.SPARSE: tf.SparseTensor,
        Layout.RAGGED: tf.RaggedTensor,
    }
    if not isinstance(output, kinds[spec.layout]):
        return (
            f"that takes {spec.layout} tensors: make it one in the preprocessing_fn, or by a step "
            "`fill`"
        )
    given = output.dtype.name
    cast = _CAST.get(given, ()) if spec.layout == Layout.DENSE else ()
    if given != spec.dtype and spec.dtype not in cast:
        return f"that takes {spec.dtype}, and it is {given}: cast it in the preprocessing_fn"
    if spec.layout != Layout.DENSE:
        return None if stacked == 1 else "only dense outputs can be stacked"
    sizes, wanted = output.shape.as_list()[1:], list(spec.row_shape or ())
    if spec.shape is None or _fits(sizes, wanted, stacked):
        return None
    return f"that takes values of shape {wanted}, and it has {sizes}"


def _fits(sizes: list[int | None], wanted: list[int | None], stacked: int) -> bool:
    """Returns whether values of some sizes fit an input, or one value does, however nested."""
    if stacked > 1:
        return sizes in ([], [1]) and wanted in ([stacked], [None])
    if len(sizes) != len(wanted):
        return sizes in ([], [1]) and wanted in ([], [1])
    return all(want in (None, size) for size, want in zip(sizes, wanted, strict=True))


def _dense(spec: TensorSpec, values: list[Any]) -> Any:
    tf = tensorflow()
    values = [_cast(spec, value) for value in values]
    if len(values) > 1:
        return tf.stack([tf.reshape(value, [-1]) for value in values], axis=1)
    (value,) = values
    wanted = spec.row_shape
    if wanted is not None and len(wanted) != value.shape.rank - 1:
        return tf.reshape(value, [-1, *wanted])
    return value


def _cast(spec: TensorSpec, value: Any) -> Any:
    """Casts a number to the type that a model takes; a whole one that would change fails."""
    tf = tensorflow()
    if value.dtype.name == spec.dtype:
        return value
    cast = tf.cast(value, spec.dtype)
    if not value.dtype.is_integer:
        # A wider float holds each number, and NaN equals none.
        return cast
    with tf.control_dependencies([tf.debugging.assert_equal(tf.cast(cast, value.dtype), value)]):
        return tf.identity(cast)


def _parts(spec: TensorSpec, value: Any) -> list[Any]:
    tf = tensorflow()
    if spec.layout == Layout.SPARSE:
        return [value.indices, value.values, value.dense_shape]
    splits = [tf.cast(each, spec.splits_dtype) for each in value.nested_row_splits]
    return [value.flat_values, *splits]
