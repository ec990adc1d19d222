"""A job as a component of Kubeflow: its inputs, and its command run as the step would."""

import itertools
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from beam_jobs.metadata import jobs
from beam_jobs.options.declare import declared
from beam_jobs.templates.component import RUNNER_INPUTS, component
from tests.support import ROOT

JOBS = sorted(jobs())


def read(job, image="registry/image@sha256:1"):
    return yaml.safe_load(component(jobs()[job], image))


def resolved(arguments, given, outputs):
    """The arguments as the backend makes them of what a step was given."""
    found = []
    for argument in arguments:
        if isinstance(argument, str):
            found.append(argument)
        elif "inputValue" in argument:
            found.append(given[argument["inputValue"]])
        elif "outputPath" in argument:
            found.append(str(outputs[argument["outputPath"]]))
        elif argument["if"]["cond"]["isPresent"] in given:
            found += resolved(argument["if"]["then"], given, outputs)
    return found


@pytest.mark.parametrize("job", JOBS)
def test_every_option_is_an_input_and_an_argument(job):
    made = read(job)
    options = {option.name: option for option in declared(jobs()[job]) if option.in_template}
    inputs = {part["name"]: part for part in made["inputs"]}
    assert inputs.keys() == options.keys() | RUNNER_INPUTS.keys()
    required = {name for name, part in inputs.items() if not part.get("optional")}
    assert required == {name for name, option in options.items() if option.required}
    given = {name: f"value of {name}" for name in inputs}
    arguments = resolved(made["implementation"]["container"]["args"], given, {"output_uri": "p"})
    pairs = set(itertools.pairwise(arguments))
    assert all((f"--{name}", f"value of {name}") in pairs for name in inputs)
    assert arguments[-2:] == ["--sdk_container_image=registry/image@sha256:1", "--wait=true"]


@pytest.mark.integration
def test_the_step_runs_the_job_and_says_where_its_output_is(tmp_path):
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "in.parquet")
    container = read("ingest")["implementation"]["container"]
    place = tmp_path / "outputs/uri"
    given = {"input": f"{tmp_path}/in.parquet", "output": f"{tmp_path}/out, it's/"}
    given |= {"runner": "DirectRunner", "overwrite": "True"}
    command = [*container["command"], *resolved(container["args"], given, {"output_uri": place})]
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert place.read_text() == given["output"]
    assert pq.read_table(given["output"]).to_pydict() == {"x": [1, 2]}
    place.unlink()
    given["input"] = f"{tmp_path}/gone.parquet"
    command = [*container["command"], *resolved(container["args"], given, {"output_uri": place})]
    failed = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert failed.returncode == 2
    assert "gone.parquet" in failed.stderr
    assert not place.exists()
