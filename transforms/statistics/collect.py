"""Collector: batches to the statistics of slices, some tens of thousands of rows at a time."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.batches import select_rows
from transforms.errors import ConfigError
from transforms.statistics.dataset import Dataset, described
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.summary import CHUNK

WHOLE = "All Examples"
"""The slice of all rows, by TFDV's name."""
MAX_SLICES = 1000
HELD_BYTES = 64 << 20
HELD_OF_COLUMN = 32 << 10
"""Of very many columns more is held: so many bytes of each, no more than what is known of it."""


class Collector:
    """Gathers batches of one schema until they are worth their fixed costs, and takes them in.

    Args:
      options: What statistics are made of.
    """

    def __init__(self, options: StatisticsOptions) -> None:
        self._options, self._kinds = options, options.kinds
        self._held: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        self._random = np.random.default_rng()
        self._slices: dict[str, Dataset] = {WHOLE: Dataset()}

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes rows into account."""
        if self._options.sample_rate < 1:
            mask = self._random.random(batch.num_rows) < self._options.sample_rate
            batch = select_rows(batch, mask)
        batch = batch.replace_schema_metadata(None)
        if self._held and not batch.schema.equals(self._held[0].schema):
            self._flush()
        self._held.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= CHUNK or self._bytes >= max(
            HELD_BYTES, HELD_OF_COLUMN * batch.num_columns
        ):
            self._flush()

    def slices(self) -> dict[str, Dataset]:
        """What is known of all rows, by slice."""
        self._flush()
        return self._slices

    def _flush(self) -> None:
        if self._held:
            batch = self._held[0] if len(self._held) == 1 else pa.concat_batches(self._held)
            self._held, self._rows, self._bytes = [], 0, 0
            for name, part in [(WHOLE, batch), *self._sliced(batch)]:
                self._slice(name).add(part, self._options, self._kinds)

    def _sliced(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        for slicer in self._options.slices:
            yield from slicer(batch)

    def _slice(self, name: str) -> Dataset:
        if name not in self._slices:
            if len(self._slices) > MAX_SLICES:
                raise ConfigError(
                    f"there are more than {MAX_SLICES:,} slices: slice by a column of fewer values,"
                    " or name those that are wanted"
                )
            self._slices[name] = Dataset()
        return self._slices[name]


def statistics_of(
    batches: Iterable[pa.RecordBatch], options: StatisticsOptions | None = None
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """The statistics of rows.

    Args:
      batches: Their columns may differ from batch to batch: where one is not there, it is missing.
      options: What statistics are made of.

    Returns: Those of all rows, named "All Examples", and of each slice; features in the order of
      the columns. As TFDV's, but for what docs/statistics.md says.

    Raises:
      ConfigError: A column is of a type of which there are no statistics, or the weights are none.
    """
    options = options or StatisticsOptions()
    collector = Collector(options)
    for batch in batches:
        collector.add(batch)
    return described(collector.slices(), options)
