"""Models in Keras 3's own format: `.keras` files."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from inference.devices.execution import FLOAT32
from inference.handlers import saved_by
from inference.handlers.tensorflow import (
    ByName,
    TensorFlowProgram,
    first_line,
    flat_specs,
    node_names,
    together,
)
from inference.signature.spec import Layout, Signature, TensorSpec
from transforms.errors import ConfigError
from transforms.replaced_ops import PRINTING
from transforms.saved_models.outside_ops import deeds, is_outside
from transforms.tensorflow import tensorflow
from transforms.wording import setting, switched_on

SIGNATURE = "call"
"""A Keras model is called in one way only."""

_SPARSE = ("indices", "values", "dense_shape")


def describe(path: str, signature: str | None, trusted: bool = False) -> tuple[Signature, str]:
    """Reads a Keras model's signature. The format keeps it in code, so the model is loaded.

    Args:
      path: A local `.keras` file.
      signature: None, or `call`.
      trusted: Whether its layers may hold Python code, and run it.

    Returns: The signature, and the model's digest: a hash of the checksums of its parts.

    Raises:
      ConfigError: Keras can't load it or doesn't tell what it takes, or it runs Python code, reads
        files or prints, and is not trusted.
    """
    if signature not in (None, SIGNATURE):
        raise ConfigError(
            f"model {path} has no signature {signature!r}: a .keras file has only {SIGNATURE!r}"
        )
    model = _loaded(path, trusted)
    inputs = _inputs(model, path)
    concrete = _traced(model, inputs)
    if not trusted:
        _check_graph(concrete.graph.as_graph_def(), path)
    specs = concrete.structured_outputs
    outputs = tuple(_output(name, specs[name]) for name in specs)
    return Signature(SIGNATURE, inputs, outputs), _digest(path)


def load(
    path: str, signature: Signature, trusted: bool = False, precision: str = FLOAT32
) -> TensorFlowProgram:
    """Loads a Keras model with its weights.

    Raises:
      ConfigError: Keras can't load it, or it is to run in another precision than it has.
    """
    if precision != FLOAT32:
        raise ConfigError(
            f"{setting('precision')}: {precision} is for SavedModels, and {path} is a Keras file: "
            "model.export(folder) makes one"
        )
    model = _loaded(path, trusted)
    concrete = _traced(model, signature.inputs)
    return TensorFlowProgram(
        concrete, lambda: node_names(concrete.graph.as_graph_def()), owner=model
    )


def _loaded(path: str, trusted: bool) -> Any:
    tensorflow()
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ConfigError("Keras runs on another backend: set KERAS_BACKEND=tensorflow")
    by = _saved_by(path)
    saved_by.warn(path, "Keras", by, keras.__version__)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=not trusted)
    except (ValueError, TypeError, OSError, KeyError, ImportError, AttributeError) as error:
        if not trusted and "safe_mode" in str(error):
            raise ConfigError(
                f"model {path}: it holds Python code, such as a Lambda layer, which could "
                f"do anything: pass {switched_on('trust_model')} if you trust who made it"
            ) from None
        if by.startswith("2."):
            raise ConfigError(
                f"model {path}: it was saved by Keras {by}, and Keras {keras.__version__} can't "
                "load it: where it was trained, make a SavedModel of it by model.export(folder), "
                "and score that folder"
            ) from error
        raise ConfigError(
            f"model {path}: Keras {keras.__version__} can't load it: {first_line(error)} A model "
            "of custom classes is scored as a SavedModel: model.export(folder)"
            + saved_by.advice("Keras", by, keras.__version__)
        ) from error


def _saved_by(path: str) -> str:
    """Returns the version of Keras that saved a file; "" if the file doesn't say."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError):
        return ""


