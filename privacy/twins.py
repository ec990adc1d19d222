"""The verbs for one batch, without a pipeline: in a service, a notebook or a test.

A policy of engine cloud asks Cloud DLP. It then needs its project: in the policy, or
GOOGLE_CLOUD_PROJECT. Steps and calls of one policy share a client while any of them works.
"""

import pyarrow as pa

from privacy.local import inspect as local_inspect
from privacy.local import redact as local_redact
from privacy.local import reidentify as local_reidentify
from privacy.pipeline.engines import borrowed
from privacy.policy.policy import Policy
from privacy.policy.reverse import reversing
from transforms.rejects import Outcome


def redact_batch(batch: pa.RecordBatch, policy: Policy) -> Outcome:
    """Transforms the personal data that a policy finds in a batch; see `Redact`.

    Args:
      batch: n rows.
      policy: What is looked for, and what becomes of it.

    Returns: The redacted rows in order, and the rejects.

    Raises:
      ConfigError: The engine can't do what the policy asks for, or not on these columns.
    """
    if policy.engine == "cloud":
        return _through_the_cloud(batch, policy, "DeidentifyContent")
    return local_redact.redact_batch(batch, policy)


def reidentify_batch(batch: pa.RecordBatch, policy: Policy) -> Outcome:
    """Takes back what a policy did to a batch, as far as it can be taken back; see `Reidentify`.

    Args:
      batch: n rows, de-identified by the policy.
      policy: The one by which they were de-identified.

    Returns: The re-identified rows in order, and the rejects.

    Raises:
      ConfigError: Nothing can be taken back, or the engine can't do it on these columns.
    """
    if policy.engine == "cloud":
        return _through_the_cloud(batch, reversing(_ready(policy)), "ReidentifyContent")
    return local_reidentify.reidentify_batch(batch, policy)


def inspect_batch(batch: pa.RecordBatch, policy: Policy) -> pa.RecordBatch:
    """Finds the personal data in a batch; see `Inspect`.

    Args:
      batch: n rows.
      policy: What is looked for.

    Returns: The findings, of schema `FINDINGS`, ordered by column and row.

    Raises:
      ConfigError: The engine can't do what the policy asks for, or not on these columns.
      RejectedRows: A cell holds more than Cloud DLP takes or finds at once.
    """
    if policy.engine != "cloud":
        return local_inspect.inspect_batch(batch, policy)
    from privacy.cloud.policies import inspecting_policy
    from privacy.pipeline.bundles import findings_of

    settings = inspecting_policy(policy, _ready(policy, False).project or "", batch.schema)
    with borrowed(settings) as engine:
        (found,) = findings_of(engine, [batch])
    return found


def _through_the_cloud(batch: pa.RecordBatch, policy: Policy, method: str) -> Outcome:
    from privacy.cloud.policies import cloud_policy
    from privacy.cloud.redact import redact_batches

    ready = _ready(policy)
    with borrowed(cloud_policy(ready, ready.project or "", batch.schema)) as engine:
        (made,) = redact_batches(engine, [batch], method)
    return made.rows, made.rejects


def _ready(policy: Policy, transforms: bool = True) -> Policy:
    from privacy.pipeline.launch import prepared

    return prepared(policy, transforms=transforms)
