"""Load jobs, against the stand-in: once for a run, all or nothing, and what is told of failures."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.bigquery.tables import (
    EVERY_TYPE,
    TRIPS,
    empty_row,
    fields,
    row,
)
from transforms.errors import ConfigError, MillraceError
from transforms.io.bigquery.load import TRIES, job_id
from transforms.io.bigquery.sink import BigQuerySink
from transforms.io.bigquery.uris import address
from transforms.schema.bigquery_types import arrow_schema

URI = f"bq://{TRIPS}"


@pytest.fixture(autouse=True)
def dataset(bigquery):
    bigquery.store.datasets.add(TRIPS.rpartition(".")[0])


def _staged(folder, *tables):
    files = [str(folder / f"{number}.parquet") for number in range(len(tables))]
    for path, table in zip(files, tables, strict=True):
        pq.write_table(table, path)
    return files


def _publish(uri, folder, *tables, run_id="r1", overwrite=False):
    sink = BigQuerySink.resolve(uri)
    sink.check(run_id, overwrite)
    sink.load(_staged(folder, *tables), tables[0].schema, run_id, overwrite)


def _rows(bigquery):
    return bigquery.store.tables[TRIPS].rows


def test_a_table_of_every_type_there_and_back(bigquery, tmp_path):
    described = fields(EVERY_TYPE)
    bigquery.store.add(TRIPS, fields=described)
    rows = [row(EVERY_TYPE), empty_row(EVERY_TYPE)]
    table = pa.Table.from_pylist(rows, arrow_schema(described))
    _publish(URI, tmp_path, table.slice(0, 1), table.slice(1))
    assert _rows(bigquery).to_pylist() == rows
    assert bigquery.store.ledger == [(TRIPS, "WRITE_EMPTY", 1, 2)]


def test_a_new_table_is_made_of_the_rows(bigquery, tmp_path):
    table = pa.table({"n": [1, None], "l": [[1.5], None], "m": [{"a": b"x"}, None]})
    _publish(f"{URI}?partition=n&cluster=n,m", tmp_path, table)
    made = bigquery.store.tables[TRIPS]
    assert [(f["name"], f["type"], f["mode"]) for f in made.fields] == [
        ("n", "INTEGER", "NULLABLE"),
        ("l", "FLOAT", "REPEATED"),
        ("m", "RECORD", "NULLABLE"),
    ]
    assert made.rows["l"].to_pylist() == [[1.5], []]
    assert made.more["timePartitioning"]["field"] == "n"
    assert made.more["clustering"] == {"fields": ["n", "m"]}


def test_jobs_are_where_the_dataset_is(bigquery, tmp_path):
    """A job of a single region is found only by who names the region."""
    bigquery.store.locations[TRIPS.rpartition(".")[0]] = "europe-west3"
    for _ in range(2):
        _publish(URI, tmp_path, pa.table({"n": [1, 2]}))
    assert _rows(bigquery)["n"].to_pylist() == [1, 2]
    assert [job["jobReference"]["location"] for job in bigquery.store.jobs.values()] == [
        "europe-west3"
    ]


def test_a_run_loads_once(bigquery, tmp_path):
    one = pa.table({"n": [1, 2]})
    _publish(URI, tmp_path, one)
    _publish(URI, tmp_path, one)
    assert _rows(bigquery)["n"].to_pylist() == [1, 2]
    with pytest.raises(ConfigError, match=r"has rows: pass --overwrite .* \?mode=append"):
        _publish(URI, tmp_path, one, run_id="r2")
    _publish(f"{URI}?mode=append", tmp_path, one, run_id="r3")
    _publish(f"{URI}?mode=append", tmp_path, one, run_id="r3")
    assert _rows(bigquery)["n"].to_pylist() == [1, 2, 1, 2]
    _publish(URI, tmp_path, one, run_id="r4", overwrite=True)
    assert _rows(bigquery)["n"].to_pylist() == [1, 2]


def test_an_answer_that_was_lost(bigquery, tmp_path):
    """The job is done before its caller knows: that very job is asked for."""
    bigquery.store.after_load = lambda: bigquery.store.refuse("jobs.GET", 503, "backendError")
    _publish(URI, tmp_path, pa.table({"n": [1]}))
    assert _rows(bigquery)["n"].to_pylist() == [1]
    assert len(bigquery.store.ledger) == 1


def test_a_job_that_failed_loaded_nothing_and_the_next_start_tries_again(bigquery, tmp_path):
    one = pa.table({"n": [1]})
    for _ in range(TRIES):
        bigquery.store.refuse("load", 400, "invalid")
        with pytest.raises(MillraceError, match=r"failed \(invalid\): as told by the test$"):
            _publish(URI, tmp_path, one)
    assert TRIPS not in bigquery.store.tables
    with pytest.raises(MillraceError, match=f"{TRIES} load jobs of run r1 have failed: see `bq"):
        _publish(URI, tmp_path, one)
    _publish(URI, tmp_path, one, run_id="r2")
    assert _rows(bigquery).num_rows == 1


def test_no_value_of_a_row_is_told(bigquery, tmp_path, monkeypatch):
    from tests.integration.bigquery import store

    def refuse(*_):
        raise store.Refusal(400, "invalid", "Invalid timestamp value 99999 in column 'n'")

    monkeypatch.setattr(store, "_parquet_rows", refuse)
    with pytest.raises(MillraceError, match=r"timestamp value \.\.\. in column 'n'"):
        _publish(URI, tmp_path, pa.table({"n": [1]}))


def test_ids_of_jobs():
    place = address(URI, ())
    assert job_id(place, "r1") == job_id(place, "r1")
    names = {job_id(place, run, n) for run in ("r1", "r 1", "r.1", "x" * 500) for n in (0, 1)}
    assert len(names) == 8
    assert all(len(name) <= 1024 and name.replace("-", "_").isidentifier() for name in names)


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        (f"{URI}?mode=replace", "unknown mode 'replace'; known: create, append. --overwrite"),
        (f"{URI}?staging=/tmp", "no place that BigQuery reads"),
        (f"{URI}?shards=2", "unknown setting 'shards'"),
        ("bq://proj-12345.nowhere.t", "bq mk --dataset proj-12345:nowhere"),
    ],
)
def test_what_can_not_be_written(uri, why):
    with pytest.raises(ConfigError, match=why):
        BigQuerySink.resolve(uri)


def test_access_is_denied(bigquery):
    bigquery.store.refuse("tables.GET", 403, "accessDenied")
    with pytest.raises(ConfigError, match="BigQuery Data Editor on the dataset"):
        BigQuerySink.resolve(URI)


def test_appending_and_replacing_contradict_each_other():
    with pytest.raises(ConfigError, match="choose one"):
        BigQuerySink.resolve(f"{URI}?mode=append").check("r1", True)
