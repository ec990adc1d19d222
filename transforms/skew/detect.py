"""DetectFeatureSkew: the same rows in training and in serving, and which features differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.errors import ConfigError
from transforms.keys.partition import PartitionByKey, check_key
from transforms.skew.join import SkewReport, skew_of
from transforms.verb import Verb

_BASE, _TEST = 0, 1


class _MergeFn(beam.CombineFn):
    """Reports of shards to that of the whole."""

    def __init__(self, sample: int) -> None:
        self.sample = sample

    def create_accumulator(self) -> SkewReport:
        return SkewReport()

    def add_input(self, report: SkewReport, other: SkewReport) -> SkewReport:
        return report.merge(other, self.sample)

    def merge_accumulators(self, reports: Iterable[SkewReport]) -> SkewReport:
        whole = SkewReport()
        for report in reports:
            whole = whole.merge(report, self.sample)
        return whole

    def extract_output(self, report: SkewReport) -> SkewReport:
        return report


def _shard_skew(
    shard: tuple[int, Iterable[tuple[int, pa.RecordBatch]]],
    identifiers: tuple[str, ...],
    features: tuple[str, ...] | None,
    float_digits: int | None,
    sample: int,
) -> SkewReport:
    sides: tuple[list[pa.RecordBatch], list[pa.RecordBatch]] = ([], [])
    for side, batch in shard[1]:
        sides[side].append(batch)
    return skew_of(*sides, identifiers, features, float_digits, sample)


def _tagged(shard: tuple[int, pa.RecordBatch], side: int) -> tuple[int, tuple[int, pa.RecordBatch]]:
    number, batch = shard
    return number, (side, batch)


@dataclass
class DetectFeatureSkew(Verb):
    """Joins two data sets by id, and counts for each feature how often its values differ.

    It finds differences between the code that makes features for training and the code that makes
    them for serving, even if distributions are the same. Apply it to a pair of collections of
    batches: `(training, serving) | DetectFeatureSkew(["trip_id"])`. An id that occurs twice on a
    side is counted and not compared. A worker holds the rows of a shard, of both sides.

    Args:
      identifiers: The columns that make the id: numbers, texts, times.
      features: The columns to compare; None for all that either side has.
      float_digits: To how many decimals floats are rounded first; None does not round.
      sample: How many differing pairs of each feature the report shows: those whose ids have the
        smallest hashes, the same ones in each run. They are values of rows: mind who may see them.
      shards: In how many parts the data is joined.

    Returns: One `SkewReport`; in windows one for each that has rows.

    Raises:
      ConfigError: When constructed without lists of names, or shards; from the workers, if the data
        lacks one, or has it in types that have nothing in common, or has no such feature.
    """

    identifiers: Sequence[str]
    features: Sequence[str] | None = None
    float_digits: int | None = None
    sample: int = 0
    shards: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        check_key("DetectFeatureSkew", self.identifiers, self.shards, "identifiers")
        if isinstance(self.features, str):
            raise ConfigError("DetectFeatureSkew: features is a list of the columns to compare")
        if self.sample < 0:
            raise ConfigError("DetectFeatureSkew: sample is 0 pairs or more")

    def expand(self, sides: tuple[Batches, Batches]) -> Any:
        """Returns the counts of each feature."""
        if not isinstance(sides, tuple) or len(sides) != 2:
            raise ConfigError("DetectFeatureSkew: apply it to (training, serving)")
        base, test = (
            self._side(batches, name, side)
            for side, (batches, name) in enumerate(zip(sides, ("Base", "Test"), strict=True))
        )
        joined = (base, test) | beam.Flatten() | beam.GroupByKey()
        features = None if self.features is None else tuple(self.features)
        compare = beam.Map(
            _shard_skew, tuple(self.identifiers), features, self.float_digits, self.sample
        )
        merge = beam.CombineGlobally(_MergeFn(self.sample))
        if not sides[0].windowing.is_default():
            merge = merge.without_defaults()
        reports = joined | "Compare" >> compare.with_output_types(SkewReport)
        return reports | "Merge" >> merge.with_output_types(SkewReport)

    def _side(self, batches: Batches, name: str, side: int) -> Any:
        typed = beam.typehints.Tuple[int, beam.typehints.Tuple[int, pa.RecordBatch]]
        shards = batches | name >> PartitionByKey(self.identifiers, self.shards)
        return shards | f"Tag{name}" >> beam.Map(_tagged, side).with_output_types(typed)
