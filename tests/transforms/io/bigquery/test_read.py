"""Tables to batches, against the stand-in: every type, and every way in which a stream ends."""

import datetime

import grpc
import pyarrow as pa
import pytest

from tests.integration.bigquery.tables import (
    EVERY_TYPE,
    READ_ONLY,
    TRIPS,
    empty_row,
    fields,
    row,
)
from transforms.batches import row_sources
from transforms.errors import ConfigError, MillraceError
from transforms.io.bigquery.clients import read_client
from transforms.io.bigquery.read import read_table
from transforms.io.bigquery.source import BigQuerySource
from transforms.io.bigquery.streams import ENDS, TRIES, open_session, read_stream

FIELDS = [{"name": "n", "type": "INTEGER"}, {"name": "s", "type": "STRING"}]
URI = f"bq://{TRIPS}"


@pytest.fixture
def hundred(bigquery):
    rows = pa.table({"n": pa.array(range(100), pa.int64()), "s": [str(n) for n in range(100)]})
    return bigquery.store.add(TRIPS, rows, FIELDS)


def _numbers(source):
    found = [rows for rows, rejects in read_table(source) if not rejects.num_rows]
    return sorted(n for rows in found for n in rows["n"].to_pylist())


def test_every_type(bigquery):
    columns = {**EVERY_TYPE, **READ_ONLY}
    schema = bigquery.store.add(TRIPS, fields=fields(columns)).schema
    rows = [row(columns), empty_row(columns)]
    bigquery.store.tables[TRIPS].put(pa.Table.from_pylist(rows, schema))
    found = [batch for batch, _ in read_table(BigQuerySource.resolve(URI))]
    assert pa.Table.from_batches(found).to_pylist() == rows
    assert found[0].schema.equals(schema)


@pytest.mark.usefixtures("hundred")
@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, None])
@pytest.mark.parametrize("after", [0, 10, 50])
def test_a_stream_that_breaks_goes_on(bigquery, code, after):
    bigquery.storage.breaks = [(after, code)] * (ENDS - 1)
    assert _numbers(BigQuerySource.resolve(f"{URI}?filter=n>=0")) == list(range(100))


@pytest.mark.usefixtures("hundred")
def test_quota_errors_pass(bigquery):
    bigquery.store.refuse("CreateReadSession", 429, "quotaExceeded", times=3)
    bigquery.storage.breaks = [(20, grpc.StatusCode.RESOURCE_EXHAUSTED)] * 3
    assert _numbers(BigQuerySource.resolve(URI)) == list(range(100))


@pytest.mark.usefixtures("hundred")
def test_a_stream_that_never_goes_on_is_an_error(bigquery):
    source = BigQuerySource.resolve(URI)
    bigquery.storage.breaks = [(0, grpc.StatusCode.UNAVAILABLE)] * TRIES
    with pytest.raises(MillraceError, match="does not answer, after several tries"):
        _numbers(source)


@pytest.mark.usefixtures("hundred")
def test_what_is_read_is_what_was_there(bigquery):
    source = BigQuerySource.resolve(URI)
    bigquery.store.tables[TRIPS].put(bigquery.store.tables[TRIPS].rows.slice(0, 1))
    assert _numbers(source) == list(range(100))
    assert _numbers(BigQuerySource.resolve(URI)) == [0]
    before = (source.snapshot - datetime.timedelta(days=1)).isoformat().replace("+00:00", "Z")
    with pytest.raises(MillraceError, match="did not exist at the snapshot"):
        _numbers(BigQuerySource.resolve(f"{URI}?snapshot={before}"))


@pytest.mark.usefixtures("hundred")
def test_only_what_is_asked_for_leaves_the_service(bigquery):
    source = BigQuerySource.resolve(f"{URI}?filter=n>=98").select(["s"])
    found = [row for rows, _ in read_table(source) for row in rows.to_pylist()]
    assert sorted(row["s"] for row in found) == ["98", "99"]
    assert bigquery.storage.sessions == [(TRIPS, ("s",), "n>=98")]
    with pytest.raises(ConfigError, match="no column x; it has: n, s"):
        source = BigQuerySource.resolve(URI).select(["x"])


@pytest.mark.usefixtures("hundred")
def test_a_limit_reads_one_stream_and_no_more(bigquery):
    source = BigQuerySource.resolve(URI, limit=25)
    assert len(_numbers(source)) == 25
    assert len(open_session(source)) == 1
    assert len(open_session(BigQuerySource.resolve(URI))) == 10


@pytest.mark.usefixtures("hundred")
def test_rows_tell_where_they_came_from(bigquery):
    source = BigQuerySource.resolve(URI, limit=25)
    batch = next(rows for rows, _ in read_table(source))
    assert row_sources(batch, [3])[0].as_py() == f"{source.origin}/stream0#row=4"


def test_a_table_without_rows(bigquery):
    bigquery.store.add(TRIPS, fields=FIELDS)
    assert open_session(BigQuerySource.resolve(URI)) == []


@pytest.mark.usefixtures("hundred")
def test_batches_are_joined_to_the_wanted_size(bigquery):
    source = BigQuerySource.resolve(URI, limit=1000)
    (stream,) = open_session(source)
    with read_client() as client:
        found = [batch.num_rows for batch in read_stream(client, source, stream)]
    assert found == [10] * 10
    assert [rows.num_rows for rows, _ in read_table(source, 40)] == [40, 40, 20]


def test_what_can_not_be_read(bigquery):
    with pytest.raises(ConfigError, match="names no BigQuery table"):
        BigQuerySource.resolve("bq://p.trips")
    with pytest.raises(ConfigError, match="unknown setting 'where'; known: filter, snapshot"):
        BigQuerySource.resolve(f"{URI}?where=1")
    bigquery.store.add(TRIPS, fields=FIELDS)
    with pytest.raises(ConfigError, match="no moment such as"):
        BigQuerySource.resolve(f"{URI}?snapshot=yesterday")
    bigquery.store.add(TRIPS, fields=FIELDS, kind="VIEW")
    with pytest.raises(ConfigError, match="is a VIEW"):
        BigQuerySource.resolve(URI)


def test_an_emulator_has_two_addresses(bigquery, monkeypatch):
    bigquery.store.add(TRIPS, fields=FIELDS)
    source = BigQuerySource.resolve(URI)
    monkeypatch.delenv("BIGQUERY_STORAGE_EMULATOR_HOST")
    with pytest.raises(ConfigError, match="BIGQUERY_STORAGE_EMULATOR_HOST does not"):
        open_session(source)
