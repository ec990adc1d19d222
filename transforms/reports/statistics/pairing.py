"""Features of a report: the same column in the current data and in the baseline, and its faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from transforms.metadata.columns import Column
from transforms.metadata.datasets import Dataset, dataset_of, dataset_of_one, is_weighted, slices_of
from transforms.metadata.paths import Path, path_text
from transforms.metadata.protos import anomalies_pb2, schema_pb2, statistics_pb2

NUMBERS, TEXTS, OTHERS = "numbers", "texts", "others"


@dataclass(frozen=True)
class Feature:
    """A column of either data set.

    Attributes:
      path: Where it is.
      current: Its statistics; None where only the baseline has it.
      baseline: The same of the baseline, where there is one.
      expected: What the schema says of it.
      anomaly: What is wrong with it.
    """

    path: Path
    current: Column | None
    baseline: Column | None = None
    expected: schema_pb2.Feature | None = None
    anomaly: anomalies_pb2.AnomalyInfo | None = None

    @cached_property
    def name(self) -> str:
        """Its path as text."""
        return path_text(self.path)

    @property
    def any(self) -> Column:
        """Its statistics: the current ones, if it has them."""
        some = self.current or self.baseline
        assert some is not None
        return some

    @property
    def both(self) -> tuple[Column | None, Column | None]:
        """Current and baseline."""
        return self.current, self.baseline

    @property
    def group(self) -> str:
        """Which table it stands in."""
        kinds = {"num_stats": NUMBERS, "string_stats": TEXTS}
        return kinds.get(str(self.any.stats.WhichOneof("stats")), OTHERS)


def dataset(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> Dataset:
    """Returns the data set of statistics, or an empty one."""
    return dataset_of(statistics) if statistics.datasets else Dataset(0, {})


def slices(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> dict[str, Dataset]:
    """Returns the slices of statistics by name, weighted if all rows are; else none."""
    parts = slices_of(statistics)
    by_weight = bool(parts) and is_weighted(statistics)
    return {name: dataset_of_one(part, by_weight) for name, part in parts.items()}


def features(
    current: Dataset,
    baseline: Dataset | None,
    expected: dict[Path, schema_pb2.Feature],
    anomalies: dict[Path, anomalies_pb2.AnomalyInfo],
) -> Iterator[Feature]:
    """Returns the features of both, in the order of the current data; last those that it lacks."""
    others = baseline.columns if baseline is not None else {}
    for path in [*current.columns, *(path for path in others if path not in current.columns)]:
        yield Feature(
            path,
            current.columns.get(path),
            others.get(path),
            expected.get(path),
            anomalies.get(path),
        )
