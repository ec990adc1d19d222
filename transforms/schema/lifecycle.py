"""Stages of a feature's life: which of them are checked."""

from transforms.metadata.protos import schema_pb2

UNCHECKED = frozenset(
    {
        schema_pb2.PLANNED,
        schema_pb2.ALPHA,
        schema_pb2.DEPRECATED,
        schema_pb2.DEBUG_ONLY,
        schema_pb2.DISABLED,
    }
)
"""Stages in which data may have the feature or not, and in any form."""


def is_checked(feature: schema_pb2.Feature) -> bool:
    """Returns whether data must meet what a feature, sparse or weighted feature demands."""
    return not (getattr(feature, "deprecated", False) or feature.lifecycle_stage in UNCHECKED)


def deprecate(feature: schema_pb2.Feature) -> None:
    """Takes a feature out of all checks."""
    feature.lifecycle_stage = schema_pb2.DEPRECATED
