"""One row that was refused alone: asked about cell by cell, and of a long text in pieces."""

import functools
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from google.cloud.dlp_v2 import types

from privacy.cloud.calls import Refusal
from privacy.cloud.encode import with_table
from privacy.cloud.joining import Joined, Part, Tally
from privacy.cloud.outcomes import Action
from privacy.cloud.pieces import NoSafeCut, Places, in_pieces
from privacy.cloud.settings import looks_into, splits_by_column

TOO_MUCH = "too large, or too many findings, for one request"
_NO_CUT = f"a text is {TOO_MUCH}, and is safe to cut nowhere: what is found would change"
_NOT_CUT = f"a cell is {TOO_MUCH}, and cells that are transformed whole are not cut"


class Work(Protocol):
    """A pass over columns, as `engine.Transforming`."""

    names: list[str]
    columns: list[Any]
    kinds: list[pa.DataType]
    config: Any

    @property
    def parent(self) -> str:
        """Where the service works."""

    @property
    def caller(self) -> Any:
        """What asks it."""

    @property
    def inspect(self) -> Any:
        """The InspectConfig."""

    def asked(self, start: int, stop: int, at: int | None = None) -> Part:
        """Returns what became of rows, or of the cells of one column."""

    def request(
        self,
        start: int,
        stop: int,
        at: int | None = None,
        probe: bool = False,
        cells: list[pa.Array] | None = None,
    ) -> bytes:
        """Returns the message for rows, or for other cells of one column."""

    def answer(
        self, request: bytes, names: Sequence[str], kinds: Sequence[pa.DataType], rows: int
    ) -> tuple[Joined, Tally]:
        """Returns what the service makes of a message."""


def cell_by_cell(work: Work, row: int, why: str) -> Part:
    """Asks about one row that was refused, cell by cell: so it shows which cell is at fault.

    Args:
      work: The pass over the columns.
      row: The row's number.
      why: Why it was refused: `TOO_MUCH`, or because of a value.
    """
    too_much, names = why == TOO_MUCH, work.names
    if not splits_by_column(work.config) or (len(names) == 1 and not too_much):
        return Part(row, row + 1, why=why)
    columns, faults, tally = [], [], Tally()
    for at, kind in enumerate(work.kinds):
        try:
            # What was refused as a row of one cell is not asked about again.
            part = _in_pieces(work, row, at) if len(names) == 1 else _cell(work, row, at)
        except (Refusal, NoSafeCut) as error:
            if isinstance(error, NoSafeCut):
                why = _NO_CUT
            elif is_too_much(error):
                why = _NOT_CUT
            columns.append(pa.nulls(1, kind))
            faults.append(np.ones(1, bool))
        else:
            assert part.joined
            columns += part.joined.columns
            faults += part.joined.faults
            tally.update(part.transformed)
    return Part(row, row + 1, Joined(np.zeros(1, np.int64), columns, faults), why, tally)


def _cell(work: Work, row: int, at: int) -> Part:
    """Asks about one cell; if that is too much, about its text in pieces."""
    try:
        return work.asked(row, row + 1, at)
    except Refusal as refusal:
        if not is_too_much(refusal):
            raise
    return _in_pieces(work, row, at)


def _in_pieces(work: Work, row: int, at: int) -> Part:
    """Asks about the text of a cell in pieces, and joins what they become.

    Raises:
      Refusal: A piece is refused for another reason than its size, or it is no text to be cut.
      NoSafeCut: The text can't be cut.
    """
    name, kind = work.names[at], work.kinds[at]
    text = work.columns[at][row].as_py()
    if not isinstance(text, str) or not looks_into(work.config, name):
        raise Refusal(Action.SPLIT, "INVALID_ARGUMENT")

    def ask(piece: str) -> tuple[Joined, Tally]:
        cells = [pa.array([piece], work.columns[at].type)]
        request = work.request(row, row + 1, at, cells=cells)
        return work.answer(request, [name], [kind], 1)

    look = functools.partial(found_in, work.caller, work.parent, work.inspect, name)
    pieces = in_pieces(text, ask, is_too_much, look)
    work.caller.counts.splits += len(pieces) - 1
    made = "".join(joined.columns[0][0].as_py() or "" for _, (joined, _) in pieces)
    tally = sum((tally for _, (_, tally) in pieces), Tally())
    column, sound = pa.array([made], kind), np.zeros(1, bool)
    return Part(row, row + 1, Joined(np.zeros(1, np.int64), [column], [sound]), "", tally)


def found_in(
    caller: Any, parent: str, config: Any, name: str, texts: Sequence[str]
) -> list[Places] | None:
    """Returns what is found in each of some texts of a column; None where that is too much.

    Args:
      caller: Asks the service.
      parent: Where it works.
      config: The InspectConfig.
      name: The column's name.
      texts: The texts.
    """
    message = types.InspectContentRequest.pb()(parent=parent, inspect_config=config)
    item = message.DESCRIPTOR.fields_by_name["item"].number
    request = with_table(message, item, [name], [pa.array(texts, pa.string())], numbered=False)
    try:
        reply = caller.ask("InspectContent", request, lambda reply: reply)
    except Refusal as refusal:
        if is_too_much(refusal):
            return None
        raise
    if reply.result.findings_truncated:
        return None
    found: list[set[tuple[str, int, int]]] = [set() for _ in texts]
    for each in reply.result.findings:
        (content,) = each.location.content_locations
        row = content.record_location.table_location.row_index
        place = each.location.codepoint_range
        found[row].add((each.info_type.name, place.start, place.end))
    return [frozenset(each) for each in found]


def is_too_much(error: Exception) -> bool:
    """Tells whether less of the same may be answered."""
    return isinstance(error, Refusal) and error.action is Action.SPLIT
