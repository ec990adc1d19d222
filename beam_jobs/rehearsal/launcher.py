"""A Flex Template's launcher, as Dataflow starts it: its arguments, its environment, its time."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from beam_jobs.rehearsal.environment import DOCKERFILE, ROOT, Environment
from beam_jobs.rehearsal.parameters import Request
from beam_jobs.rehearsal.proxy import Proxy
from beam_jobs.rehearsal.storage import Storage
from transforms.errors import MillraceError

PROJECT = "rehearsal-project"
REGION = "europe-west1"
ACCOUNT = f"worker@{PROJECT}.iam.gserviceaccount.com"
_ENV = re.compile(r"^ENV (?P<body>(?:.*\\\n)*.*)$", re.M)
_INSTALLS = ("REQUIREMENTS_FILE", "SETUP_FILE", "EXTRA_PACKAGES")
_PY_FILE = "FLEX_TEMPLATE_PYTHON_PY_FILE"
_SHOWN_LINES = 200
_NOISE = re.compile(r'Extension modules: |\s+File "<frozen importlib')
_SEVERE = ("ERROR", "CRITICAL")


@dataclass(frozen=True)
class Launch:
    """A launch to be made.

    Attributes:
      job: The job.
      image: The image of the launcher and the workers.
      place: The URI of the job file.
      request: What is asked for, with places in the bucket.
    """

    job: str
    image: str
    place: str
    request: Request

    def arguments(self, bucket: str) -> list[str]:
        """Returns the launcher's arguments, each parameter as one, whatever its value holds."""
        given = {
            "runner": "DataflowRunner",
            "job_name": f"rehearsal-{self.job}",
            "project": PROJECT,
            "region": REGION,
            "temp_location": f"gs://{bucket}/tmp",
            "staging_location": f"gs://{bucket}/staging",
            "service_account_email": ACCOUNT,
            "sdk_container_image": self.image,
            **self.request.environment,
            "template_location": self.place,
            **self.request.parameters,
        }
        return [f"--{name}={value}" for name, value in given.items()]


@dataclass(frozen=True)
class Machine:
    """What stands for a launcher's machine.

    Attributes:
      metadata_host: The address of its metadata server.
      proxy: Its way out.
    """

    metadata_host: str
    proxy: Proxy


@dataclass(frozen=True)
class Ended:
    """A launcher's end.

    Attributes:
      code: Its exit code; negative after a signal.
      seconds: How long it took.
      late: Whether it was ended for it took longer than it may.
      log: What it wrote.
    """

    code: int
    seconds: float
    late: bool
    log: str

    def told(self) -> list[str]:
        """Returns what it said that matters: errors of its JSON lines, and all other lines."""
        told = [line for line in _told(self.log) if not _NOISE.match(line)]
        return told[-_SHOWN_LINES:]


def _told(log: str) -> Iterator[str]:
    for line in log.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or "severity" not in record:
            yield line
        elif record["severity"] in _SEVERE:
            yield from f"{record['severity']}: {record['message']}".splitlines()


def start(
    launch: Launch,
    made: Environment,
    storage: Storage,
    machine: Machine,
    seconds: float,
    root: Path = ROOT,
) -> Ended:
    """Runs the entry file with a launcher's arguments, in an empty folder, and waits for its end.

    Args:
      launch: What to launch.
      made: The environment with our wheel.
      storage: The emulator that is Cloud Storage to it.
      machine: What stands for its machine.
      seconds: How long it may take.
      root: The checkout, for the entry file and the image's variables.

    Raises:
      MillraceError: The image would install packages at each launch.
    """
    variables = image_variables((root / DOCKERFILE).read_text(), launch)
    folder = made.folder / "image"
    shutil.rmtree(folder, ignore_errors=True)
    entry = folder / variables[_PY_FILE].lstrip("/")
    entry.parent.mkdir(parents=True)
    shutil.copyfile(root / "templates" / entry.name, entry)
    foreign = folder / "work"
    foreign.mkdir()
    environment = {**_variables(folder, storage.url, machine), **variables}
    arguments = [str(made.python), str(entry), *launch.arguments(storage.bucket)]
    return _run(arguments, environment, foreign, seconds)


def image_variables(dockerfile: str, launch: Launch) -> dict[str, str]:
    """Returns the variables that an image sets, for a launch.

    Raises:
      MillraceError: By one of them the launcher would install packages before each launch.
    """
    found = {}
    for match in _ENV.finditer(dockerfile):
        for pair in match["body"].replace("\\\n", " ").split():
            name, _, value = pair.partition("=")
            value = value.replace("${JOB}", launch.job).replace("${IMAGE}", launch.image)
            found[name] = value
    wrong = [name for name in found if name.startswith("FLEX_") and name.endswith(_INSTALLS)]
    if wrong:
        raise MillraceError(
            f"{DOCKERFILE}: {', '.join(wrong)}: the launcher and every worker would install "
            "packages at their start. They belong into the image"
        )
    return found


def _variables(folder: Path, storage: str, machine: Machine) -> Mapping[str, str]:
    """Returns the machine's variables; whatever would leave it meets a proxy of ours."""
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "PYTHONFAULTHANDLER": "1",
        "STORAGE_EMULATOR_HOST": storage,
        "GCE_METADATA_HOST": machine.metadata_host,
        "GCE_METADATA_IP": machine.metadata_host,
        "HTTPS_PROXY": machine.proxy.url,
        "HTTP_PROXY": machine.proxy.url,
        "NO_PROXY": "127.0.0.1,localhost",
        # Of TensorFlow's client of Cloud Storage, which asks again for minutes by default.
        "CURL_CA_BUNDLE": str(machine.proxy.certificates),
        "GCS_RETRY_CONFIG_MAX_RETRIES": "2",
    }


def _run(
    arguments: list[str], environment: Mapping[str, str], folder: Path, seconds: float
) -> Ended:
    begun = time.monotonic()
    process = subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    late = False
    try:
        log, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        late = True
        # Python then writes what each of its threads does.
        process.send_signal(signal.SIGABRT)
        log = _rest(process)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return Ended(process.returncode, time.monotonic() - begun, late, log)


def _rest(process: "subprocess.Popen[str]") -> str:
    try:
        return process.communicate(timeout=10)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0]
