"""Tallies: rows are counted once there are enough of them, which takes half the time a row."""

from dataclasses import dataclass, field, replace

import pyarrow as pa

from transforms.drift.counting.counts import Counts, Rows, count_batch, new_columns
from transforms.drift.counting.layout import Layout

ROWS, VALUES, BYTES = 32_768, 1 << 20, 32 << 20
"""So many rows wait until they are counted; fewer if that are more values, or bytes."""


@dataclass
class HeldRows:
    """Rows of one schema that wait, without the columns that are not counted.

    Attributes:
      layout: What is counted.
      new: The columns that it does not know.
    """

    layout: Layout
    new: tuple[str, ...] = ()
    _batches: list[pa.RecordBatch] = field(default_factory=list)
    _schema: pa.Schema | None = None
    _wanted: list[int] = field(default_factory=list)
    _rows: int = 0
    _bytes: int = 0

    def fits(self, batch: pa.RecordBatch) -> bool:
        """Returns whether rows are of the schema of those that wait."""
        return not self._batches or batch.schema.equals(self._schema)

    def add(self, batch: pa.RecordBatch) -> bool:
        """Lets rows wait that fit; returns whether there are enough now."""
        if self._schema is None or not batch.schema.equals(self._schema):
            self._look_at(batch)
        if 0 < len(self._wanted) < batch.num_columns:
            batch = batch.select(self._wanted)
        self._batches.append(batch)
        self._rows += batch.num_rows
        self._bytes += _size(batch)
        is_much = self._bytes >= BYTES or self._rows * batch.num_columns >= VALUES
        return is_much or self._rows >= ROWS

    def _look_at(self, batch: pa.RecordBatch) -> None:
        known = self.layout.places
        self._schema, self.new = batch.schema, new_columns(self.layout, batch)
        self._wanted = [at for at, name in enumerate(batch.schema.names) if name in known]

    def take(self) -> Rows | None:
        """Returns the rows that waited; None without any."""
        batches, self._batches = self._batches, []
        self._rows = self._bytes = 0
        if len(batches) > 1:
            return pa.Table.from_batches(batches, batches[0].schema)
        return batches[0] if batches else None


def _size(batch: pa.RecordBatch) -> int:
    """Returns about the bytes of a batch."""
    whole = int(batch.get_total_buffer_size())
    # A slice has the buffers of its parent; what it has of them takes longer to find out.
    return whole if whole < BYTES // 16 else int(batch.nbytes)


class Tally:
    """Counts batches as the rows of one window.

    Args:
      layout: What is counted.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout, self._held = layout, HeldRows(layout)
        self._counts = Counts.empty(layout)

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes rows into account.

        Raises:
          ConfigError: A column has values that can't be counted in its cells.
        """
        if not self._held.fits(batch):
            self.counts()
        if self._held.add(batch):
            self.counts()

    def counts(self) -> Counts:
        """Returns the counts of all rows, once those that wait are counted."""
        rows = self._held.take()
        if rows is not None:
            counts = replace(count_batch(self._layout, rows), new=self._held.new)
            self._counts = self._counts.merge(counts)
        return self._counts
