"""What a user gives to launch a template, as Dataflow takes it: checked, and split in two.

Parameters are the template's own. What concerns the machines goes into the environment of the
launch; Dataflow's launcher passes both on as `--name=value`, one argument each.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beam_jobs.options.declare import Declared
from beam_jobs.rehearsal.storage import Storage
from transforms.nearest import nearest

# Beam's option, and gcloud's flag for it; without one it is an additional pipeline option.
_ENVIRONMENT = {
    "autoscaling_algorithm": "",
    "dataflow_kms_key": "dataflow-kms-key",
    "dataflow_service_options": "",
    "disk_size_gb": "",
    "experiments": "additional-experiments",
    "flexrs_goal": "flexrs-goal",
    "labels": "additional-user-labels",
    "machine_type": "worker-machine-type",
    "max_num_workers": "max-workers",
    "network": "network",
    "no_use_public_ips": "disable-public-ips",
    "num_workers": "num-workers",
    "number_of_worker_harness_threads": "",
    "service_account_email": "service-account-email",
    "subnetwork": "subnetwork",
    "worker_region": "worker-region",
    "worker_zone": "worker-zone",
}
_DELIMITERS = ",~|#@%"
_LOCAL = re.compile(r"(?!stdout:|[A-Za-z][A-Za-z0-9+.]*:).+", re.S)


@dataclass(frozen=True)
class Request:
    """What a launch is asked for.

    Attributes:
      parameters: The template's parameters.
      environment: Options of the machines, by Beam's names.
    """

    parameters: Mapping[str, str]
    environment: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Request":
        """Splits what was given by name."""
        machines = {name: value for name, value in given.items() if name in _ENVIRONMENT}
        own = {name: value for name, value in given.items() if name not in machines}
        return cls(own, machines)


def faults(request: Request, spec: Mapping[str, Any]) -> list[str]:
    """Returns what Dataflow would refuse before it starts a launcher.

    Args:
      request: What is asked for.
      spec: The template.
    """
    known = {parameter["name"]: parameter for parameter in spec["metadata"]["parameters"]}
    names = [*known, *_ENVIRONMENT]
    unknown = [
        f"{name}: unrecognized parameter{nearest(name, names)}"
        for name in request.parameters
        if name not in known
    ]
    missing = [
        f"{name}: missing"
        for name, parameter in known.items()
        if not parameter["isOptional"] and name not in request.parameters
    ]
    return [*unknown, *missing, *_mismatches(request, known)]


def _mismatches(request: Request, known: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, value in request.parameters.items():
        for regex in known.get(name, {}).get("regexes", []):
            if not re.search(regex, value):
                yield f"{name}: {value!r} does not match the template's {regex}"


def uploaded(request: Request, options: Sequence[Declared], storage: Storage) -> Request:
    """Returns a request with what lies on this machine put into a bucket.

    Args:
      request: Its inputs may be files, folders and globs of this machine.
      options: The job's options.
      storage: The emulator; outputs of this machine get a place there too.

    Raises:
      ConfigError: An input isn't there.
    """
    kinds = {option.name: option.kind for option in options}
    found = dict(request.parameters)
    for name, value in request.parameters.items():
        path, mark, query = value.partition("?")
        if not kinds.get(name, "").startswith("GCS_"):
            found[name] = _with_file(value, name, storage)
            continue
        if not _LOCAL.fullmatch(path):
            continue
        if kinds.get(name, "").startswith("GCS_READ"):
            found[name] = f"{storage.put(path, name)}{mark}{query}"
        elif kinds.get(name, "").startswith("GCS_WRITE"):
            slash = "/" if path.endswith("/") else ""
            last = path.rstrip("/").rpartition("/")[2]
            found[name] = f"gs://{storage.bucket}/{name}/{last}{slash}{mark}{query}"
    return Request(found, request.environment)


def _with_file(value: str, name: str, storage: Storage) -> str:
    """Puts a file into the bucket that a text names, as in `features.py` or `features.py:name`."""
    for path in (value, value.rpartition(":")[0]):
        if path and Path(path).is_file():
            return storage.put(path, name) + value.removeprefix(path)
    return value


def command(job: str, request: Request) -> str:
    """Returns the command that launches the template so, for a shell.

    gcloud splits a list at commas, so values that hold some need another delimiter.
    """
    flags = ["--region=REGION", f"--template-file-gcs-location=gs://BUCKET/templates/{job}.json"]
    others = {}
    for name, value in request.environment.items():
        if not _ENVIRONMENT[name]:
            others[name] = value
        elif name == "no_use_public_ips":
            flags += ["--disable-public-ips"] if value == "true" else []
        else:
            flags.append(f"--{_ENVIRONMENT[name]}={value}")
    flags += [f"--additional-pipeline-options={_joined(others)}"] if others else []
    given = {name: value for name, value in request.parameters.items() if value}
    flags += [f"--parameters={_joined(given)}"] if given else []
    lines = [f"gcloud dataflow flex-template run {job}", *map(shlex.quote, flags)]
    return " \\\n    ".join(lines)


def _joined(values: Mapping[str, str]) -> str:
    """Values as gcloud reads a dictionary: `a=1,b=2`, or `^~^a=1,2~b=3`."""
    pairs = [f"{name}={value}" for name, value in values.items()]
    free = [mark for mark in _DELIMITERS if not any(mark in pair for pair in pairs)]
    mark = free[0] if free else "\x1f"
    return ",".join(pairs) if mark == "," else f"^{mark}^{mark.join(pairs)}"
