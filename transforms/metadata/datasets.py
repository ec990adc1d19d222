"""A data set as the rules see it: its columns by path, weighted where all are."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from transforms.errors import ConfigError
from transforms.metadata.arguments import check_statistics
from transforms.metadata.columns import Column
from transforms.metadata.paths import Path
from transforms.metadata.protos import statistics_pb2

ALL_EXAMPLES = "All Examples"
"""The name of the slice that holds every row."""

_STRUCT = statistics_pb2.FeatureNameStatistics.STRUCT


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


def nowhere(path: Path, data: Dataset) -> Column:
    """Returns a column that a data set does not know, as missing in each row that could have it."""
    above = data.columns.get(path[:-1])
    rows = data.examples if above is None else above.present
    stats = statistics_pb2.FeatureNameStatistics()
    stats.num_stats.common_stats.weighted_common_stats.num_missing = rows
    return Column(path, stats, True, data.examples)


def slices_of(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> dict[str, statistics_pb2.DatasetFeatureStatistics]:
    """Returns the slices of statistics by name, without all rows; a lone data set is no slice."""
    check_statistics(statistics)
    datasets = statistics.datasets
    if len(datasets) == 1:
        return {}
    return {data.name: data for data in datasets if data.name != ALL_EXAMPLES}


def dataset_of(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, by_weight: bool | None = None
) -> Dataset:
    """Returns the data set of statistics: the only one, or among slices the one of all rows.

    Args:
      statistics: As TFDV and `GenerateStatistics` write them.
      by_weight: Whether to take weighted figures; None does where every column has them.

    Raises:
      ConfigError: There is none, or there are only slices.
    """
    if by_weight is None:
        by_weight = is_weighted(statistics)
    return dataset_of_one(whole_of(statistics), by_weight)


def dataset_of_one(data: statistics_pb2.DatasetFeatureStatistics, by_weight: bool) -> Dataset:
    """Returns the data set of these statistics, of all rows or of a slice."""
    stats = [each for each in data.features if each.WhichOneof("stats") or each.custom_stats]
    examples = float(data.weighted_num_examples if by_weight else data.num_examples)
    columns = [Column(path, each, by_weight, examples) for path, each in _paths(stats)]
    columns.sort(key=lambda column: len(column.path))
    return Dataset(examples, {column.path: column for column in columns})


def is_weighted(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> bool:
    """Returns whether rows have weights, and every column has weighted figures."""
    data = whole_of(statistics)
    return bool(data.weighted_num_examples) and all(
        getattr(each, each.WhichOneof("stats")).common_stats.HasField("weighted_common_stats")
        for each in data.features
        if each.WhichOneof("stats")
    )


def whole_of(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> statistics_pb2.DatasetFeatureStatistics:
    """Returns the statistics of all rows.

    Raises:
      ConfigError: They are none, there are none, or of slices only.
    """
    check_statistics(statistics)
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
    """Yields each column with its path; one with only a name is below the struct that begins it."""
    structs = {each.name for each in stats if each.name and each.type == _STRUCT}
    for each in stats:
        if each.HasField("path"):
            yield tuple(each.path.step), each
        else:
            yield _split(each.name, structs), each


def _split(name: str, structs: set[str]) -> Path:
    dots = [at for at, letter in enumerate(name) if letter == "." and name[:at] in structs]
    edges = [-1, *dots, len(name)]
    return tuple(name[first + 1 : end] for first, end in pairwise(edges))
