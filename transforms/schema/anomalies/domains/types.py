"""Whether the data is of the type that the schema says."""

from collections.abc import Iterator

from transforms.metadata.protos import schema_pb2, statistics_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft
from transforms.schema.anomalies.mends import drop_domain, give_up
from transforms.schema.domains import OF_RAW_BYTES, domain_name


def data_type(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports data of another type."""
    if context.column.kind != draft.feature.type:
        expected = schema_pb2.FeatureType.Name(draft.feature.type)
        yield Anomaly(
            "UNEXPECTED_DATA_TYPE",
            "Unexpected data type",
            f"Expected is {expected}; the data is {context.column.type_name}.",
            give_up,
        )


def raw_bytes(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a domain of texts for data that is not text."""
    held = domain_name(draft.feature)
    if context.column.stats.type != statistics_pb2.FeatureNameStatistics.BYTES:
        return
    if held is not None and held not in OF_RAW_BYTES:
        yield Anomaly(
            "DOMAIN_INVALID_FOR_TYPE",
            "Invalid domain type",
            f"The data is bytes, not text: {held} can't hold it.",
            drop_domain,
        )
