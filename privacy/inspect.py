"""Finds personal data in rows by a policy: the verb."""

import functools
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from privacy.local.inspect import inspect_batch
from privacy.local.plan import compile_plan
from privacy.policy.policy import Policy
from privacy.policy.read import read_policy
from transforms.coders import Batches


@dataclass
class Inspect(beam.PTransform):
    """Finds the personal data in rows: where it is, what it is, and how likely.

    Args:
      policy: A policy, or the URI of its file; with engine cloud of texts and numbers, not of
        what is within lists and structs.

    Returns: Findings, of schema `FINDINGS`: for each batch of rows one batch of findings, which
      have no quotes unless the policy says `include_quote`.

    Raises:
      ConfigError: From `expand`: the policy can't be read, or the engine can't do what it asks for.
    """

    policy: str | Policy

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, batches: Batches) -> Batches:
        """Compiles the policy here, so that its mistakes stop the launcher; then applies it."""
        policy = read_policy(self.policy) if isinstance(self.policy, str) else self.policy
        inspect = _findings(policy, batches.pipeline.options)
        return batches | "Inspect" >> inspect.with_output_types(pa.RecordBatch)


def _findings(policy: Policy, options: Any) -> beam.ParDo:
    if policy.engine == "cloud":
        from privacy.pipeline.bundles import InspectFn
        from privacy.pipeline.launch import prepared

        return beam.ParDo(InspectFn(prepared(policy, options, transforms=False)))
    compile_plan(policy)
    return beam.Map(functools.partial(inspect_batch, policy=policy))
