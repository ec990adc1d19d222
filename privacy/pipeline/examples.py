"""A few example rows, as a report may show them."""

from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from privacy.local.redact import redact_batch
from privacy.pipeline.engines import borrowed
from privacy.policy.policy import Policy


@dataclass(frozen=True)
class RedactedExamples:
    """Redacts example rows; one that can't be redacted, or is suppressed, is no example.

    Args:
      policy: Of engine local; or of engine cloud, and prepared: see `launch.prepared`.
    """

    policy: Policy

    @classmethod
    def of(cls, policy: Policy, options: Any) -> "RedactedExamples":
        """Returns what redacts by a policy in a pipeline with these options.

        Raises:
          ConfigError: The policy is of engine cloud, and no project is known.
        """
        if policy.engine != "cloud":
            return cls(policy)
        from privacy.pipeline.launch import prepared

        return cls(prepared(policy, options))

    def __call__(self, rows: pa.RecordBatch, leave: str) -> pa.RecordBatch:
        """Returns the rows that may be shown, redacted.

        Args:
          rows: n rows.
          leave: The column that tells where they came from.
        """
        columns = self.policy.columns
        policy = replace(self.policy, columns=replace(columns, leave=(*columns.leave, leave)))
        if policy.engine != "cloud":
            return redact_batch(rows, policy)[0]
        from privacy.cloud.policies import cloud_policy
        from privacy.cloud.redact import redact_batches

        with borrowed(cloud_policy(policy, policy.project or "", rows.schema)) as engine:
            return redact_batches(engine, [rows])[0].rows
