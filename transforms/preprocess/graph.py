"""A frozen transform graph: what tf.Transform's analysis leaves, read and loaded."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.errors import ConfigError
from transforms.files.local_copy import local_path
from transforms.nearest import nearest_column
from transforms.preprocess.columns import DENSE, RAGGED, SPARSE, RawColumns, RawFeature
from transforms.preprocess.manifest import check_manifest
from transforms.preprocess.saved_function import TransformFunction, load_function
from transforms.preprocess.trusted import check_graph
from transforms.tensorflow import tensorflow

SAVED, RAW_SCHEMA = "transform_fn", "metadata/schema.pbtxt"


@dataclass(frozen=True)
class TransformGraph:
    """A frozen transform graph, read once in the launcher and shipped to workers. It holds no ops.

    Attributes:
      uri: Its folder, local or gs://: one that has `transform_fn/`, or a SavedModel itself.
      version: A hash of its graph, constants and vocabularies.
      columns: What it takes; those that its outputs depend on are used.
      outputs: The names of its outputs, in the order of the columns that they become.
      trusted: Whether it may reach outside of TensorFlow: to files, to Python.
    """

    uri: str
    version: str
    columns: RawColumns
    outputs: tuple[str, ...]
    trusted: bool = False

    @classmethod
    def read(
        cls, uri: str, trust_graph: bool = False, option: str = "trust_graph"
    ) -> "TransformGraph":
        """Reads a transform graph.

        Args:
          uri: `transform_graph/` as tf.Transform, TFX and the preprocess job write it.
          trust_graph: Lets the graph reach outside of TensorFlow: read and write files, run Python
            code. Trust who made it.
          option: What the user sets for that, as the error names it.

        Raises:
          ConfigError: There is none, a file of it is cut short or changed, TensorFlow can't load
            it, or it reaches outside without being trusted.
        """
        uri = uri.rstrip("/")
        path = saved_graph(uri)
        check_manifest(path, uri)
        if not trust_graph:
            check_graph(str(path), uri, option)
        version = _digest(path)
        loaded = load_function(str(path), version)
        outputs = tuple(sorted(loaded.outputs))
        columns = _columns(loaded, _raw_schema(path))
        return cls(uri, version, columns.only(loaded.needed(outputs)), outputs, trust_graph)

    def function(self, option: str = "trust_graph") -> TransformFunction:
        """Loads its graph; once in a process.

        Args:
          option: What the user sets to trust it.

        Raises:
          ConfigError: See `read`; the machine that runs it looks at it again.
        """
        path = saved_graph(self.uri)
        check_manifest(path, self.uri)
        if not self.trusted:
            check_graph(str(path), self.uri, option)
        return load_function(str(path), self.version)


def saved_graph(uri: str) -> Path:
    """Returns the SavedModel of a transform graph, on this machine.

    Raises:
      ConfigError: There is none.
    """
    path = local_path(uri)
    for place in (path / SAVED, path):
        if (place / "saved_model.pb").exists():
            return place
    inside = path / "transform_graph"
    hint = f"; did you mean {uri}/transform_graph?" if inside.is_dir() else ""
    found = "holds no transform_fn/" if path.exists() else "does not exist"
    raise ConfigError(f"--transform_graph: {uri} {found}, so it is no transform graph{hint}")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    files = [path / "saved_model.pb", path / "variables" / "variables.index"]
    assets = sorted((path / "assets").glob("**/*")) if (path / "assets").is_dir() else []
    for file in [*files, *assets]:
        if file.is_file():
            digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _raw_schema(path: Path) -> Any:
    """Returns the schema of the raw data beside a graph, or None."""
    from transforms.schema.files import read_metadata

    schema = path.parent / RAW_SCHEMA
    return read_metadata(str(schema)) if path.name == SAVED and schema.exists() else None


def _columns(function: TransformFunction, schema: Any) -> RawColumns:
    """Returns the columns for a graph's inputs, with the defaults of its schema."""
    told = {}
    if schema is not None:
        told = {each.name: each for each in RawColumns.of_schema(schema).features}
    features = [_raw_feature(name, value) for name, value in sorted(function.inputs.items())]
    features = [_with_default(feature, told.get(feature.name)) for feature in features]
    return RawColumns(tuple(features), frozenset(function.inputs))


def _with_default(feature: RawFeature, told: RawFeature | None) -> RawFeature:
    same = told is not None and (told.kind, told.dtype, told.shape) == (
        feature.kind,
        feature.dtype,
        feature.shape,
    )
    return told if told is not None and same else feature


def _raw_feature(name: str, value: Any) -> RawFeature:
    from tensorflow_metadata.proto.v0 import schema_pb2

    tf, made = tensorflow(), schema_pb2.TensorRepresentation()
    shape: tuple[int, ...] = ()
    if isinstance(value, tf.SparseTensor):
        kind = SPARSE
        made.varlen_sparse_tensor.column_name = name
    elif isinstance(value, tf.RaggedTensor):
        kind = RAGGED
        made.ragged_tensor.feature_path.step.append(name)
        made.ragged_tensor.row_partition_dtype = schema_pb2.TensorRepresentation.INT64
    else:
        kind, shape = DENSE, tuple(value.shape.as_list()[1:])
        made.dense_tensor.column_name = name
        made.dense_tensor.shape.SetInParent()
        for size in shape:
            made.dense_tensor.shape.dim.add(size=size)
    return RawFeature(
        name, value.dtype.name, kind, shape, made.SerializeToString(deterministic=True)
    )


def check_outputs(graph: TransformGraph, names: Iterable[str]) -> None:
    """Checks that a transform graph has some outputs.

    Raises:
      ConfigError: It lacks one; the text names the nearest.
    """
    for name in names:
        if name not in graph.outputs:
            near = nearest_column(name, graph.outputs)
            raise ConfigError(
                f"transform graph {graph.uri} makes no {name!r}{near}; it makes "
                f"{', '.join(graph.outputs)}"
            )
