"""BigQuery's Storage Write API over gRPC, on the tables of a store: streams of Arrow rows."""

import itertools
from dataclasses import dataclass

import grpc
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types
from google.rpc import code_pb2, status_pb2

from tests.integration.bigquery.store import Refusal

SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"
MOST_BYTES = 10_000_000
UNARY = {
    "CreateWriteStream": (types.CreateWriteStreamRequest, types.WriteStream),
    "GetWriteStream": (types.GetWriteStreamRequest, types.WriteStream),
    "FinalizeWriteStream": (types.FinalizeWriteStreamRequest, types.FinalizeWriteStreamResponse),
}
_ERRORS = types.StorageError.StorageErrorCode


@dataclass
class Stream:
    """A committed stream: rows are visible as they come, and each has an offset."""

    table: str
    rows: int = 0
    finalized: bool = False


class Writes:
    """Takes rows; faults are those that the test asks for.

    Attributes:
      faults: What befalls the next requests, in their order; None lets one pass. ("before", code)
        breaks the connection, ("after", code) breaks it when the rows are in but not answered,
        ("close", None) ends it without an error, ("answer", code) refuses the request alone.
      refuses: Tells of a row, as a dict, why it is refused; None takes it.
      requests: What came: (stream, offset or None, rows, bytes, what became of it).
      when: Is called with each request before it is looked at.
    """

    def __init__(self, store):
        self.store, self.streams = store, {}
        self.faults, self.requests = [], []
        self.refuses = lambda row: None
        self.when = lambda request: None
        self._names = itertools.count()

    def handlers(self, unary):
        """The service; `unary` makes a method of one answer."""
        handlers = {name: unary(name, *kinds, self) for name, kinds in UNARY.items()}
        handlers["AppendRows"] = grpc.stream_stream_rpc_method_handler(
            self._append,
            types.AppendRowsRequest.deserialize,
            types.AppendRowsResponse.serialize,
        )
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    def CreateWriteStream(self, request):
        if request.write_stream.type_ != types.WriteStream.Type.COMMITTED:
            raise Refusal(400, "invalid", "the stand-in knows committed streams only")
        table = self._table(request.parent)
        name = f"{request.parent}/streams/s{next(self._names)}"
        self.streams[name] = Stream(table.name)
        return types.WriteStream(name=name, type_=types.WriteStream.Type.COMMITTED)

    def GetWriteStream(self, request):
        self._stream(request.name)
        return types.WriteStream(name=request.name, type_=types.WriteStream.Type.COMMITTED)

    def FinalizeWriteStream(self, request):
        stream = self._stream(request.name)
        stream.finalized = True
        return types.FinalizeWriteStreamResponse(row_count=stream.rows)

    def _table(self, path):
        _, project, _, dataset, _, name = path.split("/")[:6]
        return self.store.table(f"{project}.{dataset}.{name}")

    def _stream(self, name):
        if name not in self.streams:
            raise Refusal(404, "notFound", f"Requested entity was not found: {name}")
        return self.streams[name]

    def _append(self, requests, context):
        name = schema = None
        for request in requests:
            self.when(request)
            name = request.write_stream or name
            written = request.arrow_rows.writer_schema.serialized_schema
            schema = pa.ipc.read_schema(pa.py_buffer(written)) if written else schema
            with self.store.lock:
                fault = self.faults.pop(0) if self.faults else None
                if fault == ("close", None):
                    return
                if fault and fault[0] == "before":
                    context.abort(fault[1], "as told by the test")
                if fault and fault[0] == "answer":
                    response = refusing(fault[1], "as told by the test")
                else:
                    response = self._taken(name, schema, request, context)
            if fault and fault[0] == "after":
                context.abort(fault[1], "as told by the test")
            response.write_stream = name
            yield response

    def _taken(self, name, schema, request, context):
        """Puts the rows of a request into the table, all or none; returns the answer."""
        size = types.AppendRowsRequest.pb(request).ByteSize()
        rows = pa.ipc.read_record_batch(
            pa.py_buffer(request.arrow_rows.rows.serialized_record_batch), schema
        )
        offset = request.offset if request._pb.HasField("offset") else None
        note = [name, offset, rows.num_rows, size, "refused"]
        self.requests.append(note)
        try:
            self.store.asked("AppendRows")
            table = self._table(name)
            stream = None if name.endswith("/_default") else self._stream(name)
        except Refusal as refusal:
            codes = {403: grpc.StatusCode.PERMISSION_DENIED, 404: grpc.StatusCode.NOT_FOUND}
            codes[429] = grpc.StatusCode.RESOURCE_EXHAUSTED
            context.abort(codes[refusal.code], refusal.message)
        if size > MOST_BYTES:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request is above 10 MB")
        if stream is None and offset is not None:
            return refusing(code_pb2.INVALID_ARGUMENT, "the default stream has no offsets")
        if stream is not None:
            if stream.finalized:
                return refusing(code_pb2.INVALID_ARGUMENT, "finalized", _ERRORS.STREAM_FINALIZED)
            if offset is not None and offset < stream.rows:
                known = _ERRORS.OFFSET_ALREADY_EXISTS
                return refusing(code_pb2.ALREADY_EXISTS, "is there already", known)
            if offset is not None and offset > stream.rows:
                return refusing(code_pb2.OUT_OF_RANGE, "beyond", _ERRORS.OFFSET_OUT_OF_RANGE)
        unknown = set(rows.schema.names) - set(table.schema.names)
        if unknown:
            extra = _ERRORS.SCHEMA_MISMATCH_EXTRA_FIELDS
            return refusing(code_pb2.INVALID_ARGUMENT, f"extra field {min(unknown)}", extra)
        columns = []
        for want in table.schema:
            if want.name not in rows.schema.names:
                columns.append(pa.nulls(rows.num_rows, want.type))
            elif rows.schema.field(want.name).type != want.type:
                return refusing(code_pb2.INVALID_ARGUMENT, f"{want.name} is of another type")
            else:
                columns.append(rows[want.name])
        found = pa.RecordBatch.from_arrays(columns, schema=table.schema)
        refused = self._refused(found, table)
        if refused:
            answer = refusing(code_pb2.INVALID_ARGUMENT, "Errors found while processing rows.")
            code = types.RowError.RowErrorCode.FIELDS_ERROR
            answer.row_errors = [{"index": n, "code": code, "message": why} for n, why in refused]
            return answer
        table.put(pa.concat_tables([table.rows, pa.Table.from_batches([_no_null_lists(found)])]))
        note[4] = "taken"
        result = {}
        if stream is not None:
            result = {"offset": stream.rows}
            stream.rows += rows.num_rows
        return types.AppendRowsResponse(append_result=result)

    def _refused(self, rows, table):
        required = [f["name"] for f in table.fields if f.get("mode") == "REQUIRED"]
        found = []
        for number, row in enumerate(rows.to_pylist()):
            missing = [name for name in required if row[name] is None]
            why = f"Field {missing[0]} is required" if missing else self.refuses(row)
            if why:
                found.append((number, why))
        return found


def _no_null_lists(rows):
    """The rows as the service has them: it knows no null lists."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_list(field.type) and rows[place].null_count:
            values = [value or [] for value in rows[place].to_pylist()]
            rows = rows.set_column(place, field, pa.array(values, field.type))
    return rows


def refusing(code, message, storage=None):
    """The answer that refuses a request."""
    status = status_pb2.Status(code=code, message=message)
    if storage is not None:
        status.details.add().Pack(types.StorageError.pb(types.StorageError(code=storage)))
    return types.AppendRowsResponse(error=status)
