"""Learns cells: where the bins of numbers lie, and which labels are the most frequent."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.drift.counting.cells import ColumnCells
from transforms.drift.counting.values import kind_of, numbers_of
from transforms.errors import ConfigError
from transforms.keys import least_hashes
from transforms.statistics.collect import plain_batch
from transforms.statistics.sketches.summary import QuantileSummary, Weighted, quantiles
from transforms.statistics.sketches.value_counts import ValueCounts

BINS = 20
"""Quantile bins of a column of numbers; they are tested in pairs."""
FEW = 20
"""So few different numbers get a cell each."""
LABELS = 255
LABEL_BYTES = 256
"""A longer text is no label: it counts as other."""
ID_SHARE_OF_TEXTS, ID_SHARE_OF_INTEGERS = 0.5, 0.95
"""A column is like an id if more than this share of its values differ."""
_MOST = 1e308
_ENOUGH = 1000
"""Of fewer values, all may differ by chance."""
_SHAPES = {"labels": "text_lengths", "numbers": "digits"}


@dataclass
class ColumnSummary:
    """What is known of a column's values, in bounded memory.

    Attributes:
      kind: What is counted of them: one of `cells.KINDS`.
      asked: Whether the user asked for it, so that it is not reduced to its shape.
      is_integer: Whether its numbers are integers.
      values: How many there are, nulls not counted.
      numbers: The finite numbers that are counted.
      shape: Those of its shape, if it should be like an id.
      texts: Of labels, how often each came.
      hashes: Of integers, the least of their hashes, which tell how many differ.
    """

    kind: str
    asked: bool = False
    is_integer: bool = False
    values: int = 0
    numbers: QuantileSummary = field(default_factory=QuantileSummary)
    shape: QuantileSummary = field(default_factory=QuantileSummary)
    texts: ValueCounts = field(default_factory=ValueCounts)
    hashes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))

    def add(self, name: str, array: pa.Array) -> None:
        """Takes values of a plain type into account.

        Raises:
          ConfigError: Of values of this type there is nothing of this kind.
        """
        values = array.drop_null()
        self.values += len(values)
        if self.kind == "presence" or pa.types.is_null(array.type):
            return
        if self.kind == "labels":
            if numbers_of(values, "text_lengths") is None:
                raise _wrong(name, self.kind, array.type)
            self.texts.add(values)
        else:
            _add(self.numbers, name, self.kind, values)
        if self.kind in _SHAPES and not self.asked:
            self._add_shape(name, values)

    def _add_shape(self, name: str, values: pa.Array) -> None:
        self.is_integer = self.is_integer or pa.types.is_integer(values.type)
        if self.kind == "labels" or pa.types.is_integer(values.type):
            _add(self.shape, name, _SHAPES[self.kind], values)
        if pa.types.is_integer(values.type) and len(values):
            self.hashes = least_hashes.joined(self.hashes, least_hashes.hashes_of(values))

    def merge(self, other: "ColumnSummary") -> None:
        """Takes into account what another one knows of more values."""
        self.values += other.values
        self.is_integer = self.is_integer or other.is_integer
        self.numbers.merge(other.numbers)
        self.shape.merge(other.shape)
        self.texts.merge(other.texts)
        self.hashes = least_hashes.joined(self.hashes, other.hashes)

    def cells(self, name: str) -> ColumnCells:
        """Returns the cells of the column; for ids, those of their shape.

        Without any value its type says nothing: text of a CSV file is a number of a Parquet file.
        """
        if not self.values and not self.asked:
            return ColumnCells(name, "presence")
        kind = _SHAPES[self.kind] if self._is_like_an_id() else self.kind
        if kind == "labels":
            return ColumnCells(name, kind, labels=_labels(self.texts))
        if kind == "presence":
            return ColumnCells(name, kind)
        edges, centers = bins_of((self.shape if kind != self.kind else self.numbers).table())
        return ColumnCells(name, kind, edges, centers)

    def _is_like_an_id(self) -> bool:
        if self.asked or self.values < _ENOUGH or self.kind not in _SHAPES:
            return False
        if self.kind == "labels":
            return self.texts.distinct() > ID_SHARE_OF_TEXTS * self.values
        differ = least_hashes.distinct_values(self.hashes)
        return self.is_integer and differ > ID_SHARE_OF_INTEGERS * self.values


class Learner:
    """Gathers what is known of the columns of batches.

    Args:
      kinds: By column, what is counted of it, where its type and values are not to decide.
      ignored: Columns that are left out, such as that of event times.
    """

    def __init__(self, kinds: dict[str, str] | None = None, ignored: tuple[str, ...] = ()) -> None:
        self.kinds, self.ignored = dict(kinds or {}), ignored
        self.columns: dict[str, ColumnSummary] = {}
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes rows into account.

        Raises:
          ConfigError: A column has no values of its kind.
        """
        batch = plain_batch(batch)
        self.rows += batch.num_rows
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            if name in self.ignored:
                continue
            kind = self.kinds.get(name) or kind_of(array.type)
            known = self.columns.setdefault(name, ColumnSummary(kind, name in self.kinds))
            if known.kind != kind and not known.values:
                known = self.columns[name] = ColumnSummary(kind, known.asked)
            if known.kind == kind or array.null_count < len(array):
                known.add(name, array)

    def merge(self, other: "Learner") -> "Learner":
        """Takes into account what another one knows of more rows; returns itself."""
        self.rows += other.rows
        for name, more in other.columns.items():
            known = self.columns.setdefault(name, ColumnSummary(more.kind, more.asked))
            if not more.values:
                continue
            if not known.values:
                self.columns[name] = more
                continue
            if known.kind != more.kind:
                raise ConfigError(
                    f"column {name!r} is of {known.kind} in some rows and of {more.kind} in "
                    "others: read it with one type"
                )
            known.merge(more)
        self.kinds |= other.kinds
        return self

    def cells(self) -> tuple[ColumnCells, ...]:
        """Returns the cells of each column, by name.

        Raises:
          ConfigError: No column is left, or one that `kinds` names is not there.
        """
        missing = sorted(set(self.kinds) - set(self.columns)) if self.rows else []
        if missing:
            raise ConfigError(f"there is no column {missing[0]!r}, for which a kind is asked")
        if not self.columns:
            raise ConfigError("a baseline needs a column besides that of the event times")
        return tuple(self.columns[name].cells(name) for name in sorted(self.columns))

    @property
    def nbytes(self) -> int:
        """About how many bytes it is, pickled."""
        return 64 << 10 if not self.columns else (48 << 10) * len(self.columns)


