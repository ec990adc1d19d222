"""Faults over the wire, each met by a whole job: no row is lost, none is there twice."""

import json

import grpc
import pyarrow as pa
import pytest

from beam_jobs.ingest import main
from tests.integration.bigquery.server import Server
from tests.integration.bigquery.tables import TRIPS

pytestmark = pytest.mark.integration
ROWS = 5000
OUT = TRIPS.replace("trips", "out")
FIELDS = [{"name": "n", "type": "INTEGER"}, {"name": "s", "type": "STRING"}]
AWAY, QUOTA = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED
DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setattr("transforms.io.bigquery.patience._PAUSE_SECONDS", 0.001)
    monkeypatch.chdir(tmp_path)
    with Server(page_rows=100).running() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        numbers = pa.array(range(ROWS), pa.int64())
        rows = pa.table({"n": numbers, "s": numbers.cast(pa.string())})
        server.store.add(TRIPS, rows, FIELDS)
        yield server


def _ingest(run_id="r", **flags):
    flags = {"input": f"bq://{TRIPS}", "output": f"bq://{OUT}", "run_id": run_id, **flags}
    return main([f"--{name}={value}" for name, value in flags.items()])


def _numbers(server):
    return sorted(server.store.tables[OUT].rows["n"].to_pylist())


@pytest.mark.parametrize(
    "breaks",
    [
        pytest.param([(200, AWAY)] * 6, id="unavailable"),
        pytest.param([(0, QUOTA), (100, QUOTA), (0, QUOTA)], id="quota"),
        # Of 16 streams each has about 313 rows.
        pytest.param([(150, None)] * 16, id="closed after half of the rows"),
        pytest.param([(100, grpc.StatusCode.INTERNAL), (0, None), (100, AWAY)], id="mixed"),
    ],
)
def test_a_read_that_breaks(server, breaks):
    server.storage.breaks = list(breaks)
    assert _ingest() == 0
    assert server.storage.breaks == []
    assert _numbers(server) == list(range(ROWS))


def test_a_read_that_never_ends(server, capsys):
    """Nothing is published, and the same run may be started again."""
    server.storage.breaks = [(0, QUOTA)] * 400
    assert _ingest() == 1
    told = capsys.readouterr().err
    assert "a quota of project proj-12345 is used up" in told
    assert "Run again later with the same --run_id" in told
    assert OUT not in server.store.tables
    server.storage.breaks = []
    assert _ingest() == 0
    assert _numbers(server) == list(range(ROWS))


def test_one_row_in_five_thousand(server, tmp_path):
    """A load would refuse all rows for one: it is a dead letter before there is a load."""
    rows = server.store.tables[TRIPS].rows
    texts = pa.array([text if text != "4321" else None for text in rows["s"].to_pylist()])
    server.store.tables[TRIPS].put(rows.set_column(1, "s", texts))
    server.store.add(OUT, fields=[FIELDS[0], {**FIELDS[1], "mode": "REQUIRED"}])
    assert _ingest() == 0
    assert _numbers(server) == [n for n in range(ROWS) if n != 4321]
    (file,) = (tmp_path / "r.dead_letters").glob("*.jsonl")
    (letter,) = [json.loads(line) for line in file.read_text().splitlines()]
    assert (letter["reason"], letter["column"]) == ("missing_value", "s")
    assert json.loads(letter["payloadString"])["n"] == 4321


@pytest.mark.parametrize(
    ("method", "code", "reason", "why"),
    [
        ("CreateReadSession", 403, "accessDenied", "BigQuery Read Session User"),
        ("CreateReadSession", 404, "notFound", "bq ls proj-12345:taxi"),
        ("tables.GET", 403, "accessDenied", "BigQuery Data Viewer"),
    ],
)
def test_what_the_service_denies(server, capsys, method, code, reason, why):
    server.store.refuse(method, code, reason)
    assert _ingest() != 0
    told = capsys.readouterr().err
    assert why in told
    assert "Traceback" not in told
    assert OUT not in server.store.tables
    # Once the right is given, or the table is there, the same run goes on.
    assert _ingest() == 0
    assert _numbers(server) == list(range(ROWS))


@pytest.mark.parametrize(
    ("method", "code", "reason", "exit_code", "why"),
    [
        ("load", 403, "accessDenied", 1, "accessDenied"),
        ("load", 403, "quotaExceeded", 1, "quotaExceeded"),
        ("load", 503, "backendError", 1, "backendError"),
        ("jobs.POST", 403, "accessDenied", 2, "BigQuery Job User"),
    ],
)
def test_a_load_that_is_refused(server, capsys, method, code, reason, exit_code, why):
    server.store.refuse(method, code, reason)
    assert _ingest() == exit_code
    told = capsys.readouterr().err
    assert why in told
    assert OUT not in server.store.tables
    assert _ingest() == 0
    assert _numbers(server) == list(range(ROWS))
    assert len(server.store.ledger) == 1


def test_an_output_that_is_not_there(server, capsys):
    assert _ingest(output="bq://proj-12345.nowhere.out") == 2
    assert "`bq mk --dataset proj-12345:nowhere` makes it" in capsys.readouterr().err
    assert _ingest(input="bq://proj-12345.taxi.gone") == 2
    assert "See what there is: `bq ls proj-12345:taxi`" in capsys.readouterr().err
    assert list(server.store.tables) == [TRIPS]
