"""GenerateStatistics: batches to statistics, of all rows or of each window."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.utils.windowed_value import WindowedValue
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.coders import Batches, PickledCoder, register_pickled_coder
from transforms.statistics.collect import Collector
from transforms.statistics.dataset import WHOLE, Dataset, described, merged
from transforms.statistics.options import StatisticsOptions
from transforms.verb import Verb

_FEATURE_BYTES = 16 << 10
"""What is known of a column is some 30 kB at most, pickled, and little where few values differ."""


@register_pickled_coder
class Slices(dict[str, Dataset]):
    """What is known of the rows, by slice."""

    @property
    def nbytes(self) -> int:
        """About how many bytes it is, pickled."""
        return _FEATURE_BYTES * sum(len(data.features) for data in self.values())


class _CollectFn(beam.DoFn):
    """What is known of the rows of a bundle, for each window."""

    def __init__(self, options: StatisticsOptions) -> None:
        self.options = options

    def start_bundle(self) -> None:
        self._windows: dict[Any, Collector] = {}

    def process(self, batch: pa.RecordBatch, window: Any = beam.DoFn.WindowParam) -> None:
        if window not in self._windows:
            self._windows[window] = Collector(self.options)
        self._windows[window].add(batch)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for window, collector in self._windows.items():
            yield WindowedValue(Slices(collector.slices()), window.max_timestamp(), (window,))
        self._windows = {}


@beam.typehints.with_input_types(Slices)
@beam.typehints.with_output_types(Slices)
class _MergeFn(beam.CombineFn):
    """Parts of the data together."""

    def create_accumulator(self) -> Slices:
        return Slices({WHOLE: Dataset()})

    def add_input(self, slices: Slices, part: Slices) -> Slices:
        return Slices(merged([slices, part]))

    def merge_accumulators(self, parts: Iterable[Slices]) -> Slices:
        return Slices(merged(parts))

    def get_accumulator_coder(self) -> PickledCoder:
        return PickledCoder()

    def extract_output(self, slices: Slices) -> Slices:
        return slices


def merge_slices() -> beam.CombineGlobally:
    """Merges the states of parts of the data; of none there are no rows."""
    return beam.CombineGlobally(_MergeFn())


@dataclass
class CollectStatistics(Verb):
    """Gathers what is known of the rows of each window: from which statistics are made, or merged.

    Args:
      options: What statistics are made of.

    Returns: What is known of the rows, by slice; in windows, for each that has a batch.
    """

    options: StatisticsOptions = field(default_factory=StatisticsOptions)

    def expand(self, batches: Batches) -> "beam.PCollection[Slices]":
        """Returns the state of the rows, one value for each window."""
        parts = batches | "Collect" >> beam.ParDo(_CollectFn(self.options)).with_output_types(
            Slices
        )
        merge = merge_slices()
        is_one = batches.windowing.is_default()
        return parts | "Merge" >> (merge if is_one else merge.without_defaults())


@dataclass
class GenerateStatistics(Verb):
    """Makes the statistics of all rows of each window, in the form of TensorFlow Data Validation.

    Args:
      options: How they are made.

    Returns: A `DatasetFeatureStatisticsList` for each window that has a batch; see `statistics_of`.

    Raises:
      ConfigError: From the workers, as `statistics_of`; in windows, columns that no row of one has
        are left out of its statistics.
    """

    options: StatisticsOptions = field(default_factory=StatisticsOptions)

    def expand(
        self, batches: Batches
    ) -> "beam.PCollection[statistics_pb2.DatasetFeatureStatisticsList]":
        """Returns the statistics of each window."""
        slices = batches | "Slices" >> CollectStatistics(self.options)
        is_part = not batches.windowing.is_default()
        return slices | "Describe" >> beam.Map(described, self.options, is_part)
