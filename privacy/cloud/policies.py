"""A policy for the cloud engine: its columns, its project, and the templates that it names."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from privacy.cloud.cells import kind_of
from privacy.cloud.settings import CloudPolicy
from privacy.cloud.wire import client
from privacy.local.columns.roles import LEFT, role_of
from privacy.policy.policy import Policy
from transforms.errors import ConfigError


def cloud_policy(policy: Policy, project: str, schema: pa.Schema, **options: Any) -> CloudPolicy:
    """Returns what the cloud engine needs for a policy and columns.

    Args:
      policy: As it was read.
      project: The project that is billed.
      schema: Of the batches to come.
      options: Further fields of `CloudPolicy`.

    Raises:
      ConfigError: No column of the schema is touched, or the policy names one that is not there.
    """
    plain = bare_policy(policy, project, **options)
    filled = with_templates(plain, policy.inspect_template, policy.deidentify_template)
    config = _config(filled)
    infos = config.HasField("info_type_transformations")
    looked_at = _looked_at(policy, schema) if infos else []
    read = [x for x in fields_of(config) if x not in looked_at]
    missing = sorted({*read, *looked_at} - set(schema.names))
    if missing:
        raise ConfigError(f"--policy {policy.name}: the data has no column {missing[0]!r}")
    return replace(filled, columns=(*looked_at, *read), looked_at=tuple(looked_at))


def bare_policy(policy: Policy, project: str, **options: Any) -> CloudPolicy:
    """Returns the settings of a policy before its columns are known; see `cloud_policy`."""
    location = f"/locations/{policy.location}" if policy.location else ""
    if policy.per_minute:
        options.setdefault("per_minute", policy.per_minute)
    return CloudPolicy(
        f"projects/{project}{location}",
        ("placeholder",),
        policy.inspect_bytes,
        policy.deidentify_bytes,
        name=policy.name,
        **options,
    )


def inspecting_policy(
    policy: Policy, project: str, schema: pa.Schema, **options: Any
) -> CloudPolicy:
    """Returns the settings for an inspection: of all columns that are not left or whole cells.

    Raises:
      ConfigError: One of them can't be sent, or there is none.
    """
    filled = with_templates(
        bare_policy(policy, project, **options), policy.inspect_template, policy.deidentify_template
    )
    steps = _config(filled).record_transformations.field_transformations
    whole = {
        field.name
        for step in steps
        if step.HasField("primitive_transformation")
        for field in step.fields
    }
    columns = tuple(name for name in _looked_at(policy, schema) if name not in whole)
    return replace(filled, columns=columns)


def with_templates(policy: CloudPolicy, inspect: str | None, deidentify: str | None) -> CloudPolicy:
    """Returns a policy with what its templates say beneath what it says itself, as DLP merges them.

    Raises:
      ConfigError: A template can't be read.
    """
    if not inspect and not deidentify:
        return policy
    from google.api_core.exceptions import GoogleAPICallError

    service = client(policy)
    try:
        given: dict[str, Any] = {}
        if inspect:
            found = service.get_inspect_template(name=inspect)
            config = type(found).pb(found).inspect_config
            config.MergeFromString(policy.inspect_bytes)
            given["inspect_bytes"] = config.SerializeToString()
        if deidentify:
            found = service.get_deidentify_template(name=deidentify)
            config = type(found).pb(found).deidentify_config
            config.MergeFromString(policy.deidentify_bytes)
            given["deidentify_bytes"] = config.SerializeToString()
    except GoogleAPICallError as error:
        names = " and ".join(filter(None, (inspect, deidentify)))
        raise ConfigError(f"template {names}: Cloud DLP answered {type(error).__name__}") from None
    finally:
        service.transport.close()
    return replace(policy, **given)


def fields_of(message: Any) -> Iterator[str]:
    """Yields the names of all fields that a config is about or reads, each once."""
    seen: set[str] = set()
    pending = [message]
    while pending:
        for descriptor, value in pending.pop().ListFields():
            if descriptor.type != descriptor.TYPE_MESSAGE:
                continue
            for each in value if descriptor.is_repeated else [value]:
                if each.DESCRIPTOR.name != "FieldId":
                    pending.append(each)
                elif each.name not in seen:
                    seen.add(each.name)
                    yield each.name


def _config(policy: CloudPolicy) -> Any:
    from google.cloud.dlp_v2 import types

    return types.DeidentifyConfig.pb().FromString(policy.deidentify_bytes)


def _looked_at(policy: Policy, schema: pa.Schema) -> list[str]:
    """Returns the columns that are looked through: as locally, all that are not left.

    Raises:
      ConfigError: One of them can't be sent.
    """
    looked_at = []
    for field in schema:
        role = role_of(field.type)
        if field.name in policy.columns.leave or role == LEFT:
            continue
        if role is None:
            raise ConfigError(
                f"--policy {policy.name}: column {field.name!r} is {field.type}, which can't "
                "be sent to Cloud DLP: name it in columns.leave to pass it as it is"
            )
        kind_of(field.type, field.name)
        looked_at.append(field.name)
    return looked_at