def _check_graph(graph: Any, path: str) -> None:
    """Raises a ConfigError if what Keras runs reaches outside of TensorFlow, or prints."""
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    if found := {node.op for node in nodes if is_outside(node)}:
        raise ConfigError(
            f"model {path}: it {deeds(found)}: pass {switched_on('trust_model')} if you trust who "
            "made it"
        )
    if any(node.op in PRINTING for node in nodes):
        raise ConfigError(
            f"model {path}: it prints values of rows (tf.print): export it as a SavedModel, "
            f"whose prints are left out, or pass {switched_on('trust_model')}"
        )


def _digest(path: str) -> str:
    with zipfile.ZipFile(path) as archive:
        parts = sorted((part.filename, part.CRC, part.file_size) for part in archive.infolist())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _inputs(model: Any, path: str) -> tuple[TensorSpec, ...]:
    keyed = _structure(model)
    flat = {tensor.name: tensor for tensor in getattr(model, "inputs", None) or ()}
    named = keyed if isinstance(keyed, Mapping) else flat
    if not named or not all(hasattr(tensor, "shape") for tensor in named.values()):
        raise ConfigError(
            f"model {path} is a subclass of keras.Model or nests its inputs, so it doesn't tell "
            "what to feed it: save it with model.export(folder), and score that folder"
        )
    return tuple(_input(name, tensor) for name, tensor in named.items())


def _structure(model: Any) -> Any:
    """Returns how a functional model's inputs are nested; None for a sequential one."""
    try:
        return model.input
    except AttributeError:
        return None


def _input(name: str, tensor: Any) -> TensorSpec:
    # The first size may be left over from the data of the first call.
    shape = (None, *tensor.shape[1:])
    if getattr(tensor, "ragged", False):
        pair = (name, f"{name}_splits")
        return TensorSpec(name, tensor.dtype, shape, Layout.RAGGED, pair, splits=1, required=False)
    if tensor.sparse:
        parts = tuple(f"{name}_{part}" for part in _SPARSE)
        return TensorSpec(name, tensor.dtype, shape, Layout.SPARSE, parts, required=False)
    return TensorSpec(name, tensor.dtype, shape, parts=(name,))


def _output(name: str, spec: Any) -> TensorSpec:
    tf = tensorflow()
    rank = spec.shape.rank
    shape = None if rank is None else tuple(spec.shape.as_list())
    if isinstance(spec, tf.RaggedTensorSpec):
        return TensorSpec(name, spec.dtype.name, shape, Layout.RAGGED, splits=spec.ragged_rank)
    layout = Layout.SPARSE if isinstance(spec, tf.SparseTensorSpec) else Layout.DENSE
    return TensorSpec(name, spec.dtype.name, shape, layout)


def _traced(model: Any, inputs: tuple[TensorSpec, ...]) -> Any:
    """Returns the model as a function of the named tensors of its inputs."""
    tf = tensorflow()
    specs = [spec for given in inputs for spec in flat_specs(given)]
    names = [part for given in inputs for part in given.parts]
    call = _call(model, inputs)

    def function(*tensors: Any) -> dict[str, Any]:
        return call(dict(zip(names, tensors, strict=True)))

    concrete = tf.function(function, input_signature=specs).get_concrete_function()
    return ByName(concrete, names)


def _call(model: Any, inputs: tuple[TensorSpec, ...]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Calls the model with its inputs put together from their parts."""
    import keras

    keyed = _structure(model)

    def given(values: dict[str, Any]) -> Any:
        if isinstance(keyed, Mapping):
            return values
        flat = list(values.values())
        return flat[0] if keyed is None else keras.tree.pack_sequence_as(keyed, flat)

    def call(parts: dict[str, Any]) -> dict[str, Any]:
        values = {spec.name: together(spec, parts) for spec in inputs}
        return _named(model, model(given(values), training=False))

    return call


def _named(model: Any, outputs: Any) -> dict[str, Any]:
    """Outputs by name: a dict's keys, else the names of the layers that they are from."""
    import keras

    if isinstance(outputs, Mapping):
        return dict(outputs)
    names = getattr(model, "output_names", None) or [model.layers[-1].name]
    return dict(zip(names, keras.tree.flatten(outputs), strict=True))
