"""Validates rows against a schema and custom rules: the verb, and its twin for one batch."""

import functools
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.errors import ConfigError
from transforms.keys.unique import Unique
from transforms.rejects import Outcome, split_by_faults
from transforms.row_checks.checks import Checks
from transforms.rules.files import Rules
from transforms.verb import Verb


def validate_batch(batch: pa.RecordBatch, checks: Checks) -> Outcome:
    """Parts the rows of a batch that keep to a schema and rules from those that don't.

    What is missing altogether, and what is of a wrong type, is a fault of each row, as if it came
    alone: `Checks.check_columns` finds it at start. Columns that the schema doesn't know pass.

    Args:
      batch: n rows.
      checks: What is checked; see `Checks.of`.

    Returns: The rows that violate nothing, in order; and a reject for each other row, whose reason
      and column are those of the first violation, in the order of the schema and then of the rules,
      and whose message tells all of them.
    """
    return split_by_faults(batch, checks.faults(batch), version=checks.version)


@dataclass
class Validate(Verb):
    """Checks every row against a tensorflow-metadata Schema and custom rules.

    It checks presence (`min_fraction: 1`), type, number of values, domain and range, and each
    rule. A row with several violations becomes one dead letter, which lists all of them. A rule
    that is unknown, since a value is missing, is not violated. Constraints on the whole dataset,
    such as `min_count`, `unique_constraints` or a domain with `min_domain_mass` below 1, are
    checked on its statistics. `CheckColumns` judges rules about columns: read the file by
    `read_rules` and pass each verb its rules, since rules that nobody would judge are refused.
    Rules about keys are checked last, for valid rows; they need all rows of a window together,
    and so a shuffle: see `Unique`.

    A column that a batch lacks counts as one without values. Columns that the schema lacks pass.
    `Checks.of(...).check_columns(schema)` raises an error at launch if no row can pass.

    Args:
      schema: A tensorflow-metadata `Schema`, or the URI of a `.pbtxt`; None for rules alone.
      rules: The URI of a YAML file of rules, or rules.
      environment: The schema's environment; features not expected in it may be missing.
      code: The URI of the Python file with the functions that rules name.
      unique_shards: In how many parts keys are compared, if there is a rule about keys.
      dead_letters: Takes the rows with violations; if None, the first one fails the pipeline.

    Returns: The rows without violations; in order, unless there is a rule about keys.

    Raises:
      ConfigError: From `expand`: a file isn't there, the schema contradicts itself, a rule is
        wrong, or is about a column.
    """

    schema: Any
    rules: str | Rules | None = None
    environment: str | None = None
    code: str | None = None
    unique_shards: int = 32
    dead_letters: DeadLetters | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.code and not self.rules:
            raise ConfigError("Validate: code defines functions that no rules= name")

    def expand(self, batches: Batches) -> Batches:
        """Returns the rows that violate nothing."""
        checks = Checks.of(self.schema, self.rules, self.environment, self.code)
        if isinstance(self.rules, str):
            _check_judged(self.rules, checks.rules.judging)
        check = functools.partial(validate_batch, checks=checks)
        outcomes = batches | "Check" >> beam.Map(check)
        outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        rows = split_rejects(outcomes, self.dead_letters, "Validate")
        for rule in checks.rules.rejecting.unique:
            unique = Unique(rule.columns, self.unique_shards, self.dead_letters)
            rows = rows | f"Unique {rule.name}" >> unique
        return rows


def _check_judged(uri: str, left: Rules) -> None:
    """Refuses a file with rules that nobody would judge."""
    if left.column:
        raise ConfigError(
            f"{uri}: rule {left.column[0].name!r} is about a whole column, which Validate doesn't "
            "judge: read the file with read_rules(uri, Checks.of(schema).kinds), pass the rules to "
            "Validate and their .column to CheckColumns"
        )
    if left.names:
        raise ConfigError(
            f"{uri}: rule {left.names[0]!r} only warns, and Validate rejects rows: read the file "
            "with read_rules(uri, Checks.of(schema).kinds), and pass the rules to Validate and to "
            "the Judge of CheckData"
        )
