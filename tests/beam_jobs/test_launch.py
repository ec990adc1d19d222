"""Launching: exit codes, and what a user is told when something goes wrong."""

import json

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.beam_jobs import tiny_job
from tests.beam_jobs.flags import DATAFLOW
from transforms import progress

pytestmark = pytest.mark.usefixtures("fresh_counts")


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"id": range(1000)}), path, row_group_size=100)
    return path


@pytest.fixture
def tiny(rows, tmp_path):
    def run(*argv):
        return tiny_job.main([f"--input={rows}", f"--output={tmp_path / 'out'}/", *argv])

    return run


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_local_run_ends_with_a_table(tiny, tmp_path, capfd):
    assert tiny("--run_id=r1", "--max_rejected_fraction=0.5") == 0
    assert sorted(ds.dataset(tmp_path / "out").to_table()["id"].to_pylist()) == list(range(1000))
    out, told = capfd.readouterr()
    lines = [line.split() for line in told.splitlines()]
    assert lines[0] == ["tiny_job:", "done"]
    assert lines[1] == ["rows", "in", "1,000"]
    assert ["manifest", f"{tmp_path}/out/_millrace/run.json"] in lines
    assert out == ""
    manifest = json.loads((tmp_path / "out/_millrace/run.json").read_text())
    assert manifest["run_id"] == "r1"
    assert manifest["options"] == {
        "input": str(tmp_path / "in.parquet"),
        "output": f"{tmp_path}/out/",
        "run_id": "r1",
        "max_rejected_fraction": 0.5,
    }
    assert progress.snapshot()["read"].rows == 1000


def test_a_run_that_was_committed_is_not_done_again(tiny, capfd):
    assert tiny("--run_id=r1") == 0
    assert tiny("--run_id=r1") == 0
    assert "run r1 was committed before: nothing to do" in capfd.readouterr().err
    assert tiny() == 2
    assert "--overwrite" in capfd.readouterr().err
    assert tiny("--overwrite", "--limit=10") == 0


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("value", "ValueError in step 'Break': a number was expected\nMILLRACE_DEBUG=1"),
        ("disk", "the disk is full: "),
        ("permission", "/locked/part-0: permission denied\n"),
        ("resolve", "gone.pb: no such file or directory\n"),
    ],
)
def test_a_failure_is_told_in_two_lines_and_leaves_nothing(tiny, tmp_path, capfd, fault, text):
    # One worker thread fails a second sooner, and the runner then tells it in another way.
    workers = 2 if fault == "value" else 1
    assert tiny(f"--fault={fault}", f"--direct_num_workers={workers}") == 1
    told = capfd.readouterr().err
    assert told.startswith(f"tiny_job: error: {text}")
    assert len(told.splitlines()) <= 2
    assert left(tmp_path) == ["in.parquet"]
    progress.add("read", rows=1)
    assert progress.snapshot()["read"].rows == 1, "a later run of this process can't count"


def test_the_output_on_a_full_disk_is_named(tiny, tmp_path, capfd):
    assert tiny("--fault=disk", "--direct_num_workers=1") == 1
    assert f"{tmp_path}/out (" in capfd.readouterr().err


def test_a_traceback_is_shown_on_demand(tiny, capfd, monkeypatch):
    monkeypatch.setenv("MILLRACE_DEBUG", "1")
    assert tiny("--fault=value", "--direct_num_workers=1") == 1
    told = capfd.readouterr().err
    assert "break_batch" in told
    assert "MILLRACE_DEBUG" not in told


def test_a_gate_that_says_no_is_exit_code_3(tiny, tmp_path, capfd):
    assert tiny("--fault=reject", "--max_rejected_fraction=0.1", "--run_id=r1") == 3
    told = capfd.readouterr().err
    assert "1,000 of 1,000 rows were rejected" in told
    assert "tiny_job: refused\n" in told
    assert f"{tmp_path}/out (not published)" in told
    assert left(tmp_path) == ["in.parquet", "out.dead_letters"]
    assert tiny("--fault=reject") == 3
    assert "every row was rejected" in capfd.readouterr().err
    assert tiny("--fault=reject", "--max_rejected_fraction=1") == 0
    assert "output_error" in capfd.readouterr().err


def test_dead_letters_of_a_preview_lie_in_a_temporary_folder(rows, tmp_path, capfd, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    argv = [f"--input={rows}", "--output=stdout:", "--limit=2", "--fault=reject", "--run_id=r1"]
    assert tiny_job.main(argv) == 3
    assert f"{tmp_path}/tmp/r1.dead_letters (1 file" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--modle=x"], "--modle is no option of this job or of Beam"),
        (["--runner=DataflowRuner"],
         "--runner: DataflowRuner is not known; did you mean DataflowRunner?"),
        (["--fault=fire"], "--fault is one of none, "),
        (DATAFLOW, "/in.parquet is on this machine, out of reach of Dataflow's workers"),
        ([*DATAFLOW, "--input=gs://b/x.csv", "--output=stdout:"],
         "--output: stdout: is on this machine"),
        ([*DATAFLOW, "--input=gs://b/x.csv", "--output=gs://b/o", "--dead_letters=d/"],
         "--dead_letters: d/ is"),
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(tiny, tmp_path, capfd, argv, text):
    assert tiny(*argv) == 2
    told = capfd.readouterr().err
    assert text in told
    assert told.splitlines()[-1] == "`python -m beam_jobs.tiny_job --help` lists the options"
    assert left(tmp_path) == ["in.parquet"]
