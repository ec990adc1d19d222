"""JudgeWindows, StoreOutcome: files of a run, which appear when it is committed."""

from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.commit.commit import Commit
from transforms.commit.ledger import Finding, Target
from transforms.drift.baseline import FILE, Baseline
from transforms.drift.incidents.events import no_events
from transforms.drift.incidents.series import Confirmation
from transforms.drift.judging.policy import Policy
from transforms.drift.outcome import Outcome, outcome_of
from transforms.drift.profile import Profile
from transforms.drift.quality.judge import QUALITY
from transforms.errors import ConfigError
from transforms.verb import Verb


def check_folder(target: Target, what: str) -> None:
    """Looks whether an output can hold several files.

    Raises:
      ConfigError: It is one file, or stdout.
    """
    if not target.folder:
        raise ConfigError(
            f"{target.uri!r} is no folder, and {what} is written to one: name a folder, with a "
            "slash at its end"
        )


@dataclass
class JudgeWindows(Verb):
    """Gathers all windows of a run that ends, and judges them together.

    Args:
      baseline: That in whose cells they were counted.
      policy: When a difference counts.
      period: Seconds from one window's start to the next: those between the first and the last
        that are not there had no rows. None where rows have no times.
      title: The report's heading.
      format: Of the files of verdicts and incidents: "parquet" or "jsonl", say.
      rule: When an incident begins and ends.

    Apply it to profiles, or to a pair of profiles and the quality of their windows, batches of
    schema `quality.judge.QUALITY`.

    Returns: One `Outcome`.
    """

    baseline: Baseline
    policy: Policy = field(default_factory=Policy)
    period: float | None = None
    title: str = "Drift"
    format: str = "parquet"
    rule: Confirmation = field(default_factory=Confirmation)

    def expand(self, found: Any) -> "beam.PCollection[Outcome]":
        """Returns the outcome of all windows together."""
        profiles, quality = found if isinstance(found, tuple) else (found, None)
        every = profiles | "AllWindows" >> beam.WindowInto(beam.window.GlobalWindows())
        start = profiles.pipeline | "One" >> beam.Impulse()
        period_us = None if self.period is None else round(self.period * 10**6)
        judge = beam.Map(
            _judged,
            beam.pvalue.AsList(every),
            self.baseline,
            self.policy,
            period_us,
            self.title,
            self.format,
            self.rule,
            None if quality is None else beam.pvalue.AsList(_all_windows(quality)),
        )
        return start | "Judge" >> judge.with_output_types(Outcome)


def _judged(
    _: bytes,
    profiles: list[Profile],
    baseline: Baseline,
    policy: Policy,
    period_us: int | None,
    title: str,
    format: str,
    rule: Confirmation,
    quality: list[pa.RecordBatch] | None,
) -> Outcome:
    windows = [(each.window, each.counts) for each in profiles]
    table = None if quality is None else pa.Table.from_batches(quality, QUALITY)
    return outcome_of(baseline, windows, policy, period_us, title, format, rule, table)


def _all_windows(quality: Batches) -> Batches:
    every: Batches = quality | "AllQuality" >> beam.WindowInto(beam.window.GlobalWindows())
    return every


@dataclass
class StoreOutcome(Verb):
    """Writes verdicts, incidents and report when the run is committed.

    Args:
      commit: The run's.
      target: The folder for them.
      judged: Whether the run's manifest tells what moved, and its gate may go by it.

    Returns: The events of incidents, as batches of schema `events.EVENTS`; at least one.

    Raises:
      ConfigError: When used, if the target is one file.
    """

    commit: Commit
    target: Target
    judged: bool = True

    def expand(self, outcome: "beam.PCollection[Outcome]") -> Batches:
        """Stores the outcome, and returns its events."""
        check_folder(self.target, "what is found")
        files = outcome | "Files" >> beam.FlatMap(_files).with_output_types(tuple[str, bytes])
        self.commit.artifacts(files, self.target)
        if self.judged:
            findings = beam.Map(_findings).with_output_types(tuple[Finding, ...])
            self.commit.judged(outcome | "Findings" >> findings)
        events = beam.FlatMap(_events).with_output_types(pa.RecordBatch)
        told: Batches = outcome | "Events" >> events
        return told


def store_baseline(made: "beam.PCollection[Baseline]", commit: Commit, target: Target) -> None:
    """Writes a baseline when the run is committed."""
    check_folder(target, "a baseline")
    file = made | "File" >> beam.Map(_file).with_output_types(tuple[str, bytes])
    commit.artifacts(file, target)


def _files(outcome: Outcome) -> tuple[tuple[str, bytes], ...]:
    return outcome.files


def _events(outcome: Outcome) -> list[pa.RecordBatch]:
    # Without events one batch without rows, so that an output has their columns.
    return outcome.events.combine_chunks().to_batches() or [no_events()]


def _findings(outcome: Outcome) -> tuple[Finding, ...]:
    return tuple(Finding(*each) for each in outcome.findings)


def _file(baseline: Baseline) -> tuple[str, bytes]:
    return FILE, baseline.to_bytes()
