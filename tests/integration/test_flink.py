"""Jobs of files on a real Flink cluster: as in this process, also when something is killed."""

import json
import os
import signal
import sys
import time

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from flink import cluster
from tests.integration.streams import Process
from transforms.gate.places import ANOMALIES

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ROWS = 200_000
SECONDS = 400
"""The most that a job may take: each of its workers imports TensorFlow, on a busy machine."""
POLICY = """
engine: local
inspect_config: {info_types: [{name: EMAIL_ADDRESS}]}
deidentify_config:
  info_type_transformations:
    transformations: [{primitive_transformation: {replace_with_info_type_config: {}}}]
"""
FEATURES = """
import tensorflow_transform as tft

def preprocessing_fn(inputs):
    return {"scaled": tft.scale_to_0_1(inputs["n"]), "name": inputs["name"]}
"""
SCHEMA = """
feature { name: "n" type: FLOAT presence { min_fraction: 1 } shape {} float_domain { max: 900 } }
feature { name: "name" type: BYTES presence { min_fraction: 1 } shape {} }
"""


def on(flink, workers="EXTERNAL"):
    """Beam's options for a cluster."""
    flags = {
        "runner": "FlinkRunner",
        "job_endpoint": f"localhost:{flink.jobs}",
        "flink_master": f"localhost:{flink.rest}",
        "environment_type": workers,
    }
    if workers == "EXTERNAL":
        flags["environment_config"] = f"localhost:{flink.workers}"
    return flags


