"""Environments: the kinds of data that one schema serves, such as TRAINING and SERVING."""

from collections.abc import Collection

from transforms.errors import ConfigError
from transforms.metadata.paths import walk_features
from transforms.metadata.protos import schema_pb2
from transforms.nearest import nearest_column
from transforms.schema.lifecycle import is_checked


def environments_of(schema: schema_pb2.Schema) -> list[str]:
    """Returns the environments of a schema: the default ones, and those that features name."""
    names = dict.fromkeys(schema.default_environment)
    for _, feature in walk_features(schema):
        names.update(dict.fromkeys(feature.in_environment))
    return list(names)


def check_environment(schema: schema_pb2.Schema, environment: str | None) -> None:
    """Makes sure that a schema knows an environment; None is any.

    Raises:
      ConfigError: It does not; the text names the nearest that it knows.
    """
    known = environments_of(schema)
    if environment is None or environment in known:
        return
    listed = ", ".join(known) or "none; add `default_environment` to it"
    meant = nearest_column(environment, known)
    raise ConfigError(
        f"environment {environment!r} is not in the schema{meant} (its environments: {listed})"
    )


def in_environment(
    feature: schema_pb2.Feature, environment: str | None, defaults: Collection[str]
) -> bool:
    """Returns whether data of an environment has a feature.

    Args:
      feature: Of the schema.
      environment: Of the data; None has every feature.
      defaults: The schema's default environments: they have every feature that does not say no.
    """
    if environment is None or environment in feature.in_environment:
        return True
    return environment not in feature.not_in_environment and environment in defaults


def is_required(
    feature: schema_pb2.Feature, environment: str | None, defaults: Collection[str]
) -> bool:
    """Returns whether data of an environment must have a feature in some row."""
    presence = feature.presence
    asked = presence.min_count > 0 or presence.min_fraction > 0
    return is_checked(feature) and asked and in_environment(feature, environment, defaults)
