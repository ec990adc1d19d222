"""Panes to tables, each row once: a journal names the streams, and the streams count their rows."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.batches import take_rows
from transforms.errors import MillraceError
from transforms.files import filesystem
from transforms.io.bigquery.append.appending import Appending, Refusal
from transforms.io.bigquery.append.connection import Connection
from transforms.io.bigquery.append.requests import Part, parts_of
from transforms.io.bigquery.clients import write_client
from transforms.io.bigquery.patience import tried
from transforms.reasons import Reason


def append_once(path: str, rows: pa.RecordBatch, draft: str) -> list[Refusal]:
    """Appends rows to a table; what an earlier try has appended is not appended again.

    Each try writes to a stream of its own, whose name is in the journal before it has a row. The
    next one closes that stream, which tells how many rows it took: they are in the table, in order.
    Nobody can append to it any more, so that a process that was thought dead does no harm.

    Args:
      path: The table, as the Storage API names it.
      rows: n rows, the same in every try.
      draft: The journal's files begin with it.

    Returns: The rows that the service refuses, whichever try met them.

    Raises:
      GoogleAPICallError: The table is not there, access is denied, or the service is away.
    """
    refused = [_refusal(each) for each in _read(f"{draft}.refused")]
    streams = _read(f"{draft}.streams")
    with write_client() as client:
        taken = sum(_close(client, name) for name in streams)
        left = np.setdiff1d(np.arange(rows.num_rows), [each.number for each in refused])[taken:]
        if not len(left):
            return refused
        parent, kind = path, {"type_": "COMMITTED"}
        made = tried(
            lambda: client.create_write_stream(parent=parent, write_stream=kind, retry=None)
        )
        _write(f"{draft}.streams", [*streams, made.name])

        def note(more: Any) -> None:
            _write(f"{draft}.refused", [asdict(each) for each in [*refused, *more]])

        appending = Appending(lambda: Connection(client, made.name), made.name, offset=0, note=note)
        new = appending.append(_numbered(take_rows(rows, left), left))
        appending.close()
        if _close(client, made.name) != len(left) - len(new):
            raise MillraceError("the stream's rows are not those that were appended")
    return [*refused, *new]


def _numbered(rows: pa.RecordBatch, numbers: np.ndarray) -> Any:
    return (Part(part.rows, numbers[part.numbers], part.content) for part in parts_of(rows))


def _close(client: Any, stream: str) -> int:
    """Closes a stream for good; returns how many rows it has taken."""
    return int(tried(lambda: client.finalize_write_stream(name=stream, retry=None)).row_count)


def _refusal(kept: dict[str, Any]) -> Refusal:
    return Refusal(kept["number"], Reason(kept["reason"]), kept["why"])


def _read(path: str) -> list[Any]:
    found: list[Any] = json.loads(filesystem.read_bytes(path)) if filesystem.exists(path) else []
    return found


def _write(path: str, content: list[Any]) -> None:
    filesystem.write_bytes(path, json.dumps(content).encode())
