"""Features that were made from others for validation alone."""

from collections.abc import Iterator

from transforms.metadata.protos import schema_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft

_STAGES = (schema_pb2.VALIDATION_DERIVED, schema_pb2.DISABLED)


def derived_source(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a feature that is derived by the data, but not by the schema."""
    source = context.column.stats.validation_derived_source
    if not context.column.stats.HasField("validation_derived_source"):
        return
    if draft.feature.HasField("validation_derived_source"):
        return

    def mend(draft: Draft) -> None:
        draft.feature.validation_derived_source.CopyFrom(source)
        draft.feature.lifecycle_stage = schema_pb2.VALIDATION_DERIVED

    yield Anomaly(
        "DERIVED_FEATURE_INVALID_SOURCE",
        "Derived source not set in schema.",
        "The data says from what it is derived, and the schema does not.",
        mend,
    )


def derived_stage(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a derived feature whose stage in the schema is another."""
    feature = draft.feature
    if feature.HasField("validation_derived_source") and feature.lifecycle_stage not in _STAGES:
        yield Anomaly(
            "DERIVED_FEATURE_BAD_LIFECYCLE",
            "Derived feature has wrong lifecycle.",
            "It is derived, so its lifecycle_stage is VALIDATION_DERIVED or DISABLED.",
            _set_stage,
        )


def _set_stage(draft: Draft) -> None:
    draft.feature.lifecycle_stage = schema_pb2.VALIDATION_DERIVED
