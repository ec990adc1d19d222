"""Finds which features a SavedModel parses from serialized tf.Examples.

TensorFlow's parsers take the keys and types of the features from constants and attributes of the
graph, so a launcher can know them: to check the columns before any row moves, and to encode only
the columns that the model reads.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from inference.handlers.saved_graph import shape_of
from inference.signature.spec import Layout, TensorSpec
from transforms.saved_models.nodes import Nodes


def parsed_features(reached: Iterable[tuple[Any, Nodes]]) -> tuple[TensorSpec, ...] | None:
    """Returns the features that a graph parses, in the order of their names.

    Args:
      reached: The nodes that run, each with its graph's nodes by name.

    Returns: None if nothing is parsed; empty if something is but the keys are not constants.
    """
    parsers = [(node, nodes) for node, nodes in reached if node.op in _READERS]
    if not parsers:
        return None
    found: dict[str, TensorSpec] = {}
    try:
        for node, nodes in parsers:
            for spec in _READERS[node.op](node, nodes):
                found.setdefault(spec.name, spec)
    except LookupError:
        return ()
    return tuple(found[name] for name in sorted(found))


def _parse_example_v2(node: Any, nodes: Nodes) -> Iterator[TensorSpec]:
    """Reads ParseExampleV2(serialized, names, sparse, dense, ragged keys, dense_defaults)."""
    sparse, dense, ragged = (_keys(source, nodes) for source in node.input[2:5])
    yield from _lists(sparse, node.attr["sparse_types"], Layout.SPARSE)
    yield from _lists(ragged, node.attr["ragged_value_types"], Layout.RAGGED)
    yield from _dense(node, dense, node.input[5:], nodes)


def _parse_example(node: Any, nodes: Nodes) -> Iterator[TensorSpec]:
    """Reads ParseExample(serialized, names, *sparse_keys, *dense_keys, *dense_defaults)."""
    sparse, dense = node.attr["Nsparse"].i, node.attr["Ndense"].i
    keys = [key for source in node.input[2 : 2 + sparse + dense] for key in _keys(source, nodes)]
    yield from _lists(keys[:sparse], node.attr["sparse_types"], Layout.SPARSE)
    yield from _dense(node, keys[sparse:], node.input[2 + sparse + dense :], nodes)


def _parse_single_example(node: Any, nodes: Nodes) -> Iterator[TensorSpec]:
    """Reads ParseSingleExample(serialized, *dense_defaults), with its keys as attributes."""
    sparse, dense = ([key.decode() for key in node.attr[name].list.s] for name in _SINGLE_KEYS)
    yield from _lists(sparse, node.attr["sparse_types"], Layout.SPARSE)
    yield from _dense(node, dense, node.input[1:], nodes)


_SINGLE_KEYS = ("sparse_keys", "dense_keys")
_READERS = {
    "ParseExample": _parse_example,
    "ParseExampleV2": _parse_example_v2,
    "ParseSingleExample": _parse_single_example,
}


def _lists(keys: list[str], types: Any, layout: Layout) -> Iterator[TensorSpec]:
    for key, dtype in zip(keys, types.list.type, strict=True):
        splits = 1 if layout == Layout.RAGGED else 0
        yield TensorSpec(key, _dtype(dtype), (None, None), layout, splits=splits, required=False)


def _dense(
    node: Any, keys: list[str], defaults: Iterable[str], nodes: Nodes
) -> Iterator[TensorSpec]:
    """Features of a fixed shape. One without a default must be in every row."""
    types, shapes = node.attr["Tdense"].list.type, node.attr["dense_shapes"].list.shape
    for key, dtype, shape, default in zip(keys, types, shapes, defaults, strict=True):
        sizes = shape_of(shape) or ()
        yield TensorSpec(
            key,
            _dtype(dtype),
            (None, *sizes),
            required=None not in sizes and _is_empty(default, nodes),
        )


def _is_empty(source: str, nodes: Nodes) -> bool:
    """Returns whether a default is the constant without values, which means no default."""
    try:
        return bool(_constant(source, nodes).size == 0)
    except LookupError:
        return False


def _keys(source: str, nodes: Nodes) -> list[str]:
    return [bytes(key).decode() for key in _constant(source, nodes).ravel()]


def _constant(source: str, nodes: Nodes) -> Any:
    """Returns the value of a constant node.

    Raises:
      LookupError: The source is no constant.
    """
    from tensorflow.python.framework.tensor_util import MakeNdarray

    node = nodes[source.lstrip("^").split(":")[0]]
    while node.op == "Identity":
        node = nodes[node.input[0].split(":")[0]]
    if node.op != "Const":
        raise LookupError(node.name)
    return MakeNdarray(node.attr["value"].tensor)


def _dtype(number: int) -> str:
    import tensorflow as tf

    return str(tf.dtypes.as_dtype(number).name)
