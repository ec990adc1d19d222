"""Dataset: the statistics of all columns of the rows of one slice."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.arrow.casts import as_plain
from transforms.arrow.types import unmapped_type
from transforms.errors import ConfigError
from transforms.nearest import nearest_column
from transforms.statistics.composite import CompositeCounts
from transforms.statistics.feature import Feature, Kinds, repeated
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.pairs import Pairs

WHOLE = "All Examples"
"""The slice of all rows, by TFDV's name."""
MAX_SLICES = 1000
MOST_WEIGHT = 1e280
"""All rows together weigh no more: so sums over what their lists hold are finite too."""


@dataclass
class Dataset:
    """What is known of the rows of one slice: mergeable, and bounded for each feature.

    Attributes:
      rows: How many.
      weight: The sum of their weights.
      weighted_by: The column of these; None where they have none.
      features: By column, in the order in which columns came.
      pairs: Of numeric columns, where that is wanted.
      slicer: What it is a slice of, as its slicer tells; nothing of all rows.
      composites: Sparse and weighted features of the schema, by their keys.
      left_out: Columns that were not asked for.
    """

    rows: int = 0
    weight: float = 0.0
    weighted_by: str | None = None
    features: dict[str, Feature] = field(default_factory=dict)
    pairs: Pairs | None = None
    slicer: str = ""
    composites: dict[str, CompositeCounts] = field(default_factory=dict)
    left_out: dict[str, None] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch, options: StatisticsOptions, kinds: Kinds) -> None:
        """Takes rows into account.

        Raises:
          ConfigError: As `statistics_of`.
        """
        if twice := repeated(batch.schema.names):
            raise ConfigError(f"there are several columns {twice!r}: give each a name of its own")
        weights = None if options.weight is None else weights_of(batch, options.weight)
        self._add_rows(batch.num_rows, 0.0 if weights is None else _sum(weights), options.weight)
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if options.columns is not None and name not in options.columns:
                self.left_out[name] = None
            else:
                if not name:
                    # No schema can tell of it.
                    place = batch.schema.names.index(name) + 1
                    raise ConfigError(
                        f"column {place} has no name: give it one, or name the --columns to look at"
                    )
                if name not in self.features:
                    self.features[name] = Feature((name,))
                plain = as_plain(column, unmapped_type(column.type))
                self.features[name].add(plain, kinds, weights)
        if options.pairs:
            self.pairs = self.pairs or Pairs()
            self.pairs.add(_only(batch, options.columns))
        for parts in kinds.composites:
            self.composites.setdefault(parts.key, CompositeCounts()).add(batch, parts)

    def merge(self, other: "Dataset") -> None:
        """Takes other rows into account.

        Raises:
          ConfigError: They are a slice of something else, or weighted by something else.
        """
        self.claim(other.slicer)
        self._add_rows(other.rows, other.weight, other.weighted_by)
        self.left_out |= other.left_out
        for name, feature in other.features.items():
            if name in self.features:
                self.features[name].merge(feature)
            else:
                self.features[name] = feature
        if other.pairs is not None:
            self.pairs = self.pairs or Pairs()
            self.pairs.merge(other.pairs)
        for key, together in other.composites.items():
            self.composites.setdefault(key, CompositeCounts()).merge(together)

    def _add_rows(self, rows: int, weight: float, weighted_by: str | None) -> None:
        if self.rows and rows and self.weighted_by != weighted_by:
            raise ConfigError(
                f"some parts are {_weighted(self.weighted_by)}, others {_weighted(weighted_by)}: "
                "make the statistics of all of them with the same weights, or none"
            )
        if rows:
            self.weighted_by = weighted_by
        self.rows += rows
        self.weight += weight
        if self.weight > MOST_WEIGHT:
            raise ConfigError(
                f"the weights of column {weighted_by!r} add up to more than {MOST_WEIGHT:.0e}: "
                "divide them by a number"
            )

    def claim(self, slicer: str) -> None:
        """Makes it hold what a slicer gives; what it holds so far may be of an unknown one.

        Raises:
          ConfigError: It holds what another gave.
        """
        self.slicer = self.slicer or slicer
        if slicer and slicer != self.slicer:
            # The name may hold a value of a row.
            raise ConfigError(
                f"slices by {self.slicer!r} and by {slicer!r} have a name in common, so that their "
                "rows would be added up: leave one of them out, or give its expression as "
                "`name: expression`"
            )

    def describe(
        self,
        made: statistics_pb2.DatasetFeatureStatistics,
        options: StatisticsOptions,
        kinds: Kinds,
    ) -> None:
        """Fills in the statistics of the slice."""
        made.num_examples = self.rows
        if options.weight is not None or self.weighted_by is not None:
            made.weighted_num_examples = self.weight
        for feature in self.features.values():
            # Where a batch did not have the column, its rows miss it.
            for rows in (feature.rows, *feature.levels[:1]):
                more = self.rows - rows.present - rows.missing
                if more:
                    rows.missing += more
                    # Of sums of weights the difference is never quite nothing.
                    rows.weight_missing = max(0.0, self.weight - rows.weight_present)
            made.features.extend(feature.describe(kinds))
        taken = {tuple(each.path.step) for each in made.features}
        for parts in kinds.composites:
            # One of the name of a column is the fault of the schema, which its validation tells.
            if parts.path not in taken:
                made.features.append(
                    self.composites.get(parts.key, CompositeCounts()).describe(parts)
                )
        if self.pairs is not None:
            made.cross_features.extend(self.pairs.describe())


