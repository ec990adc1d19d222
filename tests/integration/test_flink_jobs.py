"""Every job of files on a real Flink cluster, one after the other: what it writes is as of here."""

import dataclasses
import importlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from beam_jobs.metadata import jobs
from beam_jobs.options.streaming import StreamOptions
from beam_jobs.running.flink import STREAMS_REFUSED
from beam_jobs.templates.running_docs import ON_FLINK
from tests.integration.streams import Process
from tests.integration.test_flink import POLICY, SECONDS, on

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

HOUR = 3600 * 10**6
TIMED = {"event_time_column": "time", "window": "1h"}


def run(job, **flags):
    """Runs a job in this process."""
    module = importlib.import_module(f"beam_jobs.{job}")
    assert module.main([f"--{name}={value}" for name, value in flags.items()]) == 0


def both(job, flink, folder, workers="LOOPBACK", **flags):
    """Runs a job here and on the cluster; returns the folders of what they wrote."""
    here, there = folder / "here", folder / "there"
    run(job, **flags, output=f"{here}/")
    Process(job, **flags, output=f"{there}/", **on(flink, workers)).ended(0, SECONDS)
    return here, there


def rows(place, by="n"):
    return ds.dataset(place, exclude_invalid_files=True).to_table().sort_by(by).to_pylist()


def data_files(place):
    return {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}


def trips(folder, hours, seed, moved=()):
    """Files of rows of so many hours; in some of them the fare is another one."""
    draw = np.random.default_rng(seed)
    folder.mkdir()
    for hour in range(hours):
        times = draw.integers(hour * HOUR, (hour + 1) * HOUR, 500)
        table = {
            "time": pa.array(times, pa.timestamp("us")),
            "fare": draw.normal(3 if hour in moved else 0, 1, 500),
            "kind": draw.choice(["Cash", "Card"], 500),
        }
        pq.write_table(pa.table(table), folder / f"{hour}.parquet")
    return folder


@pytest.fixture
def people(tmp_path):
    """A folder of rows about a hundred people."""
    place = tmp_path / "people"
    place.mkdir()
    for part in range(4):
        numbers = range(part * 250, (part + 1) * 250)
        mails = [f"p{n % 100}@example.com" for n in numbers]
        pq.write_table(pa.table({"n": numbers, "mail": mails}), place / f"{part}.parquet")
    return place


def test_ingest(flink, people, tmp_path):
    (people / "bad.csv").write_text("n,mail\n1000,a\n")
    here, there = both("ingest", flink, tmp_path, "EXTERNAL", input=f"{people}/*.parquet")
    assert rows(there) == rows(here)
    assert [row["n"] for row in rows(there)] == list(range(1000))


def test_baseline(flink, tmp_path):
    place = trips(tmp_path / "train", 8, 1)
    here, there = both("baseline", flink, tmp_path, input=place, **TIMED, slices="kind")
    made, wanted = (data_files(each) for each in (there, here))
    assert made == wanted
    assert len(made) == 1


def test_drift(flink, tmp_path):
    run("baseline", input=trips(tmp_path / "train", 8, 1), output=tmp_path / "known", **TIMED)
    day = trips(tmp_path / "day", 6, 2, moved=(3, 4))
    here, there = both("drift", flink, tmp_path, input=day, baseline=tmp_path / "known", **TIMED)
    made, wanted = (rows(each / "verdicts.parquet", by="window_start") for each in (there, here))
    assert sorted(map(str, made)) == sorted(map(str, wanted))
    assert any(row["status"] == "DRIFT" for row in made)


def test_erase(flink, people, tmp_path, monkeypatch):
    monkeypatch.setenv("INDEX_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")
    (tmp_path / "p.yaml").write_text(POLICY)
    index = {"subject_index": f"{tmp_path}/index/", "subject_key": "env:INDEX_KEY"}
    flags = {"input": people, "policy": tmp_path / "p.yaml", "subject_columns": "mail", **index}
    run("redact", **flags, output=f"{tmp_path}/hidden/")
    (tmp_path / "who.csv").write_text("mail\np7@example.com\nnobody@example.com\n")
    asked = {"subjects": tmp_path / "who.csv", "who": "ada", "reason": "asked"}
    where = {"input": f"{tmp_path}/hidden/", **index, **asked}
    here, there = both("erase", flink, tmp_path, **where)
    assert rows(there) == rows(here)
    assert [row["n"] for row in rows(there)] == [n for n in range(1000) if n % 100 != 7]
    made, wanted = (certificate(tmp_path, each) for each in ("there", "here"))
    assert made == wanted
    assert (made["rows_removed"], made["could_not"]["subjects_not_in_index"]) == (10, 1)


def certificate(folder, name):
    """What an erasure attests, but for when and where."""
    told = json.loads((folder / f"{name}.erasure/certificate.json").read_bytes())
    kept = ("rows_", "subjects_", "could_not", "index_entries", "who", "why")
    return {each: told[each] for each in told if each.startswith(kept)}


def test_every_job_of_files_is_tried_here_or_beside():
    beside = {"score", "validate", "preprocess", "redact"}
    assert set(ON_FLINK) == set(jobs()) == beside | {"ingest", "baseline", "drift", "erase"}


@pytest.mark.parametrize(
    "job", [name for name, kind in jobs().items() if issubclass(kind, StreamOptions)]
)
def test_messages_are_refused(job, tmp_path, capsys):
    given = {"input": "pubsub://projects/p-12345/subscriptions/abc", "output": f"{tmp_path}/out/"}
    for need in ("model", "policy", "baseline"):
        if need in {field.name for field in dataclasses.fields(jobs()[job])}:
            given[need] = tmp_path / need
    timed = {"event_time_column": "time"} if job != "ingest" else {"schema": "s.json"}
    flags = {**given, **timed, "runner": "FlinkRunner", "job_endpoint": "localhost:8099"}
    module = importlib.import_module(f"beam_jobs.{job}")
    assert module.main([f"--{name}={value}" for name, value in flags.items()]) == 2
    assert STREAMS_REFUSED in capsys.readouterr().err
