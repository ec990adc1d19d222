"""The journal of predictions and labels that a run on messages has read, and not measured yet.

It is what `counting.journal` is for counts: the local runner keeps nothing across a kill.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from transforms.commit.stream import wal
from transforms.drift.quality.join import PUBLISHED, START
from transforms.files import filesystem

MESSAGE_ID = "message_id"
_lock = threading.Lock()


def _never() -> bool:
    return False


@dataclass(frozen=True)
class SideJournal:
    """A journal in a folder.

    Attributes:
      folder: Where it is.
      size_us: The length of windows in microseconds.
      wait_us: For how long after its end a window waits for labels.
      before: The files that an earlier start of the run has left, by side.
      draining: Tells whether the run is asked to end.
    """

    folder: str
    size_us: int
    wait_us: int
    before: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    draining: Callable[[], bool] = _never

    def resumed(self) -> "SideJournal":
        """Returns it with what is there now, before this run adds to it."""
        for side in (0, 1):
            wal.clear_drafts(self._place(side))
        found = [tuple(file.path for file in wal.left(self._place(side))) for side in (0, 1)]
        return SideJournal(
            self.folder, self.size_us, self.wait_us, (found[0], found[1]), self.draining
        )

    def _place(self, side: int) -> str:
        return f"{self.folder}/{('predictions', 'labels')[side]}"

    def append(self, side: int, batches: list[pa.RecordBatch]) -> None:
        """Notes what a bundle has read of a side; it is on the disk when this returns.

        Args:
          side: 0 for predictions, 1 for labels.
          batches: As `Joining` makes them, with the messages' ids and times of publishing.
        """
        batches = [batch for batch in batches if batch.num_rows]
        if not batches:
            return
        column = PUBLISHED if side else START
        ends = [pc.max(batch[column].cast(pa.int64())).as_py() or 0 for batch in batches]
        # A label may be of a prediction that comes later: as long as it is remembered it stays.
        end = max(ends) + self.size_us * (1 + 2 * side) + self.wait_us
        wal.append(self._place(side), 0, end, batches)

    def read(self, side: int) -> list[pa.RecordBatch]:
        """Returns what an earlier start has read of a side and not measured."""
        files = [file for file in wal.left(self._place(side)) if file.path in self.before[side]]
        found = [b for _, table in wal.tables(files) for b in table.combine_chunks().to_batches()]
        closed = self.closed
        if side or closed is None:
            return found
        return [each.filter(pc.greater(each[START], closed - self.size_us)) for each in found]

    def known_ids(self, side: int) -> pa.Array:
        """Returns the messages of a side that an earlier start has read."""
        found = [batch[MESSAGE_ID].cast(pa.string()) for batch in self.read_all(side)]
        return pa.concat_arrays(found) if found else pa.array([], pa.string())

    def read_all(self, side: int) -> list[pa.RecordBatch]:
        """Returns what files of an earlier start hold, also of windows that are measured."""
        files = [file for file in wal.left(self._place(side)) if file.path in self.before[side]]
        return [b for _, table in wal.tables(files) for b in table.combine_chunks().to_batches()]

    def close(self, end_us: int) -> None:
        """Forgets windows that end by then: they are measured, and that is written."""
        if self.draining() or end_us <= (self.closed or 0):
            return
        with _lock:
            text = json.dumps({"end_us": end_us})
            filesystem.write_bytes(f"{self.folder}/closed.json", text.encode())
            for side in (0, 1):
                left = wal.left(self._place(side))
                wal.forget(file for file in left if file.end <= end_us + self.wait_us)

    @property
    def closed(self) -> int | None:
        """The end of the last window that is measured, in microseconds; None for none."""
        path = f"{self.folder}/closed.json"
        if not filesystem.exists(path):
            return None
        end: int = json.loads(filesystem.read_bytes(path))["end_us"]
        return end
