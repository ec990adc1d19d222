"""Finds what a SavedModel does outside of TensorFlow, when it is loaded or called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from transforms.saved_models.nodes import Nodes, graph_nodes, walked
from transforms.saved_models.outside_ops import RESTORING, deeds, is_outside
from transforms.wording import switched_on

_TABLE_FROM_FILE = ("InitializeTableFromTextFile", "InitializeTableFromTextFileV2")
_RESOURCE_FUNCTIONS = ("_create_resource", "_initialize", "_destroy_resource")
_PICKLED = "pyfuncs"
"""Where tf.Transform keeps pickled Python functions, and from where it loads them."""

_OLD_ASSETS = "saved_model_assets"
_MAIN_OPS = ("saved_model_main_op", "legacy_init_op")


@dataclass(frozen=True)
class Call:
    """Signatures, as a model has them twice: in its graph and, by TensorFlow 2, as objects.

    Attributes:
      meta_graph: The MetaGraphDef that it is in.
      names: Their names.
      outputs: The nodes of the graph that make their outputs.
      objects: Whether TensorFlow loads the objects, and not the graph.
      functions: Functions of the model that are called and are no signatures, by name.
    """

    meta_graph: Any
    names: tuple[str, ...]
    outputs: list[str]
    objects: bool
    functions: tuple[str, ...] = ()


def check_trusted(call: Call, option: str = "trust_model") -> None:
    """Checks that a model's calls and initialisers keep to TensorFlow and the model's own files.

    A saver that restores the model's weights is fine, and so is a table that is filled from a
    vocabulary among the model's assets.

    Args:
      call: What is called of the model.
      option: What the user sets to trust it.

    Raises:
      ValueError: An op reaches outside. The text names it.
    """
    found = set(_outside(call))
    if _PICKLED in call.meta_graph.collection_def:
        found.add("PyFunc")
    if found:
        raise ValueError(
            f"it {deeds(found)}, which a model could abuse: pass {switched_on(option)} if "
            "you trust who made it, or export it without"
        )


def _outside(call: Call) -> Iterator[str]:
    """Returns the ops outside of TensorFlow that run when the model is loaded and called."""
    meta_graph = call.meta_graph
    graph, bodies = graph_nodes(meta_graph)
    functions, savers = _loading_functions(meta_graph)
    main_ops = [] if call.objects else _main_ops(meta_graph)
    run = [(graph, name) for name in [*call.outputs, *main_ops]]
    run += _inside(bodies, [*functions, *_called_functions(call)])
    reached = list(walked(bodies, run))
    files = _Files(meta_graph, graph, bodies, reached)
    for node, nodes in reached:
        if node.op in _TABLE_FROM_FILE:
            if not files.is_own(node.input[1], nodes):
                yield node.op
        elif is_outside(node):
            yield node.op
    restored = [(graph, meta_graph.saver_def.restore_op_name), *_inside(bodies, savers)]
    for node, _ in walked(bodies, restored):
        if is_outside(node) and not RESTORING.fullmatch(node.op):
            yield node.op


def _inside(bodies: Mapping[str, Nodes], functions: list[str]) -> list[tuple[Nodes, str]]:
    """Returns all nodes of some functions."""
    return [(bodies[name], node) for name in functions if name in bodies for node in bodies[name]]


def _main_ops(meta_graph: Any) -> list[str]:
    """Returns the nodes that TensorFlow runs once the variables are restored."""
    names = [
        name
        for key in _MAIN_OPS
        if key in meta_graph.collection_def
        for name in meta_graph.collection_def[key].node_list.value
    ]
    for key, definition in meta_graph.signature_def.items():
        if key.startswith("__saved_model_"):
            names += [info.name for info in definition.outputs.values()]
    return [name.split(":")[0] for name in names]


def _loading_functions(meta_graph: Any) -> tuple[list[str], list[str]]:
    """Returns the functions that loading calls: savers', and those that make tables."""
    graph = meta_graph.object_graph_def
    functions: list[str] = []
    savers: list[str] = []
    for node in graph.nodes:
        for child in node.children:
            if child.local_name in _RESOURCE_FUNCTIONS:
                functions += _concrete(graph.nodes[child.node_id])
        for saver in node.saveable_objects.values():
            savers += _concrete(graph.nodes[saver.restore_function])
            savers += _concrete(graph.nodes[saver.save_function])
    return functions, savers


