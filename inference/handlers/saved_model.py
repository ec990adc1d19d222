"""SavedModel directories, of TensorFlow 2 and 1 (estimator exports), called by signature."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inference.devices.execution import FLOAT32
from inference.handlers import saved_by
from inference.handlers.parsed_examples import parsed_features
from inference.handlers.saved_graph import Leaf, composite, shape_of, structure
from inference.handlers.tensorflow import TensorFlowProgram, first_line, node_names
from inference.signature.raw_schema import with_units
from inference.signature.spec import Layout, Signature, TensorSpec, fixed_rows
from transforms.errors import ConfigError
from transforms.replaced_ops import missing_ops, runnable
from transforms.saved_models.nodes import reached
from transforms.saved_models.read import GRAPH, meta_graphs, output_nodes
from transforms.saved_models.trust import Call, check_trusted
from transforms.tensorflow import tensorflow
from transforms.wording import setting

INDEX = "variables/variables.index"
FILES = (GRAPH, INDEX)
"""What a model is told apart by; the weights are not among them."""

_SPLITS_DTYPE = "int64"


def describe(path: str, signature: str | None, trusted: bool = False) -> tuple[Signature, str]:
    """Reads a signature from a SavedModel without loading its weights.

    Args:
      path: A local directory with at least `FILES`, and the schema of its columns if it has one.
      signature: Its name; None for `serving_default`, or for the only one.
      trusted: Whether it may do what it likes: read files, run Python code.

    Returns: The signature and the model's digest: a hash of `FILES`, where the index has a
      checksum of each variable.

    Raises:
      ConfigError: There is no such signature, its tensors are of a kind not supported, or it
        reaches outside of TensorFlow and is not trusted.
    """
    meta_graph, alone = _meta_graph(path)
    saved_by.warn(path, *_versions(meta_graph))
    definitions = {
        name: definition
        for name, definition in meta_graph.signature_def.items()
        if not name.startswith("__saved_model_")
    }
    name = _chosen(definitions, signature, path)
    try:
        found = _signature(meta_graph, name, definitions[name])
    except ValueError as error:
        raise ConfigError(f"model {path}, signature {name!r}: {error}") from error
    if not trusted:
        _check(path, name, meta_graph, alone)
    return with_units(found, path), _digest(path)


def _check(path: str, name: str, meta_graph: Any, alone: bool) -> None:
    """Raises a ConfigError if the model reaches outside of TensorFlow."""
    objects = alone and meta_graph.HasField("object_graph_def")
    outputs = output_nodes(meta_graph.signature_def[name])
    try:
        check_trusted(Call(meta_graph, (name,), outputs, objects))
    except ValueError as error:
        raise ConfigError(f"model {path}, signature {name!r}: {error}") from error


def load(
    path: str, signature: Signature, trusted: bool = False, precision: str = FLOAT32
) -> TensorFlowProgram:
    """Loads a SavedModel with its weights.

    What it does outside of TensorFlow is looked at again, on the machine that runs it.

    Args:
      path: A local directory.
      signature: The one that is called.
      trusted: Whether it may do what it likes.
      precision: In which numbers it multiplies matrices.

    Raises:
      ConfigError: TensorFlow can't load it, or nothing in it would gain from the precision.
    """
    tf = tensorflow()
    meta_graph, alone = _meta_graph(path)
    saved_by.warn(path, *_versions(meta_graph))
    if not trusted:
        _check(path, signature.name, meta_graph, alone)
    try:
        with runnable(path, _halving(path, precision)) as folder:
            loaded = tf.saved_model.load(folder, tags=list(signature.tags) or None)
    except (ValueError, OSError, RuntimeError, KeyError, tf.errors.OpError) as error:
        raise ConfigError(
            f"model {path}: TensorFlow {tf.__version__} can't load it: {first_line(error)}"
            + saved_by.advice(*_versions(meta_graph))
        ) from error
    function = loaded.signatures[signature.name]
    return TensorFlowProgram(
        function, lambda: node_names(function.graph.as_graph_def()), owner=loaded
    )


def _versions(meta_graph: Any) -> tuple[str, str, str]:
    """Returns a framework's name, the version that saved a graph, and the version here."""
    return "TensorFlow", meta_graph.meta_info_def.tensorflow_version, tensorflow().__version__


def _halving(path: str, precision: str) -> Callable[[Any], bool] | None:
    """Returns what has a graph multiply matrices in 16 bits; None for 32."""
    if precision == FLOAT32:
        return None
    from transforms.half_ops import halve

    def edit(graph: Any) -> bool:
        if not halve(graph, precision):
            raise ConfigError(
                f"{setting('precision')}: model {path} multiplies no matrices of float32, so "
                f"{precision} would change nothing: leave it out"
            )
        return True

    return edit


def _meta_graph(path: str) -> tuple[Any, bool]:
    """Returns the plain serving graph of a SavedModel, and whether it is the only one."""
    graphs = meta_graphs(path, f"model {path}")
    # The others are for training, or for a TPU.
    serving = min(graphs, key=lambda graph: list(graph.meta_info_def.tags) != ["serve"])
    return serving, len(graphs) == 1


