"""Ops of SavedModels that are replaced: those that TensorFlow no longer runs, and those that print.

Models with `tft.bucketize` that TensorFlow 2.7 and older saved call BoostedTreesBucketize, whose
kernel later versions lack (tensorflow/tensorflow#76826). Other ops without a kernel are reported
before a row moves. Print and PrintV2 (`tf.print`) write values of rows to stderr: the one becomes
an Identity, the other does nothing.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transforms.tensorflow import tensorflow


def missing_ops(nodes: Iterable[Any], functions: Iterable[Any]) -> list[str]:
    """Returns the ops of nodes that have neither a kernel in this TensorFlow nor a replacement.

    Args:
      nodes: The NodeDefs that run.
      functions: The FunctionDefs of their graph, which a node may call like an op.
    """
    ops = {node.op for node in nodes} - {function.signature.name for function in functions}
    return sorted(op for op in ops - set(_REPLACEMENTS) if not _has_kernel(op))


@contextmanager
def runnable(path: str, edit: Callable[[Any], bool] | None = None) -> Iterator[str]:
    """Yields a SavedModel directory with runnable, silent ops only: the given one, or a copy.

    The copy links to the model's weights and assets.

    Args:
      path: A local SavedModel directory.
      edit: What else is to be changed in its GraphDefs; it tells whether it did.
    """
    tensorflow()
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    original = Path(path)
    saved = SavedModel.FromString((original / "saved_model.pb").read_bytes())
    replaced = [_replace_in(meta_graph.graph_def) for meta_graph in saved.meta_graphs]
    edited = [edit(meta_graph.graph_def) for meta_graph in saved.meta_graphs] if edit else []
    if not any([*replaced, *edited]):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
        for entry in original.resolve().iterdir():
            if entry.name not in ("saved_model.pb", "fingerprint.pb"):
                (Path(folder) / entry.name).symlink_to(entry)
        (Path(folder) / "saved_model.pb").write_bytes(saved.SerializeToString())
        yield folder


def _has_kernel(op: str) -> bool:
    from tensorflow.python.framework.kernels import get_registered_kernels_for_op

    return bool(get_registered_kernels_for_op(op).kernel)


def _replace_in(graph: Any) -> bool:
    """Replaces what a GraphDef and its functions can't run or print; returns whether it did."""
    bodies = [function.node_def for function in graph.library.function]
    printing = [node for body in [graph.node, *bodies] for node in body if node.op in PRINTING]
    for node in printing:
        _silence(node)
    found = [node for node in graph.node if _is_replaced(node)]
    inner = [[node for node in body if _is_replaced(node)] for body in bodies]
    for function, nodes in zip(list(graph.library.function), inner, strict=True):
        _rename_outputs(function, nodes)
    for node in [*found, *(node for nodes in inner for node in nodes)]:
        _replace(node, graph.library)
    return bool(printing or found) or any(inner)


def _silence(node: Any) -> None:
    """Makes a node that prints hand on what it was given, if anything; the order of steps stays."""
    controls = [source for source in node.input if source.startswith("^")]
    data = [source for source in node.input if not source.startswith("^")]
    dtype, shapes = node.attr["T"], list(node.attr["_output_shapes"].list.shape)
    passed = data[:1] if node.op == "Print" else []
    node.op = PRINTING[node.op]
    dtype = type(dtype).FromString(dtype.SerializeToString())
    node.ClearField("attr")
    node.ClearField("input")
    node.input.extend([*passed, *controls])
    if passed:
        node.attr["T"].CopyFrom(dtype)
        if shapes:
            node.attr["_output_shapes"].list.shape.extend(shapes)


def _is_replaced(node: Any) -> bool:
    return node.op in _REPLACEMENTS and not _has_kernel(node.op)


def _rename_outputs(function: Any, replaced: list[Any]) -> None:
    """Renames outputs: in a function `node:buckets:0`, of a call `node:output:0`."""
    prefixes = {f"{node.name}:{_REPLACEMENTS[node.op][1]}:": node.name for node in replaced}
    for node in function.node_def:
        for index, source in enumerate(node.input):
            for prefix, name in prefixes.items():
                if source.startswith(prefix):
                    node.input[index] = f"{name}:output:{source.removeprefix(prefix)}"


def _replace(node: Any, library: Any) -> None:
    """Makes a node a call of the function that does the same."""
    trace, _ = _REPLACEMENTS[node.op]
    concrete = trace(node)
    if not any(function.signature.name == concrete.name for function in library.function):
        library.function.append(concrete.function_def)
    shapes = node.attr["_output_shapes"].list.shape
    inputs, outputs = concrete.function_def.signature.input_arg, concrete.outputs
    node.op = "PartitionedCall"
    node.ClearField("attr")
    node.attr["f"].func.name = concrete.name
    node.attr["Tin"].list.type.extend(argument.type for argument in inputs)
    node.attr["Tout"].list.type.extend(output.dtype.as_datatype_enum for output in outputs)
    if shapes:
        node.attr["_output_shapes"].list.shape.extend(shapes)


def _bucketize(node: Any) -> Any:
    """Computes BoostedTreesBucketize: the first boundary not below each value, or the last."""
    tf = tensorflow()
    features = node.attr["num_features"].i

    def bucketize(*tensors: Any) -> list[Any]:
        pairs = zip(tensors[:features], tensors[features:], strict=True)
        return [_buckets(values, boundaries) for values, boundaries in pairs]

    specs = [tf.TensorSpec([None], tf.float32)] * (2 * features)
    return tf.function(bucketize, input_signature=specs, autograph=False).get_concrete_function()


def _buckets(values: Any, boundaries: Any) -> Any:
    tf = tensorflow()
    last = tf.maximum(tf.size(boundaries) - 1, 0)
    return tf.minimum(tf.searchsorted(boundaries, values), last)


_REPLACEMENTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "BoostedTreesBucketize": (_bucketize, "buckets"),
}
"""Ops by name: what traces a function in the place of a node, and how the op's output is called."""

PRINTING = {"PrintV2": "NoOp", "Print": "Identity"}
"""Ops that print, and what they become: PrintV2 has no output, Print hands on its first input."""
