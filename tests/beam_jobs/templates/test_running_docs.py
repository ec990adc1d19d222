"""The commands of docs/running.md: each is one that a job, or Dataflow, takes."""

import importlib
import shlex

import pytest

from beam_jobs.metadata import jobs
from beam_jobs.options.command_line import parse
from beam_jobs.rehearsal.parameters import Request, faults
from beam_jobs.templates.running_docs import commands_of, running_docs
from beam_jobs.templates.spec import container_spec

JOBS = sorted(jobs())


def words(command):
    return shlex.split(command.replace("\\\n", ""))


@pytest.mark.parametrize("job", JOBS)
def test_the_job_takes_each_command(job):
    module = importlib.import_module(f"beam_jobs.{job}")
    *own, template = commands_of(job, jobs()[job])
    runners = []
    for command in own:
        program, option, name, *argv = words(command)
        assert (program, option, name) == ("python", "-m", f"beam_jobs.{job}")
        _, rest = parse(module.Options, argv)
        runners.append(next((a for a in rest if a.startswith("--runner=")), "here"))
    assert runners[0] == "here"
    assert runners[-1] == "--runner=DataflowRunner"
    (pairs,) = [w for w in words(template) if w.startswith("--parameters=^~^")]
    given = dict(p.split("=", 1) for p in pairs.removeprefix("--parameters=^~^").split("~"))
    assert faults(Request.of(given), container_spec(jobs()[job])) == []


def test_every_job_has_its_commands():
    page = running_docs(jobs())
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == list(jobs())
    flink = {job for job in JOBS if "FlinkRunner" in " ".join(commands_of(job, jobs()[job]))}
    assert flink >= {"score", "validate", "preprocess", "redact"}
