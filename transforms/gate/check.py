"""CheckData: all rows to a judgement of the data as a whole."""

from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from transforms.coders import Batches
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters
from transforms.commit.ledger import Entry, Finding, Target
from transforms.gate.faults import GatherFaults
from transforms.gate.judge import Judge, Judgement
from transforms.gate.merge import MergeStates
from transforms.gate.repeats import CountRepeats
from transforms.rules.check_columns import CheckColumns
from transforms.rules.files import Rules
from transforms.statistics.generate import CollectStatistics
from transforms.verb import Verb


@dataclass
class CheckData(Verb):
    """Judges rows as a whole: by their statistics, a schema, a reference and custom rules.

    Args:
      judge: By what.
      dead_letters: What they have taken so far are rows that could not be read, which is an error;
        None if it is none.

    Returns: One `Judgement`. The rows themselves are left as they are. Given a pair of collections,
      it checks the rows of the first one by themselves, and makes statistics of the second: the
      same rows, redacted.
    """

    judge: Judge
    dead_letters: DeadLetters | None = None

    # Beam takes hints for one collection only, and logs a warning at every other.
    def expand(self, batches: Any) -> "beam.PCollection[Judgement]":
        """Returns one judgement of all rows: `Batches`, or a pair of them."""
        rows, kept = batches if isinstance(batches, tuple) else (batches, batches)
        slices = kept | "Statistics" >> CollectStatistics(self.judge.options)
        judge, checks, sides = self.judge, self.judge.checks, _unread(self.dead_letters)
        if checks is not None:
            faults = rows | "Rows" >> GatherFaults(checks, judge.examples, judge.redact)
            sides["faults"] = beam.pvalue.AsSingleton(faults)
            sides |= _sides(rows, kept, checks.rules)
        judged = beam.Map(self.judge, **sides).with_output_types(Judgement)
        return slices | "Judge" >> judged


@dataclass
class JudgeStates(Verb):
    """Judges the statistics that earlier validations of parts of the data have kept.

    Args:
      places: Their states; see `merge.find_states`.
      judge: By what; it has no checks, for there are no rows.

    Returns: One `Judgement`.
    """

    places: tuple[str, ...]
    judge: Judge

    def expand(self, root: beam.Pipeline) -> "beam.PCollection[Judgement]":
        """Returns one judgement of the states together."""
        slices = root | MergeStates(self.places)
        return slices | "Judge" >> beam.Map(self.judge).with_output_types(Judgement)


def store(judged: "beam.PCollection[Judgement]", commit: Commit, target: Target) -> None:
    """Writes what a validation found when the run is committed; its manifest has it too.

    Args:
      judged: One judgement.
      commit: The run's.
      target: The folder for it; no single file, nor stdout.

    Raises:
      ConfigError: It is none.
    """
    target.check_folder()
    found = judged | "Files" >> beam.FlatMap(_files).with_output_types(tuple[str, bytes])
    commit.artifacts(found, target)
    rows = judged | "Findings" >> beam.Map(_findings).with_output_types(tuple[Finding, ...])
    commit.judged(rows)


def count_rows(judged: "beam.PCollection[Judgement]", commit: Commit, target: Target) -> None:
    """Counts the rows that were judged by their statistics, where none were read."""
    commit.take(judged | "Tally" >> beam.Map(_tally, target.root).with_output_types(Entry))


def _tally(judgement: Judgement, root: str) -> Entry:
    return Entry("published", "Judge", root, rows=judgement.rows)


def _files(judgement: Judgement) -> tuple[tuple[str, bytes], ...]:
    return judgement.files


def _findings(judgement: Judgement) -> tuple[Finding, ...]:
    return tuple(judgement.findings)


def _unread(dead_letters: DeadLetters | None) -> dict[str, Any]:
    if dead_letters is None:
        return {}
    return {"unread": beam.pvalue.AsSingleton(dead_letters.number("Read"))}


def _sides(rows: Batches, kept: Batches, rules: Rules) -> dict[str, Any]:
    """Returns what comes of rules about columns and keys, as side inputs.

    A verdict on a column shows a value, and so it is one on what is kept; keys are counted only.
    """
    sides: dict[str, Any] = {}
    if rules.column:
        sides["verdicts"] = beam.pvalue.AsList(kept | "Columns" >> CheckColumns(rules.column))
    counts = []
    for rule in rules.unique:
        repeats = rows | f"Repeats {rule.name}" >> CountRepeats(rule.columns)
        named = beam.Map(_named, name=rule.name).with_output_types(tuple[str, int])
        counts.append(repeats | f"Named {rule.name}" >> named)
    if counts:
        sides["repeats"] = beam.pvalue.AsDict(tuple(counts) | "Repeats" >> beam.Flatten())
    return sides


def _named(rows: int, name: str) -> tuple[str, int]:
    return name, rows
