"""Looks at what a transform graph does outside of TensorFlow, before it is loaded."""

from inference.handlers.saved_model import meta_graphs, output_nodes
from inference.handlers.trust import Call, check_trusted
from transforms.errors import ConfigError
from transforms.preprocess.graph import saved_graph

FUNCTIONS = ("transform_fn",)
"""What tf.Transform calls the function of a graph that TensorFlow 2 wrote."""


def check_graph(uri: str, option: str = "trust_model") -> None:
    """Checks that loading and applying a transform graph keeps to TensorFlow and its vocabularies.

    Args:
      uri: The graph, as `TransformGraph.read` takes it.
      option: What the user sets to trust it.

    Raises:
      ConfigError: There is no graph, or it runs Python code or reads or writes files.
    """
    path = str(saved_graph(uri))
    found = meta_graphs(path)
    for meta_graph in found:
        objects = len(found) == 1 and meta_graph.HasField("object_graph_def")
        # What is run when it is loaded is looked at for all models.
        names = tuple(n for n in meta_graph.signature_def if not n.startswith("__saved_model_"))
        outputs = [node for n in names for node in output_nodes(meta_graph.signature_def[n])]
        try:
            check_trusted(Call(meta_graph, names, outputs, objects, FUNCTIONS), option)
        except ValueError as error:
            raise ConfigError(f"transform graph {uri}: {error}") from None
