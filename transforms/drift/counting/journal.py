"""The journal of a run on messages: what was counted and is acknowledged, and in no verdict yet.

The local runner keeps nothing across a kill. Each bundle adds a file before its messages are
acknowledged: counts, some kilobytes, and the ids of the messages, so that those that come again are
known. Files go when their windows take no more rows.
"""

import contextlib
import functools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.commit.stream.wal import clear_drafts
from transforms.drift.counting.counts import unpacked
from transforms.drift.counting.panes import Pane, Panes
from transforms.errors import ConfigError
from transforms.files import filesystem

JOINED = 256
"""So many files of bundles become one."""
IDS_MS = 20 * 60 * 1000
"""For so long ids of messages are kept: leases end within ten minutes."""
_FIELDS = [
    ("pane", pa.int64()),
    ("open_from", pa.int64()),
    ("latest", pa.int64()),
    ("content", pa.binary()),
    ("width", pa.string()),
    ("shape", pa.list_(pa.int64())),
    ("new", pa.list_(pa.string())),
    ("message_ids", pa.list_(pa.string())),
]
_BASELINE, _PARTS = b"baseline", b"parts"
_lock = threading.Lock()
"""Held while files come or go: bundles may work side by side."""
_fresh: dict[str, list[str]] = {}
"""By folder the files that this process has written, and that are not joined yet."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Journal:
    """A journal in a folder.

    Attributes:
      folder: Where it is.
      windows: That are counted.
      baseline: The hash of that in whose cells they are counted.
      known_from: Files whose messages are left out where they come again: those of an earlier
        start, where the source itself can't leave them out.
      draining: Tells whether the run is asked to end: windows then end before their time, and what
        is known of them stays.
    """

    folder: str
    windows: Panes
    baseline: str
    draining: Callable[[], bool] = _never
    known_from: tuple[str, ...] = ()

    def fresh(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Returns the rows of messages that no earlier start has counted."""
        if not self.known_from:
            return rows
        known = _known(self.known_from)
        ids = rows["message_id"].cast(pa.string())
        return rows.filter(pc.invert(pc.is_in(ids, known)))

    def append(self, panes: Iterable[Pane], message_ids: list[str]) -> None:
        """Notes what a bundle has counted; it is on the disk when this returns."""
        rows = [self._row(pane) for pane in panes]
        if not rows:
            return
        rows[0]["message_ids"] = message_ids
        with _lock:
            mine = _fresh.setdefault(self.folder, [])
            mine.append(self._write(rows, ()))
            if len(mine) >= JOINED:
                self._join(mine)
                mine.clear()

    def left(self) -> tuple[str, ...]:
        """Returns its files, but those that were joined to another one."""
        paths = filesystem.list_folder(self.log, suffix=".arrow")
        clear_drafts(self.folder)
        joined = {part for path in paths if path.endswith("_j.arrow") for part in _parts(path)}
        for path in paths:
            if path in joined:
                filesystem.delete(path)
        return tuple(path for path in paths if path not in joined)

    def open_panes(self) -> list[Pane]:
        """Returns what it holds of windows that may get more rows, added up."""
        least, found = self._least(), []
        for pane in self.panes(self.left()):
            start = pane.latest - pane.latest % self.windows.period_us
            if least is None or start >= least:
                open_from = pane.open_from if least is None else max(pane.open_from, least)
                found.append(replace(pane, open_from=open_from))
        return found

    def _least(self) -> int | None:
        """Returns the start of the first window that takes rows."""
        closed = self.closed
        if closed is None:
            return None
        period = self.windows.period_us
        return ((closed - self.windows.size_us) // period + 1) * period

    def panes(self, paths: Iterable[str]) -> list[Pane]:
        """Returns what files hold, added up by pane and the windows that were open.

        Raises:
          ConfigError: They were counted with another baseline.
        """
        found: dict[tuple[int, int], Pane] = {}
        for path in paths:
            table = self._read(path)
            for row in table.to_pylist():
                pane = _pane(row)
                found[pane.key] = found[pane.key].merge(pane) if pane.key in found else pane
        return [found[key] for key in sorted(found)]

    @property
    def log(self) -> str:
        """The folder of its files, which name messages too."""
        return f"{self.folder}/log"

    def _message_ids(self, paths: Iterable[str]) -> list[str]:
        """Returns the messages of files that may come again."""
        paths = list(paths)
        since = max((_millis(path) for path in paths), default=0) - IDS_MS
        tables = [self._read(path) for path in paths if _millis(path) >= since]
        ids = [row for table in tables for row in table["message_ids"].to_pylist() if row]
        return [name for row in ids for name in row]

    def close(self, until_us: int) -> None:
        """Forgets windows that end by then or before: they take no more rows."""
        if self.draining() or until_us <= (self.closed or 0):
            return
        filesystem.write_bytes(
            f"{self.folder}/closed.json", json.dumps({"until_us": until_us}).encode()
        )
        with _lock:
            mine = _fresh.setdefault(self.folder, [])
            for path in filesystem.list_folder(self.log, suffix=".arrow"):
                if _end(path) <= until_us:
                    filesystem.delete(path)
                    mine[:] = [each for each in mine if each != path]

    @property
    def closed(self) -> int | None:
        """Up to when windows have ended that take no more rows, in microseconds; None for none."""
        path = f"{self.folder}/closed.json"
        if not filesystem.exists(path):
            return None
        until: int = json.loads(filesystem.read_bytes(path))["until_us"]
        return until

    def _row(self, pane: Pane) -> dict[str, Any]:
        content, width, shape, new = pane.counts.packed()
        return {
            "pane": pane.start,
            "open_from": pane.open_from,
            "latest": pane.latest,
            "content": content,
            "width": width,
            "shape": list(shape),
            "new": list(new),
            "message_ids": None,
        }

    def _write(self, rows: list[dict[str, Any]], parts: Iterable[str]) -> str:
        latest = max(row["pane"] for row in rows)
        end = latest - latest % self.windows.period_us + self.windows.size_us
        mark = "_j" if parts else ""
        name = f"{end}_{time.time_ns() // 10**6}_{uuid.uuid4().hex}{mark}.arrow"
        told = {_BASELINE: self.baseline.encode(), _PARTS: json.dumps(list(parts)).encode()}
        table = pa.Table.from_pylist(rows, pa.schema(_FIELDS, told))
        draft, path = f"{self.log}/_{name}", f"{self.log}/{name}"
        with filesystem.open_write(draft) as stream, pa.ipc.new_file(stream, table.schema) as out:
            out.write_table(table)
        filesystem.sync(draft)
        filesystem.move([(draft, path)])
        filesystem.sync(self.log)
        return path

    def _join(self, paths: list[str]) -> None:
        """Writes files as one, which names them: whoever finds both takes it alone."""
        rows = [self._row(pane) for pane in self.panes(paths)]
        rows[0]["message_ids"] = self._message_ids(paths)
        self._write(rows, paths)
        for path in paths:
            filesystem.delete(path)

    def _read(self, path: str) -> pa.Table:
        with filesystem.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
            table = reader.read_all()
        if table.schema.metadata[_BASELINE] != self.baseline.encode():
            raise ConfigError(
                "--baseline: windows of this run are counted in the cells of another baseline: "
                "pass that one, or another --run_id and --output"
            )
        return table


@functools.lru_cache(maxsize=1)
def _known(paths: tuple[str, ...]) -> pa.Array:
    found: list[str] = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            found += [name for names in _lists(path) for name in names or ()]
    return pa.array(found, pa.string())


def _lists(path: str) -> list[list[str] | None]:
    with filesystem.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        lists: list[list[str] | None] = reader.read_all()["message_ids"].to_pylist()
    return lists


def _pane(row: dict[str, Any]) -> Pane:
    shape, new = tuple(row["shape"]), tuple(row["new"])
    counts = unpacked(row["content"], row["width"], shape, new)
    return Pane(row["pane"], row["open_from"], row["latest"], counts)


def _parts(path: str) -> list[str]:
    with filesystem.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        parts: list[str] = json.loads(reader.schema.metadata[_PARTS])
    return parts


def _named(path: str) -> list[str]:
    return path.rpartition("/")[2].split("_")


def _end(path: str) -> int:
    return int(_named(path)[0])


def _millis(path: str) -> int:
    return int(_named(path)[1])
