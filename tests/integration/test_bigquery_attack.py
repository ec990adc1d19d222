"""Names, values and moments at the edge of what BigQuery allows: right, a dead letter, or told."""

import datetime
import json
from decimal import Decimal

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.ingest import main
from tests.integration.bigquery.server import Server
from tests.integration.bigquery.tables import TRIPS

pytestmark = pytest.mark.integration
OUT = TRIPS.replace("trips", "out")
FIELDS = [{"name": "n", "type": "INTEGER"}, {"name": "s", "type": "STRING"}]
ROWS = pa.table({"n": [1, 2, 3], "s": ["a", "b", "c"]})


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setattr("transforms.io.bigquery.patience._PAUSE_SECONDS", 0.001)
    monkeypatch.chdir(tmp_path)
    with Server(page_rows=100).running() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        server.store.datasets.add(TRIPS.rpartition(".")[0])
        yield server


def _ingest(input=f"bq://{TRIPS}", output=f"bq://{OUT}", **flags):
    return main([f"--{n}={v}" for n, v in {"input": input, "output": output, **flags}.items()])


@pytest.mark.parametrize(
    "name",
    ["with-hyphens", "über_tabelle", "表", "select", "two words", "20260101", "day$20260101"],
)
def test_names_of_tables(server, name):
    place = f"proj-12345.taxi.{name}"
    server.store.add(place, ROWS, FIELDS)
    assert _ingest(f"bq://{place}") == 0
    assert _ingest(f"bq://{OUT}", f"bq://{place}-2") == 0
    assert server.store.tables[f"{place}-2"].rows["n"].to_pylist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("bq://proj-12345.taxi.day_*", "a wildcard"),
        ("bq://p.taxi.trips", "a project has 6"),
        ("bq://proj-12345.taxi", "names no BigQuery table"),
        ("bq://proj-12345.taxi.", "names no BigQuery table"),
        ("bq://proj-12345.ta-xi.trips", "names no BigQuery table"),
    ],
)
def test_names_that_are_none(server, capsys, uri, why):
    assert _ingest(uri) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED_VIEW"])
def test_what_is_no_table(server, capsys, kind):
    server.store.add(TRIPS, fields=FIELDS, kind=kind)
    assert _ingest() == 2
    assert "read it by a query" in capsys.readouterr().err
    server.store.add(OUT, fields=FIELDS, kind=kind)
    server.store.add(TRIPS, ROWS, FIELDS)
    assert _ingest() == 2
    assert "only tables can be written" in capsys.readouterr().err


def test_an_external_table_is_read_by_a_query(server, capsys):
    server.store.add(TRIPS, fields=FIELDS, kind="EXTERNAL")
    assert _ingest() == 2
    assert "read it by a query" in capsys.readouterr().err


def test_an_empty_table(server):
    server.store.add(TRIPS, fields=FIELDS)
    assert _ingest() == 0
    # What has no rows is not loaded, but the table is there for whoever reads it next.
    assert OUT not in server.store.tables or not server.store.tables[OUT].rows.num_rows


def test_ten_thousand_columns(server):
    rows = pa.table({f"c{n}": [n, n + 1] for n in range(10_000)})
    server.store.add(TRIPS, rows, [{"name": f"c{n}", "type": "INTEGER"} for n in range(10_000)])
    assert _ingest() == 0
    assert server.store.tables[OUT].rows.equals(rows)


VALUES = {
    "NUMERIC": (
        pa.decimal128(38, 9),
        [Decimal("99999999999999999999999999999.999999999"), Decimal("-1E-9"), None],
        3,
    ),
    "DATE": (pa.int32(), [-719163, -719162, 2932896, 2932897], 2),
    "DATETIME": (pa.int64(), [-62135596800000001, -62135596800000000, 253402300799999999], 2),
    "JSON": (pa.string(), ['{"a": 1}', "{", "", "null", "[1"], 2),
}
"""Values of a column before they are of its type, and how many of them fit."""


@pytest.mark.parametrize("kind", VALUES)
def test_values_at_the_edge(server, tmp_path, kind):
    type, values, fitting = VALUES[kind]
    column = pa.array(values, type)
    wanted = {"DATE": pa.date32(), "DATETIME": pa.timestamp("us")}.get(kind, type)
    pq.write_table(pa.table({"c": column.view(wanted)}), "in.parquet")
    server.store.add(OUT, fields=[{"name": "c", "type": kind}])
    assert _ingest("in.parquet", run_id="r") == 0
    assert server.store.tables[OUT].rows.num_rows == fitting
    files = (tmp_path / "r.dead_letters").glob("*.jsonl")
    letters = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert len(letters) == len(values) - fitting
    assert {letter["column"] for letter in letters} <= {"c"}


def test_too_many_digits_for_a_numeric(server, tmp_path):
    values = [Decimal("1.5"), Decimal("0.12345678901"), Decimal("1E29")]
    pq.write_table(pa.table({"c": pa.array(values, pa.decimal256(60, 20))}), "in.parquet")
    server.store.add(OUT, fields=[{"name": "c", "type": "NUMERIC"}])
    assert _ingest("in.parquet", run_id="r") == 0
    assert server.store.tables[OUT].rows["c"].to_pylist() == [Decimal("1.500000000")]


