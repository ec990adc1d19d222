"""Collector: batches to the statistics of slices, some tens of thousands of rows at a time."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.arrow.casts import as_plain
from transforms.arrow.types import plain_type
from transforms.batches import select_rows
from transforms.errors import ConfigError
from transforms.metadata.long_texts import digest
from transforms.statistics.dataset import WHOLE as WHOLE
from transforms.statistics.dataset import Dataset, check_count, described
from transforms.statistics.options import StatisticsOptions, of
from transforms.statistics.sketches.summary import CHUNK

HELD_BYTES = 64 << 20
HELD_OF_COLUMN = 32 << 10
"""Of very many columns more is held: so many bytes of each, no more than what is known of it."""
_COLUMN_BYTES = 512
"""About what a column of a part takes besides its values."""


NAME = 200
"""Letters of the name of a slice; a longer one is named by how it begins and a digest."""


def short(name: str) -> str:
    """Returns the name of a slice, cut if it is long: it may hold values of any length."""
    return name if len(name) <= NAME else digest(name.encode()).decode()


class _Held:
    """Rows of one slice, until they are worth their fixed costs."""

    def __init__(self) -> None:
        self.parts: list[pa.RecordBatch] = []
        self.rows = self.bytes = 0

    def hold(self, part: pa.RecordBatch) -> int:
        """Holds one more part, of the same schema; returns about how many bytes it takes."""
        size: int = part.nbytes + _COLUMN_BYTES * part.num_columns
        self.parts.append(part)
        self.rows += part.num_rows
        self.bytes += size
        return size

    def joined(self) -> pa.RecordBatch:
        """Returns all parts as one."""
        return self.parts[0] if len(self.parts) == 1 else pa.concat_batches(self.parts)


class Collector:
    """Gathers batches until they are worth their fixed costs, and takes them in, slice by slice.

    Args:
      options: What statistics are made of.
    """

    def __init__(self, options: StatisticsOptions) -> None:
        self._options, self._kinds = options, options.kinds
        self._random = np.random.default_rng()
        self._slices: dict[str, Dataset] = {WHOLE: Dataset(slicer=WHOLE)}
        self._held: dict[str, _Held] = {WHOLE: _Held()}
        self._bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes rows into account.

        Raises:
          ConfigError: There are too many slices, or two slicers give slices of one name; or as
            `statistics_of`.
        """
        batch = plain_batch(batch)
        if self._options.sample_rate < 1:
            mask = self._random.random(batch.num_rows) < self._options.sample_rate
            batch = select_rows(batch, mask)
        self._hold(WHOLE, batch)

    def slices(self) -> dict[str, Dataset]:
        """Returns the state of all rows, by slice."""
        self._flush(WHOLE)
        self._flush_slices()
        return self._slices

    def _hold(self, name: str, part: pa.RecordBatch) -> None:
        parts = self._held[name].parts
        if parts and not part.schema.equals(parts[0].schema):
            self._flush(name)
        held = self._held[name]
        self._bytes += held.hold(part)
        most = max(HELD_BYTES, HELD_OF_COLUMN * part.num_columns)
        if held.rows >= CHUNK or held.bytes >= most:
            self._flush(name)
        elif self._bytes >= 2 * most:
            self._flush_slices()

    def _flush(self, name: str) -> None:
        held, self._held[name] = self._held[name], _Held()
        self._bytes -= held.bytes
        if held.parts:
            batch = held.joined()
            self._slices[name].add(batch, self._options, self._kinds)
            if name == WHOLE:
                self._slice(batch)

    def _flush_slices(self) -> None:
        for name in self._slices:
            if name != WHOLE:
                self._flush(name)

    def _slice(self, batch: pa.RecordBatch) -> None:
        for slicer in self._options.slices:
            for long, part in slicer(batch):
                name = short(long)
                self._open(name, of(slicer))
                self._hold(name, part)

    def _open(self, name: str, slicer: str) -> None:
        """Makes room for a slice, or looks whether it is the same as before."""
        if name in self._slices:
            self._slices[name].claim(slicer)
        else:
            self._slices[name] = Dataset(slicer=slicer)
            self._held[name] = _Held()
            check_count(self._slices)


def plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Returns the rows in plain types (`types.plain_type`), since Arrow can't take from others."""
    arrays = [as_plain(column, plain_type(column.type)) for column in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def statistics_of(
    batches: pa.Table | pa.RecordBatch | Iterable[pa.RecordBatch],
    options: StatisticsOptions | None = None,
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Returns the statistics of rows.

    Args:
      batches: A table, a batch or several. The columns may differ from batch to batch: a column
        that a batch lacks is missing in its rows.
      options: How statistics are made.

    Returns: The statistics of all rows, named "All Examples", and of each slice; features in the
      order of the columns. docs/statistics.md lists what differs from TFDV.

    Raises:
      ConfigError: These are not batches; a column has a type without statistics, no name, or a
        repeated one; no batch has a wanted column; or the weights are not valid.
    """
    options = options or StatisticsOptions()
    collector = Collector(options)
    for batch in _batches_of(batches):
        collector.add(batch)
    return described(collector.slices(), options)


def _batches_of(rows: Any) -> Iterator[pa.RecordBatch]:
    if isinstance(rows, pa.RecordBatch):
        rows = [rows]
    elif isinstance(rows, pa.Table):
        # A table without rows has no batches, but columns.
        rows = rows.to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)]
    elif isinstance(rows, str) or not isinstance(rows, Iterable):
        raise _no_batches(rows)
    for batch in rows:
        if not isinstance(batch, pa.RecordBatch):
            raise _no_batches(rows if hasattr(rows, "columns") else batch)
        yield batch


def _no_batches(found: Any) -> ConfigError:
    kind = type(found)
    return ConfigError(
        "statistics_of takes a pyarrow.Table, or record batches, not a "
        f"{kind.__module__}.{kind.__qualname__}: of a DataFrame pass pa.Table.from_pandas(frame), "
        "of dicts pa.Table.from_pylist(rows), of a file pyarrow.csv.read_csv(path)"
    )
