"""Reads the graph of a SavedModel: the structure of a signature's inputs, and what it runs.

A signature is saved flat: a sparse tensor as three inputs and a dict of features as `inputs`,
`inputs_1`, ... The function that it wraps was saved with its structure, so the names of the
features are found by following the calls from the signature's placeholders to that function.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inference.signature.spec import Layout, Shape
from transforms.saved_models.nodes import producer


@dataclass(frozen=True)
class Leaf:
    """One tensor of a function's structured arguments.

    Attributes:
      key: The key under which a dict holds it, None outside of dicts.
      name: The name that its author gave it, if any.
      layout: Dense, sparse or ragged.
      shape: Its sizes, None if its rank is unknown.
      splits: How many levels have row splits, if ragged.
    """

    key: str | None
    name: str
    layout: Layout
    shape: Shape | None
    splits: int = 0

    @property
    def parts(self) -> int:
        """How many tensors it is passed as."""
        return {Layout.DENSE: 1, Layout.SPARSE: 3, Layout.RAGGED: 1 + self.splits}[self.layout]


def shape_of(proto: Any) -> Shape | None:
    """Returns a TensorShapeProto as sizes."""
    if proto.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in proto.dim)


def structure(meta_graph: Any, placeholders: Mapping[str, str]) -> list[tuple[Leaf, list[str]]]:
    """Returns the structured arguments of the function behind a signature.

    Args:
      meta_graph: A MetaGraphDef.
      placeholders: The signature's flat input names by the names of their placeholder nodes.

    Returns: Each tensor with the flat inputs that it is passed as. Empty where the model does not
      say: TF1 exports, and functions that are called in a way not understood here.
    """
    functions = {f.signature.name: f for f in meta_graph.graph_def.library.function}
    known = meta_graph.object_graph_def.concrete_functions
    names, nodes = dict(placeholders), meta_graph.graph_def.node
    leaves: list[tuple[Leaf, list[str]]] = []
    for _ in ("to the signature's flat wrapper", "from it to the function that was saved"):
        call = _call(nodes, names)
        if call is None:
            break
        callee = call.attr["f"].func.name
        flat = [names.get(producer(source)) for source in call.input]
        if callee in known:
            leaves = _paired(known[callee].canonicalized_input_signature, flat) or leaves
        arguments = [arg.name for arg in functions[callee].signature.input_arg]
        pairs = zip(arguments, flat, strict=True)
        names = {argument: name for argument, name in pairs if name is not None}
        nodes = functions[callee].node_def
    return leaves


def _call(nodes: Any, names: Mapping[str, str]) -> Any:
    """Returns the call of a function that takes all of these tensors."""
    for node in nodes:
        sources = {producer(source) for source in node.input}
        if node.op in ("PartitionedCall", "StatefulPartitionedCall") and sources >= set(names):
            return node
    return None


def _paired(signature: Any, flat: list[str | None]) -> list[tuple[Leaf, list[str]]]:
    """Returns the leaves with the flat inputs that feed them; empty if they don't fit together."""
    leaves = list(_leaves(signature, None))
    inputs = flat[: sum(leaf.parts for leaf in leaves)]
    if len(inputs) < sum(leaf.parts for leaf in leaves):
        return []
    paired, rest = [], iter(inputs)
    for leaf in leaves:
        names = [next(rest) for _ in range(leaf.parts)]
        if None in names:
            return []
        paired.append((leaf, [name for name in names if name is not None]))
    return paired


def _leaves(value: Any, key: str | None) -> Iterator[Leaf]:
    """Returns the tensors of a StructuredValue, in the order in which TensorFlow flattens them."""
    kind = value.WhichOneof("kind")
    if kind == "dict_value":
        for name in sorted(value.dict_value.fields):
            yield from _leaves(value.dict_value.fields[name], name)
    elif kind in ("tuple_value", "list_value"):
        for item in getattr(value, kind).values:
            yield from _leaves(item, key)
    elif kind == "named_tuple_value":
        for pair in value.named_tuple_value.values:
            yield from _leaves(pair.value, pair.key)
    elif kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        spec = getattr(value, kind)
        yield Leaf(key, spec.name, Layout.DENSE, shape_of(spec.shape))
    elif kind == "type_spec_value":
        yield composite(value.type_spec_value, key)


def composite(spec: Any, key: str | None = None) -> Leaf:
    """Returns a TypeSpecProto of a sparse or ragged tensor as a leaf.

    Raises:
      ValueError: It is another kind of value.
    """
    state = spec.type_state.tuple_value.values
    if spec.type_spec_class == spec.SPARSE_TENSOR_SPEC:
        return Leaf(key, "", Layout.SPARSE, shape_of(state[0].tensor_shape_value))
    if spec.type_spec_class == spec.RAGGED_TENSOR_SPEC:
        shape, splits = shape_of(state[0].tensor_shape_value), state[2].int64_value
        return Leaf(key, "", Layout.RAGGED, shape, splits)
    raise ValueError(f"a {spec.type_spec_class_name}, which no column can hold")
