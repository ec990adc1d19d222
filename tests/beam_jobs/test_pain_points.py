"""Dataflow's pain points, provoked one by one: docs/operations.md quotes what is said of each."""

import dataclasses
import json
import re
import subprocess
import sys
import types

import pytest

from beam_jobs import metadata, score
from beam_jobs.options.command_line import parse
from beam_jobs.rehearsal.job_file import Expected, faults
from beam_jobs.rehearsal.launcher import Launch, image_variables
from beam_jobs.rehearsal.parameters import Request
from beam_jobs.rehearsal.parameters import faults as parameter_faults
from beam_jobs.rehearsal.rehearsal import template
from beam_jobs.running import gpus, local_profile
from beam_jobs.running.dataflow_options import SECRET
from beam_jobs.running.setting import Setting
from beam_jobs.running.workers import describe_workers
from beam_jobs.updates import service
from beam_jobs.updates.compare import Step, compare
from inference.devices.check import check_devices
from inference.devices.gpu import Gpu
from tests.beam_jobs.flags import DATAFLOW, options_of
from tests.beam_jobs.rehearsal.test_job_file import JOB, graph
from tests.support import ROOT
from transforms.errors import ConfigError, MillraceError

GIVEN = {"input": "gs://b/i", "output": "gs://b/o", "model": "gs://b/m"}
GPU = Gpu.parse("nvidia-l4:1")


def refused(call, *arguments):
    with pytest.raises((ConfigError, MillraceError)) as found:
        call(*arguments)
    return str(found.value)


def parameters(**more):
    return " ".join(parameter_faults(Request.of({**GIVEN, **more}), template("score")))


def no_gpu_in_the_graph(tmp_path):

    expected = Expected("rehearsal-score", "registry/score@sha256:1", GPU.form, (), SECRET)
    pipeline = graph()
    pipeline.components.transforms["t1"].environment_id = "plain"
    return " ".join(faults(json.dumps(JOB).encode(), pipeline.SerializeToString(), expected))


def packages_at_each_start(tmp_path):
    launch = Launch("score", "i", "gs://b/j", Request({}, {}))
    text = "FROM x\nENV FLEX_TEMPLATE_PYTHON_REQUIREMENTS_FILE=/r.txt\n"
    return refused(image_variables, text, launch)


def other_versions(tmp_path):
    command = [sys.executable, ROOT / "templates/versions.py", "record", "2.60.0"]
    return subprocess.run(command, capture_output=True, text=True).stderr


def processes(tmp_path):
    options = types.SimpleNamespace(input="pubsub://projects/p/subscriptions/sub")
    flags = options_of(*DATAFLOW, "--machine_type=n1-standard-8")
    return " ".join(describe_workers(options, flags, True))


def gpus_twice(tmp_path):
    flags = ["--dataflow_service_options=worker_accelerator=type:nvidia-l4;count:1"]
    options = types.SimpleNamespace(gpu="nvidia-l4:1")
    beam_options = options_of(*DATAFLOW, *flags, "--machine_type=g2-standard-8")
    return refused(gpus.set_up, options, beam_options, Setting.of(options, beam_options))


def stale(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "ROOT", tmp_path)
        return " ".join(metadata.check())


def mistyped(tmp_path):
    given = [f"--{name}={value}" for name, value in GIVEN.items()]
    return refused(parse, score.Options, [*given, "--keep_colums=a,b"])


def lost_state(tmp_path):
    kept = Step("Window/Sum", "beam:transform:group_by_key:v1", keeps=True)
    other = dataclasses.replace(kept, name="Count", kind="beam:transform:pardo:v1")
    return " ".join(compare({kept.name: kept}, {other.name: other}).faults)


def real_cloud(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:9")
        options = types.SimpleNamespace(profile="local")
        given = [f"--{name}={value}" for name, value in GIVEN.items()]
        options, rest = parse(score.Options, [*given, "--profile=local"])
        return refused(local_profile.applied(options, rest).__enter__)


def no_stock(tmp_path):
    return service.advice("zone europe-west1-b failed: ZONE_RESOURCE_POOL_EXHAUSTED")


def full_disk(tmp_path):
    return service.advice("failed to pull image: write /var/lib: no space left on device")


PROVOKED = {
    2: no_gpu_in_the_graph,
    3: lambda tmp_path: parameters(wait="true"),
    4: packages_at_each_start,
    5: other_versions,
    6: lambda tmp_path: parameters(setup_file="/x/setup.py"),
    7: processes,
    8: lambda tmp_path: refused(check_devices, GPU),
    9: gpus_twice,
    10: no_stock,
    11: stale,
    12: mistyped,
    13: full_disk,
    14: lost_state,
    15: real_cloud,
}
_ROW = re.compile(r"^\| (\d+) \|.*\| (?:`([^`]+)` )?\|$", re.M)
QUOTED = {
    int(number): text for number, text in _ROW.findall((ROOT / "docs/operations.md").read_text())
}


def test_all_fifteen_are_in_the_table():
    assert sorted(QUOTED) == list(range(1, 16))
    assert all(QUOTED.values())
    # The first takes a launcher, and has a test of its own.
    assert QUOTED.keys() - PROVOKED.keys() == {1}
    assert QUOTED[1] in (ROOT / "tests/integration/test_rehearsal.py").read_text()


@pytest.mark.parametrize("number", PROVOKED)
def test_what_is_said_when_it_is_provoked(number, tmp_path):
    assert QUOTED[number] in PROVOKED[number](tmp_path)
