"""Messages that each hold one line of CSV, without a header."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from transforms.errors import ConfigError
from transforms.files.formats.csv.cells import Cells
from transforms.files.formats.csv.format import csv_text
from transforms.files.formats.csv.quotes import QuotedRecords
from transforms.files.formats.text.records import BadRecords, Records, find_records
from transforms.files.formats.text.text import Block
from transforms.io.payloads.payload import (
    Decoded,
    Encoded,
    Payload,
    no_payloads,
    one_each,
    reject_faults,
)
from transforms.reasons import Reason

_SPECIAL = b'"\r\n'


@dataclass(frozen=True)
class Csv(Payload):
    """One line of CSV (UTF-8) a message, or several if line breaks are in quotes.

    Args:
      delimiter: What parts cells, one character.
      columns: The cells in their order; those of the schema by default.
    """

    delimiter: str = ","
    columns: tuple[str, ...] = ()

    def read(self, messages: pa.RecordBatch, schema: pa.Schema, uri: str) -> Decoded:
        """Reads all lines at once; what is no line of as many cells, or doesn't fit, is rejected.

        Raises:
          ConfigError: The schema has a column that no cell is.
        """
        names = self.columns or tuple(schema.names)
        if lacking := [name for name in schema.names if name not in names]:
            raise ConfigError(f"lines of CSV have no cell for column {lacking[0]!r}")
        rules = QuotedRecords(self.delimiter)
        lines = [data.rstrip(b"\r\n") for data in messages.column("data").to_pylist()]
        # As in a file, a blank line is null where there is one column only.
        faults, good = _not_one_line(lines, rules, blank_is_null=len(names) == 1)
        if not len(good) or not names:
            rejects = reject_faults(messages, faults, uri)
            return replace(no_payloads(schema), messages=good, rejects=rejects)
        records = _records([lines[place] for place in good.tolist()])
        block = Block(records.data, 1, len(good))
        rows, numbers, found = Cells(names, schema, rules).read(block, records)
        found = [
            replace(fault, message=_of_payload(fault.message), records=good[fault.records])
            for fault in found
        ]
        return Decoded(rows, good[numbers], reject_faults(messages, [*faults, *found], uri))

    def encode(self, rows: pa.RecordBatch) -> Encoded:
        """Writes each row as the files' writer does, without its line break.

        Raises:
          ConfigError: There are no columns.
        """
        if not rows.num_columns:
            raise ConfigError("a line of CSV needs a column at least")
        text = csv_text(rows, self.delimiter).to_pybytes()
        records = find_records(Block(text, 1), QuotedRecords(self.delimiter))
        return one_each(pa.array(records.texts(np.arange(len(records))), pa.binary()))


def _not_one_line(
    lines: list[bytes], rules: QuotedRecords, blank_is_null: bool
) -> tuple[list[BadRecords], np.ndarray]:
    """Returns the payloads that are not a line each, and the numbers of those that are."""
    blank, broken = [], []
    for number, line in enumerate(lines):
        if not line:
            blank += [] if blank_is_null else [number]
        elif any(mark in line for mark in _SPECIAL) and not _is_one(line, rules):
            broken.append(number)
    why = {
        "the payload is blank": blank,
        "the payload is not one line of CSV: it has a line break outside quotes, or a quote is "
        "never closed": broken,
    }
    faults = [
        BadRecords(Reason.UNPARSABLE, message, None, np.array(numbers, np.int64))
        for message, numbers in why.items()
        if numbers
    ]
    return faults, np.setdiff1d(np.arange(len(lines)), [*blank, *broken])


def _is_one(line: bytes, rules: QuotedRecords) -> bool:
    ends = rules.ends(line + b"\n")
    return len(ends) == 1 and bool(ends[0] == len(line) + 1)


def _records(lines: list[bytes]) -> Records:
    """Returns lines as the records of one text."""
    sizes = np.array([len(line) + 1 for line in lines], np.int64)
    ends = np.cumsum(sizes)
    data = b"\n".join(lines) + b"\n"
    return Records(data, ends - sizes, ends, ends - 1, np.arange(len(lines)))


def _of_payload(message: str) -> str:
    shape = "the line has not as many cells as the header"
    return message.replace(shape, "the payload has not as many cells as there are columns")
