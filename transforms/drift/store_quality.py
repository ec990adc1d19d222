"""StoreQuality: the quality of all windows of a run that ends, as a file, and its incidents."""

from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.commit.commit import Commit
from transforms.commit.ledger import Target
from transforms.drift.outcome import written
from transforms.drift.quality.judge import QUALITY, quality_events
from transforms.verb import Verb


def _whole(_: bytes, rows: list[pa.RecordBatch]) -> pa.Table:
    found = pa.Table.from_batches(rows, QUALITY)
    return found.sort_by([("window_start", "ascending")]).combine_chunks()


def _file(quality: pa.Table, format: str) -> tuple[str, bytes]:
    return f"quality.{format}", written(quality, format)


def _events(quality: pa.Table) -> list[pa.RecordBatch]:
    return list(quality_events(quality).to_batches())


@dataclass
class StoreQuality(Verb):
    """Writes the quality of windows when the run is committed.

    Args:
      commit: The run's.
      target: The folder for the file.

    Returns: The events of incidents of errors, as batches of schema `events.EVENTS`.
    """

    commit: Commit
    target: Target

    def expand(self, quality: Batches) -> Batches:
        """Stores the quality, and returns its events."""
        every = quality | "AllWindows" >> beam.WindowInto(beam.window.GlobalWindows())
        start = quality.pipeline | "One" >> beam.Impulse()
        gather = beam.Map(_whole, beam.pvalue.AsList(every)).with_output_types(pa.Table)
        whole = start | "Gather" >> gather
        file = beam.Map(_file, self.target.format).with_output_types(tuple[str, bytes])
        self.commit.artifacts(whole | "File" >> file, self.target)
        events = beam.FlatMap(_events).with_output_types(pa.RecordBatch)
        found: Batches = whole | "Events" >> events
        return found
