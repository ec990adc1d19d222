"""The rows of a batch by key and time, and which rows lie in the time before each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.keys.key_hash import wide_hash

_ROOM = 1 << 62


@dataclass(frozen=True)
class Ordered:
    """n rows sorted by key and then by time; all but `rows` is by place in this order.

    Attributes:
      rows: The number of the row in its batch.
      times: Its time in microseconds.
      keys: The number of its key, from 0, ascending.
      key_starts: Where its key starts.
      tie_starts: Where the rows of its key and time start.
      tie_ends: Where they end.
    """

    rows: np.ndarray
    times: np.ndarray
    keys: np.ndarray
    key_starts: np.ndarray
    tie_starts: np.ndarray
    tie_ends: np.ndarray

    @classmethod
    def of(
        cls, batch: pa.RecordBatch, keys: Sequence[str], micros: np.ndarray, rows: np.ndarray
    ) -> "Ordered":
        """Sorts some rows of a batch.

        Args:
          batch: The rows.
          keys: The columns that make the key; a null is a key like any other.
          micros: The time of each row of the batch.
          rows: The numbers of the rows to sort.
        """
        ids = wide_hash(batch, keys)[rows]
        order = np.lexsort((micros[rows], ids[:, 1], ids[:, 0]))
        ids, times = ids[order], micros[rows][order]
        key = np.append(True, (ids[1:] != ids[:-1]).any(axis=1))[: len(rows)]
        tie = key | np.append(True, times[1:] != times[:-1])[: len(rows)]
        starts = np.append(np.flatnonzero(tie), len(rows))
        number = np.cumsum(tie) - 1
        keys_by_row = np.cumsum(key) - 1
        return cls(
            rows[order],
            times,
            keys_by_row,
            np.flatnonzero(key)[keys_by_row],
            starts[number],
            starts[number + 1],
        )

    def since(self, micros: int) -> np.ndarray:
        """Returns where, in its own key, the rows start that are at most so much older than each.

        Args:
          micros: Microseconds; negative ones ask for rows that are later by so much.
        """
        found = np.zeros(len(self.rows), np.int64)
        if not len(found):
            return found
        least = int(self.times.min())
        span = int(self.times.max()) - least + 2
        # Keys and times as one ascending number, for as many keys at once as 64 bits hold.
        step = max(1, _ROOM // span)
        for first in range(0, int(self.keys[-1]) + 1, step):
            begin, end = np.searchsorted(self.keys, (first, first + step))
            base = (self.keys[begin:end] - first) * span
            ages = self.times[begin:end] - least
            wanted = base + np.maximum(ages - micros, 0)
            found[begin:end] = begin + np.searchsorted(base + ages, wanted)
        return found

    def with_values(self, column: pa.Array) -> np.ndarray:
        """Returns the numbers of the rows, with those of one key and time sorted by a column.

        Without it, rounding and lags would depend on the order in which rows arrive.
        """
        alone = (self.tie_ends - self.tie_starts == 1).all()
        if alone or pa.types.is_null(column.type):
            return self.rows
        ranks = pc.rank(_ranked(column), sort_keys="ascending", tiebreaker="dense")
        by_value = np.lexsort((ranks.to_numpy()[self.rows], self.tie_starts))
        return self.rows[by_value]


def _ranked(column: pa.Array) -> pa.Array:
    """Returns a column as a type that Arrow ranks."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _ranked(decoded(column))
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    return takeable(column)


def decoded(column: pa.Array) -> pa.Array:
    """Returns a dictionary, which batches need not share, as values; other columns as they are."""
    kind = column.type
    return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column


def takeable(column: pa.Array) -> pa.Array:
    """Returns texts or bytes that are views as plain ones, and other columns as they are."""
    if pa.types.is_string_view(column.type):
        return column.cast(pa.large_string())
    return column.cast(pa.large_binary()) if pa.types.is_binary_view(column.type) else column
