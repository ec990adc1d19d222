"""Timestamps and dates as integers since 1970, in the unit that a schema names."""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import Cast, marked
from transforms.arrow.casts import as_plain, checked_cast
from transforms.arrow.lists import list_lengths
from transforms.arrow.types import is_list, plain_type, whole_times
from transforms.faults import Fault

FORMATS = {
    "UNIX_DAYS": "d",
    "UNIX_SECONDS": "s",
    "UNIX_MILLISECONDS": "ms",
    "UNIX_MICROSECONDS": "us",
    "UNIX_NANOSECONDS": "ns",
}
"""The integer formats of a tensorflow-metadata `TimeDomain`, and their units."""


def is_point(type: pa.DataType) -> bool:
    """Returns whether a type is of points in time, or of lists of them: timestamps or dates."""
    plain = plain_type(type)
    plain = plain_type(plain.value_type) if is_list(plain) else plain
    return bool(pa.types.is_timestamp(plain) or pa.types.is_date(plain))


def time_unit(feature: Any) -> str | None:
    """Returns the unit of a feature's times: d, s, ms, us or ns; None if its schema names none.

    Args:
      feature: A tensorflow-metadata `Feature`.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2

    if not feature.HasField("time_domain"):
        return None
    name = schema_pb2.TimeDomain.IntegerTimeFormat.Name(feature.time_domain.integer_format)
    return FORMATS.get(name)


def since_1970(array: pa.Array, unit: str) -> Cast:
    """Returns points in time as int64, rounded down to the unit, in UTC.

    Args:
      array: n timestamps or dates, or lists of them. One without a zone is taken as UTC.
      unit: d, s, ms, us or ns.

    Returns: n integers, or lists of them; a time that the unit can't hold is a fault of its row.
    """
    if is_list(array.type):
        return _lists_since_1970(array, unit)
    if unit == "d":
        seconds = since_1970(array, "s")
        days = pc.floor(pc.divide(seconds.values.cast(pa.float64()), _DAY)).cast(pa.int64())
        return dataclasses.replace(seconds, values=days)
    plain = as_plain(array, plain_type(array.type))
    if pa.types.is_timestamp(plain.type):
        plain = plain.cast(pa.timestamp(plain.type.unit))
        plain = (
            plain if _holds(unit, plain.type.unit) else pc.floor_temporal(plain, unit=_NAMES[unit])
        )
    elif pa.types.is_date64(plain.type):
        plain = pc.floor_temporal(plain.cast(pa.timestamp("ms")), unit=_NAMES[unit])
    cast = checked_cast(plain, pa.timestamp(unit))
    return dataclasses.replace(cast, values=whole_times(cast.values))


def _lists_since_1970(array: pa.Array, unit: str) -> Cast:
    lengths, parents = list_lengths(array), np.asarray(pc.list_parent_indices(array))
    inner = since_1970(pc.list_flatten(array), unit)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    lists = pa.ListArray.from_arrays(ends, inner.values, mask=array.is_null())
    faults = [Fault(_rows(parents[each.mask], len(array)), each.reason) for each in inner.faults]
    return marked(lists, *faults)


def _rows(places: np.ndarray, count: int) -> np.ndarray:
    mask = np.zeros(count, bool)
    mask[places] = True
    return mask


_DAY = 86_400.0
_NAMES = {"s": "second", "ms": "millisecond", "us": "microsecond", "ns": "nanosecond"}


def _holds(unit: str, other: str) -> bool:
    """Returns whether a unit is as fine as another one."""
    return [*_NAMES].index(unit) >= [*_NAMES].index(other)
