"""Looks at what a transform graph does outside of TensorFlow, before it is loaded."""

from transforms.errors import ConfigError
from transforms.saved_models.read import meta_graphs, output_nodes
from transforms.saved_models.trust import Call, check_trusted

FUNCTIONS = ("transform_fn",)
"""What tf.Transform calls the function of a graph that TensorFlow 2 wrote."""


def check_graph(path: str, uri: str, option: str) -> None:
    """Checks that loading and applying a transform graph keeps to TensorFlow and its vocabularies.

    Args:
      path: Its SavedModel, a local directory.
      uri: How the user named it.
      option: What the user sets to trust it.

    Raises:
      ConfigError: It is damaged, runs Python code, or reads or writes files.
    """
    found = meta_graphs(path, f"transform graph {uri}")
    for meta_graph in found:
        objects = len(found) == 1 and meta_graph.HasField("object_graph_def")
        # What is run when it is loaded is looked at for all models.
        names = tuple(n for n in meta_graph.signature_def if not n.startswith("__saved_model_"))
        outputs = [node for n in names for node in output_nodes(meta_graph.signature_def[n])]
        try:
            check_trusted(Call(meta_graph, names, outputs, objects, FUNCTIONS), option)
        except ValueError as error:
            raise ConfigError(f"transform graph {uri}: {error}") from None
