"""Re-identifies rows that a policy pseudonymised: the verb."""

import functools
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from privacy.local.reidentify import compile_reverse, reidentify_noted
from privacy.pipeline.noted import TakeNotes, split_noted
from privacy.policy.policy import Policy
from privacy.policy.read import read_policy
from privacy.policy.reverse import reversing
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters
from transforms.verb import Verb


@dataclass
class Reidentify(Verb):
    """Takes back what `Redact` did by the same policy, as far as it can be taken back.

    Tokens of FF1 and AES-SIV become what they stand for: in texts those with a surrogate, and
    whole cells. What was masked, replaced or hashed stays. Rows stay in order.

    Args:
      policy: The policy by which the rows were de-identified, or the URI of its file.
      dead_letters: Takes the rows with a token that can't be read; None lets the first one fail
        the pipeline.
      notes: Is given the notes of what was taken back, for an audit; None lets them go.

    Returns: The re-identified rows.

    Raises:
      ConfigError: From `expand`: the policy can't be read, or nothing of it can be taken back.
    """

    policy: str | Policy
    dead_letters: DeadLetters | None = None
    notes: TakeNotes | None = None

    def expand(self, batches: Batches) -> Batches:
        """Compiles the policy here, so that its mistakes stop the launcher; then applies it."""
        policy = read_policy(self.policy) if isinstance(self.policy, str) else self.policy
        noted = batches | "Reidentify" >> _outcomes(policy, batches.pipeline.options)
        return split_noted(noted, self.dead_letters, "Reidentify", self.notes)


def _outcomes(policy: Policy, options: Any) -> beam.PTransform:
    if policy.engine == "cloud":
        from privacy.pipeline.bundles import ReidentifyFn
        from privacy.pipeline.launch import prepared

        return beam.ParDo(ReidentifyFn(reversing(prepared(policy, options))))
    compile_reverse(policy)
    return beam.Map(functools.partial(reidentify_noted, policy=policy))
