"""The stand-in, exercised by Google's own clients, without a line of ours."""

import io

import google.api_core.exceptions as errors
import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, bigquery_storage_v1
from google.cloud.bigquery_storage_v1 import types, writer
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import (
    BigQueryReadGrpcTransport,
)
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (
    BigQueryWriteGrpcTransport,
)
from google.rpc import code_pb2

from tests.integration.bigquery.server import Server
from tests.integration.bigquery.tables import EVERY_TYPE, READ_ONLY, TRIPS, empty_row, fields, row

pytestmark = pytest.mark.integration
SCHEMA = [bigquery.SchemaField("n", "INTEGER"), bigquery.SchemaField("s", "STRING")]


@pytest.fixture
def server(monkeypatch):
    with Server(page_rows=10).running() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def tables(server):
    client = bigquery.Client("proj-12345", credentials=AnonymousCredentials())
    client.create_dataset("taxi")
    yield client
    client.close()


@pytest.fixture
def streams(server):
    channel = grpc.insecure_channel(server.storage.address)
    transport = BigQueryReadGrpcTransport(channel=channel)
    with bigquery_storage_v1.BigQueryReadClient(transport=transport) as client:
        yield client


def _load(client, rows, job=None, **config):
    file = io.BytesIO()
    pq.write_table(rows, file)
    settings = bigquery.LoadJobConfig(source_format="PARQUET", schema=SCHEMA, **config)
    return client.load_table_from_file(file, TRIPS, rewind=True, job_id=job, job_config=settings)


def _rows(*numbers):
    return pa.table({"n": pa.array(numbers, pa.int64()), "s": [str(n) for n in numbers]})


def test_loads_count_once_by_their_id(tables):
    _load(tables, _rows(1, 2), "one").result()
    with pytest.raises(errors.Conflict):
        _load(tables, _rows(1, 2), "one")
    assert tables.get_job("one").output_rows == 2
    _load(tables, _rows(3).select(["s", "n"]), "two").result()
    assert tables.get_table(TRIPS).num_rows == 3
    with pytest.raises(errors.NotFound):
        tables.get_job("three")


def test_a_load_is_all_or_nothing(tables, server):
    _load(tables, _rows(1)).result()
    with pytest.raises(errors.Conflict):
        _load(tables, _rows(2), write_disposition="WRITE_EMPTY").result()
    with pytest.raises(errors.BadRequest, match="new field x"):
        _load(tables, _rows(2).append_column("x", [[1]])).result()
    with pytest.raises(errors.BadRequest, match="changed type"):
        _load(tables, pa.table({"n": ["2"], "s": ["2"]})).result()
    assert server.store.tables[TRIPS].rows["n"].to_pylist() == [1]
    _load(tables, _rows(4, 5), write_disposition="WRITE_TRUNCATE").result()
    assert server.store.tables[TRIPS].rows["n"].to_pylist() == [4, 5]


def test_a_large_file_comes_in_pieces(tables, server):
    # The client sends files above 5 MB in pieces.
    numbers = pa.array(range(1_000_000), pa.int64())
    rows = pa.table({"n": numbers, "s": numbers.cast(pa.string())})
    _load(tables, rows).result()
    assert server.store.tables[TRIPS].rows.num_rows == 1_000_000


def test_what_is_not_there_and_what_is_refused(tables, server):
    with pytest.raises(errors.NotFound):
        tables.get_table(TRIPS)
    with pytest.raises(errors.NotFound):
        tables.get_dataset("other")
    server.store.refuse("tables.GET", 403, "accessDenied")
    with pytest.raises(errors.Forbidden):
        tables.get_table(TRIPS)


def test_the_clients_read_every_type(server, streams):
    columns = {**EVERY_TYPE, **READ_ONLY}
    described = fields(columns)
    schema = server.store.add(TRIPS, fields=described).schema
    rows = [row(columns), empty_row(columns)]
    server.store.tables[TRIPS].put(pa.Table.from_pylist(rows, schema))
    found = _read(streams)
    assert found.schema.equals(schema)
    assert found.to_pylist() == rows


def _session(streams, number=1, **options):
    wanted = {
        "table": "projects/proj-12345/datasets/taxi/tables/trips",
        "data_format": "ARROW",
        "read_options": options,
    }
    return streams.create_read_session(
        parent="projects/proj-12345", read_session=wanted, max_stream_count=number
    )


def _read(streams, number=1, **options):
    session = _session(streams, number, **options)
    return pa.concat_tables(_table(streams, session, s.name) for s in session.streams)


def _table(streams, session, name):
    """A stream by the client's own iterator, which goes on where a stream broke."""
    schema = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))
    pages = [page.arrow_record_batch.serialized_record_batch for page in streams.read_rows(name)]
    batches = [pa.ipc.read_record_batch(pa.py_buffer(page), schema) for page in pages]
    return pa.Table.from_batches(batches, schema)


