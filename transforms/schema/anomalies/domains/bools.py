"""Values of a bool domain that are neither true nor false."""

import math
from collections.abc import Iterator

from transforms.distances.mass import FINE_HISTOGRAM
from transforms.metadata.columns import Column
from transforms.metadata.long_texts import as_counted
from transforms.metadata.protos import schema_pb2, statistics_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft, Mend
from transforms.schema.anomalies.domains.ints import int_range
from transforms.schema.anomalies.mends import drop_domain
from transforms.schema.domains import domain_name
from transforms.words import number, quoted

_SHORT = "Non-boolean values"


def bool_domain(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `bool_domain`: 0 and 1, or the two texts that it names."""
    if domain_name(draft.feature) != "bool_domain":
        return
    if context.column.kind == schema_pb2.INT:
        yield from _ints(context.column)
    elif context.column.kind == schema_pb2.FLOAT:
        yield from _floats(context.column)
    elif context.column.kind == schema_pb2.BYTES:
        yield from _texts(draft.feature.bool_domain, context.column)


def _ints(column: Column) -> Iterator[Anomaly]:
    least, most = int_range(column) or (0, 0)
    mend = _to_ints(least, most)
    if least < 0:
        text = f"Some are neither 0 nor 1, such as {least}."
        yield Anomaly("BOOL_TYPE_SMALL_INT", _SHORT, text, mend)
    elif most > 1:
        text = f"Some are neither 0 nor 1, such as {most}."
        yield Anomaly("BOOL_TYPE_BIG_INT", _SHORT, text, mend)


def _floats(column: Column) -> Iterator[Anomaly]:
    why = _odd_float(column)
    if why is not None:
        least, most = column.numbers.min, column.numbers.max
        text = f"Some are neither 0 nor 1, {why}."
        yield Anomaly("BOOL_TYPE_UNEXPECTED_FLOAT", _SHORT, text, _to_floats(least, most))


def _odd_float(column: Column) -> str | None:
    for value in (column.numbers.min, column.numbers.max):
        if value not in (0, 1):
            return f"such as {number(value)}"
    if column.has_nan:
        return "such as NaN"
    # Bins of equal width may hold nothing at their edges; quantiles are values of the data.
    quantiles = statistics_pb2.Histogram.QUANTILES
    histograms = [each for each in column.numbers.histograms if each.type == quantiles]
    fine = column.custom(FINE_HISTOGRAM)
    between = any(
        bucket.low_value > 0 and bucket.high_value < 1 and bucket.sample_count > 0
        for histogram in (*histograms, *([fine.histogram] if fine is not None else []))
        for bucket in histogram.buckets
    )
    return "but between them" if between else None


def _texts(domain: schema_pb2.BoolDomain, column: Column) -> Iterator[Anomaly]:
    named = [
        getattr(domain, field) for field in ("true_value", "false_value") if domain.HasField(field)
    ]
    known = set(map(as_counted, named))
    strange = next((text for text in sorted(column.counts) if text not in known), None)
    if strange is not None:
        expected = " or ".join(map(quoted, named)) or "nothing: the schema names no values"
        yield Anomaly(
            "BOOL_TYPE_UNEXPECTED_STRING",
            _SHORT,
            f"Some are {quoted(strange)}; expected {expected}.",
            drop_domain,
        )


def _to_ints(least: int, most: int) -> Mend:
    def mend(draft: Draft) -> None:
        # 0 and 1 are right still, whether there are such or not.
        draft.feature.int_domain.min, draft.feature.int_domain.max = min(least, 0), max(most, 1)

    return mend


def _to_floats(least: float, most: float) -> Mend:
    def mend(draft: Draft) -> None:
        domain = draft.feature.float_domain
        domain.SetInParent()
        if math.isfinite(least) and math.isfinite(most):
            domain.min, domain.max = min(least, 0), max(most, 1)

    return mend
