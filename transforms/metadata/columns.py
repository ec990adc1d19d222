"""A column as the rules see it: weighted where all columns are, exact where it can be."""

from dataclasses import dataclass
from functools import cached_property

from transforms.metadata.paths import Path
from transforms.metadata.protos import schema_pb2, statistics_pb2

INT64 = (-(2**63), 2**63 - 1)

_Type = statistics_pb2.FeatureNameStatistics
_KINDS = {
    _Type.INT: schema_pb2.INT,
    _Type.FLOAT: schema_pb2.FLOAT,
    _Type.STRING: schema_pb2.BYTES,
    _Type.BYTES: schema_pb2.BYTES,
    _Type.STRUCT: schema_pb2.STRUCT,
}
_INVALID_UTF8 = "__BYTES_VALUE__"  # what TFDV puts in place of a value that is no UTF-8


@dataclass(frozen=True)
class Column:
    """The statistics of one feature.

    Attributes:
      path: Where it is.
      stats: The message itself.
      by_weight: Whether weighted figures stand in for plain ones.
      examples: Rows of the data set, or their weight.
    """

    path: Path
    stats: statistics_pb2.FeatureNameStatistics
    by_weight: bool
    examples: float

    @property
    def kind(self) -> int:
        """The type that a schema calls it by: INT, FLOAT, BYTES or STRUCT."""
        return int(_KINDS.get(self.stats.type, schema_pb2.TYPE_UNKNOWN))

    @property
    def type_name(self) -> str:
        """The type in the statistics; they distinguish STRING from BYTES."""
        return str(_Type.Type.Name(self.stats.type))

    @property
    def has_common(self) -> bool:
        """Whether rows were counted: not for sparse and weighted features."""
        return self.stats.WhichOneof("stats") is not None

    @cached_property
    def common(self) -> statistics_pb2.CommonStatistics:
        """Counts of rows and values."""
        held = self.stats.WhichOneof("stats")
        return getattr(self.stats, held).common_stats if held else statistics_pb2.CommonStatistics()

    @property
    def numbers(self) -> statistics_pb2.NumericStatistics:
        """Figures of numbers; empty for text."""
        return self.stats.num_stats

    @property
    def present(self) -> float:
        """Rows that have it, also with no value in it."""
        return float(self._counted.num_non_missing)

    @property
    def missing(self) -> float:
        """Rows that lack it."""
        return float(self._counted.num_missing)

    @property
    def fraction_present(self) -> float | None:
        """The share of rows that have it; None where there are no rows."""
        if self.examples <= 0:
            return None
        return 1.0 if self.missing == 0 else self.present / self.examples

    @property
    def total_values(self) -> float:
        """Its values in all rows."""
        if self.by_weight or self.common.tot_num_values:
            return float(self._counted.tot_num_values)
        return float(self.common.num_non_missing * self.common.avg_num_values)

    @property
    def has_values(self) -> bool:
        """Whether any row has a value in it; else its least and greatest say nothing."""
        common = self.common
        return bool(common.tot_num_values or common.avg_num_values or common.max_num_values)

    @property
    def _counted(self) -> statistics_pb2.CommonStatistics:
        return self.common.weighted_common_stats if self.by_weight else self.common

    @property
    def valency(self) -> list[tuple[int, int]]:
        """The fewest and the most values at each level of nesting, the outermost first."""
        levels = list(self.common.presence_and_valency_stats) or [self.common]
        return [(level.min_num_values, level.max_num_values) for level in levels]

    @property
    def is_nested(self) -> bool:
        """Whether it holds lists of lists."""
        return len(self.common.presence_and_valency_stats) > 1

    @property
    def missing_by_level(self) -> list[float]:
        """How often it is missing at each level of nesting."""
        common = self.common
        levels = (
            common.weighted_presence_and_valency_stats
            if self.by_weight
            else common.presence_and_valency_stats
        )
        return [float(level.num_missing) for level in levels] or [self.missing]

    @cached_property
    def counts(self) -> dict[str, float]:
        """How often each text stands there, of as many as the statistics hold."""
        texts = self.stats.string_stats
        ranks = (texts.weighted_string_stats if self.by_weight else texts).rank_histogram
        return {bucket.label: bucket.sample_count for bucket in ranks.buckets}

    @property
    def count_error(self) -> float | None:
        """The most by which one of `counts` is too small; None where that is not noted."""
        noted = self.custom("weighted_count_error" if self.by_weight else "count_error")
        return None if noted is None else noted.num

    @property
    def has_invalid_utf8(self) -> bool:
        """Whether some text is no UTF-8."""
        return _INVALID_UTF8 in self.counts or self.stats.string_stats.invalid_utf8_count != 0

    @property
    def unique(self) -> int | None:
        """Distinct values, where they were counted: of text and of categories."""
        if not self.stats.HasField("string_stats"):
            return None
        return int(self.stats.string_stats.unique)

    @property
    def histograms(self) -> list[statistics_pb2.Histogram]:
        """Its histograms, weighted where all figures are."""
        numbers = self.numbers
        return list(
            numbers.weighted_numeric_stats.histograms if self.by_weight else numbers.histograms
        )

    @property
    def has_nan(self) -> bool:
        """Whether some number is NaN."""
        return bool(self._nan)

    @property
    def is_all_nan(self) -> bool:
        """Whether every number is NaN: then their least and greatest say nothing."""
        return 0 < int(self.common.tot_num_values) <= self._nan

    @property
    def _nan(self) -> int:
        return max((int(histogram.num_nan) for histogram in self.numbers.histograms), default=0)

    @property
    def int_range(self) -> tuple[int, int]:
        """The least and the greatest integer, exact where `min_int64` and `max_int64` hold them.

        Without these they went through a double: beyond 2^53 they are near, not equal.
        """
        low, high = self.custom("min_int64"), self.custom("max_int64")
        if low is not None and high is not None:
            return int(low.str), int(high.str)
        least, greatest = int(self.numbers.min), int(self.numbers.max)
        # A double can't tell 2^63 from the greatest int64.
        return least, INT64[1] if greatest == 2**63 else greatest

    def custom(self, name: str) -> statistics_pb2.CustomStatistic | None:
        """Returns the custom statistic of a name, or None."""
        return next((custom for custom in self.stats.custom_stats if custom.name == name), None)
