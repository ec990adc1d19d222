"""The function of a transform graph, in memory."""

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from transforms.errors import ConfigError
from transforms.preprocess.vocabularies import check_vocabularies
from transforms.replaced_ops import runnable
from transforms.tensorflow import tensorflow, tensorflow_transform


class TransformFunction:
    """The function of a transform graph, in memory. Threads share it.

    Args:
      path: A local SavedModel.

    Raises:
      ConfigError: TensorFlow can't load it, or tf.Transform did not write it.
    """

    def __init__(self, path: str) -> None:
        tf = tensorflow()
        tensorflow_transform()
        from tensorflow_transform.saved.saved_transform_io_v2 import SavedModelLoader

        try:
            with runnable(path) as folder:
                self._loader = SavedModelLoader(folder)
        except (
            ValueError,
            OSError,
            RuntimeError,
            KeyError,
            AttributeError,
            tf.errors.OpError,
        ) as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ConfigError(
                f"{path}: TensorFlow {tf.__version__} can't load it as a transform graph: {line}"
            ) from None
        self.outputs: Mapping[str, Any] = self._loader.structured_outputs
        self._graph = next(iter(_tensors(self.outputs))).graph

    @functools.cached_property
    def inputs(self) -> Mapping[str, Any]:
        """Returns its inputs: tensors of its graph by feature, some of them sparse or ragged.

        Raises:
          ConfigError: It was written for TensorFlow 1.
        """
        if self._loader.load_v2_in_compat:
            raise ConfigError(
                "the transform graph was written for TensorFlow 1 (force_tf_compat_v1): analyze "
                "again without that"
            )
        from tensorflow_transform.tf2_utils import get_structured_inputs_from_func_graph

        inputs: Mapping[str, Any] = get_structured_inputs_from_func_graph(self._graph)
        return inputs

    @property
    def resources(self) -> Any:
        """Returns the object that TensorFlow loaded: it holds the tables, and their files."""
        return self._loader._imported

    @functools.cached_property
    def nodes(self) -> frozenset[str]:
        """Returns the names of the graph's nodes, those of its functions included."""
        graph = self._graph.as_graph_def()
        inner = (node for function in graph.library.function for node in function.node_def)
        return frozenset(node.name for node in [*graph.node, *inner])

    def needed(self, outputs: Iterable[str]) -> frozenset[str]:
        """Returns the inputs that some outputs depend on."""
        tensors = _tensors({name: self.outputs[name] for name in outputs})
        return self._fed_by(_sources(tensor.op for tensor in tensors))

    def _fed_by(self, placeholders: set[str]) -> frozenset[str]:
        return frozenset(
            name
            for name, value in self.inputs.items()
            if any(part.op.name in placeholders for part in _tensors(value))
        )

    def columns_of(self, node: str) -> list[str]:
        """Returns the inputs that a node depends on, sorted; none where the graph has no such node.

        One in a function, such as a branch, depends on what the call depends on; it is named by it.
        """
        called = {op.name: op for op in self._graph.get_operations()}
        while node and node not in called:
            node = node.rpartition("/")[0]
        return sorted(self._fed_by(_sources([called[node]]))) if node else []

    def __call__(self, inputs: Mapping[str, Any], outputs: Iterable[str]) -> dict[str, Any]:
        """Adds the graph to the function that is traced, or runs it.

        Args:
          inputs: Tensors by feature: at least those that the outputs depend on.
          outputs: Which outputs are wanted.
        """
        made = self._loader.apply_transform_model(dict(inputs))
        return {name: made[name] for name in outputs}

    def compiled(self, inputs: Iterable[str], outputs: Iterable[str]) -> Any:
        """Returns a function of a dict of tensors, traced once, for some inputs and outputs."""
        tf, wanted = tensorflow(), tuple(outputs)
        specs = {name: _spec(self.inputs[name]) for name in inputs}

        def call(given: Mapping[str, Any]) -> dict[str, Any]:
            return self(given, wanted)

        return tf.function(call, input_signature=[specs], autograph=False).get_concrete_function()


@functools.lru_cache(maxsize=4)
def load_function(path: str, version: str) -> TransformFunction:
    """Loads a transform graph, once for all threads of a process.

    Args:
      path: A local SavedModel.
      version: Its digest, so that another graph at the same place is loaded anew.

    Raises:
      ConfigError: Its vocabularies don't fit into memory, or TensorFlow can't load it.
    """
    check_vocabularies(path)
    return TransformFunction(path)


def _tensors(value: Any) -> list[Any]:
    """Returns the plain tensors in a value."""
    return list(tensorflow().nest.flatten(value, expand_composites=True))


def _spec(value: Any) -> Any:
    return tensorflow().type_spec_from_value(value)


def _sources(ops: Iterable[Any]) -> set[str]:
    """Returns the names of the placeholders that ops depend on."""
    waiting, seen = list(ops), {}
    while waiting:
        op = waiting.pop()
        if op.name not in seen:
            seen[op.name] = op.type
            waiting += [source.op for source in op.inputs]
    return {name for name, kind in seen.items() if kind == "Placeholder"}
