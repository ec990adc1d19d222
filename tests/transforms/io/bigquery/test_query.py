"""Queries as inputs: run once, read from a table of their own, which is then deleted."""

import pyarrow as pa
import pytest

from tests.integration.bigquery.store import Table
from tests.integration.bigquery.tables import PROJECT, TRIPS
from tests.support import local_pipeline
from transforms.errors import ConfigError, MillraceError
from transforms.io.bigquery.query import forget_tables
from transforms.io.bigquery.read import read_table
from transforms.io.bigquery.source import BigQuerySource
from transforms.io.bigquery.uris import settings_of
from transforms.io.read import Read

SQL = "SELECT n + 1 AS n, s FROM t WHERE s LIKE '%a' & 1"
URI = f"bq:?query={SQL.replace('&', '%26')}&temp_dataset={PROJECT}.tmp"
FIELDS = [{"name": "n", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "s", "type": "STRING"}]


@pytest.fixture(autouse=True)
def query(bigquery):
    table = Table(f"{PROJECT}.x.y", FIELDS)
    rows = {"n": pa.array(range(100), pa.int64()), "s": [str(n) for n in range(100)]}
    table.put(pa.table(rows).cast(table.schema))
    bigquery.store.queries[SQL] = table
    bigquery.store.datasets.add(f"{PROJECT}.tmp")
    return table


def _all(source):
    return [row for rows, _ in read_table(source) for row in rows.to_pylist()]


def test_a_query_is_run_when_it_is_read_and_once(bigquery, query):
    source = BigQuerySource.resolve(URI)
    assert bigquery.store.tables == {}, "looking at it runs nothing"
    assert (source.bytes, source.schema) == (query.rows.nbytes, query.schema)
    rows = query.rows.to_pylist()
    assert _all(source) == _all(source) == rows
    assert _all(source.select(["s"])) == [{"s": row["s"]} for row in rows]
    (name,) = bigquery.store.tables
    assert bigquery.store.ledger == [(name, "QUERY", 0, 100)]
    assert name.startswith(f"{PROJECT}.tmp.millrace_")
    assert int(bigquery.store.tables[name].more["expirationTime"]) > 0
    forget_tables([name])
    forget_tables([name])
    assert bigquery.store.tables == {}


def test_a_pipeline_of_ones_own_leaves_no_table(bigquery):
    bigquery.store.add(TRIPS, fields=FIELDS)
    with local_pipeline() as pipeline:
        _ = pipeline | Read(BigQuerySource.resolve(URI))
    assert list(bigquery.store.tables) == [TRIPS]
    assert bigquery.store.ledger[0][3] == 100


def test_settings_are_sql_not_a_form():
    assert settings_of("bq:?a=x+1 LIKE '%25b%'&b=%26", ("a", "b")) == {
        "a": "x+1 LIKE '%b%'",
        "b": "&",
    }


def test_a_query_from_a_file(tmp_path):
    (tmp_path / "q.sql").write_text(SQL)
    source = BigQuerySource.resolve(f"bq:?query=@{tmp_path}/q.sql&temp_dataset={PROJECT}.tmp")
    assert source.query.sql == SQL


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("bq:?query=SELECT 1", "temp_dataset=PROJECT.DATASET"),
        (f"bq:?temp_dataset={PROJECT}.tmp", "query=SQL"),
        ("bq:?query=SELECT 1&temp_dataset=tmp", "names no dataset"),
        (f"bq:?query=SELEKT&temp_dataset={PROJECT}.tmp", "can't run the query: .*Syntax error"),
        (f"bq:?query=SELECT 1&temp_dataset={PROJECT}.tmp&snapshot=x", "unknown setting 'snapshot'"),
    ],
)
def test_what_a_user_gets_wrong(uri, why):
    with pytest.raises(ConfigError, match=why):
        BigQuerySource.resolve(uri)


def test_no_permission_and_no_dataset(bigquery):
    bigquery.store.refuse("query", 403, "accessDenied")
    with pytest.raises(ConfigError, match="Data Editor on temp_dataset"):
        BigQuerySource.resolve(URI)
    with pytest.raises(ConfigError, match="bq mk --dataset proj-12345:nowhere"):
        BigQuerySource.resolve(URI.replace("tmp", "nowhere"))
    source = BigQuerySource.resolve(URI)
    bigquery.store.refuse("queryRun", 403, "quotaExceeded")
    with pytest.raises((ConfigError, MillraceError)):
        _all(source)
