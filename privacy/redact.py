"""Redacts rows by a policy: the verb."""

import functools
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from privacy.local.noted import redact_noted
from privacy.local.notes import Notes
from privacy.local.plan import compile_plan
from privacy.local.redact import redact_batch
from privacy.pipeline.noted import TakeNotes, split_noted
from privacy.policy.policy import Policy
from privacy.policy.read import read_policy
from transforms import progress
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.commit.ledger import Entry
from transforms.verb import Verb


@dataclass
class Redact(Verb):
    """Transforms the personal data that a policy finds in rows.

    A row in which something can't be transformed does not go on: it leaves as a dead letter, in
    which all else is redacted, and the column at fault is withheld. If the policy says
    `leave_untransformed`, the row goes on with that value as it is, and the value is counted. Rows
    stay in order, and columns in which nothing is found are not copied.

    Args:
      policy: A policy, or the URI of its file. With engine cloud the rows of a bundle share
        requests to Cloud DLP; see docs/cloud_dlp.md.
      dead_letters: Takes the rows that can't be transformed; None lets the first one fail the
        pipeline.
      notes: Is given the notes of what was found, for a report; None lets them go.

    Returns: The redacted rows.

    Raises:
      ConfigError: From `expand`: the policy can't be read, or the engine can't do what it asks for.
    """

    policy: str | Policy
    dead_letters: DeadLetters | None = None
    notes: TakeNotes | None = None

    def expand(self, batches: Batches) -> Batches:
        """Compiles the policy here, so that its mistakes stop the launcher; then applies it."""
        policy = read_policy(self.policy) if isinstance(self.policy, str) else self.policy
        take = _with_tally(self.notes, self.dead_letters, policy)
        outcomes = batches | "Redact" >> _outcomes(policy, batches.pipeline.options, take)
        if take is not None:
            return split_noted(outcomes, self.dead_letters, "Redact", take)
        outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        return split_rejects(outcomes, self.dead_letters, "Redact")


def _with_tally(
    take: TakeNotes | None, dead_letters: DeadLetters | None, policy: Policy
) -> TakeNotes | None:
    """Returns what takes notes, and tells the run's ledger what the policy leaves out, or as is."""
    suppresses = bool(policy.deidentify_config.record_transformations.record_suppressions)
    if dead_letters is None or not (suppresses or policy.lenient):
        return take

    def both(notes: "beam.PCollection[Notes]") -> None:
        if suppresses:
            tally = beam.Map(_suppressed).with_output_types(Entry)
            dead_letters.tally(notes | "Suppressed" >> tally)
        if policy.lenient:
            tally = beam.Map(_untransformed).with_output_types(Entry)
            dead_letters.tally(notes | "Untransformed" >> tally)
        if take is not None:
            take(notes)

    return both


def _suppressed(notes: Notes) -> Entry:
    progress.add("suppressed", rows=notes.suppressed)
    return Entry("suppressed", "Redact", rows=notes.suppressed)


def _untransformed(notes: Notes) -> Entry:
    progress.add("untransformed", rows=notes.failed)
    return Entry("untransformed", "Redact", rows=notes.failed)


def _outcomes(policy: Policy, options: Any, notes: TakeNotes | None) -> beam.PTransform:
    if policy.engine == "cloud":
        from privacy.pipeline.bundles import RedactFn
        from privacy.pipeline.launch import prepared

        return beam.ParDo(RedactFn(prepared(policy, options), noted=notes is not None))
    compile_plan(policy)
    redact = redact_batch if notes is None else redact_noted
    return beam.Map(functools.partial(redact, policy=policy))
