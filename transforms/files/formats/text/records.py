"""Records of a block of text by line number: which became rows, and why the others did not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import Cast
from transforms.batches import cut
from transforms.conform import fault_message
from transforms.files.format import Chunk
from transforms.files.formats.text.cast import utf8_cast
from transforms.files.formats.text.text import Block, Rules, Sizes
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, join_rejects, reject_payloads


@dataclass(frozen=True)
class Records:
    """Where the records of a block stand.

    Attributes:
      data: The block.
      starts: Their first bytes.
      ends: One past their line breaks.
      stops: One past their last bytes before the line break.
      lines: The lines where they begin.
      unit: What `lines` counts.
    """

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    stops: np.ndarray
    lines: np.ndarray
    unit: str = "line"

    def __len__(self) -> int:
        """Returns how many there are."""
        return len(self.starts)

    def select(self, chosen: np.ndarray) -> "Records":
        """Returns some of them, by mask or number."""
        return Records(
            self.data,
            self.starts[chosen],
            self.ends[chosen],
            self.stops[chosen],
            self.lines[chosen],
            self.unit,
        )

    def texts(self, chosen: np.ndarray) -> list[bytes]:
        """Returns the text of some, without line breaks."""
        spans = zip(self.starts[chosen].tolist(), self.stops[chosen].tolist(), strict=True)
        return [self.data[start:stop] for start, stop in spans]


def find_records(block: Block, rules: Rules) -> Records:
    """Finds the records of a block, blank ones included."""
    ends = rules.ends(block.data)
    if block.data and (not len(ends) or ends[-1] < len(block.data)):
        ends = np.append(ends, len(block.data))
    starts = np.concatenate([[0], ends]).astype(np.int64)[: len(ends)]
    codes = np.frombuffer(block.data, np.uint8)
    stops = ends - (codes[ends - 1] == ord("\n"))
    stops = stops - ((stops > starts) & (codes[stops - 1] == ord("\r")))
    lines = block.line + np.searchsorted(rules.line_ends(block.data), starts, side="right")
    return Records(block.data, starts, ends, stops, lines)


@dataclass(frozen=True)
class BadRecords:
    """Records that are no rows, and why. By numbers, not by mask: each may have a cause of its own.

    Attributes:
      reason: The stable code.
      message: The same for a person, without a value.
      column: The column at fault, if it is one.
      records: Which records, by number.
    """

    reason: Reason
    message: str
    column: str | None
    records: np.ndarray


def faults_of(casts: dict[str, Cast], records: np.ndarray) -> tuple[list[BadRecords], np.ndarray]:
    """Returns the records whose cells can't become the wanted types, each under its first fault.

    Args:
      casts: The casts of n cells, by column.
      records: The numbers of the n records.

    Returns: The faults, and n booleans that are true where there is none.
    """
    good = np.ones(len(records), bool)
    faults = []
    for column, cast in casts.items():
        for fault in cast.faults:
            new = fault.mask & good
            good &= ~new
            if new.any():
                message = fault_message(fault.reason, column, cast.values.type)
                faults.append(BadRecords(fault.reason, message, column, records[new]))
    return faults, good


@dataclass(frozen=True)
class Parsed:
    """A block as rows and rejects.

    Attributes:
      rows: The rows.
      lines: The line where each begins.
      rejects: The records that are none, in the order of the file.
    """

    rows: pa.RecordBatch
    lines: np.ndarray
    rejects: pa.RecordBatch

    def chunks(self, max_rows: int, max_bytes: int) -> Iterator[Chunk]:
        """Cuts it to size; the rejects go with the first chunk."""
        rejects, start = self.rejects, 0
        if not self.rows.num_rows and not rejects.num_rows:
            return
        for rows in cut(self.rows, max_rows, max_bytes):
            stop = start + rows.num_rows
            yield Chunk(rows, rejects, self.lines[start:stop])
            rejects, start = NO_REJECTS, stop


def rejected(records: Records, faults: list[BadRecords], uri: str) -> pa.RecordBatch:
    """Rejects records with their text as it stands in the file, in its order."""
    parts = [part for fault in _merged(faults) for part in _reject(records, fault, uri)]
    if not parts:
        return NO_REJECTS
    numbers = np.concatenate([numbers for numbers, _ in parts])
    joined = join_rejects([rejects for _, rejects in parts])
    return joined.take(pa.array(np.argsort(numbers, kind="stable")))


def _merged(faults: list[BadRecords]) -> list[BadRecords]:
    """Faults with one entry for each cause, however many parts of a block they come from."""
    causes: dict[tuple[Reason, str, str | None], list[np.ndarray]] = {}
    for fault in faults:
        causes.setdefault((fault.reason, fault.message, fault.column), []).append(fault.records)
    return [BadRecords(*cause, np.concatenate(found)) for cause, found in causes.items()]


def _reject(
    records: Records, fault: BadRecords, uri: str
) -> Iterator[tuple[np.ndarray, pa.RecordBatch]]:
    """Rejects the records of one fault: text as strings, what is not UTF-8 as bytes."""
    payloads = pa.array(records.texts(fault.records), pa.binary())
    texts = utf8_cast(payloads)
    bytes_only = np.zeros(len(payloads), bool) if texts.bad is None else texts.bad
    for mask, kind in ((~bytes_only, texts.values), (bytes_only, payloads)):
        numbers = fault.records[mask]
        if len(numbers):
            sources = pc.binary_join_element_wise(
                f"{uri}#{records.unit}=", pa.array(records.lines[numbers]).cast(pa.string()), ""
            )
            yield (
                numbers,
                reject_payloads(
                    kind.filter(pa.array(mask)),
                    fault.reason,
                    fault.message,
                    column=fault.column,
                    sources=sources,
                ),
            )


def oversized(block: Block, schema: pa.Schema, sizes: Sizes, uri: str) -> Parsed:
    """Returns the reject of a record that is too long; its payload is the record's head.

    One of several lines may hold records without number, if a quote in it is a slip: it stands
    for a part of the file.
    """
    message = (
        f"a record is longer than {sizes.record:,} bytes; its first {len(block.data):,} are kept"
    )
    reason = Reason.OVERSIZED
    if block.lines > 1:
        reason = Reason.TRUNCATED_FILE
        message += f". It spans {block.lines:,} lines: is a quote in it never closed?"
    return _whole(block, reason, message, schema, uri)


def unclosed(block: Block, schema: pa.Schema, uri: str) -> Parsed:
    """Returns the reject of a last record whose quote is never closed, with all lines in it."""
    message = "the file ends inside a quoted cell of this record: is a quote in it never closed?"
    return _whole(block, Reason.TRUNCATED_FILE, message, schema, uri)


def _whole(block: Block, reason: Reason, message: str, schema: pa.Schema, uri: str) -> Parsed:
    """Rejects a whole block as one."""
    zero = np.zeros(1, np.int64)
    end = np.array([len(block.data)])
    record = Records(block.data, zero, end, end, np.array([block.line]))
    fault = BadRecords(reason, message, None, zero)
    return Parsed(no_rows(schema), zero[:0], rejected(record, [fault], uri))


def no_rows(schema: pa.Schema) -> pa.RecordBatch:
    """Returns a batch without rows."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in schema], schema=schema)
