"""Finds faults of a Flex Template's container spec; gcloud accepts most of it.

The messages are those of the Dataflow API, v1b3: ContainerSpec, TemplateMetadata,
ParameterMetadata; `environment_lint` has FlexTemplateRuntimeEnvironment.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from beam_jobs.templates.environment_lint import lint_environment
from beam_jobs.templates.parameter_lint import lint_parameters
from beam_jobs.templates.typed import BOOLEAN, LIST, OBJECT, TEXT, faults_of_fields

_SPEC = {
    "image": TEXT,
    "metadata": OBJECT,
    "sdkInfo": OBJECT,
    "defaultEnvironment": OBJECT,
    "imageRepositoryUsernameSecretId": TEXT,
    "imageRepositoryPasswordSecretId": TEXT,
    "imageRepositoryCertPath": TEXT,
}
_METADATA = {
    "name": TEXT,
    "description": TEXT,
    "parameters": LIST,
    "streaming": BOOLEAN,
    "supportsAtLeastOnce": BOOLEAN,
    "supportsExactlyOnce": BOOLEAN,
    "defaultStreamingMode": TEXT,
    "yamlDefinition": TEXT,
}
_MODES = {"AT_LEAST_ONCE": "supportsAtLeastOnce", "EXACTLY_ONCE": "supportsExactlyOnce"}


def lint(spec: Mapping[str, Any]) -> list[str]:
    """Returns the faults of a container spec; an empty list without faults."""
    typed = [f"spec: {fault}" for fault in faults_of_fields(spec, _SPEC, ("image", "metadata"))]
    metadata = spec.get("metadata")
    if not isinstance(metadata, Mapping):
        return typed
    typed += [f"metadata: {fault}" for fault in faults_of_fields(metadata, _METADATA, ("name",))]
    parameters = metadata.get("parameters", [])
    return [
        *typed,
        *_lint_sdk(spec.get("sdkInfo")),
        *_lint_streaming(metadata),
        *(lint_parameters(parameters) if isinstance(parameters, list) else ()),
        *lint_environment(spec.get("defaultEnvironment", {})),
        *_lint_secrets(spec),
    ]


def _lint_sdk(sdk: Any) -> Iterator[str]:
    fields = sdk if isinstance(sdk, Mapping) else {}
    if fields.get("language") != "PYTHON":
        yield "spec: sdkInfo.language is not PYTHON"
    for fault in faults_of_fields(fields, {"language": TEXT, "version": TEXT}, ()):
        yield f"sdkInfo: {fault}"


def _lint_streaming(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Checks the streaming flags, which Dataflow reads only here and gcloud's `build` drops."""
    if "streaming" not in metadata:
        yield "metadata: streaming is missing"
    mode = metadata.get("defaultStreamingMode", "UNSPECIFIED")
    if mode not in ("UNSPECIFIED", *_MODES):
        yield "metadata: defaultStreamingMode is unknown"
    elif mode in _MODES and not metadata.get(_MODES[mode]):
        yield f"metadata: defaultStreamingMode {mode} without {_MODES[mode]}"
    modes = {*_MODES.values(), "defaultStreamingMode"} & set(metadata)
    if modes and not metadata.get("streaming"):
        yield f"metadata: {', '.join(sorted(modes))} without streaming"


def _lint_secrets(spec: Mapping[str, Any]) -> Iterator[str]:
    """Checks that a registry's user and password are given together, as secrets' names."""
    names = ("imageRepositoryUsernameSecretId", "imageRepositoryPasswordSecretId")
    given = [spec[name] for name in names if spec.get(name)]
    if len(given) == 1:
        yield f"spec: {' and '.join(names)} go together"
    for secret in given:
        if not str(secret).startswith("projects/") or "/secrets/" not in str(secret):
            yield "spec: a registry's secret is not of the form projects/P/secrets/S/versions/V"
