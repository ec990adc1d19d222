"""Panes: what a window has so far, committed in one step; late ones add files, never replace."""

import datetime
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.commit.ledger import Target
from transforms.commit.manifest import now
from transforms.commit.places import place_of
from transforms.commit.stage import write_file
from transforms.commit.stream import wal
from transforms.commit.stream.wal import Staged
from transforms.files import filesystem

MESSAGE_ID = "message_id"

_COMMITS = threading.Lock()
"""Held by a commit. Runners give a key to one worker at a time, but some let its threads share it:
two panes of a window would then take the same number, and one write over the other.
"""


@dataclass(frozen=True)
class Pane:
    """What a commit made visible.

    Attributes:
      rows: How many rows.
      duplicates: Rows left out, since their message was committed before.
      path: The file, or "" where no row was left; the last one where rows have several schemas.
      refused: Rows that the output refused.
    """

    rows: int
    duplicates: int
    path: str
    refused: int = 0


def commit_pane(
    target: Target, run_id: str, start: int, end: int, staged: list[Staged], timing: str
) -> Pane:
    """Publishes staged rows of a window as one more file, each message once.

    It may be killed at any point: `recover` then finishes it, or nothing has happened.

    Args:
      target: The output, a folder.
      run_id: The run.
      start: The window's start, in microseconds since the epoch.
      end: The window's end.
      staged: Files of the log.
      timing: "on_time", "late" or "last", for the manifest.
    """
    with _COMMITS:
        return _commit_pane(target, run_id, start, end, staged, timing)


def _commit_pane(
    target: Target, run_id: str, start: int, end: int, staged: list[Staged], timing: str
) -> Pane:
    window = window_name(start)
    _finish_all(target, f"{window}-")
    left, found, number = _uncommitted(target, window, staged)
    groups = _of_one_schema(found)
    if len(groups) > 1:
        # A run that was started anew with another model, say: a file has one schema.
        panes = [_commit_pane(target, run_id, start, end, group, timing) for group in groups]
        return _sum(panes)
    tables = [table for _, table in found]
    rows, ids, duplicates = _distinct(tables, _known_ids(target, window, number))
    if rows is None or not rows.num_rows:
        wal.forget(left)
        return Pane(0, duplicates, "")
    name = f"{window}-{number:05d}"
    draft = f"{target.staging}/panes/{name}"
    size = write_file(target, f"{draft}{target.suffix}", rows.schema, rows.to_batches())
    filesystem.sync(f"{draft}{target.suffix}")
    if ids is not None:
        with (
            filesystem.open_write(f"{draft}.ids") as stream,
            pa.ipc.new_file(stream, ids.schema) as out,
        ):
            out.write_table(ids)
        filesystem.sync(f"{draft}.ids")
    path = _path(target, window, number)
    manifest = {
        "run_id": run_id,
        "status": "committed",
        "window": [iso(start), iso(end)],
        "pane": number,
        "timing": timing,
        "file": path,
        "rows": rows.num_rows,
        "bytes": size,
        "duplicates": duplicates,
        "committed": now(),
        "staged": [file.path for file in left],
    }
    # From here on it will be committed, if need be by the run that comes after.
    filesystem.write_bytes(f"{draft}.json", json.dumps(manifest, indent=2).encode())
    refused = _finish(target, name, manifest)
    return Pane(rows.num_rows - refused, duplicates, path, refused)


def _uncommitted(
    target: Target, window: str, staged: list[Staged]
) -> tuple[list[Staged], list[tuple[Staged, pa.Table]], int]:
    """Returns files in no pane of the window yet, their rows, and the number of panes.

    A service may have the same commit done again, or by two workers at once: one that finds a file
    gone looks whether the other one has committed it meanwhile.
    """
    while True:
        panes = list(_window_manifests(target, window))
        done = {path for pane in panes for path in pane["staged"]}
        wal.forget(file for file in staged if file.path in done)
        left = list({file.path: file for file in staged if file.path not in done}.values())
        found = list(wal.tables(left))
        if len(found) == len(left) or len(list(_window_manifests(target, window))) == len(panes):
            return left, found, len(panes)


def _of_one_schema(found: list[tuple[Staged, pa.Table]]) -> list[list[Staged]]:
    groups: dict[pa.Schema, list[Staged]] = {}
    for file, table in found:
        groups.setdefault(table.schema, []).append(file)
    return list(groups.values())


def _sum(panes: list[Pane]) -> Pane:
    rows, duplicates, refused = (
        sum(getattr(pane, name) for pane in panes) for name in ("rows", "duplicates", "refused")
    )
    return Pane(rows, duplicates, panes[-1].path, refused)


def _window_manifests(target: Target, window: str) -> Iterator[dict[str, Any]]:
    return _read_all(filesystem.list_folder(f"{target.records}/panes", f"{window}-", ".json"))


def _path(target: Target, window: str, number: int) -> str:
    if target.beside:
        return target.root
    return f"{target.root}/window_start={window}/part-{number:05d}{target.suffix}"


