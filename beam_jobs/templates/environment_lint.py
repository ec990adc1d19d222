"""Finds faults of a template's defaults for machines: the API's FlexTemplateRuntimeEnvironment."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from beam_jobs.templates.typed import BOOLEAN, PAIRS, TEXT, TEXTS, WHOLE, faults_of_fields
from transforms.errors import ConfigError
from transforms.nearest import nearest

FIELDS = {
    "numWorkers": WHOLE,
    "maxWorkers": WHOLE,
    "machineType": TEXT,
    "diskSizeGb": WHOLE,
    "launcherMachineType": TEXT,
    "sdkContainerImage": TEXT,
    "serviceAccountEmail": TEXT,
    "tempLocation": TEXT,
    "stagingLocation": TEXT,
    "network": TEXT,
    "subnetwork": TEXT,
    "ipConfiguration": TEXT,
    "kmsKeyName": TEXT,
    "workerRegion": TEXT,
    "workerZone": TEXT,
    "zone": TEXT,
    "autoscalingAlgorithm": TEXT,
    "enableStreamingEngine": BOOLEAN,
    "streamingMode": TEXT,
    "flexrsGoal": TEXT,
    "additionalExperiments": TEXTS,
    "additionalPipelineOptions": TEXTS,
    "additionalUserLabels": PAIRS,
    "enableLauncherVmSerialPortLogging": BOOLEAN,
    "dumpHeapOnOom": BOOLEAN,
    "saveHeapDumpsToGcsPath": TEXT,
}
_BUCKET = re.compile(r"gs://[a-z0-9][-_a-z0-9.]{1,220}[a-z0-9](/.*)?")
_LABEL = re.compile(r"[a-z][-_a-z0-9]{0,62}")
_FORMS = {
    "machineType": re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+"),
    "launcherMachineType": re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+"),
    "serviceAccountEmail": re.compile(r"[^@\s]+@[^@\s]+\.gserviceaccount\.com"),
    "tempLocation": _BUCKET,
    "stagingLocation": _BUCKET,
    "saveHeapDumpsToGcsPath": _BUCKET,
    "ipConfiguration": re.compile("WORKER_IP_(UNSPECIFIED|PUBLIC|PRIVATE)"),
    "kmsKeyName": re.compile("projects/.+/locations/.+/keyRings/.+/cryptoKeys/.+"),
    "subnetwork": re.compile(r"(https://.+/)?(projects/.+/)?regions/[-a-z0-9]+/subnetworks/.+"),
    "autoscalingAlgorithm": re.compile("AUTOSCALING_ALGORITHM_(UNKNOWN|NONE|BASIC)"),
    "streamingMode": re.compile("STREAMING_MODE_(UNSPECIFIED|EXACTLY_ONCE|AT_LEAST_ONCE)"),
    "flexrsGoal": re.compile("FLEXRS_(UNSPECIFIED|SPEED_OPTIMIZED|COST_OPTIMIZED)"),
    "workerZone": re.compile(r"[a-z]+-[a-z]+[0-9]+-[a-z]"),
}


def lint_environment(environment: Any) -> Iterator[str]:
    """Yields the faults of a template's `defaultEnvironment`."""
    where = "defaultEnvironment: "
    if not isinstance(environment, dict):
        return
    yield from (where + fault for fault in faults_of_fields(environment, FIELDS, ()))
    for name, form in _FORMS.items():
        value = environment.get(name)
        if isinstance(value, str) and value and not form.fullmatch(value):
            yield f"{where}{name} {value!r} is not of the form {form.pattern}"
    yield from (where + fault for fault in _lint_together(environment))
    labels = environment.get("additionalUserLabels")
    for key, value in labels.items() if isinstance(labels, dict) else ():
        if not _LABEL.fullmatch(key) or not re.fullmatch(r"[-_a-z0-9]{0,63}", str(value)):
            yield f"{where}label {key!r} is not made of small letters, digits, - and _"


def _lint_together(environment: dict[str, Any]) -> Iterator[str]:
    """Checks fields that exclude each other, or whose values do not fit each other."""
    if environment.get("workerRegion") and environment.get("workerZone"):
        yield "workerRegion and workerZone exclude each other"
    least, most = environment.get("numWorkers"), environment.get("maxWorkers")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield f"numWorkers {least} is more than maxWorkers {most}"
    for name in ("numWorkers", "maxWorkers", "diskSizeGb"):
        value = environment.get(name)
        if isinstance(value, int) and value < 0:
            yield f"{name} is less than 0"
    for option in environment.get("additionalPipelineOptions") or ():
        if not re.fullmatch(r"[a-z][a-z0-9_]*(=.*)?", str(option), re.S):
            yield f"additionalPipelineOptions: {option!r} is not of the form name=value"


def environment_of(given: Sequence[str]) -> dict[str, Any]:
    """Reads fields of a template's environment, each of the form `name=value`.

    Args:
      given: The texts; lists and labels are separated by commas.

    Raises:
      ConfigError: There is no such field, or the value is of another type.
    """
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in FIELDS:
            raise ConfigError(f"--set: {name!r} is no field{nearest(name, FIELDS)}")
        found[name] = _value(name, value)
    return found


def _value(name: str, text: str) -> Any:
    kind = FIELDS[name]
    if kind is TEXTS:
        return text.split(",")
    if kind is PAIRS:
        return dict(pair.partition("=")[::2] for pair in text.split(","))
    if kind is BOOLEAN and text in ("true", "false"):
        return text == "true"
    if kind is WHOLE and text.isdecimal():
        return int(text)
    if kind is TEXT:
        return text
    raise ConfigError(f"--set: {name} is {kind.name}, not {text!r}")
