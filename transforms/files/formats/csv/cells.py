"""Cells of CSV as typed columns: fast where all is well, cell by cell in columns where it isn't."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from transforms.files.formats.csv.casts import arrived, cell_cast, cell_type
from transforms.files.formats.csv.quotes import QuotedRecords
from transforms.files.formats.text.records import (
    BadRecords,
    Parsed,
    Records,
    faults_of,
    find_records,
    no_rows,
    rejected,
)
from transforms.files.formats.text.text import BOM, Block
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS


@dataclass(frozen=True)
class Cells:
    """How the cells of a file become columns.

    An empty cell is null; a quoted empty cell is an empty string, and null where the column is no
    text. Nested columns hold JSON and columns of bytes base64. Blank lines are skipped, except in
    a file of one column, where they are its nulls.

    Attributes:
      names: The file's columns.
      schema: The columns wanted; those that the file lacks are null.
      rules: Where its records end.
      nulls: What else than an empty cell is null, where it is not quoted.
    """

    names: tuple[str, ...]
    schema: pa.Schema
    rules: QuotedRecords
    nulls: tuple[str, ...] = ()

    def parse_guessed(self, block: Block, uri: str) -> tuple[Parsed, bytes]:
        """Parses a block that may end inside a record, and hands back that record."""
        data, rules = block.data, self.rules
        rows = self._fast(data)
        if rows is not None and not rules.ends_in_record(data, rows.num_rows, block.lines):
            return Parsed(rows, self._lines(block, rows.num_rows), NO_REJECTS), b""
        end = rules.last_end(data)
        if not end:
            return Parsed(no_rows(self.schema), np.arange(0), NO_REJECTS), data
        if end < len(data):
            block, rows = Block(data[:end], block.line, rules.lines(data[:end])), None
        return self.parse(block, uri, rows), data[end:]

    def parse(self, block: Block, uri: str, rows: pa.RecordBatch | None = None) -> Parsed:
        """Makes rows of the records of a block, and rejects those that can't be.

        Args:
          block: Whole records.
          uri: The file.
          rows: The rows, where they are known.
        """
        if rows is None and (block.complete or not self._is_open(block.data)):
            rows = self._fast(block.data)
        if rows is None:
            return self._slow(block, uri)
        return Parsed(rows, self._lines(block, rows.num_rows), NO_REJECTS)

    def _is_open(self, data: bytes) -> bool:
        """Returns whether a quote is never closed."""
        return len(self.rules.quotes(data)) % 2 == 1

    def _lines(self, block: Block, rows: int) -> np.ndarray:
        lines = block.lines + (not block.complete)
        if lines == rows:
            return np.arange(block.line, block.line + rows)
        return self._records(block).lines

    def _records(self, block: Block) -> Records:
        records = find_records(block, self.rules)
        return records if len(self.names) == 1 else records.select(records.stops > records.starts)

    def _fast(self, data: bytes) -> pa.RecordBatch | None:
        """Returns the rows, if every cell of every record fits without a repair."""
        wires = {f.name: cell_type(f.type) for f in self.schema if f.name in self.names}
        try:
            table = self._read(data, wires)
        except pa.ArrowInvalid:
            return None
        columns = []
        for field in self.schema:
            cast = arrived(table.get(field.name), field.type, table[""])
            if cast is None or cast.faults:
                return None
            columns.append(cast.values)
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _slow(self, block: Block, uri: str) -> Parsed:
        """Reads cells as bytes and casts column by column; bad records are rejected one by one."""
        records = self._records(block)
        rows, numbers, faults = self.read(block, records)
        return Parsed(rows, records.lines[numbers], rejected(records, faults, uri))

    def read(
        self, block: Block, records: Records
    ) -> tuple[pa.RecordBatch, np.ndarray, list[BadRecords]]:
        """Makes rows of the records of a block.

        Args:
          block: Whole records.
          records: Where they stand.

        Returns: The rows, the number of the record of each, and why the others are no rows.
        """
        faults = self._shape_faults(block, records)
        good = np.ones(len(records), bool)
        for fault in faults:
            good[fault.records] = False
        numbers, data = np.flatnonzero(good), _joined(records, good)
        rows = self._fast(data) if faults and len(numbers) else None
        if rows is not None:
            return rows, numbers, faults
        cells = self._cells(data, len(numbers))
        casts = {
            f.name: cell_cast(cells.get(f.name, pa.nulls(len(numbers))), f.type)
            for f in self.schema
        }
        more, fit = faults_of(casts, numbers)
        rows = pa.RecordBatch.from_arrays([c.values for c in casts.values()], schema=self.schema)
        return rows.filter(pa.array(fit)), numbers[fit], [*faults, *more]

    def well_shaped(self, block: Block) -> bytes:
        """Returns the records that have as many cells as the header."""
        records = self._records(block)
        good = np.ones(len(records), bool)
        for fault in self._shape_faults(block, records):
            good[fault.records] = False
        return _joined(records, good)

    def _shape_faults(self, block: Block, records: Records) -> list[BadRecords]:
        """Records that are not as many cells as the header, or end inside a quoted cell."""
        quotes = self.rules.quotes(block.data)
        codes = np.frombuffer(block.data, np.uint8)
        commas = np.flatnonzero(codes == ord(self.rules.delimiter))
        commas = commas[np.searchsorted(quotes, commas) % 2 == 0]
        counts = np.searchsorted(commas, records.ends) - np.searchsorted(commas, records.starts) + 1
        ragged = counts != len(self.names)
        faults = []
        if len(quotes) % 2:
            ragged[-1] = False
            last, why = np.array([len(records) - 1]), "a quoted cell is never closed"
            faults.append(BadRecords(Reason.UNPARSABLE, why, None, last))
        if ragged.any():
            why = f"the line has not as many cells as the header, {len(self.names)}"
            faults.append(BadRecords(Reason.RAGGED_LINE, why, None, np.flatnonzero(ragged)))
        return faults

    def _cells(self, data: bytes, rows: int) -> dict[str, pa.Array]:
        if not rows:
            return {}
        wanted = set(self.schema.names)
        wires = {name: pa.binary() for name in self.names if name in wanted}
        cells = self._read(data, wires)
        if len(cells[""]) != rows:
            raise AssertionError("pyarrow.csv and QuotedRecords disagree on where records end")
        return cells

    def _read(self, data: bytes, wires: dict[str, pa.DataType]) -> dict[str, pa.Array]:
        """Returns the columns of a text by name; under "" one of as many rows, always."""
        chosen = wires or {self.names[0]: pa.binary()}
        table = read_cells(data, self.names, chosen, self.rules.delimiter, self.nulls)
        columns = {name: _array(table.column(name)) for name in chosen}
        return {"": next(iter(columns.values())), **(columns if wires else {})}


def read_cells(
    data: bytes,
    names: tuple[str, ...],
    types: dict[str, pa.DataType],
    delimiter: str,
    nulls: tuple[str, ...] = (),
    **options: Any,
) -> pa.Table:
    """Reads a text without a header by pyarrow.csv, in one piece.

    Args:
      data: Whole records.
      names: Its columns.
      types: The type of each column that is read.
      delimiter: What parts cells.
      nulls: Cells that are null beside the empty one.
      options: Of pyarrow.csv.ConvertOptions.

    Raises:
      pyarrow.ArrowInvalid: A record of another number of cells, or a cell that is not of its type.
    """
    if data.startswith(BOM):  # which is text here, but pyarrow would take it off
        data = BOM + data
    return pa_csv.read_csv(
        pa.BufferReader(data),
        pa_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=list(names)),
        pa_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=len(names) > 1
        ),
        pa_csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=["", *nulls],
            strings_can_be_null=True,
            **{"quoted_strings_can_be_null": False, **options},
        ),
    )


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _joined(records: Records, chosen: np.ndarray) -> bytes:
    """Returns the text of some records, cut out in runs of neighbours."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]])))
    runs = zip(records.starts[edges[::2]], records.ends[edges[1::2] - 1], strict=True)
    return b"".join([records.data[start:end] for start, end in runs])
