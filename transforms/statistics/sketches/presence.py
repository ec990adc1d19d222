"""Presence: how many rows, or inner lists, are there, and how many values each holds."""

from dataclasses import dataclass, field

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.statistics.sketches.histograms import by_quantiles
from transforms.statistics.sketches.summary import QuantileSummary, distinct


@dataclass
class Presence:
    """Presence and valency at one level of nesting; null is missing, an empty list is there.

    Attributes:
      present, missing: How many are there, and how many are not.
      lengths: How many values those hold that are there.
      total: The values of all.
      weight_present, weight_missing, weight_total: The same by the weights of rows.
    """

    present: int = 0
    missing: int = 0
    total: int = 0
    lengths: QuantileSummary = field(default_factory=QuantileSummary)
    weight_present: float = 0.0
    weight_missing: float = 0.0
    weight_total: float = 0.0
    is_weighted: bool = False

    def add(
        self, valid: np.ndarray, lengths: np.ndarray | None, weights: np.ndarray | None = None
    ) -> None:
        """Takes rows into account.

        Args:
          valid: Which are there.
          lengths: How many values those hold that are there; one each by default.
          weights: The weights of the rows.
        """
        present = int(np.count_nonzero(valid))
        self.present += present
        self.missing += len(valid) - present
        if lengths is None:
            self.total += present
            if present:
                self.lengths.put((np.ones(1, np.int64), np.array([present], np.int64)))
        else:
            self.total += int(lengths.sum())
            self.lengths.put(distinct(lengths))
        if weights is not None:
            self.is_weighted = True
            there = weights[valid]
            self.weight_present += float(there.sum())
            self.weight_missing += float(weights[~valid].sum())
            self.weight_total += float(there.sum() if lengths is None else there @ lengths)

    def add_missing(self, others: "Presence") -> None:
        """Takes others into account, there or not, in which these are missing."""
        self.missing += others.present + others.missing
        self.weight_missing += others.weight_present + others.weight_missing
        self.is_weighted |= others.is_weighted

    def merge(self, other: "Presence") -> None:
        """Takes others into account."""
        self.lengths.merge(other.lengths)
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.is_weighted |= other.is_weighted

    def describe(self, stats: statistics_pb2.CommonStatistics) -> None:
        """Fills in the statistics that features of all kinds have."""
        self.describe_level(stats)
        if self.present:
            stats.avg_num_values = self.total / self.present
            stats.num_values_histogram.CopyFrom(by_quantiles(self.lengths.table()))
        if self.is_weighted:
            self.describe_weighted(stats.weighted_common_stats)

    def describe_level(
        self,
        stats: statistics_pb2.CommonStatistics | statistics_pb2.PresenceAndValencyStatistics,
    ) -> None:
        """Fills in presence and valency."""
        stats.num_non_missing, stats.num_missing = self.present, self.missing
        stats.tot_num_values = self.total
        if self.present:
            lengths = self.lengths.table()[0]
            stats.min_num_values, stats.max_num_values = int(lengths[0]), int(lengths[-1])

    def describe_weighted(self, stats: statistics_pb2.WeightedCommonStatistics) -> None:
        """Fills in the same by weights."""
        stats.num_non_missing, stats.num_missing = self.weight_present, self.weight_missing
        stats.tot_num_values = self.weight_total
        if self.weight_present:
            stats.avg_num_values = self.weight_total / self.weight_present


_SUMS = ("present", "missing", "total", "weight_present", "weight_missing", "weight_total")
