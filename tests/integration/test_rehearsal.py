"""The rehearsal of a launch, whole: wheel, environment, emulators, launcher, job file."""

import json
import sys
from pathlib import Path

import pytest

from beam_jobs.metadata import jobs
from beam_jobs.options.streaming import StreamOptions
from beam_jobs.rehearsal import launcher
from beam_jobs.rehearsal.environment import check_isolated, environment
from beam_jobs.rehearsal.rehearsal import rehearse, template
from beam_jobs.rehearse import main
from beam_jobs.running.dataflow_options import SECRET
from tests.integration import launches
from tests.integration.launches import CASES, GPU, check_golden, golden
from tests.support import ROOT
from transforms.errors import MillraceError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the environment is made, once."""
    return tmp_path_factory.mktemp("rehearsal") / "environment"


@pytest.fixture
def given(tmp_path, linear_model):
    (tmp_path / "in, it's.csv").write_text("x,y,name\n1,1,a\n")
    return {
        "input": f"{tmp_path}/in, it's.csv",
        "model": str(linear_model),
        "output": f"{tmp_path}/out/",
        "keep_columns": "name,x",
        "schema": "",
        "overwrite": "false",
        "no_use_public_ips": "true",
        "machine_type": "g2-standard-8",
    }


def launched(given, folder, seconds=100, **more):
    told = []
    found = rehearse("score", {**given, **more}, folder, seconds, told.append)
    return found, "\n".join(told)


def test_scoring_on_a_gpu_is_launched(given, folder):
    found, told = launched(given, folder, gpu="nvidia-l4:1")
    assert found.faults == []
    assert "parameters: 7 fit the template" in told
    assert "keep_columns=name,x~schema" not in told
    job = found.job
    assert job["name"] == "rehearsal-score"
    (pool,) = [p for p in job["environment"]["workerPools"] if p["kind"] == "harness"]
    assert pool["machineType"] == "g2-standard-8"
    assert pool["ipConfiguration"] == "WORKER_IP_PRIVATE"
    images = {image["containerImage"] for image in pool["sdkHarnessContainerImages"]}
    assert images == {template("score")["image"]}
    stored = json.dumps(job)
    assert sys.prefix not in stored
    options = job["environment"]["sdkPipelineOptions"]["options"]
    assert options["save_main_session"] is False
    assert options["template_location"].endswith("/job_object")
    assert Path(given["output"]).exists() is False


@pytest.fixture(scope="module")
def files(tmp_path_factory, linear_model):
    path = tmp_path_factory.mktemp("files") / "given"
    launches.make_files(path, linear_model)
    return path


def test_every_job_is_rehearsed():
    assert {case.job for case in CASES.values() if not case.streaming} == set(jobs())
    streams = {name for name, kind in jobs().items() if issubclass(kind, StreamOptions)}
    assert {case.job for case in CASES.values() if case.streaming} == streams


@pytest.mark.parametrize("name", CASES)
def test_the_launch_of_every_job(name, files, folder):
    case, told = CASES[name], []
    found = rehearse(case.job, case.given(files), folder, 100, told.append)
    assert found.faults == [], "\n".join(told)
    made = golden(found.job, found.graph)
    check_golden(name, made)
    # Whoever writes the golden files anew still has these to pass.
    assert made["name"] == f"rehearsal-{case.job}"
    assert made["type"] == ("JOB_TYPE_STREAMING" if case.streaming else "JOB_TYPE_BATCH")
    hinted = {step: hint for step, hint in made["steps"].items() if hint}
    step = {"Score/RunInference": f"accelerator={GPU}"}
    assert hinted == (step if case.gpu == "step" else {})
    services = made["environment"].get("serviceOptions", [])
    assert services == ([f"worker_accelerator={GPU}"] if case.gpu == "service" else [])
    assert str(files) not in json.dumps(found.job)
    options = found.job["environment"]["sdkPipelineOptions"]["options"]
    assert options["save_main_session"] is False
    assert not [option for option in options if SECRET.search(option) and options[option]]


def test_the_real_error_is_shown(given, folder):
    found, _ = launched(given, folder, keep_columns="nmae")
    (fault,) = found.faults
    assert fault.startswith("the launcher failed with exit code 2:")
    assert "there is no column 'nmae' (did you mean 'name'?)" in fault
    assert found.job is None


def test_a_pair_that_can_not_work_is_refused_by_the_launcher(given, folder):
    found, _ = launched({**given, "machine_type": "n1-standard-8"}, folder, gpu="nvidia-l4:1")
    assert "n1-standard-8 can't have --gpu nvidia-l4:1" in found.faults[0]


def test_a_launch_that_takes_too_long_says_what_it_did(given, folder):
    found, _ = launched(given, folder, seconds=3)
    assert found.faults[0].startswith("the launcher was not done after 3 s; what its threads did:")
    assert "Fatal Python error: Aborted" in found.faults[0]
    assert '.py", line ' in found.faults[0]


def test_what_dataflow_refuses_starts_no_launcher(given, folder):
    found, told = launched(given, folder, nosuch="1")
    assert found.faults == ["Dataflow refuses the launch: nosuch: unrecognized parameter"]
    assert "launcher:" not in told


def test_the_checkout_can_not_be_imported(folder):
    made = environment(folder)
    assert set(made.packages) >= {"beam_jobs", "inference", "transforms"}
    own = next(made.folder.glob("lib/python*/site-packages"))
    leak = own / "leak.pth"
    leak.write_text(f"{ROOT}\n")
    try:
        with pytest.raises(MillraceError, match="is on the environment's path"):
            check_isolated(made, ROOT)
    finally:
        leak.unlink()


def test_what_an_earlier_build_left_on_the_path_is_not_taken_for_the_wheel(tmp_path, monkeypatch):
    """As `pip install -e` leaves it in the checkout, which a user may have on the path."""
    (tmp_path / "millrace.egg-info").mkdir()
    (tmp_path / "millrace.egg-info/PKG-INFO").write_text("Name: millrace\nVersion: 0.1.0\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "beam_jobs" in environment(tmp_path / "made").packages


def test_the_command(given, folder, capsys):
    argv = [f"--environment={folder}", "score", *(f"--{k}={v}" for k, v in given.items())]
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert "launcher: exit code 0" in out
    assert launcher.PROJECT not in out
    assert err == "rehearse: the launch is fine\n"
    assert main([*argv, "--gone=1"]) == 1
    assert main(["nojob"]) == 2
