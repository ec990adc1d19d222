"""Joins predictions and labels that come later, by key, into the window of the prediction."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import take_rows
from transforms.drift.quality.sums import Quality, Sums, sums_of
from transforms.keys.key_hash import key_hash
from transforms.windows.assign import window_starts
from transforms.windows.event_time import event_times, to_micros

_KEY, START, CAME = "_key", "_start", "_came"
"""What sides have beside their own columns: the hash of the key; the start of the window; when a
label came, in microseconds."""


PUBLISHED = "publish_time"


@dataclass(frozen=True)
class Joining:
    """How predictions and labels belong together.

    Attributes:
      quality: The columns of predictions and labels.
      noted: Further columns that stay, for a journal.
      keys: The columns that both sides have, and that make the key.
      event_time_column: The column of the predictions' times; None puts all into one window.
      size_us: The length of the windows in microseconds.
      kept: Labels are remembered until windows are over that end so many lengths of a window after
        they came, for predictions that are later still; None remembers them for good. It is
        event time, since the windows of a backlog end one right after the other.
    """

    quality: Quality
    keys: tuple[str, ...]
    event_time_column: str | None = None
    size_us: int | None = None
    kept: int | None = None
    noted: tuple[str, ...] = ()

    def predictions(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Returns of rows the hash of the key, the start of the window and the prediction.

        Rows without a time, or without a key, are left out.
        """
        starts = np.zeros(rows.num_rows, np.int64)
        if self.event_time_column is not None and self.size_us is not None:
            times = event_times(rows, self.event_time_column)
            there, starts = window_starts(times, self.size_us)
            rows = take_rows(rows, there)
        made = {_KEY: pa.array(key_hash(rows, self.keys)), START: pa.array(starts)}
        made |= {name: rows.column(name) for name in (*self.quality.given, *self.noted)}
        return self._keyed(rows, pa.RecordBatch.from_pydict(made))

    def labels(self, rows: pa.RecordBatch, came_us: int = 0) -> pa.RecordBatch:
        """Returns of rows the hash of the key and the label; those without either are left out.

        Args:
          rows: Those with labels; of messages, they came when they were published.
          came_us: When others came.
        """
        label = rows.column(self.quality.label)
        made = {_KEY: pa.array(key_hash(rows, self.keys)), self.quality.label: label}
        made[CAME] = _came(rows, came_us)
        made |= {name: rows.column(name) for name in self.noted}
        found = self._keyed(rows, pa.RecordBatch.from_pydict(made))
        return found.filter(found.column(self.quality.label).is_valid())

    def _keyed(self, rows: pa.RecordBatch, made: pa.RecordBatch) -> pa.RecordBatch:
        there = rows.column(self.keys[0]).is_valid()
        for name in self.keys[1:]:
            there = pa.compute.and_(there, rows.column(name).is_valid())
        return made.filter(there)


def _came(rows: pa.RecordBatch, came_us: int) -> pa.Array:
    at = rows.schema.get_field_index(PUBLISHED)
    if at < 0 or not pa.types.is_timestamp(rows.schema.field(at).type):
        return pa.array(np.full(rows.num_rows, came_us))
    return pa.array(to_micros(rows.column(at)))


@dataclass
class ShardJoin:
    """What is known of the keys of a shard: predictions, labels, and the sums of windows.

    Of several labels of a key the first counts; of several predictions of a key each counts, with
    the same label.

    Args:
      joining: How both sides belong together.

    Attributes:
      waiting: Predictions without a label, as `Joining.predictions` gives them.
      labels: Labels by the hash of their key, those that came between two windows' ends together.
      came: When the last one of each of these came.
      sums: By the start of the window, of all predictions and of the labels that came.
    """

    joining: Joining
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    labels: list[dict[int, object]] = field(default_factory=lambda: [{}])
    sums: dict[int, Sums] = field(default_factory=dict)
    came: list[int] = field(default_factory=lambda: [0])

    def add_predictions(self, rows: pa.RecordBatch) -> None:
        """Takes predictions into account, and joins those whose label is there."""
        # Keys are looked up one by one: beside Arrow's joins that is slow, but it needs no copy of
        # all that is held.
        labels = [self._label(key) for key in rows[_KEY].to_pylist()]
        self._sum(rows, labels)
        rest = rows.filter(pa.array([label is None for label in labels], pa.bool_()))
        if rest.num_rows:
            self.waiting.append(rest)

    def add_labels(self, rows: pa.RecordBatch) -> None:
        """Takes labels into account, and joins the predictions that waited for them."""
        keys, values = rows[_KEY].to_pylist(), rows[self.joining.quality.label].to_pylist()
        fresh: dict[int, object] = {}
        for key, value in zip(keys, values, strict=True):
            if self._label(key) is None:
                fresh.setdefault(key, value)
        self.labels[0] |= fresh
        if rows.num_rows:
            self.came[0] = max(self.came[0], pc.max(rows[CAME]).as_py())
        still = []
        for batch in self.waiting:
            labels = [fresh.get(key) for key in batch[_KEY].to_pylist()]
            found = pa.array([label is not None for label in labels], pa.bool_())
            # They were counted as rows without a label: now they are those with one.
            self._sum(batch.filter(found), [each for each in labels if each is not None], False)
            rest = batch.filter(pa.compute.invert(found))
            if rest.num_rows:
                still.append(rest)
        self.waiting = still

    def _label(self, key: int) -> object:
        return next((part[key] for part in self.labels if key in part), None)

    def _sum(self, rows: pa.RecordBatch, labels: list[object], is_new: bool = True) -> None:
        quality = self.joining.quality
        told = rows.append_column(quality.label, pa.array(labels))
        starts = rows[START].to_numpy()
        for start in np.unique(starts).tolist():
            made = sums_of(quality, told.filter(pa.array(starts == start)))
            if not is_new:
                made.counts[0] = 0
            self.sums[start] = self.sums[start].merge(made) if start in self.sums else made

    def pop(self, start: int) -> Sums | None:
        """Returns the sums of a window that is over, and forgets its predictions."""
        kept = [batch.filter(pa.array(batch[START].to_numpy() != start)) for batch in self.waiting]
        self.waiting = [batch for batch in kept if batch.num_rows]
        if self.joining.kept is not None and self.joining.size_us is not None:
            self._forget(start + self.joining.size_us * (1 - self.joining.kept))
        return self.sums.pop(start, None)

    def _forget(self, came_us: int) -> None:
        """Forgets the labels that came before a time."""
        pairs = zip(self.labels, self.came, strict=True)
        kept = [(part, came) for part, came in pairs if part and came >= came_us]
        self.labels = [{}, *(part for part, _ in kept)]
        self.came = [0, *(came for _, came in kept)]

    @property
    def nbytes(self) -> int:
        """About how many bytes it is, pickled."""
        rows = sum(int(batch.nbytes) for batch in self.waiting)
        return (
            1000
            + rows
            + 40 * sum(map(len, self.labels))
            + sum(s.nbytes for s in self.sums.values())
        )
