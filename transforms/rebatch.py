"""Rebatch: batches cut and joined to a size."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.utils.windowed_value import WindowedValue

from transforms.batches import MAX_BYTES, MAX_ROWS, rebatch
from transforms.coders import Batches
from transforms.verb import Verb


class _RebatchFn(beam.DoFn):
    """Rebatches the batches of a bundle, never across windows."""

    def __init__(self, max_rows: int, max_bytes: int) -> None:
        self.max_rows, self.max_bytes = max_rows, max_bytes

    def start_bundle(self) -> None:
        self._waiting: dict[Any, tuple[Any, list[pa.RecordBatch], int, int]] = {}

    def process(
        self,
        batch: pa.RecordBatch,
        window: Any = beam.DoFn.WindowParam,
        timestamp: Any = beam.DoFn.TimestampParam,
    ) -> Iterator[pa.RecordBatch]:
        latest, held, rows, size = self._waiting.pop(window, (timestamp, [], 0, 0))
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= self.max_rows or size >= self.max_bytes:
            *full, last = rebatch(held, self.max_rows, self.max_bytes)
            yield from full
            held, rows, size = [last], last.num_rows, last.nbytes
        self._waiting[window] = (max(latest, timestamp), held, rows, size)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for window, (timestamp, held, _, _) in self._waiting.items():
            for batch in rebatch(held, self.max_rows, self.max_bytes):
                yield WindowedValue(batch, timestamp, (window,))


@dataclass
class Rebatch(Verb):
    """Cuts and joins batches to a size in rows and bytes, within a bundle and a window.

    Args:
      max_rows: Most rows of a batch; a model's batch size, say.
      max_bytes: About the most bytes of a batch.

    Returns: The same rows. Batches joined from several sources lose the note of where their rows
      came from.
    """

    max_rows: int = MAX_ROWS
    max_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_rows < 1 or self.max_bytes < 1:
            raise ValueError("Rebatch: max_rows and max_bytes are at least 1")

    def expand(self, batches: Batches) -> Batches:
        """Returns the same rows in batches of the wanted size."""
        step = beam.ParDo(_RebatchFn(self.max_rows, self.max_bytes))
        rebatched: Batches = batches | "Rebatch" >> step.with_output_types(pa.RecordBatch)
        return rebatched