RANGE = [
    {"name": "r", "type": "RANGE", "rangeElementType": {"type": "DATE"}},
    {"name": "i", "type": "INTERVAL"},
]


def test_ranges_and_intervals_at_their_ends(server):
    first, last = datetime.date(1, 1, 1), datetime.date(9999, 12, 31)
    ranges = [{"start": first, "end": last}, {"start": None, "end": None}, None]
    intervals = [(120000, 3660000, 316224000000000000000 // 1000 % 10**18), (-120000, -1, -1), None]
    table = server.store.add(TRIPS, fields=RANGE)
    columns = [
        pa.array(ranges, table.schema.field("r").type),
        pa.array(intervals, pa.month_day_nano_interval()),
    ]
    table.put(pa.table(columns, schema=table.schema))
    assert _ingest(output="out.arrow") == 0
    with pa.OSFile("out.arrow") as file:
        found = pa.ipc.open_file(file).read_all()
    assert found["r"].to_pylist() == ranges
    assert found["i"].equals(table.rows["i"])


def test_a_required_column_that_rows_lack(server, capsys):
    server.store.add(TRIPS, ROWS, FIELDS)
    more = {"name": "must", "type": "STRING", "mode": "REQUIRED"}
    server.store.add(OUT, fields=[*FIELDS, more])
    assert _ingest() != 0
    assert "the table requires a column must" in capsys.readouterr().err
    assert not server.store.tables[OUT].rows.num_rows


def test_columns_that_differ_in_case(server, capsys):
    """To BigQuery they are one column: rows fit a table by any case, and two of one name don't."""
    server.store.add(TRIPS, ROWS, FIELDS)
    server.store.add(OUT, fields=[{**FIELDS[0], "name": "N"}, FIELDS[1]])
    assert _ingest() == 0
    assert server.store.tables[OUT].rows["N"].to_pylist() == [1, 2, 3]
    pq.write_table(pa.table({"a": [1], "A": [2]}), "in.parquet")
    assert _ingest("in.parquet", f"bq://{OUT}2") != 0
    assert "differ in case alone" in capsys.readouterr().err


def test_a_schema_that_changes_before_the_load(server, capsys):
    """The load is refused as a whole, and says why; the same run may be started again."""
    server.store.add(TRIPS, ROWS, FIELDS)
    table = server.store.add(OUT, fields=FIELDS)

    def change():
        server.store.before_load = lambda: None
        table.fields = [FIELDS[0], {**FIELDS[1], "type": "BYTES"}]
        table.schema = pa.schema([("n", pa.int64()), ("s", pa.binary())])
        table.put(table.schema.empty_table())

    server.store.before_load = change
    assert _ingest(run_id="r") == 1
    told = capsys.readouterr().err
    assert "nothing was published" in told
    assert "field s has changed type" in told
    assert _ingest(run_id="r") == 0
    assert server.store.tables[OUT].rows["s"].to_pylist() == [b"a", b"b", b"c"]


def test_rights_that_are_lost_midway(server, capsys):
    server.store.add(TRIPS, pa.concat_tables([ROWS] * 500), FIELDS)
    server.storage.breaks = [(100, grpc.StatusCode.PERMISSION_DENIED)] * 40
    assert _ingest() != 0
    assert "BigQuery Read Session User" in capsys.readouterr().err
    assert OUT not in server.store.tables


def test_a_session_that_expires(server, capsys):
    """Its streams are gone: the run says so, and another one opens a session of its own."""
    server.store.add(TRIPS, pa.concat_tables([ROWS] * 500), FIELDS)
    server.storage.breaks = [(100, grpc.StatusCode.FAILED_PRECONDITION)] * 40
    assert _ingest(run_id="r") != 0
    assert "a read session lasts six hours" in capsys.readouterr().err
    server.storage.breaks = []
    assert _ingest(run_id="r") == 0
    assert server.store.tables[OUT].rows.num_rows == 1500


def test_a_dataset_that_is_elsewhere(server):
    """Jobs are looked for where the dataset is."""
    server.store.add(TRIPS, ROWS, FIELDS)
    server.store.locations["proj-12345.taxi"] = "europe-west4"
    assert _ingest(run_id="r") == 0
    assert _ingest(run_id="r") == 0
    assert len(server.store.ledger) == 1


def test_the_input_as_output(server):
    """The rows are those of the snapshot; they replace, or are added to, what is there."""
    server.store.add(TRIPS, ROWS, FIELDS)
    assert _ingest(output=f"bq://{TRIPS}") == 2
    assert _ingest(output=f"bq://{TRIPS}?mode=append") == 0
    assert server.store.tables[TRIPS].rows["n"].to_pylist() == [1, 2, 3] * 2
    assert _ingest(f"bq://{TRIPS}?filter=n>1", f"bq://{TRIPS}", overwrite="true") == 0
    assert server.store.tables[TRIPS].rows["n"].to_pylist() == [2, 3] * 2


def test_two_runs_into_one_new_table(server, capsys):
    """The later one finds rows, loads nothing, and says so."""
    server.store.add(TRIPS, ROWS, FIELDS)

    def other():
        server.store.before_load = lambda: None
        server.store.add(OUT, ROWS, FIELDS)

    server.store.before_load = other
    assert _ingest() == 1
    assert "nothing was published" in capsys.readouterr().err
    assert server.store.tables[OUT].rows.num_rows == 3
