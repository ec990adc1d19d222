"""Images that can't be decoded, or are too large."""

from collections.abc import Iterator

from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft
from transforms.schema.domains import domain_name
from transforms.words import number

_UNKNOWN = "UNKNOWN"  # the format of what is no image


def supported_images(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `image_domain.minimum_supported_image_fraction`, for the formats that were counted."""
    domain = draft.feature.image_domain
    formats = context.column.custom("image_format_histogram")
    if domain_name(draft.feature) != "image_domain" or formats is None:
        return
    if not domain.HasField("minimum_supported_image_fraction"):
        return
    counts = [(each.label, each.sample_count) for each in formats.rank_histogram.buckets]
    total = sum(count for _, count in counts)
    if total <= 0:
        return
    fraction = sum(count for label, count in counts if label != _UNKNOWN) / total
    if fraction >= domain.minimum_supported_image_fraction:
        return

    def mend(draft: Draft) -> None:
        draft.feature.image_domain.minimum_supported_image_fraction = fraction

    asked = number(domain.minimum_supported_image_fraction)
    yield Anomaly(
        "LOW_SUPPORTED_IMAGE_FRACTION",
        "Low supported image fraction",
        f"A share of {number(fraction)} is images that TensorFlow reads; "
        f"expected at least {asked}.",
        mend,
    )


def image_bytes(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `image_domain.max_image_byte_size`."""
    domain = draft.feature.image_domain
    if domain_name(draft.feature) != "image_domain" or not domain.HasField("max_image_byte_size"):
        return
    largest = context.column.stats.bytes_stats.max_num_bytes_int
    if largest <= domain.max_image_byte_size:
        return

    def mend(draft: Draft) -> None:
        draft.feature.image_domain.max_image_byte_size = largest

    yield Anomaly(
        "MAX_IMAGE_BYTE_SIZE_EXCEEDED",
        "Num bytes exceeds the max byte size.",
        f"The largest has {largest} bytes; expected at most {domain.max_image_byte_size}.",
        mend,
    )
