"""Finds faults of a Flex Template's container spec; gcloud accepts most of it.

The messages are those of the Dataflow API, v1b3: ContainerSpec, TemplateMetadata,
ParameterMetadata.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

PARAM_TYPES = frozenset(
    """
    DEFAULT TEXT GCS_READ_BUCKET GCS_WRITE_BUCKET GCS_READ_FILE GCS_WRITE_FILE GCS_READ_FOLDER
    GCS_WRITE_FOLDER PUBSUB_TOPIC PUBSUB_SUBSCRIPTION BIGQUERY_TABLE JAVASCRIPT_UDF_FILE
    SERVICE_ACCOUNT MACHINE_TYPE KMS_KEY_NAME WORKER_REGION WORKER_ZONE BOOLEAN ENUM NUMBER
    KAFKA_TOPIC KAFKA_READ_TOPIC KAFKA_WRITE_TOPIC
    """.split()
)

_SPEC_KEYS = {"image", "metadata", "sdkInfo", "defaultEnvironment"}
_METADATA_KEYS = {
    "name",
    "description",
    "parameters",
    "streaming",
    "supportsAtLeastOnce",
    "supportsExactlyOnce",
    "defaultStreamingMode",
}
_PARAMETER_KEYS = {
    "name",
    "label",
    "helpText",
    "isOptional",
    "regexes",
    "paramType",
    "defaultValue",
    "enumOptions",
    "groupName",
    "parentName",
    "parentTriggerValues",
    "hiddenUi",
    "customMetadata",
}
_STREAMING_MODES = ("UNSPECIFIED", "EXACTLY_ONCE", "AT_LEAST_ONCE")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Perl's additions, which the service's egrep does not know: \d and the like, (?...), lazy *?.
_NOT_POSIX = re.compile(r"\\[A-Za-z0-9]|\(\?|(?<!\\)[*+?}][?+]")


def lint(spec: Mapping[str, Any]) -> list[str]:
    """Returns the faults of a container spec; an empty list without faults."""
    metadata = spec.get("metadata", {})
    return [
        *(f"spec: {fault}" for fault in _unknown(spec, _SPEC_KEYS)),
        *(f"metadata: {fault}" for fault in _unknown(metadata, _METADATA_KEYS)),
        *_lint_spec(spec),
        *_lint_streaming(metadata),
        *_lint_parameters(metadata.get("parameters", [])),
    ]


def _unknown(found: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    yield from (f"unknown key {key!r}" for key in sorted(set(found) - known))


def _lint_spec(spec: Mapping[str, Any]) -> Iterator[str]:
    if not _text(spec.get("image")):
        yield "spec: no image"
    if spec.get("sdkInfo", {}).get("language") != "PYTHON":
        yield "spec: sdkInfo.language is not PYTHON"
    if not _text(spec.get("metadata", {}).get("name")):
        yield "metadata: no name"


def _lint_streaming(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Checks the streaming flags, which Dataflow reads only here and gcloud's `build` drops."""
    for key in ("streaming", "supportsAtLeastOnce", "supportsExactlyOnce"):
        if not isinstance(metadata.get(key, False), bool):
            yield f"metadata: {key} is not a boolean"
    if "streaming" not in metadata:
        yield "metadata: streaming is missing"
    if metadata.get("defaultStreamingMode", "UNSPECIFIED") not in _STREAMING_MODES:
        yield "metadata: defaultStreamingMode is unknown"
    modes = {"supportsAtLeastOnce", "supportsExactlyOnce", "defaultStreamingMode"} & set(metadata)
    if modes and not metadata.get("streaming"):
        yield f"metadata: {', '.join(sorted(modes))} without streaming"


def _lint_parameters(parameters: list[Mapping[str, Any]]) -> Iterator[str]:
    names = [str(parameter.get("name")) for parameter in parameters]
    yield from (f"{name}: named twice" for name in sorted({n for n in names if names.count(n) > 1}))
    for name, parameter in zip(names, parameters, strict=True):
        problems = [*_unknown(parameter, _PARAMETER_KEYS), *_lint_parameter(parameter)]
        if (parent := parameter.get("parentName")) and parent not in names:
            problems.append(f"parentName {parent!r} is no parameter")
        yield from (f"{name}: {problem}" for problem in problems)


def _lint_parameter(parameter: Mapping[str, Any]) -> Iterator[str]:
    for key in ("name", "label", "helpText"):
        if not _text(parameter.get(key)):
            yield f"no {key}"
    if not _NAME.fullmatch(str(parameter.get("name"))):
        yield "its name is not made of letters, digits and underscores"
    if parameter.get("paramType", "DEFAULT") not in PARAM_TYPES:
        yield f"paramType {parameter['paramType']!r} is unknown"
    if not isinstance(parameter.get("isOptional", False), bool):
        yield "isOptional is not a boolean"
    default = parameter.get("defaultValue")
    if default is not None and not isinstance(default, str):
        yield "defaultValue is not a text"
    if default is not None and not parameter.get("isOptional"):
        yield "has a default but is not optional"
    choices = [choice.get("value") for choice in parameter.get("enumOptions", [])]
    if (parameter.get("paramType") == "ENUM") != bool(choices):
        yield "enumOptions go with paramType ENUM, and it with them"
    if choices and default is not None and default not in choices:
        yield "its default is not among its enumOptions"
    for regex in parameter.get("regexes", []):
        yield from _lint_regex(regex, default)


def _lint_regex(regex: str, default: Any) -> Iterator[str]:
    if _NOT_POSIX.search(regex):
        yield f"regex {regex} is not POSIX"
        return
    try:
        compiled = re.compile(regex)
    except re.error as error:
        yield f"regex {regex}: {error}"
        return
    if isinstance(default, str) and not compiled.search(default):
        yield f"its default {default!r} does not match {regex}"


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
