"""StreamCommit: whose outputs a run may go on with, and the manifests of runs that ended."""

import contextlib
import json
import os
import subprocess
import sys

import apache_beam as beam
import pytest

from beam_jobs.streaming.run import run_stream
from tests.support import local_pipeline
from tests.transforms.commit.stream.outputs import END, START, log
from transforms.commit.stream.commit import StreamCommit
from transforms.commit.stream.panes import commit_pane
from transforms.errors import ConfigError


@pytest.fixture
def start(tmp_path):
    """Declares a run's outputs; what it locks is let go at the end."""
    commits = []

    def make(run_id="r1", **settings):
        commit = StreamCommit("job", run_id, **settings)
        commit.target(f"{tmp_path}/out/")
        commit.target(f"{tmp_path}/dead/", dead_letters=True)
        commits.append(commit)
        return commit

    yield make
    for commit in commits:
        commit.unlock()


def manifest(folder):
    return json.loads((folder / "_millrace/run.json").read_text())


def test_a_run_that_begins(start, tmp_path):
    assert start(manifest={"options": {"a": 1}}).prepare() is None
    found = manifest(tmp_path / "out")
    assert (found["run_id"], found["status"], found["options"]) == ("r1", "running", {"a": 1})
    assert manifest(tmp_path / "dead")["status"] == "running"


def test_the_same_run_goes_on(start):
    start().prepare()
    start().prepare()


def test_whether_it_was_cut_short(start, tmp_path):
    assert not start().was_cut_short(), "it begins"
    start().prepare()
    assert start().was_cut_short()
    assert not start("r2").was_cut_short(), "another one was"
    start().outcome()
    assert not start().was_cut_short(), "it was drained"
    failed = start()
    failed.prepare()
    failed.status = "failed"
    failed.outcome()
    assert start().was_cut_short()


def test_drained_while_windows_waited_it_was_cut_short_still(start):
    commit = start()
    commit.hold(1000.0)
    commit.prepare()
    assert commit.end()[0]["status"] == "drained early"
    assert start().was_cut_short()


def test_windows_of_another_length(start):
    start(window=60.0).prepare()
    with pytest.raises(
        ConfigError, match=r"--window: run r1 has windows of 60 s: pass --window=60"
    ):
        start(window=7.0).prepare()
    start(window=60.0).prepare()


def test_another_run(start, tmp_path):
    start().prepare()
    with pytest.raises(ConfigError, match=f"{tmp_path}/out is of run r1: pass --run_id=r1"):
        start("r2").prepare()
    assert manifest(tmp_path / "out")["run_id"] == "r1"


def test_another_runs_dead_letters(start, tmp_path):
    start().prepare()
    (tmp_path / "out").rename(tmp_path / "kept")
    with pytest.raises(ConfigError, match=f"{tmp_path}/dead is of run r1"):
        start("r2").prepare()


def test_a_foreign_folder(start, tmp_path):
    (tmp_path / "out").mkdir()
    start().prepare()
    (tmp_path / "out/_millrace/run.json").unlink()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="out exists, and no run of Millrace wrote it"):
        start().prepare()
    assert (tmp_path / "out/mine.txt").read_text() == "mine"


def test_a_file_in_its_place(start, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ConfigError, match="out exists, and no run of Millrace wrote it"):
        start().prepare()


def test_a_run_that_may_not_begin_leaves_nothing(start, tmp_path):
    """Else the next one, which has a new run id, is told that the output is of this one."""
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead/mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="dead exists"):
        start().prepare()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("uri", ["out.parquet", "out.jsonl.gz"])
def test_a_file_is_no_output(tmp_path, uri):
    with pytest.raises(ConfigError, match="written to a folder, not to one file"):
        StreamCommit("job").target(f"{tmp_path}/{uri}")


def test_stdout_is_no_output():
    with pytest.raises(ConfigError, match="written to a folder, not to one file"):
        StreamCommit("job").target("stdout:")


def test_two_processes(start, tmp_path):
    code = f"from transforms.files.locks import lock; print(lock({f'{tmp_path}/out'!r})); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "True\n"
        with pytest.raises(ConfigError, match=f"another run writes {tmp_path}/out now"):
            start().prepare()
        assert not (tmp_path / "out").exists()
        other.communicate("\n")
    start().prepare()


def test_the_log_lies_beside_and_tells_its_run(start, tmp_path):
    out, _ = start().targets
    assert out.staging == f"{tmp_path}/.out.stream-r1"


def test_a_run_that_ended(start, tmp_path):
    commit = start(manifest={"options": {}})
    commit.prepare()
    out, dead = commit.targets
    for ids, timing in (("ab", "on_time"), ("c", "late"), ("d", "late")):
        commit_pane(out, "r1", START, END, [log(out, *ids)], timing)
    commit_pane(dead, "r1", START, END, [log(dead, "x")], "last")
    told = commit.outcome()
    found = manifest(tmp_path / "out")
    assert told == found
    assert (found["status"], found["panes"], found["rows"]) == ("ended", 3, 4)
    assert found["rows_by_timing"] == {"late": 2, "on_time": 2}
    assert found["uri"] == f"{tmp_path}/out"
    assert manifest(tmp_path / "dead")["rows"] == 1
    assert sorted(os.listdir(tmp_path)) == ["dead", "out"], "neither logs nor locks are left"


def test_what_is_left_in_the_log_stays(start, tmp_path):
    commit = start()
    commit.prepare()
    file = log(commit.targets[0], "a")
    commit.outcome()
    assert os.path.exists(file.path)


def test_a_run_that_failed_has_not_ended(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("beam_jobs.running.runners.prism", lambda options: contextlib.nullcontext())
    commit = StreamCommit("job", "r1")
    commit.target(f"{tmp_path}/out/")
    root = local_pipeline()
    _ = root | beam.Create([1]) | beam.Map(lambda _: 1 / 0)
    assert run_stream("job", root, commit)
    assert manifest(tmp_path / "out")["status"] != "ended"