def _only(batch: pa.RecordBatch, columns: tuple[str, ...] | None) -> pa.RecordBatch:
    """Returns a batch of the wanted columns."""
    if columns is None:
        return batch
    wanted = {*columns}
    return batch.select([name for name in batch.schema.names if name in wanted])


def _weighted(column: str | None) -> str:
    return "not weighted" if column is None else f"weighted by column {column!r}"


def _sum(weights: np.ndarray) -> float:
    with np.errstate(over="ignore"):
        return float(weights.sum())


def weights_of(batch: pa.RecordBatch, column: str) -> np.ndarray:
    """Returns the weights of rows.

    Raises:
      ConfigError: There is no such column, or it has values other than numbers of 0 or more.
    """
    if column not in batch.schema.names:
        near = nearest_column(column, batch.schema.names)
        raise ConfigError(f"there is no column {column!r} of weights{near}")
    try:
        weights: np.ndarray = pc.fill_null(batch[column].cast(pa.float64()), 0.0).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ConfigError(f"column {column!r} can't be the weights: it has no numbers") from None
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ConfigError(f"column {column!r} can't be the weights: one is negative or not finite")
    return weights


def described(
    slices: "dict[str, Dataset]", options: StatisticsOptions, is_part: bool = False
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Returns the statistics of slices, in the form of TFDV.

    Args:
      slices: What is known of them.
      options: What statistics are made of.
      is_part: Whether there is other data, which may have the columns that this has not.

    Raises:
      ConfigError: No row has one of the columns that are wanted.
    """
    if not is_part:
        _check_columns(slices[WHOLE], options.columns or ())
    made, kinds = statistics_pb2.DatasetFeatureStatisticsList(), options.kinds
    for name, data in slices.items():
        # In its place: of thousands of columns a copy is large.
        data.describe(made.datasets.add(name=name), options, kinds)
    return made


def _check_columns(data: Dataset, wanted: Iterable[str]) -> None:
    known = (*data.features, *data.left_out)
    for name in wanted:
        # Of no batch nobody can tell.
        if known and name not in data.features:
            near = nearest_column(name, known)
            raise ConfigError(f"StatisticsOptions.columns: there is no column {name!r}{near}")


def merged(parts: Iterable["dict[str, Dataset]"]) -> "dict[str, Dataset]":
    """Slices of all parts of the data, those of a name together.

    Raises:
      ConfigError: Two are of one name but not of the same, or there are too many.
    """
    slices: dict[str, Dataset] = {}
    for part in parts:
        for name, data in part.items():
            if name in slices:
                slices[name].merge(data)
            else:
                slices[name] = data
    check_count(slices)
    return slices


def check_count(slices: "dict[str, Dataset]") -> None:
    """Looks whether there are no more than can be.

    Raises:
      ConfigError: There are.
    """
    if len(slices) - (WHOLE in slices) > MAX_SLICES:
        raise ConfigError(
            f"there are more than {MAX_SLICES:,} slices: slice by a column of fewer values,"
            " or name those that are wanted"
        )