def write(folder, rows, parts=4):
    folder.mkdir()
    for part in range(parts):
        numbers = range(part * rows // parts, (part + 1) * rows // parts)
        names = [f"write to bob{n % 5}@example.com" for n in numbers]
        table = pa.table({"n": pa.array(numbers, pa.float32()), "name": names})
        pq.write_table(table, folder / f"{part}.parquet", row_group_size=10_000)


def read(folder):
    """The rows of a folder, in an order of their own, and what its dead letters say."""
    table = ds.dataset(folder, exclude_invalid_files=True).to_table()
    letters = [
        json.loads(line)["reason"]
        for path in sorted(folder.parent.glob(f"{folder.name}.dead_letters/*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return sorted(map(str, table.to_pylist())), letters


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def jobs(linear_model, tmp_path):
    """Command lines of four jobs on the same thousand rows, but for the output."""
    write(tmp_path / "in", 1000)
    for name, text in {"s.pbtxt": SCHEMA, "p.yaml": POLICY, "f.py": FEATURES}.items():
        (tmp_path / name).write_text(text)
    common, schema = {"input": tmp_path / "in"}, {"schema": tmp_path / "s.pbtxt"}
    features = {"preprocessing_fn": tmp_path / "f.py", "splits": "train"}
    return {
        "score": {**common, "model": linear_model, "map": "x=n;y=n"},
        "validate": {**common, **schema},
        "preprocess": {**common, **schema, **features},
        "redact": {**common, "policy": tmp_path / "p.yaml"},
    }


@pytest.mark.parametrize(
    ("job", "workers", "rejected"),
    [
        ("score", "EXTERNAL", ["model_error"]),
        ("preprocess", "LOOPBACK", []),
        ("redact", "EXTERNAL", []),
    ],
)
def test_gives_the_rows_of_a_local_run(flink, jobs, tmp_path, job, workers, rejected):
    here, there = tmp_path / "here", tmp_path / "there"
    Process(job, **jobs[job], output=f"{here}/").ended(0, SECONDS)
    Process(job, **jobs[job], output=f"{there}/", **on(flink, workers)).ended(0, SECONDS)
    found = read(there / "Split-train" if job == "preprocess" else there)
    assert found == read(here / "Split-train" if job == "preprocess" else here)
    assert found[1] == rejected
    assert len(found[0]) == 1000 - len(rejected)


def test_finds_the_anomalies_of_a_local_run_in_workers_of_its_own_process(flink, jobs, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    Process("validate", **jobs["validate"], output=f"{here}/").ended(3, SECONDS)
    flags = on(flink, workers="LOOPBACK")
    said = Process("validate", **jobs["validate"], output=f"{there}/", **flags).ended(3, SECONDS)
    assert "Out-of-range values" in said
    assert (there / ANOMALIES).read_bytes() == (here / ANOMALIES).read_bytes()


def attempts(flink, run_id):
    """The state of a run's newest job, and how often parts of it were begun again."""
    jobs = cluster.ask(flink, "/jobs/overview")["jobs"]
    newest = max((job for job in jobs if job["name"] == run_id), key=lambda job: job["start-time"])
    parts = cluster.ask(flink, f"/jobs/{newest['jid']}")["vertices"]
    tries = [
        part["attempt"]
        for vertex in parts
        for part in cluster.ask(flink, f"/jobs/{newest['jid']}/vertices/{vertex['id']}")["subtasks"]
    ]
    return newest["state"], max(tries)


def test_a_gate_refuses_at_the_first_attempt(flink, jobs, tmp_path):
    out = tmp_path / "out"
    flags = {"output": f"{out}/", "max_rejected_fraction": 0, "run_id": "refused"}
    said = Process("score", **jobs["score"], **flags, **on(flink)).ended(3, SECONDS)
    assert "1 of 1,000 rows were rejected" in said
    assert not out.exists()
    assert not list(tmp_path.glob(".out*")), "something stayed of what was staged"
    assert attempts(flink, "refused") == ("FINISHED", 0)


def test_an_error_in_a_worker_is_told_in_its_own_words(flink, jobs, tmp_path):
    flags = {"output": f"{tmp_path}/out/", "model_timeout": "1ms"}
    said = Process("score", **jobs["score"], **flags, **on(flink, "LOOPBACK")).ended(1, SECONDS)
    error = next(line for line in said.splitlines() if "error:" in line)
    assert error.startswith("score: error: step Score: the model has not returned from a call")
    assert files(tmp_path) == ["f.py", "in", "p.yaml", "s.pbtxt"]


@pytest.fixture
def long_job(flink, linear_model, tmp_path):
    """A job of many rows whose workers have staged some of them."""
    write(tmp_path / "in", ROWS)
    flags = {"input": tmp_path / "in", "model": linear_model, "map": "x=n;y=n", "batch_rows": 64}
    places = {"output": f"{tmp_path}/out/", "run_id": "one"}
    job = Process("score", **flags, **places, **on(flink))
    staging = tmp_path / ".out.millrace-one"
    wait(lambda: any(path.stat().st_size for path in staging.glob("*.parquet")), job)
    return job


def wait(until, job, seconds=120):
    end = time.monotonic() + seconds
    while not until():
        assert job.process.poll() is None, job.process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.02)


def assert_whole(folder):
    """Every row is there once, but for the one that the model rejects; nothing else is left."""
    numbers = ds.dataset(folder / "out").to_table(columns=["n"])["n"].to_pylist()
    assert sorted(numbers) == sorted(set(range(ROWS)) - {13})
    assert read(folder / "out")[1] == ["model_error"]
    assert files(folder) == ["in", "out", "out.dead_letters"]


def test_a_task_manager_is_killed(flink, long_job, tmp_path):
    os.kill(cluster.running(flink)["taskmanager"], signal.SIGKILL)
    wait(lambda: "taskmanager" not in cluster.running(flink), long_job)
    cluster.launch(flink, "taskmanager", flink.task_manager())
    said = long_job.ended(0, SECONDS)
    assert "rows in        200,000" in said
    assert attempts(flink, "one")[0] == "FINISHED"
    assert attempts(flink, "one")[1] >= 1, "nothing was run again"
    assert_whole(tmp_path)


def workers(flink):
    """The ids of the Python processes that the pool has started."""
    pool = cluster.running(flink)["workers"]
    return [pid for pid in cluster.members(pool) if pid != pool]


def test_a_worker_is_killed(flink, long_job, tmp_path):
    for worker in workers(flink):
        os.kill(worker, signal.SIGKILL)
    long_job.ended(0, SECONDS)
    assert attempts(flink, "one")[1] >= 1, "nothing was run again"
    assert_whole(tmp_path)


def test_an_interrupted_job_is_cancelled_at_the_cluster(flink, long_job, tmp_path):
    long_job.process.send_signal(signal.SIGINT)
    assert "nothing was published" in long_job.ended(130, SECONDS)
    assert attempts(flink, "one")[0] == "CANCELED"
    assert files(tmp_path) == ["in"]


def test_messages_are_refused(flink):
    flags = {"input": "pubsub://projects/p-12345/subscriptions/abc", "output": "out/"}
    said = Process("ingest", **flags, schema="s.json", **on(flink)).ended(2, SECONDS)
    assert "FlinkRunner runs jobs of files here, not of messages" in said


def test_a_cluster_leaves_no_process_behind(flink, tmp_path):
    assert set(cluster.running(flink)) == {"jobmanager", "jobserver", "taskmanager", "workers"}
    assert sys.executable == flink.python
