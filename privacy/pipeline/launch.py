"""A policy of the cloud engine at launch: its project, its templates, and what is refused."""

import os
from dataclasses import replace
from typing import Any

import pyarrow as pa

from privacy.cloud.policies import bare_policy, cloud_policy, with_templates
from privacy.cloud.settings import emulator, text_columns
from privacy.policy.policy import Policy
from transforms.errors import ConfigError
from transforms.nearest import nearest_column

_EMULATED = "emulator"


def prepared(policy: Policy, options: Any = None, transforms: bool = True) -> Policy:
    """Returns a policy that says all that workers need: its project, and its templates' content.

    Args:
      policy: Engine cloud.
      options: The pipeline's options, whose `--project` counts where the policy names none.
      transforms: Whether it must say what becomes of what is found.

    Raises:
      ConfigError: It has no project or transformation, or a template or key can't be read.
    """
    return replace(complete(policy, transforms), project=_project(policy, options))


def complete(policy: Policy, transforms: bool = True) -> Policy:
    """Returns a policy with its templates' content; see `prepared`.

    Raises:
      ConfigError: As from `prepared`, but for the project.
    """
    settings = bare_policy(policy, policy.project or _EMULATED)
    filled = with_templates(settings, policy.inspect_template, policy.deidentify_template)
    if transforms:
        _check_config(policy, filled.deidentify())
    return replace(
        policy,
        inspect_bytes=filled.inspect_bytes,
        deidentify_bytes=filled.deidentify_bytes,
        inspect_template=None,
        deidentify_template=None,
    )


def check_cloud_columns(policy: Policy, schema: pa.Schema) -> None:
    """Checks at launch that a policy fits the columns.

    Raises:
      ConfigError: It names a column that isn't there, or one can't be sent.
    """
    for name in policy.columns.named:
        if name not in schema.names:
            near = nearest_column(name, schema.names)
            raise ConfigError(f"--policy {policy.name}: there is no column {name!r}{near}")
    cloud_policy(policy, policy.project or _EMULATED, schema)


def cloud_texts(policy: Policy) -> tuple[str, ...]:
    """Returns the columns that files of text keep as texts, as with the local engine."""
    fields = sorted(text_columns(policy.deidentify_config))
    return (*policy.columns.free_text, *policy.columns.structured, *fields)


def _project(policy: Policy, options: Any) -> str:
    from apache_beam.options.pipeline_options import GoogleCloudOptions

    given = options.view_as(GoogleCloudOptions).project if options is not None else None
    found = policy.project or given or os.environ.get("GOOGLE_CLOUD_PROJECT")
    if not found and not emulator():
        raise ConfigError(
            f"--policy {policy.name}: engine: cloud needs the project that is billed: "
            "`project:` in the policy, --project, or GOOGLE_CLOUD_PROJECT"
        )
    return found or _EMULATED


def _check_config(policy: Policy, config: Any) -> None:
    if config.HasField("image_transformations"):
        raise ConfigError(f"--policy {policy.name}: image_transformations: rows hold no images")
