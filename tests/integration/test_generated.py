"""Generated files in the hands of their own tools: Kubeflow's compiler, HashiCorp's formatter.

The tools come from PyPI and Go's module proxy; without a network, or without Go, the tests say so.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
KFP = "kfp==2.17.3"
TOOLS = {
    "hclfmt": "github.com/hashicorp/hcl/v2/cmd/hclfmt@v2.24.0",
    "actionlint": "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7",
}
PIPELINE = """\
import json, sys
from kfp import compiler, components, dsl
first, *rest = [components.load_component_from_file(path) for path in sys.argv[2:]]
def required(c):
    return {n: f"gs://b/{n}" for n, i in c.component_spec.inputs.items() if not i.optional}
@dsl.pipeline(name="all")
def every():
    done = first(**required(first), overwrite=True, num_workers="2")
    for component in rest:
        # The order comes from the output that is handed on.
        done = component(**{**required(component), "input": done.outputs["output_uri"]})
compiler.Compiler().compile(every, sys.argv[1])
"""


@pytest.fixture(scope="module")
def kubeflow(tmp_path_factory):
    """An interpreter with kfp, which wants other versions of packages than Beam does."""
    folder = tmp_path_factory.mktemp("kfp") / "env"
    uv = ROOT / ".venv/bin/uv"
    python = folder / "bin/python"
    for command in (["venv", folder], ["pip", "install", "--python", python, KFP]):
        if command[0] == "venv":
            command += ["--python", ROOT / ".venv/bin/python"]
        done = subprocess.run([uv, "-q", *command], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"{KFP} can't be installed: {done.stderr[-300:]}")
    return python


def tool(name, folder):
    if not shutil.which("go"):
        pytest.skip("Go is not installed")
    environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod"}
    done = subprocess.run(
        ["go", "install", TOOLS[name]], env=environment, capture_output=True, text=True, cwd=folder
    )
    if done.returncode:
        pytest.skip(f"{name} can't be built: {done.stderr[-300:]}")
    return Path(folder) / name


def test_kubeflow_compiles_a_pipeline_of_every_component(kubeflow, tmp_path):
    files = sorted((ROOT / "templates/pipelines").glob("*.yaml"))
    assert len(files) >= 7
    command = [kubeflow, "-W", "ignore", "-c", PIPELINE, tmp_path / "p.yaml", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "p.yaml").read_text()
    assert all(f"exec-millrace-{path.stem}" in made for path in files)


def test_terraform_modules_are_formatted(tmp_path):
    hclfmt = tool("hclfmt", tmp_path)
    for path in sorted((ROOT / "templates/terraform").rglob("*.tf")):
        done = subprocess.run([hclfmt, path], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, path.read_text()), path


def test_the_workflow_is_sound(tmp_path):
    actionlint = tool("actionlint", tmp_path)
    command = [actionlint, "-no-color", ROOT / "templates/ci/github.yaml"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_gcloud_reads_the_build(tmp_path):
    """By gcloud's own reader of such files, in its own interpreter; nothing is submitted."""
    gcloud = shutil.which("gcloud")
    if not gcloud:
        pytest.skip("gcloud is not installed")
    found = subprocess.run(
        [gcloud, "info", "--format=value(installation.sdk_root,basic.python_location)"],
        capture_output=True,
        text=True,
        env={**os.environ, "CLOUDSDK_CONFIG": str(tmp_path)},
    )
    root, python = found.stdout.split()
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from googlecloudsdk.api_lib.cloudbuild import cloudbuild_util as c, config\n"
        "m = c.GetMessagesModule()\n"
        "b = config.LoadCloudbuildConfigFromPath(sys.argv[1], m, {'_BUCKET': 'b'})\n"
        "print(len(b.steps), len(b.substitutions.additionalProperties))\n"
    )
    paths = [f"{root}/lib/third_party", f"{root}/lib"]
    command = [python, "-c", code, ROOT / "templates/ci/cloudbuild.yaml", *paths]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    steps, substitutions = map(int, done.stdout.split())
    assert (steps, substitutions) == (2 + 2 * len(list((ROOT / "templates").glob("*.json"))), 5)
