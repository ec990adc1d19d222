"""Messages that each hold a micro-batch: an Arrow IPC stream of any number of rows."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.types import plain_schema
from transforms.arrow.views import without_views
from transforms.files.formats.json.wire import Unfit
from transforms.files.formats.text.records import BadRecords
from transforms.io.payloads.messages import MESSAGES, reject_messages
from transforms.io.payloads.payload import (
    Decoded,
    Encoded,
    Payload,
    fitted,
    no_payloads,
    reject_faults,
)
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, join_rejects

MAX_BYTES = 8 << 20
"""The most bytes of a stream: Pub/Sub takes 10 MB in a message, attributes included."""

MAX_ROWS = 4_000_000
"""The most rows that are taken from a message: of nulls, two billions take no room in it."""

_UNREADABLE = (pa.ArrowException, TypeError, ValueError, OverflowError)


@dataclass(frozen=True)
class _Streams:
    """The rows of streams of one schema.

    Attributes:
      batch: All rows, one stream after the other.
      messages: The number of the message that each came from.
    """

    batch: pa.RecordBatch
    messages: np.ndarray


@dataclass(frozen=True)
class Arrow(Payload):
    """One Arrow IPC stream a message.

    Where some rows of a message do not fit the schema, each of them is rejected as a stream of
    one row, so that it can be published again, and the others go on.

    Args:
      max_bytes: About the most bytes of an encoded stream; more rows are cut into several.
    """

    max_bytes: int = MAX_BYTES
    holds_many = True

    def read(self, messages: pa.RecordBatch, schema: pa.Schema, uri: str) -> Decoded:
        """Reads the streams; streams of the same schema together."""
        opened, broken = _opened(messages.column("data"))
        parts = [
            part for streams in _alike(opened) for part in _decoded(streams, messages, schema, uri)
        ]
        rejects = [reject_faults(messages, broken, uri), *(part.rejects for part in parts)]
        parts = parts or [no_payloads(schema)]
        return Decoded(
            pa.concat_batches([part.rows for part in parts]),
            np.concatenate([part.messages for part in parts]),
            join_rejects(rejects),
        )

    def encode(self, rows: pa.RecordBatch) -> Encoded:
        """Writes all rows as one stream, or, where it is too long, each half of them."""
        whole = rows.replace_schema_metadata(None)
        found = list(_encoded(whole, 0, self.max_bytes)) if rows.num_rows else []
        payloads = pa.array([payload for payload, _, _ in found], pa.binary())
        starts = np.array([start for _, start, _ in found], np.int64)
        stops = np.array([stop for _, _, stop in found], np.int64)
        return Encoded(payloads, starts, stops, NO_REJECTS)


def _opened(payloads: pa.Array) -> tuple[list[tuple[int, pa.Table]], list[BadRecords]]:
    """Returns the tables in payloads, by the payload's number, and the faults of the others."""
    tables, faults = [], []
    for number, payload in enumerate(payloads):
        try:
            tables.append((number, _table(payload.as_buffer())))
        except Unfit as error:
            faults.append(BadRecords(error.reason, error.message, None, np.array([number])))
    return tables, faults


def _table(payload: pa.Buffer) -> pa.Table:
    """Returns the table in a payload.

    Raises:
      Unfit: It is not one sound stream.
    """
    source = pa.BufferReader(payload)
    try:
        with pa.ipc.open_stream(source) as stream:
            table = stream.read_all()
        if table.num_rows > MAX_ROWS:
            raise Unfit(Reason.OVERSIZED, f"the payload has more than {MAX_ROWS:,} rows")
        # What others sent is not to be trusted: an offset out of range would crash a worker.
        table.validate(full=True)
        plain_schema(table.schema)  # looks at all names, which may be no text either
    except Unfit:
        raise
    except Exception as error:  # Bytes that are no stream fail in any way there is.
        if "UTF8" in str(error):
            raise Unfit(Reason.INVALID_UTF8, "a text of the payload is not UTF-8") from None
        raise Unfit(Reason.UNPARSABLE, "the payload is not an Arrow IPC stream") from None
    if source.tell() < payload.size:
        raise Unfit(Reason.UNPARSABLE, "bytes follow the Arrow IPC stream in the payload")
    if len(set(table.column_names)) < table.num_columns:
        raise Unfit(Reason.UNPARSABLE, "two columns of the payload have the same name")
    return table.replace_schema_metadata(None)


def _alike(opened: list[tuple[int, pa.Table]]) -> Iterator[_Streams]:
    """Runs of tables of the same schema, each joined."""
    for _, run in itertools.groupby(opened, lambda pair: pair[1].schema):
        numbers, tables = zip(*run, strict=True)
        rows = [table.num_rows for table in tables]
        for batch in pa.concat_tables(tables).combine_chunks().to_batches():
            yield _Streams(batch, np.repeat(numbers, rows))


def _decoded(
    streams: _Streams, messages: pa.RecordBatch, schema: pa.Schema, uri: str
) -> Iterator[Decoded]:
    """Yields the rows that fit a schema; if they can't be checked together, then each half's."""
    try:
        rows, kept, faults = fitted(_readable(streams.batch, schema), schema)
    except _UNREADABLE:
        numbers = np.unique(streams.messages)
    else:
        rejects = [_rejected(streams, messages, fault, uri) for fault in faults]
        yield Decoded(rows, streams.messages[kept], join_rejects(rejects))
        return
    if len(numbers) == 1:
        why = "a column of the payload is of a type that can't be read"
        fault = BadRecords(Reason.WRONG_TYPE, why, None, numbers)
        yield replace(no_payloads(schema), rejects=reject_faults(messages, [fault], uri))
        return
    at = int(np.searchsorted(streams.messages, numbers[len(numbers) // 2]))
    for half in (slice(0, at), slice(at, None)):
        part = _Streams(streams.batch[half], streams.messages[half])
        yield from _decoded(part, messages, schema, uri)


def _readable(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Returns the wanted columns."""
    wanted = set(schema.names)
    names = [name for name in batch.schema.names if name in wanted]
    columns = [without_views(batch.column(name)) for name in names]
    return pa.RecordBatch.from_arrays(columns, names) if columns else batch.select([])


def _rejected(
    streams: _Streams, messages: pa.RecordBatch, fault: BadRecords, uri: str
) -> pa.RecordBatch:
    """Rejects single rows of messages, each as a message of its own."""
    numbers = streams.messages[fault.records]
    only = np.bincount(streams.messages)[numbers] == 1
    owners = messages.take(pa.array(numbers))
    alone = pa.array([_stream(streams.batch.slice(row, 1)) for row in fault.records.tolist()])
    data = pc.if_else(pa.array(only), owners.column("data"), alone)
    each = owners.set_column(0, MESSAGES.field(0), data)
    return reject_messages(each, fault.reason, fault.message, fault.column, uri=uri)


def _encoded(rows: pa.RecordBatch, start: int, max_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields streams, with the numbers of the first row and one past the last."""
    payload = _stream(rows)
    if len(payload) <= max_bytes or rows.num_rows == 1:
        yield payload, start, start + rows.num_rows
        return
    half = rows.num_rows // 2
    yield from _encoded(rows.slice(0, half), start, max_bytes)
    yield from _encoded(rows.slice(half), start + half, max_bytes)


def _stream(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows)
    return bytes(sink.getvalue().to_pybytes())
