"""Integers outside their range, and texts that are no integers."""

from collections.abc import Iterator

from transforms.metadata.columns import INT64, Column
from transforms.metadata.protos import schema_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft
from transforms.schema.anomalies.mends import drop_domain
from transforms.schema.domains import domain_name
from transforms.schema.spelling import parse_int
from transforms.words import quoted

_OUTSIDE = "Out-of-range values"


def int_domain(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `int_domain`: the range of integers, also of those written as text."""
    if domain_name(draft.feature) != "int_domain":
        return
    domain, column = draft.feature.int_domain, context.column
    strange = next((text for text in sorted(column.counts) if parse_int(text) is None), None)
    if strange is not None and column.kind == schema_pb2.BYTES:
        text = f"Some texts are no integers, such as {quoted(strange)}."
        yield Anomaly("INT_TYPE_NOT_INT_STRING", "Invalid values", text, drop_domain)
        return
    bounded = domain.HasField("min") or domain.HasField("max")
    if bounded and column.kind == schema_pb2.INT and not _fit_int64(column):
        yield Anomaly(
            "DOMAIN_INVALID_FOR_TYPE", "Invalid values", "Some do not fit in int64.", drop_domain
        )
        return
    found = int_range(column)
    if found is not None:
        yield from _outside(domain, *found)


def _fit_int64(column: Column) -> bool:
    if column.counts:
        return all(parse_int(text) is not None for text in column.counts)
    # As doubles: the greatest int64 itself may read as 2^63.
    return bool(column.numbers.min >= INT64[0] and column.numbers.max <= float(INT64[1]))


def int_range(column: Column) -> tuple[int, int] | None:
    """Returns the least and greatest integer of a column, also if written as text or category."""
    if column.counts:
        values = [value for value in map(parse_int, column.counts) if value is not None]
        return (min(values), max(values)) if values else None
    return column.int_range if column.kind == schema_pb2.INT and column.has_values else None


def _outside(domain: schema_pb2.IntDomain, least: int, most: int) -> Iterator[Anomaly]:
    def lower(draft: Draft) -> None:
        draft.feature.int_domain.min = least

    def raise_(draft: Draft) -> None:
        draft.feature.int_domain.max = most

    if domain.HasField("min") and least < domain.min:
        text = f"The least is {least}; expected at least {domain.min}."
        yield Anomaly("INT_TYPE_SMALL_INT", _OUTSIDE, text, lower)
    if domain.HasField("max") and most > domain.max:
        text = f"The greatest is {most}; expected at most {domain.max}."
        yield Anomaly("INT_TYPE_BIG_INT", _OUTSIDE, text, raise_)
