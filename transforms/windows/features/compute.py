"""Windowed features of the rows of a batch, by columns."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from transforms.arrow.types import is_text
from transforms.errors import ConfigError
from transforms.keys.key_hash import key_column
from transforms.nearest import nearest_column
from transforms.windows.event_time import event_times, in_range, to_micros
from transforms.windows.features.declare import Feature, Lag, Rolling, horizon, to_us
from transforms.windows.features.figures import Stretches, figure
from transforms.windows.features.order import Ordered, takeable

_DAY = 86_400 * 10**6


def window_features(
    batch: pa.RecordBatch,
    features: Mapping[str, Feature],
    keys: Sequence[str],
    event_time_column: str,
) -> pa.RecordBatch:
    """Adds to each row what the rows of its key were before it.

    Args:
      batch: n rows in any order, the history that the features look back on among them.
      features: The new columns and what is in them.
      keys: The columns that make the key; a null is a key like any other.
      event_time_column: Timestamps; without a time zone they are UTC. A row without a time, or with
        one that is not of the years 1 to 9999, has no feature and is part of none.

    Returns: The same rows in the same order, with a column for each feature behind.

    Raises:
      ConfigError: A column is missing or of a type that can't be, or a feature has the name of one.
    """
    check_names(features, batch.schema.names)
    made = feature_columns(batch, features, keys, event_time_column)
    return with_columns(batch, features, made)


def with_columns(
    batch: pa.RecordBatch, features: Mapping[str, Feature], made: Sequence[pa.Array]
) -> pa.RecordBatch:
    """Returns the rows with the columns of features behind their own."""
    return pa.RecordBatch.from_arrays(
        [*batch.columns, *made],
        schema=pa.schema(
            [*batch.schema, *(pa.field(n, a.type) for n, a in zip(features, made, strict=True))],
            batch.schema.metadata,
        ),
    )


def check_names(features: Mapping[str, Feature], names: Sequence[str]) -> None:
    """Raises a ConfigError if a feature has the name of a column."""
    for name in features:
        if name in names:
            raise ConfigError(f"feature {name!r} has the name of a column; give it another")


def feature_columns(
    batch: pa.RecordBatch,
    features: Mapping[str, Feature],
    keys: Sequence[str],
    event_time_column: str,
) -> list[pa.Array]:
    """Returns a column of n values for each feature; see `window_features`."""
    times = event_times(batch, event_time_column)
    micros = to_micros(times)
    placed = in_range(micros, (horizon(features.values()) or 0) + _DAY)
    placed &= times.is_valid().to_numpy(zero_copy_only=False)
    for name in keys:
        key_column(batch, name)
    ordered = Ordered.of(batch, keys, micros, np.flatnonzero(placed))
    return [_made(batch, name, feature, ordered) for name, feature in features.items()]


def _made(batch: pa.RecordBatch, name: str, feature: Feature, ordered: Ordered) -> pa.Array:
    if isinstance(feature, Lag):
        return _lag(_values(batch, name, feature.column, _can_lag), feature, ordered)
    starts, ends = _stretch(feature, ordered)
    if feature.column is None:
        return _in_rows(batch.num_rows, ordered, ends - starts)
    return _rolling(_values(batch, name, feature.column, _can_roll), feature, ordered, starts, ends)


def _values(
    batch: pa.RecordBatch, name: str, column: str, fits: Callable[[pa.DataType], bool]
) -> pa.Array:
    index = batch.schema.get_field_index(column)
    if index < 0:
        near = nearest_column(column, batch.schema.names)
        raise ConfigError(f"feature {name!r}: column {column!r} is not in the data{near}")
    values = batch.column(index)
    if not fits(values.type):
        raise ConfigError(f"feature {name!r}: column {column!r} is {values.type}, which has none")
    return values


def _can_roll(type: pa.DataType) -> bool:
    kinds = pa.types
    return bool(
        kinds.is_integer(type)
        or kinds.is_floating(type)
        or kinds.is_boolean(type)
        or kinds.is_decimal(type)
        or kinds.is_null(type)
    )


def _can_lag(type: pa.DataType) -> bool:
    timed = pa.types.is_temporal(type) and not pa.types.is_interval(type)
    return _can_roll(type) or bool(timed) or is_text(type)


def _lag(values: pa.Array, lag: Lag, ordered: Ordered) -> pa.Array:
    ends = ordered.since(to_us(lag.ago) - 1) if to_us(lag.ago) else ordered.tie_starts
    places = ends - lag.rows
    earliest = ordered.key_starts if lag.reach is None else ordered.since(lag.reach)
    known = places >= earliest
    found = np.zeros(len(values), np.int64)
    missing = np.ones(len(values), bool)
    found[ordered.rows] = ordered.with_values(values)[np.maximum(places, 0)]
    missing[ordered.rows] = ~known
    # Arrow takes no rows of views.
    return takeable(values).take(pa.array(found, mask=missing)).cast(values.type)


def _stretch(rolling: Rolling, ordered: Ordered) -> tuple[np.ndarray, np.ndarray]:
    """Returns where the rows of each row's stretch of time start and end."""
    if rolling.closed == "right":
        return ordered.since(rolling.reach - 1), ordered.tie_ends
    return ordered.since(rolling.reach), ordered.tie_starts


def _in_rows(
    rows: int, ordered: Ordered, found: np.ndarray, known: np.ndarray | None = None
) -> pa.Array:
    """Returns a column of what was found in the order of keys and times."""
    column, missing = np.zeros(rows, found.dtype), np.ones(rows, bool)
    column[ordered.rows] = found
    missing[ordered.rows] = False if known is None else ~known
    return pa.array(column, mask=missing)


def _rolling(
    values: pa.Array, rolling: Rolling, ordered: Ordered, starts: np.ndarray, ends: np.ndarray
) -> pa.Array:
    rows = ordered.with_values(values)
    numbers, present = _numbers(values)
    stretches = Stretches.of(numbers[rows], present[rows], starts, ends)
    if rolling.statistic == "count":
        return _in_rows(len(values), ordered, stretches.counts)
    found, known = figure(stretches, rolling.statistic)
    return _in_rows(len(values), ordered, found, known)


def _numbers(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Returns float64 numbers, and which of them are there: missing ones and NaN are 0."""
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    present = ~np.isnan(numbers)
    return np.where(present, numbers, 0.0), present
