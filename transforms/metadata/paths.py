"""Where a feature is: the steps from the row down to it, and their text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from transforms.metadata.protos import schema_pb2

Path = tuple[str, ...]
"""Names from the top level down, such as `("trip", "fare")`."""

_PLAIN = re.compile(r"\([^()]*\)|[^().']+")


def path_text(path: Path) -> str:
    """Returns a path as TFDV's anomalies write it: joined by dots, a step with a dot in quotes."""
    return ".".join(
        step if _PLAIN.fullmatch(step) else "'" + step.replace("'", "''") + "'" for step in path
    )


def walk_features(
    schema: schema_pb2.Schema | schema_pb2.StructDomain, above: Path = ()
) -> Iterator[tuple[Path, schema_pb2.Feature]]:
    """Yields every feature of a schema with its path, parents before their children."""
    for feature in schema.feature:
        path = (*above, feature.name)
        yield path, feature
        if feature.HasField("struct_domain"):
            yield from walk_features(feature.struct_domain, path)


@dataclass(frozen=True)
class Index:
    """What a schema holds, by path; a change of a message changes the schema.

    Attributes:
      features: Of one path the first, as there should be no other.
      sparse: Sparse features.
      weighted: Weighted features: all at the top level.
      domains: Shared string domains, by name.
    """

    features: dict[Path, schema_pb2.Feature]
    sparse: dict[Path, schema_pb2.SparseFeature]
    weighted: dict[Path, schema_pb2.WeightedFeature]
    domains: dict[str, schema_pb2.StringDomain]


def index_of(schema: schema_pb2.Schema) -> Index:
    """Returns an index of everything in a schema that has a path or a name."""
    features: dict[Path, schema_pb2.Feature] = {}
    sparse: dict[Path, schema_pb2.SparseFeature] = {}
    for each in schema.sparse_feature:
        sparse.setdefault((each.name,), each)
    for path, feature in walk_features(schema):
        features.setdefault(path, feature)
        for each in feature.struct_domain.sparse_feature:
            sparse.setdefault((*path, each.name), each)
    weighted: dict[Path, schema_pb2.WeightedFeature] = {
        (each.name,): each for each in reversed(schema.weighted_feature)
    }
    domains = {each.name: each for each in reversed(schema.string_domain)}
    return Index(features, sparse, weighted, domains)
