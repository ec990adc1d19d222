"""What all TensorFlow models share: how they are called, and what their errors say."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from inference.signature.spec import Layout, TensorSpec
from inference.tensors.inputs import ALIGNMENT
from inference.tensors.predictions import Output, RaggedOutput
from transforms.tensorflow import blame, is_exhausted, tensorflow


class TensorFlowProgram:
    """A TensorFlow function of named tensors.

    Args:
      function: Takes tensors by keyword and returns a dict of them.
      nodes: Gives the names of the graph's nodes.
      owner: What must live as long as the function does: it doesn't own its variables.
    """

    def __init__(
        self,
        function: Callable[..., Mapping[str, Any]],
        nodes: Callable[[], Iterable[str]],
        owner: Any,
    ) -> None:
        self.function, self.nodes, self.owner = function, nodes, owner
        self._tf = tensorflow()

    def __call__(self, tensors: Mapping[str, np.ndarray]) -> dict[str, Output]:
        """Calls the function."""
        outputs = self.function(**{name: self.tensor(array) for name, array in tensors.items()})
        return {name: self.output(value) for name, value in outputs.items()}

    def tensor(self, array: np.ndarray) -> Any:
        """Returns an array as a tensor of this machine."""
        if array.dtype.hasobject:
            return self._tf.constant(array, dtype=self._tf.string)
        aligned = array.ctypes.data % ALIGNMENT == 0 and array.flags.c_contiguous
        if aligned and array.flags.writeable and array.size and array.dtype.kind in "iuf":
            # Made for this call alone (`tensors` fills it), so the tensor may share its memory.
            return self._tf.experimental.dlpack.from_dlpack(array.__dlpack__())
        return self._tf.constant(array)

    def output(self, value: Any) -> Output:
        """Returns an output as arrays of this machine."""
        if isinstance(value, self._tf.RaggedTensor):
            parts = tuple(part.numpy() for part in value.nested_row_splits)
            return RaggedOutput(value.flat_values.numpy(), parts)
        if isinstance(value, self._tf.SparseTensor):
            ordered = self._tf.sparse.reorder(value)
            ends = np.arange(int(value.dense_shape[0]) + 1)
            splits = np.searchsorted(ordered.indices.numpy()[:, 0], ends)
            return RaggedOutput(ordered.values.numpy(), (splits,))
        return np.asarray(value)

    def exhausted(self, error: Exception) -> bool:
        """Returns whether memory ran out, on the host or the device."""
        return is_exhausted(error)

    def blame(self, error: Exception) -> str:
        """Returns the error's class and the node of the graph that raised it, if it is known."""
        return blame(error, self._node_names)

    @functools.cached_property
    def _node_names(self) -> frozenset[str]:
        return frozenset(self.nodes())


def node_names(graph_def: Any) -> list[str]:
    """Returns the names of all nodes of a GraphDef, including its functions."""
    names = [node.name for node in graph_def.node]
    for function in graph_def.library.function:
        names += [node.name for node in function.node_def]
    return names


def first_line(error: Exception) -> str:
    """Returns the first line of a loading error; the others are for TensorFlow's developers."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class ByName:
    """A function that takes its tensors by name, whatever characters are in the names.

    Args:
      concrete: A concrete function of tensors in the order of the names.
      names: Their names.
    """

    def __init__(self, concrete: Any, names: list[str]) -> None:
        self._concrete, self._names = concrete, names
        self.graph, self.structured_outputs = concrete.graph, _specs(concrete)

    def __call__(self, **tensors: Any) -> Any:
        """Calls it."""
        return self._concrete(*(tensors[name] for name in self._names))


def _specs(concrete: Any) -> dict[str, Any]:
    tf = tensorflow()
    return {
        name: tf.type_spec_from_value(value) if tf.is_tensor(value) else value
        for name, value in concrete.structured_outputs.items()
    }


def flat_specs(spec: TensorSpec) -> list[Any]:
    """Returns what each part of an input is, as tf.TensorSpecs."""
    tf = tensorflow()
    shape = list(spec.shape or ())
    if spec.layout == Layout.SPARSE:
        rank = len(shape)
        return [
            tf.TensorSpec([None, rank], tf.int64),
            tf.TensorSpec([None], spec.dtype),
            tf.TensorSpec([rank], tf.int64),
        ]
    if spec.layout == Layout.RAGGED:
        return [tf.TensorSpec([None, *shape[2:]], spec.dtype), tf.TensorSpec([None], tf.int64)]
    return [tf.TensorSpec(shape, spec.dtype)]


def together(spec: TensorSpec, parts: Mapping[str, Any]) -> Any:
    """Returns an input's tensor, put together from its parts."""
    tf = tensorflow()
    values = [parts[part] for part in spec.parts]
    if spec.layout == Layout.SPARSE:
        sparse = tf.SparseTensor(*values)
        sparse.set_shape(list(spec.shape or ()))
        return sparse
    if spec.layout == Layout.RAGGED:
        return tf.RaggedTensor.from_row_splits(*values, validate=False)
    return values[0]