def _called_functions(call: Call) -> Iterator[str]:
    """Returns the functions of signatures as objects, which may differ from the graph's."""
    nodes = call.meta_graph.object_graph_def.nodes
    for child in nodes[0].children if nodes else ():
        if child.local_name in call.functions:
            yield from _concrete(nodes[child.node_id])
        if child.local_name == "signatures":
            for signature in nodes[child.node_id].children:
                if signature.local_name in call.names:
                    yield from _concrete(nodes[signature.node_id])


def _concrete(node: Any) -> list[str]:
    """Returns the names of the functions that an object of the graph calls."""
    if node.WhichOneof("kind") == "bare_concrete_function":
        return [node.bare_concrete_function.concrete_function_name]
    return list(node.function.concrete_functions)


class _Files:
    """Returns whether a file's name names an asset of the model."""

    def __init__(
        self,
        meta_graph: Any,
        graph: Nodes,
        bodies: Mapping[str, Nodes],
        reached: list[tuple[Any, Nodes]],
    ) -> None:
        self._graph, self._reached = graph, reached
        self._names = {id(nodes): name for name, nodes in bodies.items()}
        self._functions = {f.signature.name: f for f in meta_graph.graph_def.library.function}
        self._objects = meta_graph.object_graph_def
        self._assets = {
            asset.tensor_info.name.split(":")[0]
            for asset in _assets(meta_graph)
            if _is_inside(asset.filename)
        }
        self._safe_objects = {
            index
            for index, node in enumerate(self._objects.nodes)
            if node.WhichOneof("kind") == "asset"
            and _is_inside(meta_graph.asset_file_def[node.asset.asset_file_def_index].filename)
        }

    def is_own(self, source: str, nodes: Nodes, depth: int = 0) -> bool:
        """Returns whether a tensor can be nothing but the path of an asset.

        Args:
          source: The tensor, as an input of a node names it.
          nodes: The nodes of its graph or function by name.
          depth: How many calls were followed.
        """
        name = source.split(":")[0]
        while name in nodes and nodes[name].op == "Identity":
            name = nodes[name].input[0].split(":")[0]
        if name in nodes:
            return nodes is self._graph and name in self._assets
        function = self._names.get(id(nodes))
        if function is None or depth > len(self._functions):
            return False
        names = [argument.name for argument in self._functions[function].signature.input_arg]
        return name in names and self._given(function, names.index(name), depth + 1)

    def _given(self, function: str, index: int, depth: int) -> bool:
        """Returns whether all callers of a function pass it an asset's path as this argument."""
        given = list(self._bound(function, index))
        given += [
            len(node.input) > index and self.is_own(node.input[index], nodes, depth)
            for node, nodes in self._calls(function)
        ]
        return bool(given) and all(given)

    def _bound(self, function: str, index: int) -> Iterator[bool]:
        """Returns whether the model binds an asset to an argument when it is loaded."""
        concrete = self._objects.concrete_functions
        if function in concrete:
            arguments = len(self._functions[function].signature.input_arg)
            bound = list(concrete[function].bound_inputs)
            place = index - (arguments - len(bound))
            yield place >= 0 and bound[place] in self._safe_objects

    def _calls(self, function: str) -> Iterator[tuple[Any, Nodes]]:
        for node, nodes in self._reached:
            called = [value.func.name for value in node.attr.values() if value.HasField("func")]
            if function in called or node.op == function:
                yield node, nodes


def _assets(meta_graph: Any) -> list[Any]:
    """Returns the files of a model, as AssetFileDefs; TensorFlow 1 kept them in a collection."""
    from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef

    found = list(meta_graph.asset_file_def)
    if _OLD_ASSETS in meta_graph.collection_def:
        for packed in meta_graph.collection_def[_OLD_ASSETS].any_list.value:
            asset = AssetFileDef()
            packed.Unpack(asset)
            found.append(asset)
    return found


def _is_inside(filename: str) -> bool:
    """Returns whether an asset's file is in the model's folder of assets."""
    path = PurePosixPath(filename)
    return (
        bool(filename)
        and not path.is_absolute()
        and ".." not in path.parts
        and "://" not in filename
    )
