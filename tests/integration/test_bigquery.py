"""The score job from table to table, against a stand-in of BigQuery; killed at any moment."""

import importlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
from collections import Counter

import grpc
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.integration.bigquery.server import Server
from tests.integration.bigquery.store import Refusal
from tests.integration.bigquery.tables import EVERY_TYPE, TRIPS, empty_row, fields, row

pytestmark = pytest.mark.integration
MOMENTS = max(1, int(os.environ.get("MILLRACE_KILLS", "20")) // 5)
ROOT = pathlib.Path(__file__).parents[2]
SCORED = TRIPS.replace("trips", "scored")
FIELDS = [
    {"name": "x", "type": "FLOAT"},
    {"name": "y", "type": "FLOAT", "mode": "NULLABLE"},
    {"name": "name", "type": "STRING"},
    {"name": "note", "type": "STRING"},
]

SLOW_SECONDS = 1.0
"""How long a slow service takes before a load, and before it answers."""
SCHEMA = pa.schema(
    [("x", pa.float64()), ("y", pa.float64()), ("name", pa.string()), ("note", pa.string())]
)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr("transforms.io.bigquery.patience._PAUSE_SECONDS", 0.001)
    with Server().running() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def _trips(server, rows):
    numbers = pa.array(range(rows), pa.float64())
    names = numbers.cast(pa.int64()).cast(pa.string())
    table = pa.table({"x": numbers, "y": numbers, "name": names, "note": names})
    server.store.add(TRIPS, table, FIELDS)


def _flags(model, **flags):
    given = {"input": f"bq://{TRIPS}", "model": model, "output": f"bq://{SCORED}", **flags}
    return [f"--{name}={value}" for name, value in given.items()]


def _scores(server):
    rows = server.store.tables[SCORED].rows
    return dict(zip(rows["name"].to_pylist(), rows["score"].to_pylist(), strict=True))


def _letters(folder):
    """The dead letters beside an output."""
    files = sorted(folder.glob("*.dead_letters/*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_from_table_to_table(server, linear_model, tmp_path, monkeypatch):
    from beam_jobs.score import main

    monkeypatch.chdir(tmp_path)
    _trips(server, 5000)
    server.storage.breaks = [(1000, grpc.StatusCode.UNAVAILABLE), (1000, None)]
    kept = ["--keep_columns=name", "--profile=local"]
    assert main([*_flags(linear_model, run_id="r1"), *kept]) == 0
    found = _scores(server)
    assert found == {str(n): 3.0 * n for n in range(5000) if n != 13}
    (dead,) = _letters(tmp_path)
    assert json.loads(dead["payloadString"])["name"] == "13"
    # Only what is needed was read: the note never left the server.
    assert server.storage.sessions == [(TRIPS, ("x", "y", "name"), "")]
    manifest = json.loads((tmp_path / f"{SCORED}.r1.run.json").read_text())
    assert list(manifest["snapshots"]) == [f"bq://{TRIPS}"]
    assert [each["uri"] for each in manifest["outputs"]] == [
        "./r1.dead_letters",
        f"bq://{SCORED}",
    ]
    assert manifest["counts"]["rows_in"] == 5000
    assert len(server.store.ledger) == 1
    # A run is not done again; another does not touch what is there, but replaces or adds.
    assert main([*_flags(linear_model, run_id="r1"), *kept]) == 0
    assert main([*_flags(linear_model), *kept]) == 2
    assert len(server.store.ledger) == 1
    assert main([*_flags(linear_model), *kept, "--overwrite"]) == 0
    assert len(_scores(server)) == server.store.tables[SCORED].rows.num_rows == len(found)
    append = _flags(linear_model, output=f"bq://{SCORED}?mode=append", limit=100)
    assert main([*append, *kept]) == 0
    assert server.store.tables[SCORED].rows.num_rows > len(found)
    left = sorted(path.name for path in tmp_path.iterdir() if "millrace-" in path.name)
    assert left == []


def test_rows_that_the_table_refuses(server, linear_model, tmp_path, monkeypatch, capsys):
    from beam_jobs.score import main

    monkeypatch.chdir(tmp_path)
    _trips(server, 10)
    columns = [
        {"name": "name", "type": "STRING", "mode": "REQUIRED", "maxLength": "1"},
        {"name": "score", "type": "FLOAT"},
        {"name": "shout", "type": "STRING"},
        {"name": "model_version", "type": "STRING"},
    ]
    server.store.tables[TRIPS].put(
        pa.concat_tables(
            [
                server.store.tables[TRIPS].rows,
                pa.table([[1.0, 2.0], [1.0, 2.0], ["long", None], ["", ""]], schema=SCHEMA),
            ]
        )
    )
    server.store.add(SCORED, fields=columns)
    assert main([*_flags(linear_model), "--keep_columns=name"]) == 0, capsys.readouterr().err
    letters = _letters(tmp_path)
    assert Counter((each["reason"], each["column"]) for each in letters) == {
        ("oversized", "name"): 1,
        ("missing_value", "name"): 1,
    }
    assert sorted(_scores(server)) == [str(n) for n in range(10)]
    assert all(each["source"].startswith(f"bq://{TRIPS}@") for each in letters)
    assert main([*_flags(linear_model), "--overwrite"]) != 0
    assert "has no column" in capsys.readouterr().err


def test_what_a_user_gets_wrong(server, linear_model, tmp_path, monkeypatch, capsys):
    from beam_jobs.score import main

    monkeypatch.chdir(tmp_path)
    assert main(_flags(linear_model)) == 2
    assert f"bq://{TRIPS} does not exist" in capsys.readouterr().err
    _trips(server, 10)
    assert main(_flags(linear_model, output="bq://proj-12345.nowhere.scored")) == 2
    assert "bq mk --dataset proj-12345:nowhere" in capsys.readouterr().err
    server.store.refuse("tables.GET", 403, "accessDenied")
    assert main(_flags(linear_model)) == 2
    assert "BigQuery Data Viewer" in capsys.readouterr().err
    server.store.refuse("load", 403, "quotaExceeded", times=1)
    assert main(_flags(linear_model, run_id="r2")) == 1
    told = capsys.readouterr().err
    assert "nothing was published" in told
    assert "quotaExceeded" in told
    assert SCORED not in server.store.tables
    # What failed has loaded nothing, and so the run may try again.
    assert main(_flags(linear_model, run_id="r2")) == 0
    assert server.store.tables[SCORED].rows.num_rows == 10


def test_from_a_query_to_a_table(server, linear_model, tmp_path, monkeypatch, capsys):
    from beam_jobs.score import main

    monkeypatch.chdir(tmp_path)
    _trips(server, 50)
    sql = "SELECT * FROM `trips` WHERE x < 50"
    server.store.queries[sql] = server.store.tables[TRIPS]
    server.store.datasets.add("proj-12345.tmp")
    flags = _flags(linear_model, input=f"bq:?query={sql}&temp_dataset=proj-12345.tmp", run_id="q")
    before = set(server.store.tables)
    assert main([*flags, "--dry_run"]) == 0
    size = server.store.tables[TRIPS].rows.nbytes
    assert f"a query that bills {size:,} bytes" in capsys.readouterr().out
    assert server.store.ledger == []
    assert main(flags) == 0
    assert _scores(server) == {str(n): 3.0 * n for n in range(50) if n != 13}
    assert set(server.store.tables) == {*before, SCORED}, "its table is gone"
    assert [how for _, how, *_ in server.store.ledger] == ["QUERY", "WRITE_EMPTY"]
    manifest = json.loads((tmp_path / f"{SCORED}.q.run.json").read_text())
    (read,) = manifest["tables_read"]
    assert ("proj-12345", read["job"]) in server.store.jobs
    # One that is refused by a gate leaves none either.
    gate = ["--max_rejected_fraction=0", "--overwrite"]
    assert main([*flags[:-1], "--run_id=q2", *gate]) == 3
    assert set(server.store.tables) == {*before, SCORED}


def _run(job, **flags):
    """Runs a job in this process; returns its exit code."""
    main = importlib.import_module(f"beam_jobs.{job}").main
    return main([f"--{name}={value}" for name, value in flags.items()])


def test_every_job_reads_a_table(server, tmp_path, monkeypatch, capsys):
    """What each makes of a table is what it makes of the same rows in a file."""
    monkeypatch.chdir(tmp_path)
    _trips(server, 300)
    pq.write_table(server.store.tables[TRIPS].rows, "trips.parquet")
    made = {}
    for name, uri in {"table": f"bq://{TRIPS}", "file": "trips.parquet"}.items():
        assert _run("validate", input=uri, output=f"{name}-stats/", infer_schema="true") == 0
        assert _run("baseline", input=uri, output=f"{name}-base/") == 0
        assert _run("drift", input=uri, baseline=f"{name}-base/", output=f"{name}-drift/") == 0
        flags = {"schema": f"{name}-stats/schema.pbtxt", "preprocessing_fn": "features.py"}
        (tmp_path / "features.py").write_text(FEATURES)
        assert _run("preprocess", input=uri, output=f"{name}-features/", **flags) == 0
        found = ds.dataset(f"{name}-features", exclude_invalid_files=True).to_table()
        schema = (tmp_path / f"{name}-stats/schema.pbtxt").read_text()
        made[name] = schema, sorted(found["z"].to_pylist())
    assert made["table"] == made["file"]
    assert len(made["table"][1]) == 300
    capsys.readouterr()


FEATURES = """
import tensorflow_transform as tft

def preprocessing_fn(inputs):
    return {"z": tft.scale_to_z_score(inputs["x"])}
"""
REDACTION = """
inspect_config:
  info_types: [{name: EMAIL_ADDRESS}]
deidentify_config:
  info_type_transformations:
    transformations:
      - primitive_transformation: {replace_with_info_type_config: {}}
"""


def test_redacted_from_table_to_table(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _trips(server, 100)
    mails = pa.array([f"write to ada{n}@example.com" for n in range(100)])
    rows = server.store.tables[TRIPS].rows.set_column(3, "note", mails)
    server.store.tables[TRIPS].put(rows)
    (tmp_path / "policy.yaml").write_text(REDACTION)
    flags = {"policy": "policy.yaml", "output": f"bq://{SCORED}", "run_id": "red"}
    assert _run("redact", input=f"bq://{TRIPS}", **flags) == 0
    notes = server.store.tables[SCORED].rows["note"].to_pylist()
    assert set(notes) == {"write to [EMAIL_ADDRESS]"}
    assert len(notes) == 100


def test_dead_letters_in_a_table(server, linear_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _trips(server, 50)
    dead = TRIPS.replace("trips", "dead")
    flags = [*_flags(linear_model, dead_letters=f"bq://{dead}"), "--overwrite"]
    from beam_jobs.score import main

    assert main([*flags, "--run_id=d1"]) == 0, capsys.readouterr().err
    assert main([*flags, "--run_id=d1"]) == 0
    # Those of a run that a gate refuses are there too, beside those of others.
    assert main([*flags, "--run_id=d2", "--max_rejected_fraction=0"]) == 3
    table = server.store.tables[dead]
    assert table.rows["run_id"].to_pylist() == ["d1", "d2"]
    assert set(table.rows["reason"].to_pylist()) == {"model_error"}
    assert [json.loads(text)["name"] for text in table.rows["payloadString"].to_pylist()] == [
        "13",
        "13",
    ]
    assert table.more["timePartitioning"]["field"] == "timestamp"
    assert f"bq://{dead}" in capsys.readouterr().err
    # A run without any leaves the table alone.
    assert main([*flags, "--run_id=d3", "--limit=5"]) == 0
    assert table.rows.num_rows == 2
    # Another table's columns are not those of dead letters.
    assert main([*_flags(linear_model, dead_letters=f"bq://{TRIPS}"), "--overwrite"]) == 2
    assert "--dead_letters: the table has no column" in capsys.readouterr().err


def test_a_table_grows(server, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _trips(server, 10)
    server.store.add(SCORED, pa.table({"name": ["old"]}), [{"name": "name", "type": "STRING"}])
    flags = {"input": f"bq://{TRIPS}?filter=x>=5", "output": f"bq://{SCORED}?mode=append"}
    assert _run("ingest", **flags) != 0
    assert "--allow_schema_growth" in capsys.readouterr().err
    assert _run("ingest", **flags, allow_schema_growth="true", run_id="g") == 0
    assert _run("ingest", **flags, allow_schema_growth="true", run_id="g") == 0
    table = server.store.tables[SCORED]
    assert table.fields[1:] == [
        {**f, "mode": "NULLABLE"} for f in (FIELDS[0], FIELDS[1], FIELDS[3])
    ]
    assert table.rows["x"].to_pylist() == [None, 5, 6, 7, 8, 9]
    assert table.rows["name"].to_pylist() == ["old", "5", "6", "7", "8", "9"]
    assert _run("ingest", input="x.csv", output="out/", allow_schema_growth="true") == 2


def test_a_table_of_every_type_there_and_back(server, tmp_path, monkeypatch, capsys):
    """Nested and repeated, with values that are hard to carry and with none at all."""
    monkeypatch.chdir(tmp_path)
    described = fields(EVERY_TYPE)
    rows = [row(EVERY_TYPE), empty_row(EVERY_TYPE)] * 50
    table = server.store.add(TRIPS, fields=described)
    table.put(pa.Table.from_pylist(rows, table.schema))
    server.store.add(SCORED, fields=described)
    assert _run("ingest", input=f"bq://{TRIPS}", output=f"bq://{SCORED}") == 0
    found = server.store.tables[SCORED].rows
    assert sorted(found.to_pylist(), key=repr) == sorted(rows, key=repr)
    # By a file, too, whose types are Arrow's own.
    assert _run("ingest", input=f"bq://{TRIPS}", output="every.arrow") == 0
    again = f"bq://{SCORED}2"
    server.store.add(f"{SCORED}2", fields=described)
    assert _run("ingest", input="every.arrow", output=again) == 0
    found = server.store.tables[f"{SCORED}2"].rows
    assert sorted(found.to_pylist(), key=repr) == sorted(rows, key=repr)
    # What no load takes is refused by its name, before there is any work.
    server.store.add(f"{SCORED}3", fields=[*described, {"name": "v", "type": "INTERVAL"}])
    assert _run("ingest", input=f"bq://{TRIPS}", output=f"bq://{SCORED}3") == 2
    assert "column 'v' is of type INTERVAL" in capsys.readouterr().err


@pytest.mark.usefixtures("bucket")
def test_rows_wait_in_cloud_storage(server, bucket, linear_model, tmp_path, monkeypatch):
    from beam_jobs.score import main
    from transforms.files import filesystem

    monkeypatch.chdir(tmp_path)
    _trips(server, 3000)
    output = f"bq://{SCORED}?staging={bucket}/tmp&cluster=name"
    assert main(_flags(linear_model, output=output, run_id="gcs")) == 0
    assert server.store.tables[SCORED].more == {"clustering": {"fields": ["name"]}}
    ((name, how, files, rows),) = server.store.ledger
    assert (name, how) == (SCORED, "WRITE_EMPTY")
    assert files >= 1
    assert rows == server.store.tables[SCORED].rows.num_rows
    assert filesystem.exists(f"{bucket}/tmp/{SCORED}.gcs.run.json")
    assert not [f.uri for f in filesystem.list_files(f"{bucket}/tmp/**") if "millrace-" in f.uri]


class _Runs:
    """Runs of the job as processes, and what they leave in the table."""

    def __init__(self, server, folder, job, flags):
        self.server, self.folder, self.process = server, folder, None
        self.command = [sys.executable, "-m", f"beam_jobs.{job}", *flags]

    def start(self, run_id):
        self.process = subprocess.Popen(
            [*self.command, f"--run_id={run_id}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def whole(self, run_id):
        """Runs it to its end; returns the names in the table."""
        self.start(run_id)
        told = self.process.communicate()[1]
        assert self.process.returncode == 0, told
        return Counter(self.server.store.tables[SCORED].rows["name"].to_pylist())

    def until_staged(self, run_id):
        """Starts it and waits for its first staged file."""
        self.start(run_id)
        while not self.seen(run_id)["files"]:
            assert self.ended(0.005) is None, "it ended without a staged file"

    def ended(self, seconds):
        """Waits so long for its end; returns its exit code, or None where it still runs."""
        try:
            self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        return self.process.returncode

    def killed(self, run_id, seconds):
        """Kills it so long after its first staged file; returns what was there then."""
        self.until_staged(run_id)
        ended = self.ended(seconds) is not None
        if not ended:
            self.process.kill()
            self.process.communicate()
        return {**self.seen(run_id), "ended": ended}

    def seen(self, run_id):
        """What is there of a run: files that wait, loads that the service did, its manifest."""
        return {
            "files": sum(path.is_file() for path in self.folder.glob(f".*{run_id}/**/*.parquet")),
            "loads": len(self.server.store.ledger),
            "manifest": (self.folder / f"{SCORED}.{run_id}.run.json").exists(),
        }

    def forget(self):
        """As if nothing had run before, but for the jobs that the service remembers."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.server.store.tables.pop(SCORED, None)
        self.server.store.ledger.clear()


@pytest.mark.parametrize("moment", ["before_load", "after_load"])
def test_killed_at_the_commit(server, linear_model, tmp_path, moment):
    """Its rows are staged, and the load has not begun; or it is done, and no answer came."""
    _trips(server, 5000)
    runs = _Runs(server, tmp_path, "score", [*_flags(linear_model), "--keep_columns=name"])

    def kill():
        runs.process.kill()
        if moment == "before_load":
            raise Refusal(503, "backendError", "the process is gone")

    setattr(server.store, moment, kill)
    runs.start("r1")
    runs.process.communicate()
    assert runs.process.returncode == -9
    setattr(server.store, moment, lambda: None)
    assert len(server.store.ledger) == (moment == "after_load")
    found = runs.whole("r1")
    assert len(server.store.ledger) == 1
    assert found == Counter(str(n) for n in range(5000) if n != 13)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [f"{SCORED}.r1.run.json", "r1.dead_letters"]


@pytest.mark.timeout(1800)
def test_killed_between_stage_and_commit(server, tmp_path):
    """Whatever the moment, the next run of the same id leaves each row once, by one load."""
    _trips(server, 60_000)
    expected = Counter(str(n) for n in range(60_000))
    flags = [f"--input=bq://{TRIPS}", f"--output=bq://{SCORED}"]
    runs = _Runs(server, tmp_path, "ingest", flags)
    # A service that is slow on both sides of the load: so kills come before, in and after it.
    server.store.before_load = server.store.after_load = lambda: time.sleep(SLOW_SECONDS)
    met = Counter()
    draw = random.Random(0)
    for number in range(MOMENTS):
        runs.forget()
        seen = runs.killed(f"k{number}", draw.uniform(0, 2 * SLOW_SECONDS))
        with server.store.lock:
            # A load that had come in before the kill is done to its end.
            loads = len(server.store.ledger)
            rows = len(server.store.tables[SCORED].rows) if SCORED in server.store.tables else 0
        met["ended" if seen["ended"] else f"{loads} loads"] += 1
        print(f"killed when there were {seen}, {rows} rows in the table", flush=True)
        assert rows == loads * expected.total(), "a part of the rows was visible"
        assert runs.whole(f"k{number}") == expected
        assert len(server.store.ledger) == 1
    print(f"what the kills met: {dict(met)}", flush=True)
    assert met["ended"] < MOMENTS, "no kill came in time, and so nothing was proved"


def test_messages_on_dataflow_go_into_a_table_once(server, tmp_path, monkeypatch, capsys):
    """By the runner's state; here such a run is refused, since its state ends with it."""
    monkeypatch.chdir(tmp_path)
    server.store.add(SCORED, fields=FIELDS)
    (tmp_path / "s.json").write_text('[{"name": "x", "type": "FLOAT"}]')
    there = {
        "input": "pubsub://projects/proj-12345/subscriptions/sub",
        "schema": "s.json",
        "output": f"bq://{SCORED}",
        "dead_letters": "bq://proj-12345.taxi.dead?staging=gs://bucket/tmp",
        "dry_run": "true",
    }
    dataflow = {
        "runner": "DataflowRunner",
        "project": "proj-12345",
        "region": "europe-west4",
        "temp_location": "gs://bucket/tmp",
        "sdk_container_image": "europe-docker.pkg.dev/p/r/millrace:1",
    }
    assert _run("ingest", **there, **dataflow) == 0
    told = capsys.readouterr().out
    assert f"--output=bq://{SCORED}?delivery=exactly_once_by_state" in told
    assert "staging=gs://bucket/tmp&delivery=exactly_once_by_state" in told
    assert "Write/Windows" not in told, "rows would wait in a log"
    capsys.readouterr()
    here = {**there, "output": f"bq://{SCORED}?delivery=exactly_once_by_state"}
    assert _run("ingest", **here) == 2
    assert "needs a runner that keeps its state" in capsys.readouterr().err


def test_dead_letters_of_a_table_are_rows_again(
    server, linear_model, tmp_path, monkeypatch, capsys
):
    """`--replay`, by run; and what is no table of dead letters is refused."""
    monkeypatch.chdir(tmp_path)
    _trips(server, 50)
    dead = f"bq://{TRIPS.replace('trips', 'dead')}"
    flags = {"input": f"bq://{TRIPS}", "model": linear_model, "dead_letters": dead}
    assert _run("score", **flags, output=f"bq://{SCORED}", run_id="first") == 0
    assert _run("score", **flags, output="again/", run_id="second") == 0
    (tmp_path / "s.json").write_text(json.dumps(FIELDS))
    replay = {"replay": "true", "schema": "s.json", "output": f"bq://{SCORED}2"}
    assert _run("ingest", input=f"{dead}?filter=run_id='second'", **replay) == 0
    rows = server.store.tables[f"{SCORED}2"].rows.select(["x", "y", "name"]).to_pylist()
    assert rows == [{"x": 13.0, "y": 13.0, "name": "13"}]
    assert _run("ingest", input=f"bq://{TRIPS}", **replay) == 2
    assert "holds no dead letters: it has no column" in capsys.readouterr().err


JOBS = {
    "score": {"model": "MODEL", "map": "x=x;y=y;name=name"},
    "ingest": {},
    "redact": {"policy": "policy.yaml"},
    "validate": {"infer_schema": "true"},
    "baseline": {},
    "drift": {"baseline": "base/"},
    "preprocess": {"schema": "stats/schema.pbtxt", "preprocessing_fn": "features.py"},
}
"""Every job that reads rows, and the options that it needs."""
TO_A_TABLE = ("score", "ingest", "redact")


def test_every_job_at_every_end(server, linear_model, tmp_path, monkeypatch, capsys):
    """What the docs' table of jobs says: dead letters of each in a table, and what each writes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.yaml").write_text(REDACTION)
    (tmp_path / "features.py").write_text(FEATURES)
    lines = [f"{n},{n},a{n},b" for n in range(300)]
    (tmp_path / "good.csv").write_text("\n".join(["x,y,name,note", *lines]))
    (tmp_path / "in.csv").write_text("\n".join(["x,y,name,note", "1,2", *lines]))
    assert _run("baseline", input="good.csv", output="base/") == 0
    assert _run("validate", input="good.csv", output="stats/", infer_schema="true") == 0
    server.store.datasets.add("proj-12345.taxi")
    for job, needed in JOBS.items():
        flags = {key: linear_model if text == "MODEL" else text for key, text in needed.items()}
        dead = {"dead_letters": f"bq://proj-12345.taxi.dead_{job}"}
        output = f"bq://proj-12345.taxi.{job}"
        if job not in TO_A_TABLE:
            assert _run(job, input="in.csv", output=output, **flags) == 2
            assert "is no folder" in capsys.readouterr().err
            output = f"{job}/"
        assert _run(job, input="in.csv", output=output, **dead, **flags) == 0, job
        letters = server.store.tables[f"proj-12345.taxi.dead_{job}"].rows
        assert "ragged_line" in letters["reason"].to_pylist(), job
        if job in TO_A_TABLE:
            assert server.store.tables[f"proj-12345.taxi.{job}"].rows.num_rows >= 299
    capsys.readouterr()


def test_slices_of_a_table(server, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _trips(server, 300)
    flags = {"input": f"bq://{TRIPS}", "infer_schema": "true"}
    assert _run("validate", **flags, output="few/", slices="name=3") == 0
    before = server.store.calls["ReadRows"]
    assert _run("validate", **flags, output="many/", slices="name", max_slices=100) == 2
    assert "the first 300 rows alone are of 300 slices" in capsys.readouterr().err
    # Few columns of few rows were looked at.
    assert server.store.calls["ReadRows"] == before + 1
    assert server.storage.sessions[-1] == (TRIPS, ("name",), "")
