"""Re-identifies a batch: tokens become what they stand for, and nothing else changes."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa

from privacy.local.columns.records import Records
from privacy.local.columns.roles import check_columns
from privacy.local.noted import note_cells
from privacy.local.notes import Notes, noting
from privacy.local.plan import Kind, Plan, compile_plan
from privacy.local.redact import redact_column
from privacy.policy.policy import Policy
from privacy.policy.reverse import reversing
from privacy.transformations.transformation import Reversible, Transformation
from transforms.errors import ConfigError
from transforms.reasons import Reason
from transforms.rejects import Outcome, split_by_faults

_MESSAGE = "a token is not one of this policy's keys"


@functools.lru_cache(8)
def compile_reverse(policy: Policy) -> Plan:
    """Compiles what takes a policy back, for the local engine.

    Raises:
      ConfigError: Nothing can be taken back, or the engine can't do it.
    """
    return taken_back(compile_plan(reversing(policy)))


def taken_back(plan: Plan) -> Plan:
    """Returns the plan that takes back what another one does to the tokens that it names.

    Raises:
      ConfigError: A transformation can't be taken back.
    """
    fields = {
        name: tuple(
            replace(step, transformation=_reversed(step.transformation, name, plan.name))
            for step in reversed(steps)
        )
        for name, steps in plan.fields.items()
    }
    parts = {
        name: (replace(part, kinds=tuple(_taken_back(part.kinds, plan.name))), condition)
        for name, (part, condition) in plan.parts.items()
    }
    kinds = tuple(_taken_back(plan.kinds, plan.name))
    return replace(plan, kinds=kinds, fields=fields, parts=parts)


def _taken_back(kinds: Iterable[Kind], name: str) -> Iterator[Kind]:
    """Yields the kinds of tokens with what takes them back."""
    for kind in kinds:
        made = kind.transformation
        yield replace(kind, transformation=made and _reversed(made, kind.name, name))


def _reversed(made: Transformation | None, what: str, name: str) -> Transformation:
    if isinstance(made, Reversible):
        return made.reversed()
    raise ConfigError(f"--policy {name}: {what}: the local engine can't take this back")


def reidentify_batch(batch: pa.RecordBatch, policy: Policy) -> Outcome:
    """Takes back what a policy did to a batch.

    A row with a token that can't be read (of another key, or changed) is a reject; its payload is
    the row as it came, with all its tokens.

    Args:
      batch: n rows, de-identified by the policy.
      policy: The one by which they were de-identified; engine local.

    Returns: The re-identified rows in order, and the rejects.

    Raises:
      ConfigError: Nothing can be taken back, or the engine can't do it on these columns.
    """
    return reidentify_noted(batch, policy)[0]


def reidentify_noted(batch: pa.RecordBatch, policy: Policy) -> tuple[Outcome, Notes]:
    """Returns what `reidentify_batch` returns, and notes of what was taken back."""
    plan = compile_reverse(policy)
    check_columns(plan, batch.schema)
    records = Records(batch)
    with noting() as book:
        made = [
            redact_column(column, name, plan, records)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
    note_cells(book, batch, list(plan.fields))
    faults = [
        replace(fault, reason=Reason.NOT_REIDENTIFIED, message=_MESSAGE)
        for _, found in made
        for fault in found
    ]
    fields = [
        field.with_type(array.type) for field, (array, _) in zip(batch.schema, made, strict=True)
    ]
    schema = pa.schema(fields, batch.schema.metadata)
    good = pa.RecordBatch.from_arrays([array for array, _ in made], schema=schema)
    outcome = split_by_faults(batch, faults, version=policy.name, good=good)
    return outcome, book.notes(batch.num_rows, outcome[1].num_rows)
