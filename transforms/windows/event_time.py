"""The event-time column of a batch, in exact microseconds."""

import numpy as np
import pyarrow as pa

from transforms.errors import ConfigError

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400 * 10**6
_YEAR_1, _YEAR_10000 = -62_135_596_800 * 10**6, 253_402_300_800 * 10**6


def event_times(batch: pa.RecordBatch, column: str) -> pa.Array:
    """Returns the event-time column of a batch.

    Args:
      batch: n rows.
      column: Its name: timestamps of any unit, in any time zone; without one they are UTC.

    Raises:
      ConfigError: There is no such column, or its type is another. What an integer counts is
        not guessed.
    """
    index = batch.schema.get_field_index(column)
    if index < 0:
        names = ", ".join(batch.schema.names)
        raise ConfigError(f"event_time_column: there is no column {column!r}, only {names}")
    times = batch.column(index)
    if not pa.types.is_timestamp(times.type):
        raise ConfigError(
            f"event_time_column: column {column!r} is {times.type}, not a timestamp, and what it "
            "counts is not guessed; cast it to timestamp[s] or timestamp[ms], say, before"
        )
    return times


def with_times(batch: pa.RecordBatch, column: str, unit: str) -> pa.RecordBatch:
    """Returns the rows with integers as times.

    Args:
      batch: n rows.
      column: Integers, or whole floats; timestamps stay.
      unit: What they count since 1970: "s", "ms", "us" or "ns".

    Raises:
      ConfigError: There is no such column, or it is no number.
    """
    index = batch.schema.get_field_index(column)
    if index < 0:
        event_times(batch, column)
    values = batch.column(index)
    if pa.types.is_timestamp(values.type):
        return batch
    if not pa.types.is_integer(values.type) and not pa.types.is_floating(values.type):
        raise ConfigError(f"event_time_unit: column {column!r} is {values.type}, not a number")
    times = values.cast(pa.int64(), safe=False).cast(pa.timestamp(unit))
    return batch.set_column(index, pa.field(column, times.type), times)


def to_micros(times: pa.Array) -> np.ndarray:
    """Timestamps as n integers: microseconds since 1970, rounded down; 0 where they are null.

    What would leave 64 bits ends at their limit, out of the range of any window.
    """
    raw = times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    per_second, limits = _PER_SECOND[times.type.unit], np.iinfo(np.int64)
    down, up = max(1, per_second // 10**6), max(1, 10**6 // per_second)
    micros: np.ndarray = raw
    if down > 1:
        micros = raw // down
    elif up > 1:
        micros = raw.clip(limits.min // up + 1, limits.max // up) * up
    return micros


def in_range(micros: np.ndarray, size_us: int) -> np.ndarray:
    """Returns which times can be in windows of a size that all lie within the years 1 to 9999."""
    earliest, latest = _YEAR_1 + size_us, _YEAR_10000 - _DAY - size_us
    inside: np.ndarray = (micros >= earliest) & (micros <= latest)
    return inside