def _finish(target: Target, name: str, manifest: dict[str, Any]) -> int:
    """Makes a pane visible; returns how many of its rows were refused."""
    draft, done = f"{target.staging}/panes/{name}", target.records
    if filesystem.exists(f"{draft}.ids"):
        filesystem.move([(f"{draft}.ids", f"{done}/ids/{name}.ids")])
    refused = place_of(target).put_pane(target, draft, manifest)
    if refused and "refused" not in manifest:
        manifest = {**manifest, "rows": manifest["rows"] - refused, "refused": refused}
        filesystem.write_bytes(f"{draft}.json", json.dumps(manifest, indent=2).encode())
    filesystem.move([(f"{draft}.json", f"{done}/panes/{name}.json")])
    for path in manifest["staged"]:
        filesystem.delete(path)
    return refused


def _finish_all(target: Target, prefix: str = "") -> None:
    """Finishes commits that were cut short after their journal was written."""
    for path in filesystem.list_folder(f"{target.staging}/panes", prefix, ".json"):
        name = path.rpartition("/")[2].removesuffix(".json")
        _finish(target, name, json.loads(filesystem.read_bytes(path)))


def recover(target: Target) -> list[Staged]:
    """Finishes commits that were cut short, whose journal was written.

    Files of this run may be written to the log and committed meanwhile.

    Returns: The files of the log that wait for their commit.
    """
    with _COMMITS:
        _finish_all(target)
        for manifest in manifests(target):
            for path in manifest["staged"]:
                filesystem.delete(path)
        return wal.left(target.staging)


def clear_drafts(target: Target) -> None:
    """Deletes what a killed run had begun to write on a local disk; nothing may run meanwhile."""
    if filesystem.is_local(target.staging):
        _finish_all(target)
        filesystem.delete(f"{target.staging}/panes")
        wal.clear_drafts(target.staging)


def manifests(target: Target) -> Iterator[dict[str, Any]]:
    """Returns the manifests of all panes of an output."""
    return _read_all(filesystem.list_folder(f"{target.records}/panes", suffix=".json"))


def refused(target: Target) -> list[str]:
    """Returns the files of rejects that an output has made of rows that it refused."""
    return filesystem.list_folder(f"{target.records}/refused", suffix=".arrow")


def _read_all(paths: list[str]) -> Iterator[dict[str, Any]]:
    return (json.loads(filesystem.read_bytes(path)) for path in paths)


def _known_ids(target: Target, window: str, panes: int) -> list[str]:
    """Returns the messages of a window's first panes."""
    found = filesystem.list_folder(f"{target.records}/ids", f"{window}-", ".ids")
    names = {f"{window}-{number:05d}.ids" for number in range(panes)}
    return [name for path in found if path.rpartition("/")[2] in names for name in _ids(path)]


def _ids(uri: str) -> list[str]:
    with filesystem.open_read(uri) as stream, pa.ipc.open_file(stream) as reader:
        names: list[str] = reader.read_all()[MESSAGE_ID].to_pylist()
    return names


def _distinct(
    found: list[pa.Table], known: list[str]
) -> tuple[pa.Table | None, pa.Table | None, int]:
    """Returns the rows of unknown messages, each message once, and their ids."""
    if not found:
        return None, None, 0
    rows = pa.concat_tables(found)
    if MESSAGE_ID not in rows.column_names:
        return rows, None, 0
    ids = rows[MESSAGE_ID].combine_chunks()
    fresh = ~np.asarray(pc.is_in(ids, value_set=pa.array(known, pa.string()), skip_nulls=True))
    file = np.repeat(np.arange(len(found)), [table.num_rows for table in found])
    fresh &= _first_delivery(ids, file)
    kept = rows.filter(pa.array(fresh))
    return kept, kept.select([MESSAGE_ID]), int((~fresh).sum())


def _first_delivery(ids: pa.Array, file: np.ndarray) -> np.ndarray:
    """Returns which rows are of the first file with their message, which may have several rows."""
    codes = ids.dictionary_encode().indices
    valid = np.asarray(codes.is_valid())
    codes = np.asarray(codes.fill_null(-1))
    first = np.full(int(codes.max(initial=-1)) + 1, len(file) and int(file.max()) + 1, np.int64)
    np.minimum.at(first, codes[valid], file[valid])
    kept = np.ones(len(file), bool)
    kept[valid] = first[codes[valid]] == file[valid]
    return kept


def window_name(start: int) -> str:
    """Returns a window's name in paths: its start in UTC, as 20260131T235900Z."""
    time = datetime.datetime.fromtimestamp(start // 1_000_000, datetime.UTC)
    parts = start % 1_000_000
    return f"{time.year:04}{time:%m%dT%H%M%S}" + (f".{parts:06d}" if parts else "") + "Z"


def iso(micros: int) -> str:
    """Returns a time in the form of manifests."""
    time = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (time + datetime.timedelta(microseconds=micros)).isoformat()
