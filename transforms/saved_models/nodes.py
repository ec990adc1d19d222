"""Walks the graph of a SavedModel: the nodes that are run, also in functions that are called."""

from collections.abc import Iterator, Mapping
from typing import Any

Nodes = Mapping[str, Any]


def producer(source: str) -> str:
    """Returns the node behind a node's input, such as `x:output:0`, `x:0` or `^x`."""
    return source.lstrip("^").split(":")[0]


def reached(meta_graph: Any, outputs: list[str]) -> Iterator[tuple[Any, Nodes]]:
    """Returns the nodes that some outputs need, also in the functions that they call.

    Args:
      meta_graph: A MetaGraphDef.
      outputs: Names of nodes of its graph.

    Yields: A node, and the nodes of its graph or function by name.
    """
    graph, bodies = graph_nodes(meta_graph)
    yield from walked(bodies, [(graph, name) for name in outputs])


def graph_nodes(meta_graph: Any) -> tuple[Nodes, dict[str, Nodes]]:
    """Returns the nodes of a graph and of its functions, by name."""
    graph = {node.name: node for node in meta_graph.graph_def.node}
    functions = meta_graph.graph_def.library.function
    return graph, {f.signature.name: {node.name: node for node in f.node_def} for f in functions}


def walked(
    bodies: Mapping[str, Nodes], waiting: list[tuple[Nodes, str]]
) -> Iterator[tuple[Any, Nodes]]:
    """Returns the nodes that some nodes need, also in the functions that they call.

    Args:
      bodies: The nodes of each function by name.
      waiting: Where to begin: the nodes of a graph or function, and a node's name.

    Yields: As `reached` does; the nodes are the very objects that were given.
    """
    called: set[str] = set()
    seen: set[tuple[int, str]] = set()
    while waiting:
        nodes, name = waiting.pop()
        if (id(nodes), name) in seen or name not in nodes:
            continue
        seen.add((id(nodes), name))
        node = nodes[name]
        yield node, nodes
        waiting += [(nodes, producer(source)) for source in node.input]
        for callee in _callees(node):
            if callee in bodies and callee not in called:
                called.add(callee)
                waiting += [(bodies[callee], inner) for inner in bodies[callee]]


def _callees(node: Any) -> Iterator[str]:
    """Returns the functions that a node may call: in graphs of TensorFlow 1 the node is one."""
    yield node.op
    for attribute in node.attr.values():
        if attribute.HasField("func"):
            yield attribute.func.name
        for function in attribute.list.func:
            yield function.name
