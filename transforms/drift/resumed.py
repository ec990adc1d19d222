"""What a run on messages left when it was started before: its journal, and verdicts it wrote."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from transforms.commit.ledger import Target
from transforms.commit.stage import staged_rows
from transforms.commit.stream.panes import manifests
from transforms.commit.stream.wal import left
from transforms.drift.counting.journal import Journal
from transforms.drift.incidents.confirm import window_of
from transforms.drift.judging.prometheus import exposition
from transforms.drift.judging.verdicts import VERDICTS
from transforms.files import filesystem

METRICS = "metrics.prom"


@dataclass(frozen=True)
class Resumed:
    """What is there of an earlier start.

    Attributes:
      target: The folder of verdicts.
      journal: The counts of windows that may get more rows.
      lateness_us: For how long after its end a window takes rows, in microseconds.
      read: Reads a file of the folder.
    """

    target: Target
    journal: Journal
    lateness_us: int
    read: Callable[[str], list[pa.RecordBatch]]

    def close(self, start: int) -> None:
        """Forgets the windows that took no more rows when this one ended.

        Args:
          start: The start of the last window with verdicts, in microseconds.
        """
        self.journal.close(start + self.journal.windows.size_us - self.lateness_us)

    def expose(self, verdicts: pa.RecordBatch) -> None:
        """Writes the last window for Prometheus, beside the manifests."""
        text = exposition(pa.Table.from_batches([verdicts]), None)
        filesystem.write_bytes(f"{self.target.records}/{METRICS}", text.encode())

    def published(self, since_us: int | None = None) -> list[pa.RecordBatch]:
        """Returns the verdicts of windows that end after a time, each result as one batch.

        Args:
          since_us: In microseconds; None gives those of windows that may get more rows, and the
            last one.
        """
        if since_us is None:
            since_us = self.journal.closed or 0
        # What waits in the log goes to the folder: so that is looked at last.
        found = [rows for file in left(self.target.staging) for rows in _staged(file.path)]
        for manifest in manifests(self.target):
            # Verdicts are written at the end of their window.
            if _micros(manifest["window"][1]) > since_us:
                found += self.read(manifest["file"])
        tables = [pa.Table.from_batches([each]).select(VERDICTS.names) for each in found]
        if not tables:
            return []
        whole = pa.concat_tables([each.cast(VERDICTS) for each in tables])
        batches = _by_result(whole.combine_chunks())
        return [each for each in batches if window_of(each)[0] > since_us]


def _micros(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 10**6)


def _staged(path: str) -> list[pa.RecordBatch]:
    try:
        return list(staged_rows(path))
    except FileNotFoundError:
        return []


def _by_result(verdicts: pa.Table) -> list[pa.RecordBatch]:
    """Returns the rows of each result of a window as one batch, in their order."""
    found: dict[tuple[int, int, int], dict[str, int]] = {}
    keys = (
        verdicts["window_end"].cast(pa.int64()).to_pylist(),
        verdicts["window_start"].cast(pa.int64()).to_pylist(),
        verdicts["revision"].to_pylist(),
    )
    ids = verdicts["verdict_id"].to_pylist()
    for place, key in enumerate(zip(*keys, strict=True)):
        # What was published meanwhile is there twice.
        found.setdefault(key, {}).setdefault(ids[place], place)
    return [
        verdicts.take(pa.array(list(places.values()))).combine_chunks().to_batches()[0]
        for places in found.values()
    ]
