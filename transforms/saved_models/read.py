"""Reads the graphs of a SavedModel from its file, without loading it."""

from pathlib import Path
from typing import Any

from transforms.errors import ConfigError
from transforms.tensorflow import tensorflow

GRAPH = "saved_model.pb"


def meta_graphs(path: str, what: str) -> list[Any]:
    """Returns the graphs of a SavedModel, at least one.

    Args:
      path: A local directory.
      what: How it is named in errors.

    Raises:
      ConfigError: Its file is damaged, or holds none.
    """
    tensorflow()
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    try:
        saved = SavedModel.FromString((Path(path) / GRAPH).read_bytes())
    except DecodeError as error:
        raise ConfigError(f"{what}: its {GRAPH} is damaged: {error}") from error
    graphs = list(saved.meta_graphs)
    if not graphs:
        raise ConfigError(f"{what}: its {GRAPH} holds no graph")
    return graphs


def output_nodes(definition: Any) -> list[str]:
    """Returns the nodes that make a signature's outputs; several for sparse and ragged ones."""
    names = []
    for info in definition.outputs.values():
        sparse = info.coo_sparse
        parts = [sparse.values_tensor_name, sparse.indices_tensor_name]
        parts += [sparse.dense_shape_tensor_name, info.name]
        parts += [part.name for part in info.composite_tensor.components]
        names += [name.split(":")[0] for name in parts if name]
    return names
