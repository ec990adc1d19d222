"""A job's Flex Template in the form of Dataflow's API, v1b3: its message ContainerSpec."""

import importlib.metadata
from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

import beam_jobs
from beam_jobs.options.command_line import describe, job_of
from beam_jobs.options.declare import ColumnMap, Declared, JobOptions, Seconds, declared
from beam_jobs.options.durations import REGEX as DURATION
from beam_jobs.options.durations import duration_text
from beam_jobs.options.streaming import StreamOptions
from beam_jobs.templates.image import image_of

DISK_GB = 50
"""The image, unpacked beside its layers, and a model's files."""
LAUNCHER = "n1-standard-2"
"""A launcher imports TensorFlow; the service's default has half of the memory."""
# Dataflow passes values on as they are typed; paths are in its world only if they are remote.
_REGEXES = {
    bool: "true|false",
    int: "[0-9]+",
    float: r"[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?",
    Seconds: DURATION,
    ColumnMap: "[^=;]+=[^=;]+(;[^=;]+=[^=;]+)*;?",
}
_REMOTE = "gs://.+"
_MESSAGES = "pubsub://projects/.+"
_TABLES = "bq:.+"
_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    Seconds: "duration",
    str: "text",
    tuple[str, ...]: "list",
    ColumnMap: "mapping",
}


def container_spec(
    kind: type[JobOptions], image: str = "", environment: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Returns a job's Flex Template.

    Args:
      kind: The job's options.
      image: The image of launcher and workers.
      environment: Fields of `defaultEnvironment` to add or replace, such as `network`.

    Returns: A dictionary to be stored as JSON. Two parts of the API are left out, since no job
      needs them: secrets of a registry that is not Google's, and the YAML of a Beam YAML job.
    """
    job = job_of(kind)
    image = image or image_of(job)
    return {
        "image": image,
        "sdkInfo": {"language": "PYTHON", "version": importlib.metadata.version("apache-beam")},
        "metadata": {
            "name": f"Millrace {job}",
            "description": " ".join(describe(kind)[0].split()),
            **_streaming(kind),
            "parameters": [_parameter(o) for o in required_first(kind) if o.in_template],
        },
        "defaultEnvironment": {**_environment(job, image), **(environment or {})},
    }


def _environment(job: str, image: str) -> dict[str, Any]:
    """Returns what a launch gets unless it asks for something else."""
    version = beam_jobs.__version__.replace(".", "-")
    return {
        "sdkContainerImage": image,
        "launcherMachineType": LAUNCHER,
        "diskSizeGb": DISK_GB,
        "additionalUserLabels": {"millrace-job": job, "millrace-version": version},
        "enableLauncherVmSerialPortLogging": True,
    }


def _streaming(kind: type[JobOptions]) -> dict[str, Any]:
    """Returns Dataflow's settings for a job that may read messages, which its input decides."""
    if not issubclass(kind, StreamOptions):
        return {"streaming": False}
    # At least once, messages that come twice would stay so in topics and dead letters.
    return {
        "streaming": True,
        "supportsAtLeastOnce": False,
        "supportsExactlyOnce": True,
        "defaultStreamingMode": "EXACTLY_ONCE",
    }


def required_first(kind: type[JobOptions]) -> list[Declared]:
    """Returns a job's options, the required ones first."""
    return sorted(declared(kind), key=lambda option: not option.required)


def _parameter(option: Declared) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": option.name,
        "label": option.label,
        "helpText": option.help,
        # The console lets choose from a bucket what is a file by its type, and nothing else.
        "paramType": "TEXT" if option.messages or option.tables else option.kind,
        "isOptional": not option.required,
        "groupName": option.group,
    }
    if (default := default_text(option)) is not None:
        found["defaultValue"] = default
    if option.choices:
        found["enumOptions"] = [{"value": choice, "label": choice} for choice in option.choices]
    elif regex := regex_of(option):
        found["regexes"] = [regex]
    if option.parent:
        parent, values = option.parent
        found |= {"parentName": parent, "parentTriggerValues": list(values)}
    found["customMetadata"] = _custom(option)
    return found


def _custom(option: Declared) -> dict[str, str]:
    """Returns what the API has no field for, for programs that read specs: type and range."""
    found = {"type": _TYPES[option.type]}
    for name in ("minimum", "maximum"):
        if (bound := getattr(option, name)) is not None:
            found[name] = f"{bound:g}"
    return found


def default_text(option: Declared) -> str | None:
    """Returns an option's default as text; None if there is none to show."""
    default = option.default
    if default in (MISSING, None, (), ""):
        return None
    if option.type == Seconds:
        return duration_text(default)
    return str(default).lower() if isinstance(default, bool) else str(default)


def regex_of(option: Declared) -> str | None:
    """Returns what an option's text must match in a template; None if that is anything."""
    regex = option.regex or _REGEXES.get(option.type)
    if option.kind.startswith("GCS_"):
        regex = _REMOTE
        if option.messages or option.tables:
            regex = "|".join([_REMOTE, *([_MESSAGES] if option.messages else []), _TABLES])
    if regex is None:
        return None
    # What is left out may come as an empty text.
    return f"^({regex})$" if option.required else f"^({regex})?$"
