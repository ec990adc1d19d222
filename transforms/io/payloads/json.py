"""Messages that each hold one JSON object, read as the lines of a JSON Lines file are."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.json_text import json_rows
from transforms.files.formats.json.lines import Lines
from transforms.files.formats.text.records import BadRecords, Records
from transforms.io.payloads.payload import Decoded, Encoded, Payload, one_each, reject_faults
from transforms.reasons import Reason


@dataclass(frozen=True)
class Json(Payload):
    """One JSON object (UTF-8) a message, on one line or on several."""

    def read(self, messages: pa.RecordBatch, schema: pa.Schema, uri: str) -> Decoded:
        """Reads all objects at once; what is no object or does not fit is rejected."""
        records = _records(messages.column("data"))
        rows, numbers, faults = Lines(schema).read(records)
        found = [replace(f, message=f.message.replace("the line", "the payload")) for f in faults]
        blank = np.flatnonzero(records.stops == records.starts)
        if len(blank):
            found.append(BadRecords(Reason.UNPARSABLE, "the payload is blank", None, blank))
        return Decoded(rows, numbers, reject_faults(messages, found, uri))

    def encode(self, rows: pa.RecordBatch) -> Encoded:
        """Writes each row as `json_text.json_rows` has it, NaN as "NaN", infinities likewise."""
        return one_each(json_rows(rows).cast(pa.binary()))


def _records(payloads: pa.Array) -> Records:
    """Returns payloads, without surrounding blanks, as lines.

    Unlike a line, a payload may hold line breaks, which are mere blanks to a JSON parser. What
    `Lines` relies on holds nevertheless: two neighbours, where one ends in "}" and one begins
    with "{", are never parts of one object, so as many objects as payloads are one in each.
    """
    # Viewed as text, not cast: the bytes need not be UTF-8, and only blanks are looked for.
    trimmed = pc.ascii_trim(payloads.view(pa.string()), " \t\r\n").view(pa.binary())
    joined = pc.binary_join_element_wise(trimmed, b"\n", b"")
    _, offsets, data = joined.buffers()
    edges = np.frombuffer(offsets, np.int32)[: len(joined) + 1].astype(np.int64)
    numbers = np.arange(len(joined))
    return Records(data.to_pybytes(), edges[:-1], edges[1:], edges[1:] - 1, numbers)
