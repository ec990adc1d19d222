"""What a job with a policy does, whatever its work is: nothing that it stores is unredacted."""

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transforms.errors import ConfigError

if TYPE_CHECKING:
    import apache_beam as beam
    import pyarrow as pa

    from beam_jobs.running.run import Run
    from privacy.pipeline.noted import TakeNotes
    from privacy.policy.policy import Policy
    from transforms.coders import Batches
    from transforms.commit.dead_letters import DeadLetters
    from transforms.io.inputs import Input


@dataclass(frozen=True)
class Redaction:
    """A policy, and what follows from it at launch.

    Attributes:
      policy: With its templates' content.
      texts: The columns that files of text keep as texts.
      check: Raises a `ConfigError` where the policy doesn't fit columns.
    """

    policy: "Policy"
    texts: tuple[str, ...]
    check: "Callable[[Policy, pa.Schema], None]"

    @property
    def types(self) -> "dict[str, pa.DataType]":
        """The types of columns that files of text would make numbers of, and so lose digits."""
        import pyarrow as pa

        return {name: pa.string() for name in self.texts}

    def fitted(
        self, source: "Input", schema: "pa.Schema | None" = None, leave: Collection[str] = ()
    ) -> "Redaction":
        """Returns the redaction for an input.

        The ids of messages are left: they look like numbers of cards, and what was delivered twice
        is known by them.

        Args:
          source: The input.
          schema: The columns that are redacted, where they are not the input's.
          leave: Columns that pass as they are.

        Raises:
          ConfigError: A column isn't there, or there is one that can't be looked into.
        """
        schema = source.schema if schema is None else schema
        columns = self.policy.columns
        ids = [*source.family.kept[:1], *leave]
        left = tuple(name for name in ids if name in schema.names and name not in columns.named)
        columns = dataclasses.replace(columns, leave=(*columns.leave, *left))
        policy = dataclasses.replace(self.policy, columns=columns)
        self.check(policy, schema)
        return dataclasses.replace(self, policy=policy)


def redaction_of(uri: str | None) -> Redaction | None:
    """Reads and checks a policy; None where the option is not given."""
    return read_redaction(uri) if uri else None


def read_redaction(uri: str) -> Redaction:
    """Reads and checks a policy.

    Raises:
      ConfigError: It can't be read, or its engine can't do all that it asks for.
    """
    from privacy.policy.read import read_policy

    policy = read_policy(uri)
    if policy.engine == "cloud":
        from privacy.pipeline.launch import check_cloud_columns, cloud_texts, complete

        policy = complete(policy)
        return Redaction(policy, cloud_texts(policy), check_cloud_columns)
    from privacy.local.plan import compile_plan

    return Redaction(policy, compile_plan(policy).texts, _check_local)


def _check_local(policy: "Policy", schema: "pa.Schema") -> None:
    from privacy.local.columns.roles import check_columns
    from privacy.local.plan import compile_plan

    check_columns(compile_plan(policy), schema)


def text_types(redaction: Redaction | None) -> "Mapping[str, pa.DataType]":
    """Returns the types of columns that are read as texts for a policy's sake."""
    return redaction.types if redaction else {}


def close_door(redaction: Redaction | None, root: "beam.Pipeline", run: "Run") -> None:
    """Sets what redacts the dead letters of all steps to come."""
    if redaction is None or run.dead_letters is None:
        return
    policy = redaction.policy
    if policy.engine == "cloud":
        from privacy.pipeline.launch import prepared
        from privacy.pipeline.payloads import CloudPayloads

        run.dead_letters.redact = CloudPayloads(prepared(policy, root.options))
        return
    from privacy.local.payloads import redact_rejects

    run.dead_letters.redact = functools.partial(redact_rejects, policy=policy)


def redacted(
    rows: "Batches",
    redaction: Redaction | None,
    dead_letters: "DeadLetters | None",
    label: str = "Redact",
    notes: "TakeNotes | None" = None,
) -> "Batches":
    """Redacts rows before they are stored; without a policy they stay as they are."""
    if redaction is None:
        return rows
    from privacy.redact import Redact

    made: Batches = rows | label >> Redact(redaction.policy, dead_letters, notes)
    return made


def examples_of(redaction: Redaction | None, options: Any) -> "Any":
    """Returns what redacts the example rows of a report; None without a policy."""
    if redaction is None:
        return None
    from privacy.pipeline.examples import RedactedExamples

    return RedactedExamples.of(redaction.policy, options)


def check_reference(options: Any) -> None:
    """Checks that the statistics that redacted rows are compared with are of redacted rows too.

    Args:
      options: The job's, with `policy` and `reference`.

    Raises:
      ConfigError: They are not, or it can't be known.
    """
    if not options.policy or not options.reference:
        return
    from transforms.commit.ledger import MANIFEST
    from transforms.commit.manifest import read_manifest
    from transforms.gate.places import STATISTICS

    folder = options.reference.removesuffix(STATISTICS).rstrip("/")
    manifest = read_manifest(f"{folder}/{MANIFEST}") or {}
    if not manifest.get("options", {}).get("policy"):
        raise ConfigError(
            f"--reference {options.reference} was not made with --policy: its statistics hold "
            "values that would be shown in the report. Make it anew, by validate --policy"
        )
