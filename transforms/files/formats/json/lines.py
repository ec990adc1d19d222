"""Lines of JSON as typed columns: fast where all is well, value by value where it is not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from transforms.arrow.cast_faults import Cast
from transforms.arrow.types import has_float
from transforms.faults import Fault
from transforms.files.formats.json.objects import (
    MAX_DEPTH,
    MAX_KEYS,
    depth,
    has_too_many_keys,
    parse_object,
    values_cast,
)
from transforms.files.formats.json.wire import Unfit, wire_cast, wire_type
from transforms.files.formats.text.records import (
    BadRecords,
    Parsed,
    Records,
    faults_of,
    find_records,
    no_rows,
    rejected,
)
from transforms.files.formats.text.text import Block, PlainRecords
from transforms.reasons import Reason

_SMALL, _PARTS = 512, 8
_TRIES = 64
"""So often a block is read anew because a column holds strings where numbers were expected."""
# What pyarrow takes for infinity, but readers in other languages do not.
_INF = re.compile(rb"[:,\[]\s*-?Inf(?!inity)")
# NaN as a string, where it is a value: quotes within a string would have a backslash before them.
_NAN = re.compile(rb'([:,\[]\s*)"NaN"(?=\s*[,}\]])')
# How pyarrow.json says that it met a string where it expected a number, or the reverse.
_CLASH = re.compile(r"Column\(/([^/]*)\) changed from (?:\w+ to string|string to \w+) in row")
_BLANK = b" \t\r\n"
_CELL = "millrace cell"

Read = tuple[pa.RecordBatch, np.ndarray, list[BadRecords]]
"""Rows, the numbers of the lines that they are, and why other lines are none."""


@dataclass(frozen=True)
class Lines:
    """How lines of JSON become columns.

    Attributes:
      schema: The columns wanted; what a line lacks is null, what it has more is not read.
      strings: Columns whose values were found to be strings, such as numbers from BigQuery.
    """

    schema: pa.Schema
    strings: set[str] = field(default_factory=set)

    def parse(self, block: Block, uri: str) -> Parsed:
        """Makes rows of the lines of a block, and rejects those that can't be."""
        return self.parse_records(find_records(block, PlainRecords()), uri)

    def parse_records(self, records: Records, uri: str) -> Parsed:
        """Makes rows of lines, or of what stands for them, and rejects those that can't be."""
        rows, numbers, faults = self.read(records)
        if records.unit != "line":
            faults = [
                replace(fault, message=fault.message.replace("the line", f"the {records.unit}"))
                for fault in faults
            ]
        return Parsed(rows, records.lines[numbers], rejected(records, faults, uri))

    def read(self, records: Records) -> Read:
        """Reads lines fast, but for the few among which some need a closer look."""
        numbers = np.flatnonzero(records.stops > records.starts)
        wide = _too_wide(records, numbers)
        if len(wide):
            rows, kept, faults = self._read(records, np.setdiff1d(numbers, wide))
            why = f"the line has more than {MAX_KEYS:,} keys"
            return rows, kept, [*faults, BadRecords(Reason.OVERSIZED, why, None, wide)]
        return self._read(records, numbers)

    def _read(self, records: Records, numbers: np.ndarray) -> Read:
        whole = self._fast(records, numbers)
        if whole is not None:
            return whole
        found = list(self._sifted(records, numbers))
        unsound = [part for part, read in found if read is None]
        reads = [read for _, read in found if read is not None]
        return _joined([self._slow(records, np.concatenate([numbers[:0], *unsound])), *reads])

    def _sifted(
        self, records: Records, numbers: np.ndarray
    ) -> Iterator[tuple[np.ndarray, Read | None]]:
        """Lines in parts as they are read; None where few lines hold one that is not sound."""
        for part in np.array_split(numbers, _PARTS):
            read = self._fast(records, part)
            if read is not None or len(part) <= _SMALL:
                yield part, read
            else:
                yield from self._sifted(records, part)

    def _fast(self, records: Records, numbers: np.ndarray) -> Read | None:
        """Reads lines, when every one is a sound object with values of kinds that go together."""
        lines = records.select(numbers)
        if not len(lines):
            return no_rows(self.schema), numbers, []
        data = lines.data[lines.starts[0] : lines.ends[-1]]
        table = self._table_of(data) if _is_regular(data, lines) else None
        if table is None or table.num_rows != len(lines):
            return None
        arrays = [_array(column) for column in table.columns]
        if any(_is_infinite(array) for array in arrays):
            return None
        try:
            casts = [wire_cast(a, f.type) for a, f in zip(arrays, self.schema, strict=True)]
        except (pa.ArrowException, Unfit):
            return None
        return self._rows(casts, numbers)

    def _table_of(self, data: bytes) -> pa.Table | None:
        """Returns the same, with "NaN" read as the float that pyarrow.json knows without quotes."""
        if b'"NaN"' in data and any(has_float(type) for type in self.schema.types):
            table = self._table(_NAN.sub(rb"\1NaN", data))
            if table is not None:
                return table
        return self._table(data)

    def _table(self, data: bytes) -> pa.Table | None:
        """Returns the columns as pyarrow.json reads them, if it can."""
        wires = {f.name: wire_type(f.type) for f in self.schema}
        if None in wires.values():
            return None
        strings, tried = set(self.strings), set[str]()
        most = min(_TRIES, max(4, 20_000 // max(1, len(wires))))
        while True:
            types = wires | dict.fromkeys(strings, pa.string())
            try:
                table = _read_json(data, pa.schema(types))
            except pa.ArrowException as error:
                clash = _CLASH.search(str(error))
            else:
                self.strings.clear()
                self.strings.update(strings)
                return table
            if clash is None or clash[1] in tried or clash[1] not in wires:
                return None
            if len(tried) == most:
                # The next block goes on from here.
                self.strings.symmetric_difference_update(tried)
                return None
            tried.add(clash[1])
            strings ^= {clash[1]}

    def _slow(self, records: Records, numbers: np.ndarray) -> Read:
        """Reads lines by Python, each on its own."""
        objects, kept, faults = [], [], []
        for number, line in zip(numbers.tolist(), records.texts(numbers), strict=True):
            if not line.strip(_BLANK):
                continue
            try:
                objects.append(parse_object(line))
                kept.append(number)
            except Unfit as error:
                faults.append(BadRecords(error.reason, error.message, None, np.array([number])))
        casts = [values_cast([o.get(f.name) for o in objects], f.type) for f in self.schema]
        rows, good, more = self._rows(casts, np.array(kept, np.int64))
        return rows, good, faults + more

    def _rows(self, casts: list[Cast], numbers: np.ndarray) -> Read:
        faults, good = faults_of(dict(zip(self.schema.names, casts, strict=True)), numbers)
        rows = pa.RecordBatch.from_arrays([cast.values for cast in casts], schema=self.schema)
        return (
            (rows.filter(pa.array(good)), numbers[good], faults) if faults else (rows, numbers, [])
        )


def _joined(reads: list[Read]) -> Read:
    """Parts of a block, its lines in order."""
    numbers = np.concatenate([numbers for _, numbers, _ in reads])
    rows = pa.concat_batches([rows for rows, _, _ in reads])
    faults = [fault for _, _, found in reads for fault in found]
    return rows.take(pa.array(np.argsort(numbers))), np.sort(numbers), faults


def json_cast(texts: pa.Array, type: pa.DataType) -> Cast:
    """Strings of JSON to a nested column.

    Args:
      texts: n strings; line breaks in them are blanks.
      type: A plain type.
    """
    valid = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
    flat = pc.replace_substring_regex(texts.take(pa.array(valid)), r"[\r\n]", " ")
    objects = pc.binary_join_element_wise(f'{{"{_CELL}":', flat, "}", "")
    block = Block("\n".join(objects.to_pylist()).encode(), 1)
    records = find_records(block, PlainRecords())
    rows, numbers, faults = Lines(pa.schema([(_CELL, type)])).read(records)
    places = np.full(len(texts), -1)
    places[valid[numbers]] = np.arange(len(numbers))
    taken = rows.column(0).take(pa.array(places, mask=places < 0))
    return Cast(taken, tuple(Fault(_mask(len(texts), valid[f.records]), f.reason) for f in faults))


def _mask(length: int, chosen: np.ndarray) -> np.ndarray:
    mask = np.zeros(length, bool)
    mask[chosen] = True
    return mask


def _too_wide(records: Records, numbers: np.ndarray) -> np.ndarray:
    """Returns the numbers of the lines that have too many keys; short ones can't."""
    long = numbers[(records.stops - records.starts)[numbers] > 2 * MAX_KEYS]
    found = [has_too_many_keys(line) for line in records.texts(long)]
    wide: np.ndarray = long[np.array(found, bool)]
    return wide


def _is_regular(data: bytes, lines: Records) -> bool:
    """Returns whether pyarrow.json can be trusted with these lines.

    It takes several objects in a line, and one over several lines, for as many rows; crashes on a
    null; does not check UTF-8. A line that begins and ends as an object does is one whole object
    when there are as many rows as lines, since no object has "{" after "}" and a line break.
    """
    codes = np.frombuffer(lines.data, np.uint8)
    if not ((codes[lines.starts] == ord("{")) & (codes[lines.stops - 1] == ord("}"))).all():
        return False
    long = lines.select(lines.stops - lines.starts > 2 * MAX_DEPTH)
    if any(depth(line) > MAX_DEPTH for line in long.texts(np.arange(len(long)))):
        return False
    return _is_utf8(data) and not (b"Inf" in data and _INF.search(data))


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def _is_infinite(array: pa.Array) -> bool:
    """Returns whether there is an infinity, which may be an integer of very many digits."""
    if pa.types.is_floating(array.type):
        return bool(pc.any(pc.is_inf(array)).as_py())
    if pa.types.is_list(array.type):
        return _is_infinite(array.flatten())
    return pa.types.is_struct(array.type) and any(map(_is_infinite, array.flatten()))


def _read_json(data: bytes, schema: pa.Schema) -> pa.Table:
    return pa_json.read_json(
        pa.BufferReader(data),
        pa_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
        pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