def _chosen(definitions: dict[str, Any], wanted: str | None, path: str) -> str:
    name = wanted or "serving_default"
    if name in definitions:
        return name
    if wanted is None and len(definitions) == 1:
        return next(iter(definitions))
    there = ", ".join(sorted(definitions)) or "none at all: save the model with signatures="
    raise ConfigError(
        f"model {path} has no signature {name!r}; pass {setting('signature')} one of: {there}"
    )


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    for name in FILES:
        file = Path(path) / name
        digest.update(file.read_bytes() if file.exists() else b"")
    return digest.hexdigest()[:12]


def _signature(meta_graph: Any, name: str, definition: Any) -> Signature:
    inputs = _inputs(meta_graph, definition)
    run = list(reached(meta_graph, output_nodes(definition)))
    missing = missing_ops((node for node, _ in run), meta_graph.graph_def.library.function)
    if missing:
        raise ValueError(
            f"TensorFlow {tensorflow().__version__} can't run its ops {', '.join(missing)}: export "
            "the model with a current version, or without them"
            + saved_by.advice(*_versions(meta_graph))
        )
    return Signature(
        name,
        inputs,
        tuple(_output(key, definition.outputs[key]) for key in sorted(definition.outputs)),
        features=parsed_features(run) if _takes_strings(inputs) else None,
        rows=fixed_rows(inputs),
        tags=tuple(meta_graph.meta_info_def.tags),
    )


def _takes_strings(inputs: tuple[TensorSpec, ...]) -> bool:
    """Returns whether its only input takes one byte string for each row, perhaps a tf.Example."""
    return len(inputs) == 1 and inputs[0].is_text and len(inputs[0].shape or (None,)) == 1


def _inputs(meta_graph: Any, definition: Any) -> tuple[TensorSpec, ...]:
    """Returns the inputs in their structure where the model has it, else as they were saved."""
    flat = {key: definition.inputs[key] for key in sorted(definition.inputs)}
    placeholders = {info.name.split(":")[0]: key for key, info in flat.items() if info.name}
    found = [_structured(leaf, keys, flat) for leaf, keys in structure(meta_graph, placeholders)]
    fed = {part for spec in found for part in spec.parts}
    rest = [_input(key, info) for key, info in flat.items() if key not in fed]
    specs = found + rest
    if len({spec.name for spec in specs}) < len(specs):
        return tuple(_input(key, info) for key, info in flat.items())
    return tuple(specs)


def _structured(leaf: Leaf, keys: list[str], flat: dict[str, Any]) -> TensorSpec:
    if leaf.layout == Layout.DENSE:
        # A name that its author gave is kept; `inputs_3` gives way to the key in the dict.
        name = keys[0] if leaf.name == keys[0] else leaf.key or keys[0]
        return _input(keys[0], flat[keys[0]], name)
    values = flat[keys[1] if leaf.layout == Layout.SPARSE else keys[0]]
    splits = flat[keys[-1]].dtype if leaf.layout == Layout.RAGGED else None
    return TensorSpec(
        leaf.key or keys[0],
        _dtype(values.dtype),
        leaf.shape,
        leaf.layout,
        tuple(keys),
        splits=leaf.splits,
        splits_dtype=_dtype(splits) if splits else _SPLITS_DTYPE,
        required=False,
    )


def _input(key: str, info: Any, name: str | None = None) -> TensorSpec:
    """Returns an input as TensorFlow's loader takes it: a TF1 composite is fed part by part."""
    spec = _output(key, info)
    if spec.layout == Layout.SPARSE:
        parts: tuple[str, ...] = tuple(f"{key}_{part}" for part in _COO)
    elif spec.layout == Layout.RAGGED:
        parts = tuple(f"{key}_component_{part}" for part in range(1 + spec.splits))
    else:
        parts = (key,)
    required = spec.layout == Layout.DENSE
    return TensorSpec(
        name or spec.name, spec.dtype, spec.shape, spec.layout, parts,
        spec.splits, spec.splits_dtype, required,
    )  # fmt: skip


_COO = ("indices", "values", "dense_shape")


def _output(key: str, info: Any) -> TensorSpec:
    """Returns a TensorInfo."""
    encoding = info.WhichOneof("encoding")
    if encoding == "coo_sparse":
        shape = shape_of(info.tensor_shape)
        return TensorSpec(key, _dtype(info.dtype), shape, Layout.SPARSE)
    if encoding == "composite_tensor":
        return _composite(key, info.composite_tensor.type_spec)
    return TensorSpec(key, _dtype(info.dtype), shape_of(info.tensor_shape))


def _composite(key: str, spec: Any) -> TensorSpec:
    leaf = composite(spec)
    state = spec.type_state.tuple_value.values
    dtypes = [_dtype(value.tensor_dtype_value) for value in state if value.tensor_dtype_value]
    splits_dtype = dtypes[1] if leaf.layout == Layout.RAGGED else _SPLITS_DTYPE
    return TensorSpec(
        key, dtypes[0], leaf.shape, leaf.layout, splits=leaf.splits, splits_dtype=splits_dtype
    )


def _dtype(number: int) -> str:
    return str(tensorflow().dtypes.as_dtype(number).name)
