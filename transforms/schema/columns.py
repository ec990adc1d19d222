"""Statistics as the rules see them: weighted where all are, by path, exact where they can be."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from transforms.errors import ConfigError
from transforms.schema.paths import Path
from transforms.schema.protos import schema_pb2, statistics_pb2

ALL_EXAMPLES = "All Examples"
"""The name of the slice that holds every row."""

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
        """The type that statistics call it by; they tell STRING from BYTES."""
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
        """The least and the greatest integer, exact where `min_int64` and `max_int64` tell them.

        Without these they went through a double: beyond 2^53 they are near, not equal.
        """
        low, high = self.custom("min_int64"), self.custom("max_int64")
        if low is not None and high is not None:
            return int(low.str), int(high.str)
        least, greatest = int(self.numbers.min), int(self.numbers.max)
        # A double can't tell 2^63 from the greatest int64.
        return least, INT64[1] if greatest == 2**63 else greatest

    def custom(self, name: str) -> statistics_pb2.CustomStatistic | None:
        """The custom statistic of a name, or None."""
        return next((custom for custom in self.stats.custom_stats if custom.name == name), None)


@dataclass(frozen=True)
class Dataset:
    """The statistics of a data set.

    Attributes:
      examples: Its rows, or their weight.
      columns: Its columns by path, parents before their children, else in the statistics' order.
    """

    examples: float
    columns: dict[Path, Column]

    @cached_property
    def children(self) -> dict[Path, list[Column]]:
        """The columns one step below each path that has any; below `()`, those at the top."""
        below: dict[Path, list[Column]] = {}
        for path, column in self.columns.items():
            below.setdefault(path[:-1], []).append(column)
        return below


def dataset_of(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, by_weight: bool | None = None
) -> Dataset:
    """The data set that statistics are about: the only one, or of slices the one of all rows.

    Args:
      statistics: As TFDV and `GenerateStatistics` write them.
      by_weight: Whether to take weighted figures; None does where every column has them.

    Raises:
      ConfigError: There is none, or there are only slices.
    """
    data = _whole(statistics)
    stats = [each for each in data.features if each.WhichOneof("stats") or each.custom_stats]
    if by_weight is None:
        by_weight = is_weighted(statistics)
    examples = float(data.weighted_num_examples if by_weight else data.num_examples)
    columns = [Column(path, each, by_weight, examples) for path, each in _paths(stats)]
    columns.sort(key=lambda column: len(column.path))
    return Dataset(examples, {column.path: column for column in columns})


def is_weighted(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> bool:
    """Whether rows have weights, and every column has weighted figures."""
    data = _whole(statistics)
    return bool(data.weighted_num_examples) and all(
        getattr(each, each.WhichOneof("stats")).common_stats.HasField("weighted_common_stats")
        for each in data.features
        if each.WhichOneof("stats")
    )


def _whole(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> statistics_pb2.DatasetFeatureStatistics:
    datasets = statistics.datasets
    if len(datasets) == 1:
        return datasets[0]
    found = next((data for data in datasets if data.name == ALL_EXAMPLES), None)
    if found is None:
        names = ", ".join(repr(data.name) for data in datasets[:5]) or "none"
        raise ConfigError(
            f"the statistics are of slices only ({names}): give statistics of one data set, or "
            f"with a slice {ALL_EXAMPLES!r}"
        )
    return found


def _paths(
    stats: list[statistics_pb2.FeatureNameStatistics],
) -> Iterator[tuple[Path, statistics_pb2.FeatureNameStatistics]]:
    """Each column with its path; one that has only a name is below the struct that begins it."""
    structs = {each.name for each in stats if each.name and each.type == _Type.STRUCT}
    for each in stats:
        if each.HasField("path"):
            yield tuple(each.path.step), each
        else:
            yield _split(each.name, structs), each


def _split(name: str, structs: set[str]) -> Path:
    dots = [at for at, letter in enumerate(name) if letter == "." and name[:at] in structs]
    edges = [-1, *dots, len(name)]
    return tuple(name[first + 1 : end] for first, end in pairwise(edges))