@pytest.fixture
def hundred(server):
    described = [{"name": "n", "type": "INTEGER"}, {"name": "s", "type": "STRING"}]
    server.store.add(TRIPS, _rows(*range(100)), described)


@pytest.mark.usefixtures("hundred")
def test_streams_columns_and_filters(streams):
    assert _read(streams, 3)["n"].to_pylist() == list(range(100))
    some = _read(streams, selected_fields=["s"], row_restriction="n >= 98 AND s != '98'")
    assert some.to_pylist() == [{"s": "99"}]


@pytest.mark.usefixtures("hundred")
def test_a_stream_that_breaks_goes_on_where_it_was(server, streams):
    server.storage.breaks = [(30, grpc.StatusCode.UNAVAILABLE)]
    assert _read(streams)["n"].to_pylist() == list(range(100))
    assert server.storage.offsets == [0, 30]


@pytest.mark.usefixtures("hundred")
def test_a_stream_may_end_early_without_an_error(server, streams):
    server.storage.breaks = [(50, None)]
    assert _read(streams).num_rows == 50


@pytest.mark.usefixtures("hundred")
def test_a_stream_is_split(streams):
    session = _session(streams)
    name = session.streams[0].name
    cut = streams.split_read_stream(request={"name": name, "fraction": 0.5})
    pair = [cut.primary_stream.name, cut.remainder_stream.name]
    parts = [_table(streams, session, each)["n"].to_pylist() for each in pair]
    assert parts == [list(range(50)), list(range(50, 100))]


def test_a_table_that_is_not_there(streams):
    with pytest.raises(errors.NotFound):
        _session(streams)


@pytest.fixture
def appends(server):
    channel = grpc.insecure_channel(server.storage.address)
    transport = BigQueryWriteGrpcTransport(channel=channel)
    with bigquery_storage_v1.BigQueryWriteClient(transport=transport) as client:
        yield client


def _request(rows, stream, offset=None):
    (batch,) = rows.combine_chunks().to_batches()
    return types.AppendRowsRequest(
        write_stream=stream,
        offset=offset,
        arrow_rows={
            "writer_schema": {"serialized_schema": rows.schema.serialize().to_pybytes()},
            "rows": {"serialized_record_batch": batch.serialize().to_pybytes()},
        },
    )


PATH = "projects/proj-12345/datasets/taxi/tables/trips"


def test_the_client_appends_arrow_rows(server, appends):
    """By the client's own writer: to the default stream, and at offsets of a committed one."""
    described = [{"name": "n", "type": "INTEGER"}, {"name": "s", "type": "STRING"}]
    server.store.add(TRIPS, fields=described)
    template = types.AppendRowsRequest(write_stream=f"{PATH}/streams/_default")
    manager = writer.AppendRowsStream(appends, template)
    manager.send(_request(_rows(1, 2), f"{PATH}/streams/_default")).result()
    manager.close()
    made = appends.create_write_stream(parent=PATH, write_stream={"type_": "COMMITTED"})
    answers = appends.append_rows(
        iter([_request(_rows(3, 4), made.name, offset) for offset in (0, 0, 2, 9)])
    )
    codes = [answer.error.code for answer in answers]
    assert codes == [0, code_pb2.ALREADY_EXISTS, 0, code_pb2.OUT_OF_RANGE]
    assert server.store.tables[TRIPS].rows["n"].to_pylist() == [1, 2, 3, 4, 3, 4]
    assert appends.finalize_write_stream(name=made.name).row_count == 4
    (after,) = appends.append_rows(iter([_request(_rows(5), made.name, 4)]))
    assert after.error.code == code_pb2.INVALID_ARGUMENT


def test_the_client_meets_refused_rows_and_faults(server, appends):
    described = [{"name": "n", "type": "INTEGER", "mode": "REQUIRED"}]
    described += [{"name": "s", "type": "STRING"}]
    server.store.add(TRIPS, fields=described)
    stream = f"{PATH}/streams/_default"
    (answer,) = appends.append_rows(iter([_request(_rows(1, None, 3), stream)]))
    assert [error.index for error in answer.row_errors] == [1]
    assert server.store.tables[TRIPS].rows.num_rows == 0
    (answer,) = appends.append_rows(iter([_request(_rows(1).append_column("x", [[1]]), stream)]))
    assert "extra field x" in answer.error.message
    server.storage.writes.faults = [("after", grpc.StatusCode.UNAVAILABLE)]
    with pytest.raises(errors.ServiceUnavailable):
        list(appends.append_rows(iter([_request(_rows(1), stream)]), retry=None))
    assert server.store.tables[TRIPS].rows["n"].to_pylist() == [1]
    gone = stream.replace("trips", "gone")
    with pytest.raises(errors.NotFound):
        list(appends.append_rows(iter([_request(_rows(1), gone)]), retry=None))
    large = pa.table({"n": pa.array([1], pa.int64()), "s": ["x" * 10_000_000]})
    with pytest.raises(errors.InvalidArgument):
        list(appends.append_rows(iter([_request(large, stream)]), retry=None))
