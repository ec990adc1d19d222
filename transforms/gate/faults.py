"""Rows at fault: how many violate what, and a few of them to look at."""

import functools
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import row_sources, take_rows
from transforms.coders import Batches
from transforms.faults import Fault
from transforms.merging import MergeFn
from transforms.metadata.paths import Path, path_text
from transforms.reports.masking import masked
from transforms.reports.statistics.findings import PLACE
from transforms.row_checks.checks import Checks
from transforms.verb import Verb

T = TypeVar("T")
SHOWN = 5
"""So many rows at fault are shown of a feature or rule."""
SHOWS = ("masked", "full", "none")
"""How examples are shown: what is not at fault by its form, all as it is, or not at all."""

Redact: TypeAlias = Callable[[pa.RecordBatch, str], pa.RecordBatch]
"""Redacts example rows, all but one column, and returns those that may be shown."""


@dataclass(frozen=True)
class FaultyRows:
    """The rows that violate what a schema says of a feature, or a rule.

    Attributes:
      rows: How many.
      examples: The first of them, as `report.html` shows them.
      at_fault: The columns of examples whose values are shown where the others are masked.
    """

    rows: int = 0
    examples: tuple[pa.RecordBatch, ...] = ()
    at_fault: tuple[str, ...] = ()

    @property
    def shown(self) -> int:
        """How many examples there are."""
        return sum(batch.num_rows for batch in self.examples)

    def merge(self, other: "FaultyRows") -> "FaultyRows":
        """Returns the rows of both, which differ."""
        more, room = list(self.examples), SHOWN - self.shown
        for batch in other.examples:
            more += [batch.slice(0, room)] if room > 0 else []
            room -= batch.num_rows
        return FaultyRows(self.rows + other.rows, tuple(more), self.at_fault or other.at_fault)

    def shown_as(self, redact: Redact, shows: str) -> "FaultyRows":
        """Returns them with examples that were redacted, and then masked where that is asked."""
        made = [redact(rows, PLACE) for rows in self.examples]
        if shows == "masked":
            made = [masked(rows, (PLACE, *self.at_fault)) for rows in made]
        return replace(self, examples=tuple(rows for rows in made if rows.num_rows))


@dataclass(frozen=True)
class Faults:
    """What rows violate.

    Attributes:
      rows: How many rows there are, good and bad.
      features: By the path of a feature, as anomalies name it.
      rules: By the name of a rule.
    """

    rows: int = 0
    features: dict[str, FaultyRows] = field(default_factory=dict)
    rules: dict[str, FaultyRows] = field(default_factory=dict)

    def merge(self, other: "Faults") -> "Faults":
        """Returns the violations of the rows of both."""
        return Faults(
            self.rows + other.rows,
            _merged(self.features, other.features),
            _merged(self.rules, other.rules),
        )

    def shown_as(self, redact: Redact, shows: str) -> "Faults":
        """Returns the violations with examples that were redacted; see `FaultyRows.shown_as`."""
        features, rules = (
            {name: fault.shown_as(redact, shows) for name, fault in faults.items()}
            for faults in (self.features, self.rules)
        )
        return replace(self, features=features, rules=rules)


def _merged(left: dict[str, FaultyRows], right: dict[str, FaultyRows]) -> dict[str, FaultyRows]:
    return {
        **left,
        **{name: left.get(name, FaultyRows()).merge(fault) for name, fault in right.items()},
    }


def faults_of(batch: pa.RecordBatch, checks: Checks, shows: str = "masked") -> Faults:
    """Returns the violations of the rows of a batch.

    Args:
      batch: n rows.
      checks: What they are checked for; a row may be at fault for several things.
      shows: How examples are shown, one of `SHOWS`.
    """
    found = checks.faults(batch, warnings=True)
    features = [each for each in found if each.rule is None]
    rules = [each for each in found if each.rule is not None]
    columns = {rule.name: getattr(rule, "columns", ()) for rule in checks.rules.row}
    made_of_rules = {
        name: _faulty_rows(batch, mask, columns[name], shows)
        for name, mask in _by(rules, lambda fault: str(fault.rule)).items()
    }
    made_of_features = {
        path_text(path): _faulty_rows(batch, mask, path[:1], shows, len(path) > 1)
        for path, mask in _by(
            features, lambda fault: _path(str(fault.column), batch.schema.names)
        ).items()
    }
    return Faults(batch.num_rows, made_of_features, made_of_rules)


def _path(name: str, columns: Collection[str]) -> Path:
    """Returns the path of a feature, whose name in checks joins a struct and its fields by dots."""
    column = name
    while column not in columns and "." in column:
        column = column.rpartition(".")[0]
    if column not in columns:
        return (name,)
    return (column, *(step for step in name[len(column) :].split(".") if step))


def _by(faults: Iterable[Fault], name_of: Callable[[Fault], T]) -> dict[T, np.ndarray]:
    """Returns the rows at fault by name, each once if it has several violations of one name."""
    masks: dict[T, np.ndarray] = {}
    for fault in faults:
        name = name_of(fault)
        masks[name] = masks[name] | fault.mask if name in masks else fault.mask
    return masks


def _faulty_rows(
    batch: pa.RecordBatch,
    mask: np.ndarray,
    columns: Collection[str],
    shows: str,
    is_within: bool = False,
) -> FaultyRows:
    places = np.flatnonzero(mask)
    # Of a column that isn't there at all, no row is an example.
    concerned = not columns or not set(columns).isdisjoint(batch.schema.names)
    if shows == "none" or not concerned:
        return FaultyRows(len(places))
    rows = take_rows(batch, places[:SHOWN])
    # Of a struct only a field is at fault, and the others are nobody's business.
    at_fault = () if is_within else tuple(columns)
    rows = rows if shows == "full" else masked(rows, at_fault)
    names = sorted(rows.schema.names, key=lambda name: name not in columns)
    arrays = [row_sources(batch, places[:SHOWN]), *(rows[name] for name in names)]
    examples = pa.RecordBatch.from_arrays(arrays, names=[PLACE, *names])
    return FaultyRows(len(places), (examples,), at_fault)


@dataclass
class GatherFaults(Verb):
    """Counts the rows that violate a schema or rules, and keeps a few of them.

    Args:
      checks: What rows are checked for.
      shows: How examples are shown, one of `SHOWS`.
      redact: Redacts the examples before they are shown.

    Returns: The `Faults` of all rows.
    """

    checks: Checks
    shows: str = "masked"
    redact: Redact | None = None

    def expand(self, batches: Batches) -> "beam.PCollection[Faults]":
        """Returns what the rows violate, as one value."""
        # What is redacted must not be masked before: a masked number of a card is none.
        shows = "full" if self.redact and self.shows == "masked" else self.shows
        found = functools.partial(faults_of, checks=self.checks, shows=shows)
        faults = batches | "Faults" >> beam.CombineGlobally(MergeFn(Faults, found))
        if self.redact is None:
            return faults
        redacted = beam.Map(Faults.shown_as, self.redact, self.shows).with_output_types(Faults)
        return faults | "Redact" >> redacted