def _add(summary: QuantileSummary, name: str, kind: str, values: pa.Array) -> None:
    numbers = numbers_of(values, kind)
    if numbers is None:
        raise _wrong(name, kind, values.type)
    finite = numbers.to_numpy(zero_copy_only=False)
    # Of -0.0 and 0.0 one is enough, and behind the greatest double no bin can end.
    summary.add(finite[np.abs(finite) <= _MOST] + 0.0)


def _wrong(name: str, kind: str, type: pa.DataType) -> ConfigError:
    return ConfigError(f"column {name!r} is {type}: it has no {kind} that could be counted")


def _labels(counts: ValueCounts) -> tuple[bytes, ...]:
    """Returns the most frequent texts; equal ones in alphabetical order."""
    short = pc.less_equal(pc.binary_length(counts.values), LABEL_BYTES)
    values = counts.values.filter(short).to_pylist()
    weights = counts.weights[short.to_numpy(zero_copy_only=False)].tolist()
    ranked = sorted(zip(values, weights, strict=True), key=lambda each: (-each[1], each[0]))
    return tuple(value for value, _ in ranked[:LABELS])


def bins_of(table: Weighted) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns the edges of bins, and the mean within each.

    Numbers that hold much of the weight, and each of few ones, get a bin of their own, which ends
    at the next double; what is left is cut into parts of equal weight.
    """
    values, weights = table
    if not len(values):
        return (), ()
    values, weights = values.astype(np.float64), weights.astype(np.float64)
    single = weights * BINS >= weights.sum()
    if len(values) <= FEW:
        single[:] = True
    edges = {float(values[0]), _next(values[-1])}
    for value in values[single]:
        edges |= {float(value), _next(value)}
    if not single.all():
        share = weights[~single].sum() / weights.sum()
        cuts = quantiles((values[~single], weights[~single]), max(1, round(BINS * share)))
        edges |= {float(each) for each in cuts[:-1]}
    rising = np.array(sorted(edges))
    return _without_slivers(rising, values, weights)


def _without_slivers(
    edges: np.ndarray, values: np.ndarray, weights: np.ndarray
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Drops the edges between which nothing is; tells where the middle of each bin is."""
    places = np.searchsorted(edges, values, side="right") - 1
    held = np.bincount(places, weights, minlength=len(edges) - 1)
    kept = np.concatenate([held > 0, [True]])
    # An empty bin joins the one before it, but not a single number's.
    for at in np.flatnonzero(~kept):
        if at and edges[at] == np.nextafter(edges[at - 1], np.inf):
            kept[at] = True
    edges = edges[kept]
    places = np.searchsorted(edges, values, side="right") - 1
    held = np.bincount(places, weights, minlength=len(edges) - 1)
    # Shares first: the sum of large numbers is none.
    halves = np.bincount(places, weights / held[places] * (values / 2), minlength=len(edges) - 1)
    middles = edges[:-1] / 2 + edges[1:] / 2
    centers = np.where(held > 0, 2 * halves, middles)
    return tuple(edges.tolist()), tuple(centers.tolist())


def _next(value: float) -> float:
    return float(np.nextafter(value, np.inf))
