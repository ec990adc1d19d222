"""Finds faults of a template's parameters: the API's message ParameterMetadata."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from beam_jobs.templates.typed import BOOLEAN, LIST, PAIRS, TEXT, TEXTS, faults_of_fields
from transforms.words import repeated

PARAM_TYPES = frozenset(
    """
    DEFAULT TEXT GCS_READ_BUCKET GCS_WRITE_BUCKET GCS_READ_FILE GCS_WRITE_FILE GCS_READ_FOLDER
    GCS_WRITE_FOLDER PUBSUB_TOPIC PUBSUB_SUBSCRIPTION BIGQUERY_TABLE JAVASCRIPT_UDF_FILE
    SERVICE_ACCOUNT MACHINE_TYPE KMS_KEY_NAME WORKER_REGION WORKER_ZONE BOOLEAN ENUM NUMBER
    KAFKA_TOPIC KAFKA_READ_TOPIC KAFKA_WRITE_TOPIC
    """.split()
)
FIELDS = {
    "name": TEXT,
    "label": TEXT,
    "helpText": TEXT,
    "isOptional": BOOLEAN,
    "regexes": TEXTS,
    "paramType": TEXT,
    "defaultValue": TEXT,
    "enumOptions": LIST,
    "groupName": TEXT,
    "parentName": TEXT,
    "parentTriggerValues": TEXTS,
    "hiddenUi": BOOLEAN,
    "customMetadata": PAIRS,
}
_CHOICE = {"value": TEXT, "label": TEXT, "description": TEXT}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Perl's additions, which the service's egrep does not know: \d and the like, (?...), lazy *?.
_NOT_POSIX = re.compile(r"\\[A-Za-z0-9]|\(\?|(?<!\\)[*+?}][?+]")
# The service's own arguments for the launcher: a parameter of such a name would be given twice.
RESERVED = frozenset(
    """
    runner project region job_name template_location temp_location staging_location
    service_account_email sdk_container_image requirements_file setup_file streaming update
    """.split()
)


def lint_parameters(parameters: Sequence[Any]) -> Iterator[str]:
    """Yields the faults of a template's parameters, each after the parameter's name."""
    objects = [parameter for parameter in parameters if isinstance(parameter, dict)]
    if len(objects) < len(parameters):
        yield "metadata: a parameter is not an object"
    names = [str(parameter.get("name")) for parameter in objects]
    yield from (f"{name}: named twice" for name in repeated(names))
    known = dict(zip(names, objects, strict=True))
    for name, parameter in zip(names, objects, strict=True):
        found = list(faults_of_fields(parameter, FIELDS, ("name", "label", "helpText")))
        # Where types are wrong, what is said of values is of no use.
        if not any(" is not " in fault for fault in found):
            found += [*_lint(parameter), *_lint_parent(parameter, known)]
        yield from (f"{name}: {problem}" for problem in found)


def _lint(parameter: Mapping[str, Any]) -> Iterator[str]:
    name, default = str(parameter.get("name")), parameter.get("defaultValue")
    if not _NAME.fullmatch(name):
        yield "its name is not made of letters, digits and underscores"
    if name in RESERVED:
        yield "its name is one of the launcher's own arguments"
    if parameter.get("paramType", "DEFAULT") not in PARAM_TYPES:
        yield f"paramType {parameter['paramType']!r} is unknown"
    if default is not None and not parameter.get("isOptional"):
        yield "has a default but is not optional"
    yield from _lint_choices(parameter, default)
    for regex in parameter.get("regexes", []):
        yield from _lint_regex(regex, default)


def _lint_choices(parameter: Mapping[str, Any], default: str | None) -> Iterator[str]:
    choices = parameter.get("enumOptions", [])
    if (parameter.get("paramType") == "ENUM") != bool(choices):
        yield "enumOptions go with paramType ENUM, and it with them"
    for choice in choices:
        if not isinstance(choice, dict):
            yield "one of its enumOptions is not an object"
            return
        for fault in faults_of_fields(choice, _CHOICE, ("value",)):
            yield f"enumOptions: {fault}"
    values = [str(choice.get("value")) for choice in choices]
    twice = [value for value in dict.fromkeys(values) if values.count(value) > 1]
    yield from (f"choice {value!r} is there twice" for value in twice)
    if choices and default is not None and default not in values:
        yield "its default is not among its enumOptions"


def _lint_parent(parameter: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    """Checks that what shows a parameter is there, and can have the values that show it."""
    name, values = parameter.get("parentName"), parameter.get("parentTriggerValues")
    if bool(name) != bool(values):
        yield "parentName and parentTriggerValues go together"
    if not name:
        return
    parent = known.get(name)
    if parent is None:
        yield f"parentName {name!r} is no parameter"
        return
    if name == parameter.get("name"):
        yield "is its own parent"
    if parent.get("paramType") not in ("ENUM", "BOOLEAN"):
        yield f"its parent {name} has no fixed values"
        return
    choices = [choice for choice in parent.get("enumOptions", []) if isinstance(choice, dict)]
    allowed = {str(choice.get("value")) for choice in choices}
    for value in values or ():
        if value not in (allowed or {"true", "false"}):
            yield f"its parent {name} never has the value {value!r}"


def _lint_regex(regex: str, default: str | None) -> Iterator[str]:
    if _NOT_POSIX.search(regex):
        yield f"regex {regex} is not POSIX"
        return
    try:
        compiled = re.compile(regex)
    except re.error as error:
        yield f"regex {regex}: {error}"
        return
    if default is not None and not compiled.search(default):
        yield f"its default {default!r} does not match {regex}"
    if not (regex.startswith("^") and regex.endswith("$")):
        yield f"regex {regex} matches a part of a value: put it between ^ and $"
