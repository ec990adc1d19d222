"""Floats outside their range, NaN and infinite ones, and texts that are no floats."""

import math
from collections.abc import Iterator

import numpy as np

from transforms.metadata.columns import Column
from transforms.metadata.protos import schema_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft, Mend
from transforms.schema.anomalies.mends import drop_domain
from transforms.schema.domains import domain_name
from transforms.schema.spelling import parse_float
from transforms.words import quoted

_OUTSIDE, _INVALID = "Out-of-range values", "Invalid values"


def float_domain(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `float_domain`: the range of floats, also of those written as text; NaN and inf."""
    if domain_name(draft.feature) != "float_domain":
        return
    domain, column = draft.feature.float_domain, context.column
    strange = next((text for text in sorted(column.counts) if parse_float(text) is None), None)
    if strange is not None and column.kind == schema_pb2.BYTES:
        text = f"Some texts are no floats, such as {quoted(strange)}."
        yield Anomaly("FLOAT_TYPE_STRING_NOT_FLOAT", _INVALID, text, drop_domain)
        return
    values = _values(column)
    if domain.disallow_nan and (column.has_nan or any(map(math.isnan, values))):
        yield Anomaly("FLOAT_TYPE_HAS_NAN", _INVALID, "Some are NaN.", _allow_nan)
    numbers = [value for value in values if not math.isnan(value)]
    if numbers:
        yield from _outside(domain, min(numbers), max(numbers))
    if domain.disallow_inf and any(map(math.isinf, numbers)):
        yield Anomaly("FLOAT_TYPE_HAS_INF", _INVALID, "Some are infinite.", _allow_inf)


def _values(column: Column) -> list[float]:
    """Returns the values written as text; for floats, the least and the greatest."""
    if column.kind == schema_pb2.FLOAT:
        has_range = column.has_values and not column.is_all_nan
        return [column.numbers.min, column.numbers.max] if has_range else []
    if column.kind != schema_pb2.BYTES:
        return []
    parsed = (parse_float(text) for text in column.counts)
    return [value for value in parsed if value is not None]


def _outside(domain: schema_pb2.FloatDomain, least: float, most: float) -> Iterator[Anomaly]:
    if domain.HasField("min") and least < min(_readings(domain.min)):
        text = f"The least is {least!r}; expected at least {_shortest(domain.min)}."
        yield Anomaly("FLOAT_TYPE_SMALL_FLOAT", _OUTSIDE, text, _set("min", least, -math.inf))
    if domain.HasField("max") and most > max(_readings(domain.max)):
        text = f"The greatest is {most!r}; expected at most {_shortest(domain.max)}."
        yield Anomaly("FLOAT_TYPE_BIG_FLOAT", _OUTSIDE, text, _set("max", most, math.inf))


def _readings(bound: float) -> tuple[float, float]:
    """Returns possible bounds: the schema keeps only 32 bits of the number someone wrote.

    Data of 32 bits meets the bound as it is kept; data of 64 bits, as it was written.
    """
    return bound, float(_shortest(bound))


def _shortest(bound: float) -> str:
    return str(np.float32(bound))


def outwards(value: float, direction: float) -> float:
    """Returns a number rounded to 32 bits, never against a direction: minus or plus infinity."""
    with np.errstate(over="ignore"):
        bound = np.float32(value)
        if (float(bound) - value) * direction < 0:
            bound = np.nextafter(bound, np.float32(direction))
    return float(bound)


def _set(field: str, value: float, direction: float) -> Mend:
    bound = outwards(value, direction)

    def mend(draft: Draft) -> None:
        setattr(draft.feature.float_domain, field, bound)

    return mend


def _allow_nan(draft: Draft) -> None:
    draft.feature.float_domain.disallow_nan = False


def _allow_inf(draft: Draft) -> None:
    draft.feature.float_domain.disallow_inf = False
