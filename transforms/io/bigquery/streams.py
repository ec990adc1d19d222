"""Streams of the Storage Read API to batches, resumed where they broke."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from google.api_core import exceptions

from transforms.io.bigquery.clients import explained, read_client
from transforms.io.bigquery.page import Page, page_of
from transforms.io.bigquery.patience import TRANSIENT, TRIES, pause, tried
from transforms.io.bigquery.source import BigQuerySource

_log = logging.getLogger(__name__)

_READ_ROWS = "/google.cloud.bigquery.storage.v1.BigQueryRead/ReadRows"
STREAMS = 16
"""How many streams a session has at least, where the table is large enough."""
ENDS = 3
"""How often in a row a stream that has not told its end must have no more rows to be at it."""


@dataclass(frozen=True)
class ReadStream:
    """A part of a table that is read on its own.

    Attributes:
      name: As the session has it.
      weight: Its share of the table, in bytes.
      number: Which of the session's streams it is.
      schema: The Arrow schema of what the service sends, serialized.
    """

    name: str
    weight: int
    number: int
    schema: bytes


def open_session(source: BigQuerySource) -> list[ReadStream]:
    """Opens a read session on a table as of its snapshot.

    Args:
      source: What to read. With a limit there is one stream.

    Returns: Its streams; none where no row fits.

    Raises:
      ConfigError: The table is gone, or access is denied.
      MillraceError: A query failed; or the service refuses, a filter that it can't read, say, or
        does not answer.
    """
    from google.cloud.bigquery_storage_v1 import types

    place = source.address
    if source.query is not None:
        source.query.run()
    wanted = types.ReadSession(
        table=place.path,
        data_format=types.DataFormat.ARROW,
        table_modifiers={"snapshot_time": source.snapshot} if source.snapshot else {},
        read_options={
            "selected_fields": source.schema.names,
            "row_restriction": source.filter,
            "arrow_serialization_options": {"buffer_compression": "LZ4_FRAME"},
        },
    )
    request = types.CreateReadSessionRequest(
        parent=f"projects/{place.project}",
        read_session=wanted,
        max_stream_count=0 if source.limit is None else 1,
        preferred_min_stream_count=STREAMS if source.limit is None else 0,
    )
    try:
        with read_client() as client:
            session = tried(lambda: client.create_read_session(request=request, retry=None))
    except exceptions.GoogleAPICallError as error:
        raise explained(error, place, "read") from None
    names = [stream.name for stream in session.streams]
    size = int(session.estimated_total_bytes_scanned) or source.bytes
    schema = session.arrow_schema.serialized_schema
    return [ReadStream(name, size // len(names), n, schema) for n, name in enumerate(names)]


def read_stream(
    client: Any, source: BigQuerySource, stream: ReadStream
) -> Iterator[pa.RecordBatch]:
    """Reads a stream to its end; where it breaks, it goes on after the last row that came.

    Args:
      client: Google's, which may serve several threads.
      source: The table.
      stream: Which part.

    Yields: Batches as the service cut them, with the service's types.

    Raises:
      MillraceError: It breaks again and again without a row in between.
    """
    schema = pa.ipc.read_schema(pa.py_buffer(stream.schema))
    offset = failures = ends = 0
    while ends < ENDS:
        before, whole = offset, False
        try:
            for page in _answers(client, stream.name, offset):
                whole = page.share >= 1
                if page.rows is not None:
                    batch = pa.ipc.read_record_batch(page.rows, schema)
                    offset += batch.num_rows
                    yield batch
        except TRANSIENT as error:
            failures = failures + 1 if offset == before else 1
            _log.warning("%s: a stream broke at row %s; going on", source.address.uri, offset)
            if failures == TRIES:
                raise explained(error, source.address, "read") from None
            pause(failures - 1)
            continue
        except exceptions.GoogleAPICallError as error:
            raise explained(error, source.address, "read") from None
        if whole:
            return
        # One that ends early does so without an error: it is asked again. Nor do streams tell their
        # end that never had a row, as of a filter, or since others took them all.
        ends = ends + 1 if offset == before else 0


def _answers(client: Any, name: str, offset: int) -> Iterator[Page]:
    """Calls ReadRows once.

    The client's own method would copy the rows, and its iterator start again without a limit and
    without a pause.

    Raises:
      GoogleAPICallError: The call broke, or was refused.
    """
    import grpc
    from google.cloud.bigquery_storage_v1 import types

    read = client.transport.grpc_channel.unary_stream(
        _READ_ROWS,
        request_serializer=types.ReadRowsRequest.serialize,
        response_deserializer=page_of,
    )
    asked = types.ReadRowsRequest(read_stream=name, offset=offset)
    call = read(asked, metadata=(("x-goog-request-params", f"read_stream={quote(name)}"),))
    try:
        yield from call
    except grpc.RpcError as error:
        raise exceptions.from_grpc_error(error) from None  # type: ignore[no-untyped-call]
    finally:
        # Who has enough of it leaves no stream open.
        call.cancel()
