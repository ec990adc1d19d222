"""The generated builds: cloudbuild.yaml and the workflow of GitHub Actions."""

import re
import subprocess

import pytest
import yaml
from dockerfile_parse import DockerfileParser

from beam_jobs.metadata import jobs
from beam_jobs.templates.cloud_build import cloud_build
from beam_jobs.templates.workflow import workflow
from tests.support import ROOT

JOBS = sorted(jobs())
BUILD = yaml.safe_load(cloud_build(JOBS))
FLOW = yaml.safe_load(workflow(JOBS))
_STEP = {"id", "name", "entrypoint", "args", "env"}
"""Fields of a BuildStep of Cloud Build's API that are used here."""


def test_every_job_is_tested_first_then_built_and_stored():
    steps = [step["id"] for step in BUILD["steps"]]
    expected = [f"{verb}-{job}" for job in JOBS for verb in ("build", "store")]
    assert steps == ["test", *expected, "publish"]
    assert all(step.keys() <= _STEP for step in BUILD["steps"])
    assert "make PYTHON=python3.11 lint test" in BUILD["steps"][0]["args"][1]
    assert FLOW["jobs"]["image"]["strategy"]["matrix"]["job"] == JOBS
    assert FLOW["jobs"]["image"]["needs"] == "test"


def test_every_substitution_is_declared_and_used():
    """Cloud Build refuses a build of which this is not so."""
    text = yaml.safe_dump(BUILD["steps"])
    used = set(re.findall(r"(?<!\$)\$(_[A-Z]+)", text))
    assert used == BUILD["substitutions"].keys()
    builtin = set(re.findall(r"(?<!\$)\$([A-Z][A-Z_]*)", text))
    assert builtin == {"PROJECT_ID"}


def scripts():
    for step in BUILD["steps"]:
        if step.get("entrypoint") == "bash":
            # What Cloud Build makes of it, in its own words: `$$` is the shell's `$`.
            text = re.sub(r"(?<!\$)\$(_?[A-Z_]+)", "value", step["args"][1]).replace("$$", "$")
            yield step["id"], text
    for name, job in FLOW["jobs"].items():
        yield from ((f"{name} {at}", s["run"]) for at, s in enumerate(job["steps"]) if "run" in s)


@pytest.mark.parametrize(("step", "text"), list(scripts()))
def test_the_scripts_are_sound_to_the_shell(step, text):
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), step


def test_templates_name_their_image_by_digest():
    script = next(s for s in BUILD["steps"] if s["id"] == "store-score")["args"][1]
    assert "RepoDigests" in script
    assert '-m beam_jobs.metadata score --image="$$digest" > specs/score.json' in script
    stored = FLOW["jobs"]["image"]["steps"][-1]
    assert stored["run"].startswith('image="${IMAGE%:*}@${DIGEST}"')
    assert stored["env"]["DIGEST"] == "${{ steps.build.outputs.digest }}"


def test_the_image_takes_the_arguments_that_builds_give():
    parser = DockerfileParser(fileobj=None, path=str(ROOT / "templates/Dockerfile"))
    known = {s["value"].split("=")[0] for s in parser.structure if s["instruction"] == "ARG"}
    steps = {step["id"]: step for step in BUILD["steps"]}
    given = {
        text.removeprefix("--build-arg=").split("=")[0]
        for text in steps["build-score"]["args"]
        if text.startswith("--build-arg=")
    }
    lines = FLOW["jobs"]["image"]["steps"][-2]["with"]["build-args"].splitlines()
    assert given == {line.split("=")[0] for line in lines} == {"DEVICE", "JOB", "IMAGE"}
    assert given <= known


def test_no_secret_is_in_a_build():
    assert "secret" not in yaml.safe_dump(BUILD)
    assert "secrets." not in workflow(JOBS)
    assert FLOW["permissions"] == {"contents": "read"}
