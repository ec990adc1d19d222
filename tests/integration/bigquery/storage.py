"""BigQuery's Storage API over gRPC, on the tables of a store: what reads; `writes` is beside it."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types

from tests.integration.bigquery.sql import restriction
from tests.integration.bigquery.store import Refusal
from tests.integration.bigquery.writes import Writes

CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_OPTIONS = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 64 << 20)]
UNARY = {
    "CreateReadSession": (types.CreateReadSessionRequest, types.ReadSession),
    "SplitReadStream": (types.SplitReadStreamRequest, types.SplitReadStreamResponse),
}


@dataclass
class Stream:
    """Rows `start` to `end` of a session, as encoded pages (rows, response)."""

    session: str
    pages: list
    schema: bytes


class Storage:
    """Serves read sessions; `address` is host:port. Faults are those that the test asks for.

    Attributes:
      page_rows: Rows of a response.
      breaks: What ends the next calls of ReadRows early: (rows until then, a grpc code), where a
        code of None ends the stream as if it were whole.
      offsets: The offsets that ReadRows was asked for, in order.
      writes: The service that takes rows.
    """

    def __init__(self, store, port=0, page_rows=1000):
        self.store, self.page_rows = store, page_rows
        self.breaks, self.offsets, self.sessions, self.streams = [], [], [], {}
        self._names, self._encoded = itertools.count(), {}
        self._server = grpc.server(ThreadPoolExecutor(32), options=_OPTIONS)
        handlers = {name: self._unary(name, *kinds) for name, kinds in UNARY.items()}
        handlers["ReadRows"] = grpc.unary_stream_rpc_method_handler(
            self._read, types.ReadRowsRequest.deserialize, lambda page: page
        )
        service = "google.cloud.bigquery.storage.v1.BigQueryRead"
        self.writes = Writes(store)
        self._server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(service, handlers),
                self.writes.handlers(self._unary),
            )
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port(f'127.0.0.1:{port}')}"

    def start(self):
        self._server.start()

    def close(self):
        self._server.stop(0).wait()

    def _unary(self, name, request, response, home=None):
        def call(asked, context):
            try:
                with self.store.lock:
                    self.store.asked(name)
                    return getattr(home or self, name)(asked)
            except Refusal as refusal:
                return context.abort(CODES[refusal.code], refusal.message)

        return grpc.unary_unary_rpc_method_handler(call, request.deserialize, response.serialize)

    def CreateReadSession(self, request):
        wanted = request.read_session
        _, project, _, dataset, _, name = wanted.table.split("/")
        table = self.store.table(f"{project}.{dataset}.{name}")
        if table.kind != "TABLE":
            raise Refusal(400, "invalid", f"{table.name} is a {table.kind}")
        at = wanted.table_modifiers.snapshot_time
        version, rows = table.version(at if at is not None and at.timestamp() else None)
        options = wanted.read_options
        if options.row_restriction:
            rows = rows.filter(restriction(options.row_restriction, rows))
        if options.selected_fields:
            wanted_names = set(options.selected_fields)
            rows = rows.select([name for name in rows.column_names if name in wanted_names])
        session = f"projects/{project}/locations/us/sessions/{next(self._names)}"
        number = request.max_stream_count or max(1, request.preferred_min_stream_count)
        number = max(1, min(number, -(-rows.num_rows // self.page_rows)))
        key = (table.name, version, tuple(rows.column_names), options.row_restriction)
        names = self._cut(session, rows, number if rows.num_rows else 0, key)
        self.sessions.append((table.name, tuple(rows.column_names), options.row_restriction))
        return types.ReadSession(
            name=session,
            table=wanted.table,
            data_format=types.DataFormat.ARROW,
            arrow_schema={"serialized_schema": rows.schema.serialize().to_pybytes()},
            streams=[{"name": name} for name in names],
            estimated_row_count=rows.num_rows,
            estimated_total_bytes_scanned=rows.nbytes,
        )

    def _cut(self, session, rows, number, key):
        """Streams of equal length; their pages are encoded once, whatever sessions there are."""
        schema = rows.schema.serialize().to_pybytes()
        if (key, number) not in self._encoded:
            bounds = [rows.num_rows * place // max(1, number) for place in range(number + 1)]
            self._encoded[key, number] = [
                self._pages(rows.slice(start, end - start), schema)
                for start, end in itertools.pairwise(bounds)
            ]
        names = []
        for pages in self._encoded[key, number]:
            names.append(f"{session}/streams/{next(self._names)}")
            self.streams[names[-1]] = Stream(session, pages, schema)
        return names

    def _pages(self, rows, schema):
        pages, done = [], 0
        for batch in rows.combine_chunks().to_batches(self.page_rows):
            before, done = done, done + batch.num_rows
            page = types.ReadRowsResponse(
                arrow_record_batch={
                    "serialized_record_batch": batch.serialize().to_pybytes(),
                    "row_count": batch.num_rows,
                },
                row_count=batch.num_rows,
                stats={
                    "progress": {
                        "at_response_start": before / rows.num_rows,
                        "at_response_end": done / rows.num_rows,
                    }
                },
            )
            if not before:
                page.arrow_schema = {"serialized_schema": schema}
            pages.append((batch, types.ReadRowsResponse.serialize(page)))
        return pages

    def _read(self, request, context):
        try:
            with self.store.lock:
                self.store.asked("ReadRows")
                self.offsets.append(request.offset)
                if request.read_stream not in self.streams:
                    raise Refusal(404, "notFound", "no such stream")
                ends = self.breaks.pop(0) if self.breaks else None
        except Refusal as refusal:
            context.abort(CODES[refusal.code], refusal.message)
        sent = skipped = 0
        stream = self.streams[request.read_stream]
        for batch, page in stream.pages:
            if skipped + batch.num_rows <= request.offset:
                skipped += batch.num_rows
                continue
            if ends and sent >= ends[0]:
                if ends[1] is not None:
                    context.abort(ends[1], "as told by the test")
                return
            if skipped < request.offset:
                within = request.offset - skipped
                skipped += batch.num_rows
                rest = batch.slice(within)
                yield types.ReadRowsResponse.serialize(
                    types.ReadRowsResponse(
                        arrow_record_batch={
                            "serialized_record_batch": rest.serialize().to_pybytes()
                        },
                        row_count=rest.num_rows,
                    )
                )
                sent += rest.num_rows
                continue
            skipped += batch.num_rows
            yield page
            sent += batch.num_rows
        if ends and ends[1] is not None:
            context.abort(ends[1], "as told by the test")

    def SplitReadStream(self, request):
        stream = self.streams[request.name]
        at = round(len(stream.pages) * request.fraction)
        if not 0 < at < len(stream.pages):
            return types.SplitReadStreamResponse()
        rows = pa.Table.from_batches([batch for batch, _ in stream.pages])
        cut = sum(batch.num_rows for batch, _ in stream.pages[:at])
        names = []
        for part in (rows.slice(0, cut), rows.slice(cut)):
            name = f"{stream.session}/streams/{next(self._names)}"
            self.streams[name] = Stream(
                stream.session, self._pages(part, stream.schema), stream.schema
            )
            names.append(name)
        return types.SplitReadStreamResponse(
            primary_stream={"name": names[0]}, remainder_stream={"name": names[1]}
        )
