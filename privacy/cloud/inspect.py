"""Inspection through Cloud DLP: every finding, also where one reply can't hold them."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from google.cloud.dlp_v2 import types

from privacy.cloud.alone import found_in, is_too_much
from privacy.cloud.calls import CloudStopped, Refusal
from privacy.cloud.encode import with_table
from privacy.cloud.engine import CloudEngine
from privacy.cloud.outcomes import Action
from privacy.cloud.pieces import NoSafeCut, in_pieces

_SLACK = 64
PLACES = pa.schema(
    [
        ("row", pa.int64()),
        ("column", pa.string()),
        ("info_type", pa.string()),
        ("likelihood", pa.string()),
        ("byte_start", pa.int64()),
        ("byte_end", pa.int64()),
        ("codepoint_start", pa.int64()),
        ("codepoint_end", pa.int64()),
        ("quote", pa.string()),
    ]
)
"""A finding: its row, column, kind and place, and the quote only where the policy asks for it."""


class _Truncated(Exception):
    """The reply holds only some of the findings."""


def inspect_columns(
    engine: CloudEngine, names: Sequence[str], columns: Sequence[pa.Array]
) -> tuple[pa.RecordBatch, np.ndarray]:
    """Inspects columns of n rows.

    A reply that says its findings are truncated is thrown away, and the halves are asked about; in
    the end one row, cell by cell, and of one cell the text in pieces.

    Args:
      engine: Its policy says what is looked for.
      names: The columns' names, which count as context.
      columns: n rows each.

    Returns: The findings, of schema `PLACES`, by row, column and place; and n booleans: rows that
    have a cell with more findings than one reply holds, or that is too large, and that can't be
    cut: their findings are not complete.

    Raises:
      CloudStopped: The service refuses the configuration, or does not answer.
    """
    work = _Inspecting(engine, list(names), list(columns))
    parts = engine.in_parallel(work.resolve, columns, len(work.request(0, 0)) + _SLACK)
    rows = [row for found in parts for row in found]
    order = {name: at for at, name in enumerate(names)}
    rows.sort(key=lambda row: (row["row"], order[row["column"]], row["byte_start"]))
    incomplete = np.zeros(len(columns[0]), bool)
    incomplete[sorted(work.incomplete)] = True
    return pa.RecordBatch.from_pylist(rows, PLACES), incomplete


@dataclass
class _Inspecting:
    """One pass over columns."""

    engine: CloudEngine
    names: list[str]
    columns: list[pa.Array]

    def __post_init__(self) -> None:
        self.incomplete: set[int] = set()
        self._config = self.engine.policy.inspect()

    def request(
        self, start: int, stop: int, at: int | None = None, cells: list[pa.Array] | None = None
    ) -> bytes:
        """Returns the message for some rows; of one column where `at` is given, or other cells."""
        chosen = range(len(self.names)) if at is None else [at]
        names = [self.names[i] for i in chosen]
        columns = cells or [self.columns[i].slice(start, stop - start) for i in chosen]
        message = types.InspectContentRequest.pb()(
            parent=self.engine.policy.parent, inspect_config=self._config
        )
        item = message.DESCRIPTOR.fields_by_name["item"].number
        return with_table(message, item, names, columns, numbered=False)

    def resolve(self, start: int, stop: int) -> list[dict[str, Any]]:
        """Returns the findings of rows, in as many requests as they need."""
        try:
            return self._asked(start, stop)
        except (_Truncated, Refusal) as error:
            if isinstance(error, Refusal) and error.action is not Action.SPLIT:
                raise CloudStopped(
                    f"Cloud DLP answered {error.code} to an inspection: check the policy's "
                    "inspect_config. The run stops."
                ) from None
        if stop - start > 1:
            self.engine.caller.counts.splits += 1
            middle = (start + stop) // 2
            return self.resolve(start, middle) + self.resolve(middle, stop)
        return [row for at in range(len(self.names)) for row in self._cell(start, at)]

    def _cell(self, row: int, at: int) -> list[dict[str, Any]]:
        """Returns the findings of one cell, of a text in pieces if they are too many for a reply.

        Where there is no place to cut there are none, and the row is noted.
        """
        try:
            return self._asked(row, row + 1, at)
        except (_Truncated, Refusal) as error:
            text = self.columns[at][row].as_py()
            if not _is_too_much(error) or not isinstance(text, str):
                self.incomplete.add(row)
                return []
        try:
            return self._in_pieces(text, row, at)
        except (NoSafeCut, Refusal):
            self.incomplete.add(row)
            return []

    def _in_pieces(self, text: str, row: int, at: int) -> list[dict[str, Any]]:
        """Returns the findings of a text, each at its place in the whole."""

        def ask(piece: str) -> list[dict[str, Any]]:
            cells = [pa.array([piece], self.columns[at].type)]
            return self._asked(row, row + 1, at, cells)

        caller, policy = self.engine.caller, self.engine.policy
        look = functools.partial(found_in, caller, policy.parent, self._config, self.names[at])
        made, bytes_before, before = list[dict[str, Any]](), 0, 0
        for piece, found in in_pieces(text, ask, _is_too_much, look):
            made += [_moved(each, bytes_before, before) for each in found]
            bytes_before, before = bytes_before + len(piece.encode()), before + len(piece)
        return made

    def _asked(
        self, start: int, stop: int, at: int | None = None, cells: list[pa.Array] | None = None
    ) -> list[dict[str, Any]]:
        def accept(reply: Any) -> list[dict[str, Any]]:
            if reply.result.findings_truncated:
                self.engine.saw(stop - start, len(reply.result.findings))
                raise _Truncated
            return [_finding(each, start, stop - start) for each in reply.result.findings]

        request = self.request(start, stop, at, cells)
        found: list[dict[str, Any]] = self.engine.caller.ask("InspectContent", request, accept)
        self.engine.saw(stop - start, len(found))
        return found


def _is_too_much(error: Exception) -> bool:
    return isinstance(error, _Truncated) or is_too_much(error)


def _moved(finding: dict[str, Any], more_bytes: int, more: int) -> dict[str, Any]:
    """Returns a finding further on in its text."""
    made = dict(finding)
    for name in ("byte_start", "byte_end"):
        made[name] += more_bytes
    for name in ("codepoint_start", "codepoint_end"):
        made[name] += more
    return made


def _finding(finding: Any, start: int, rows: int) -> dict[str, Any]:
    """Returns a finding as a row of `PLACES`.

    Raises:
      ValueError: It lies in no row of the request.
    """
    (content,) = finding.location.content_locations
    record = content.record_location
    row = record.table_location.row_index
    if not 0 <= row < rows:
        raise ValueError("a finding lies in no row of the request")
    place = finding.location
    return {
        "row": start + row,
        "column": record.field_id.name,
        "info_type": finding.info_type.name,
        "likelihood": types.Likelihood(finding.likelihood).name,
        "byte_start": place.byte_range.start,
        "byte_end": place.byte_range.end,
        "codepoint_start": place.codepoint_range.start,
        "codepoint_end": place.codepoint_range.end,
        "quote": finding.quote or None,
    }
