"""Staged files of a stream, its write-ahead log: what is acknowledged is here, or committed."""

import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from transforms.files import filesystem

_SUFFIX = ".arrow"


@dataclass(frozen=True)
class Staged:
    """A file of the log: rows of one window, from one bundle.

    Attributes:
      path: Where it lies.
      start: The window's start, in microseconds since the epoch.
      end: The window's end.
      rows: How many rows.
    """

    path: str
    start: int
    end: int
    rows: int


def append(staging: str, start: int, end: int, batches: list[pa.RecordBatch]) -> Staged:
    """Writes rows of a window to a file that appears whole, or not at all, and then stays.

    Args:
      staging: The log's folder.
      start: The window's start, in microseconds since the epoch.
      end: The window's end.
      batches: Rows of one schema.
    """
    rows = sum(batch.num_rows for batch in batches)
    name = f"{start}_{end}_{rows}_{uuid.uuid4().hex}"
    path, draft = f"{staging}/log/{name}{_SUFFIX}", f"{staging}/log/_{name}"
    schema = batches[0].schema.remove_metadata()
    with filesystem.open_write(draft) as stream, pa.ipc.new_file(stream, schema) as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(None))
    filesystem.sync(draft)
    filesystem.move([(draft, path)])
    filesystem.sync(f"{staging}/log")
    return Staged(path, start, end, rows)


def left(staging: str) -> list[Staged]:
    """Returns the files of a log that no commit has taken yet."""
    paths = filesystem.list_folder(f"{staging}/log", suffix=_SUFFIX)
    return [_parsed(path) for path in paths]


def clear_drafts(staging: str) -> None:
    """Deletes the drafts that a killed run left in a log on a local disk."""
    if os.path.isdir(f"{staging}/log"):
        for name in os.listdir(f"{staging}/log"):
            if name.startswith("_"):
                filesystem.delete(f"{staging}/log/{name}")


def _parsed(path: str) -> Staged:
    start, end, rows, _ = path.rpartition("/")[2].split("_")
    return Staged(path, int(start), int(end), int(rows))


def tables(staged: Iterable[Staged]) -> Iterator[tuple[Staged, pa.Table]]:
    """Yields the files of the log and their rows; a file that is gone was committed before."""
    for file in staged:
        try:
            with filesystem.open_read(file.path) as stream, pa.ipc.open_file(stream) as reader:
                yield file, reader.read_all()
        except FileNotFoundError:
            continue


def forget(staged: Iterable[Staged]) -> None:
    """Deletes files that are committed."""
    for file in staged:
        filesystem.delete(file.path)


def message_ids(folder: str) -> list[str]:
    """Returns the messages that Arrow files of a folder name in lists, column `message_ids`."""
    found: list[str] = []
    for path in filesystem.list_folder(folder, suffix=_SUFFIX):
        with filesystem.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
            lists = reader.read_all()["message_ids"].to_pylist()
        found += [name for names in lists for name in names or ()]
    return found
