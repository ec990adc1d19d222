"""Products of matrices in 16 bits: the ops of a SavedModel that gain from it, and no other.

Each of them becomes a call of a function that casts its inputs, multiplies, and casts the result
back. So what a model takes, adds up, normalises and gives stays in 32 bits: as in mixed precision
of Micikevicius et al. (2018), for inference.
"""

from collections.abc import Callable
from typing import Any, Final

from transforms.tensorflow import tensorflow

OUTPUTS: Final = {
    "MatMul": "product",
    "BatchMatMulV2": "output",
    "Conv2D": "output",
    "DepthwiseConv2dNative": "output",
    "Conv3D": "output",
}
"""Ops that multiply matrices, and how they call their output."""

_TRANSPOSED: Final = ("transpose_a", "transpose_b", "adj_x", "adj_y")
_LISTS: Final = ("strides", "explicit_paddings", "dilations")
_TEXTS: Final = ("padding", "data_format")


def halve(graph: Any, precision: str) -> int:
    """Has a graph multiply matrices in 16 bits.

    Args:
      graph: A GraphDef; it is changed, and the functions of its library too.
      precision: "float16" or "bfloat16".

    Returns: How many ops were replaced.
    """
    bodies = [graph.node, *(function.node_def for function in graph.library.function)]
    found = [[node for node in body if _multiplies(node)] for body in bodies]
    for function, nodes in zip(list(graph.library.function), found[1:], strict=True):
        _rename_outputs(function, nodes)
    known: dict[str, Any] = {}
    for node in (node for nodes in found for node in nodes):
        _replace(node, graph.library, known, precision)
    return sum(map(len, found))


def _multiplies(node: Any) -> bool:
    return node.op in OUTPUTS and node.attr["T"].type == tensorflow().float32.as_datatype_enum


def _rename_outputs(function: Any, nodes: list[Any]) -> None:
    """Renames outputs: in a function `node:product:0`, of a call `node:output:0`."""
    renamed = {f"{node.name}:{OUTPUTS[node.op]}:0": f"{node.name}:output:0" for node in nodes}
    for node in function.node_def:
        for index, source in enumerate(node.input):
            if source in renamed:
                node.input[index] = renamed[source]
    for name, source in function.ret.items():
        function.ret[name] = renamed.get(source, source)


def _replace(node: Any, library: Any, known: dict[str, Any], precision: str) -> None:
    """Makes a node a call of the function that does the same in 16 bits."""
    attributes = dict(_attributes(node))
    key = repr((node.op, sorted(attributes.items())))
    if key not in known:
        known[key] = _traced(node.op, attributes, precision)
        library.function.append(known[key].function_def)
    shapes = list(node.attr["_output_shapes"].list.shape)
    number = tensorflow().float32.as_datatype_enum
    node.op = "PartitionedCall"
    node.ClearField("attr")
    node.attr["f"].func.name = known[key].function_def.signature.name
    node.attr["Tin"].list.type.extend([number, number])
    node.attr["Tout"].list.type.extend([number])
    if shapes:
        node.attr["_output_shapes"].list.shape.extend(shapes)


def _attributes(node: Any) -> Any:
    for name in (*_TRANSPOSED, *_LISTS, *_TEXTS):
        if name in node.attr:
            value = node.attr[name]
            if name in _TRANSPOSED:
                yield name, bool(value.b)
            elif name in _LISTS:
                yield name, tuple(value.list.i)
            else:
                yield name, value.s.decode()


def _traced(op: str, attributes: dict[str, Any], precision: str) -> Any:
    tf = tensorflow()
    half = tf.as_dtype(precision)
    given = {name: list(v) if isinstance(v, tuple) else v for name, v in attributes.items()}
    multiply: Callable[..., Any] = _raw(op, given)

    def halved(left: Any, right: Any) -> Any:
        return tf.cast(multiply(tf.cast(left, half), tf.cast(right, half)), tf.float32)

    specs = [tf.TensorSpec(None, tf.float32)] * 2
    return tf.function(halved, input_signature=specs, autograph=False).get_concrete_function()


def _raw(op: str, attributes: dict[str, Any]) -> Callable[..., Any]:
    raw = getattr(tensorflow().raw_ops, op)
    names = {"MatMul": ("a", "b"), "BatchMatMulV2": ("x", "y")}.get(op, ("input", "filter"))
    return lambda *operands: raw(**dict(zip(names, operands, strict=True)), **attributes)
