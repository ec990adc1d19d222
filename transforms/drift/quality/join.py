"""Joins predictions and labels that come later, by key, into the window of the prediction."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from transforms.batches import take_rows
from transforms.drift.quality.sums import Quality, Sums, sums_of
from transforms.keys.key_hash import key_hash
from transforms.windows.assign import window_starts
from transforms.windows.event_time import event_times

_KEY, _START = "_key", "_start"


@dataclass(frozen=True)
class Joining:
    """How predictions and labels belong together.

    Attributes:
      quality: The columns of predictions and labels.
      keys: The columns that both sides have, and that make the key.
      event_time_column: The column of the predictions' times; None puts all into one window.
      size_us: The length of the windows in microseconds.
      kept: Labels are remembered until so many windows are over after they came, for predictions
        that are later still; None remembers them for good.
    """

    quality: Quality
    keys: tuple[str, ...]
    event_time_column: str | None = None
    size_us: int | None = None
    kept: int | None = None

    def predictions(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Returns of rows the hash of the key, the start of the window and the prediction.

        Rows without a time, or without a key, are left out.
        """
        starts = np.zeros(rows.num_rows, np.int64)
        if self.event_time_column is not None and self.size_us is not None:
            times = event_times(rows, self.event_time_column)
            there, starts = window_starts(times, self.size_us)
            rows = take_rows(rows, there)
        made = {_KEY: pa.array(key_hash(rows, self.keys)), _START: pa.array(starts)}
        made |= {name: rows.column(name) for name in self.quality.given}
        return self._keyed(rows, pa.RecordBatch.from_pydict(made))

    def labels(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Returns of rows the hash of the key and the label; those without either are left out."""
        label = rows.column(self.quality.label)
        made = {_KEY: pa.array(key_hash(rows, self.keys)), self.quality.label: label}
        found = self._keyed(rows, pa.RecordBatch.from_pydict(made))
        return found.filter(found.column(self.quality.label).is_valid())

    def _keyed(self, rows: pa.RecordBatch, made: pa.RecordBatch) -> pa.RecordBatch:
        there = rows.column(self.keys[0]).is_valid()
        for name in self.keys[1:]:
            there = pa.compute.and_(there, rows.column(name).is_valid())
        return made.filter(there)


@dataclass
class ShardJoin:
    """What is known of the keys of a shard: predictions, labels, and the sums of windows.

    Of several labels of a key the first counts; of several predictions of a key each counts, with
    the same label.

    Args:
      joining: How both sides belong together.

    Attributes:
      waiting: Predictions without a label, as `Joining.predictions` gives them.
      labels: Labels by the hash of their key, those of one window's length together, the last ones
        first.
      sums: By the start of the window, of all predictions and of the labels that came.
    """

    joining: Joining
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    labels: list[dict[int, object]] = field(default_factory=lambda: [{}])
    sums: dict[int, Sums] = field(default_factory=dict)

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
        starts = rows[_START].to_numpy()
        for start in np.unique(starts).tolist():
            made = sums_of(quality, told.filter(pa.array(starts == start)))
            if not is_new:
                made.counts[0] = 0
            self.sums[start] = self.sums[start].merge(made) if start in self.sums else made

    def pop(self, start: int) -> Sums | None:
        """Returns the sums of a window that is over, and forgets its predictions."""
        kept = [batch.filter(pa.array(batch[_START].to_numpy() != start)) for batch in self.waiting]
        self.waiting = [batch for batch in kept if batch.num_rows]
        if self.joining.kept is not None:
            self.labels = [{}, *self.labels][: self.joining.kept + 1]
        return self.sums.pop(start, None)

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
