"""The image and the package: nothing can be built here, so their parts are looked at one by one."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

import beam_jobs

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "templates"
BEAM = importlib.metadata.version("apache-beam")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def dockerfile():
    content = (TEMPLATES / "Dockerfile").read_text()
    parser = DockerfileParser(fileobj=None, path=str(TEMPLATES / "Dockerfile"))
    assert parser.content == content
    return parser


def steps(dockerfile, instruction):
    found = dockerfile.structure
    return [step["value"] for step in found if step["instruction"] == instruction]


def locked(name):
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", text, re.M))


def test_every_image_is_pinned(dockerfile):
    bases = [image.split()[0] for image in steps(dockerfile, "FROM")]
    assert bases == [
        "apache/beam_python3.11_sdk:${BEAM_VERSION}",
        "gcr.io/dataflow-templates-base/python311-template-launcher-base:${LAUNCHER_TAG}",
        "python:3.11-slim-bookworm",
    ]
    given = [text for text in steps(dockerfile, "ARG") if "=" in text]
    arguments = dict(text.split("=", 1) for text in given)
    assert arguments["BEAM_VERSION"] == locked("run.txt")["apache-beam"]
    assert re.fullmatch(r"20\d{6}-rc\d\d", arguments["LAUNCHER_TAG"])


def test_the_image_has_both_roles(dockerfile):
    copied = steps(dockerfile, "COPY")
    assert "--from=beam /opt/apache/beam /opt/apache/beam" in copied
    assert (
        "--from=launcher /opt/google/dataflow/python_template_launcher /opt/google/dataflow/"
        in copied
    )
    assert steps(dockerfile, "ENTRYPOINT") == ['["/opt/template/entrypoint.sh"]']


def test_nothing_is_installed_at_start(dockerfile):
    (environment,) = steps(dockerfile, "ENV")
    assert "FLEX_TEMPLATE_PYTHON_PY_FILE=/opt/template/launch.py" in environment
    assert "REQUIREMENTS_FILE" not in environment
    assert "SETUP_FILE" not in environment
    runs = " ".join(steps(dockerfile, "RUN"))
    assert runs.count("--require-hashes") == 2
    assert 'versions.py record "${BEAM_VERSION}"' in runs
    assert "--compile-bytecode" in runs
    assert "pip check" in runs


def test_tensorflow_logs_no_values_of_rows(dockerfile):
    assert "TF_CPP_MIN_LOG_LEVEL=2" in steps(dockerfile, "ENV")[0]


def test_the_image_holds_every_package(dockerfile):
    copied = " ".join(steps(dockerfile, "COPY"))
    ignored = (ROOT / ".dockerignore").read_text().split()
    for package in packages():
        assert f"{package} {package}" in copied
        assert f"!{package}" in ignored


def packages():
    patterns = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    names = [pattern.removesuffix("*") for pattern in patterns]
    return [name for name in names if (ROOT / name).is_dir()]


def test_hadolint_finds_no_fault():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, TEMPLATES / "Dockerfile"], capture_output=True, text=True)
    assert done.stdout == ""
    assert done.returncode == 0


@pytest.fixture
def entrypoint(tmp_path):
    """The entry point, with programs that tell their names in the places of the real ones."""
    text = (TEMPLATES / "entrypoint.sh").read_text()
    for name in ("/opt/apache/beam/boot", "/opt/google/dataflow/python_template_launcher"):
        stand_in = tmp_path / Path(name).name
        stand_in.write_text(f'#!/bin/sh\necho {stand_in.name} "$@"\n')
        stand_in.chmod(0o755)
        text = text.replace(name, str(stand_in))
    shutil.copy(TEMPLATES / "versions.py", tmp_path)
    text = text.replace("/opt/template/", f"{tmp_path}/")
    noted = [sys.executable, tmp_path / "versions.py", "record", BEAM]
    subprocess.run(noted, check=True)
    path = tmp_path / "entrypoint.sh"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("argv", "program"),
    [
        (["--id=1-1", "--provision_endpoint=localhost:1"], "boot"),
        (["--id", "1-1"], "boot"),
        (["--worker_pool"], "boot"),
        (["--logging_endpoint=x", "--control_endpoint=y"], "boot"),
        ([], "python_template_launcher"),
        (["--template_location=gs://b/x", "--identity=x"], "python_template_launcher"),
    ],
)
def test_the_entry_point_starts_the_right_program(entrypoint, argv, program):
    done = started(entrypoint, *argv)
    assert done.stdout.split() == [program, *argv], done.stderr


def started(path, *argv):
    folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(["sh", path, *argv], capture_output=True, text=True, env=environment)


def test_nothing_is_started_with_other_versions_than_the_image_was_built_with(entrypoint):
    noted = entrypoint.with_name("versions.json")
    versions = json.loads(noted.read_text())
    assert versions["apache-beam"] == BEAM
    noted.write_text(json.dumps({**versions, "tensorflow": "2.1.0", "python": "3.9.1"}))
    for argv in (["--id=1-1"], []):
        done = started(entrypoint, *argv)
        assert (done.returncode, done.stdout) == (1, "")
        told = [json.loads(line) for line in done.stderr.splitlines()]
        assert {line["severity"] for line in told} == {"ERROR"}
        text = " ".join(line["message"] for line in told)
        assert f"tensorflow is {versions['tensorflow']}, but the image was built with 2.1.0" in text
        assert "python is 3.11" in text
        assert "not at a worker's start" in text


def test_the_build_fails_where_boot_program_and_sdk_differ(tmp_path):
    shutil.copy(TEMPLATES / "versions.py", tmp_path)
    command = [sys.executable, tmp_path / "versions.py", "record", "2.60.0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"apache-beam is {BEAM}, but its boot program is of 2.60.0" in done.stderr
    assert not (tmp_path / "versions.json").exists()


def test_the_entry_point_may_be_executed():
    assert os.access(TEMPLATES / "entrypoint.sh", os.X_OK)


def test_the_launchers_file_starts_the_job_from_anywhere(tmp_path):
    environment = {**os.environ, "MILLRACE_JOB": "score", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, TEMPLATES / "launch.py"]
    done = subprocess.run(
        [*command, "--help"], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python -m beam_jobs.score --input URI")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Our wheel, as the image installs it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "setup.py", "-q", "build", "-b", folder / "built", "bdist_wheel"]
    places = ["-d", folder, "-b", folder / "packed"]
    information = ["egg_info", "-e", folder]
    done = subprocess.run(
        [*command, *places, *information], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_our_packages_and_no_others(wheel):
    assert wheel.name == f"millrace-{beam_jobs.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == set(packages())
    for package in packages():
        modules = {str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*.py")}
        assert modules <= set(names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_installed_wheel_is_what_is_imported_elsewhere(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "import beam_jobs.score as s, transforms.errors as e, inference as i\n"
        "print(*(m.__file__ for m in (s, e, i)), sep='\\n')"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert all(line.startswith(str(tmp_path)) for line in done.stdout.splitlines()), done.stdout
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["uv.txt", "build.txt", "run.txt", "cuda.txt", "dev.txt"])
def test_every_locked_package_has_hashes(name):
    text = (ROOT / "requirements" / name).read_text()
    entries = re.split(r"^(?=[a-z])", text, flags=re.M)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_locks_agree_with_each_other_and_with_the_project():
    run, dev, cuda = locked("run.txt"), locked("dev.txt"), locked("cuda.txt")
    assert run.items() <= dev.items()
    assert {name for name in cuda.keys() - run.keys() if not name.startswith("nvidia-")} == set()
    assert {name: cuda[name] for name in cuda.keys() & run.keys()}.items() <= run.items()
    assert "nvidia-cudnn-cu12" in cuda
    wanted = [re.split(r"[\[=<>~]", text)[0] for text in PROJECT["project"]["dependencies"]]
    assert set(wanted) <= set(run)
    development = PROJECT["project"]["optional-dependencies"]["dev"]
    assert {re.split(r"[\[=<>~]", text)[0] for text in development} <= set(dev)
    assert "pytest" not in run
