"""What is stored of a redaction besides its rows: the report, and the record of an audit."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from privacy.local.notes import CELLS, FAILED, UNLIKELY, UNTOUCHED, Noted, Notes
from privacy.policy.policy import Policy
from transforms.commit.commit import Commit
from transforms.commit.ledger import Target
from transforms.merging import MergedFn
from transforms.reports.redacted import Facts, Found, redaction_report

REPORT, AUDIT = "report.html", "audit.json"
_LEFT = {
    UNLIKELY: "left: not likely enough",
    UNTOUCHED: "left: no transformation",
    FAILED: "left: can't be transformed",
}


@dataclass(frozen=True)
class StoreReport:
    """Stores notes as files of a run: a report, and for a re-identification its audit record.

    Args:
      policy: What was done.
      target: The folder for the files.
      commit: The run.
      title: The report's heading.
      about: Facts about the run, each with its name.
      audit: Who re-identifies, why and when; None where nobody does.
    """

    policy: Policy
    target: Target
    commit: Commit
    title: str
    about: tuple[tuple[str, str], ...] = ()
    audit: Mapping[str, Any] | None = None

    def __call__(self, notes: "beam.PCollection[Notes]") -> None:
        """Stores what becomes of the notes of all batches."""
        # Every file gives a batch, if only an empty one.
        whole = notes | "AllNotes" >> beam.CombineGlobally(MergedFn(Notes)).without_defaults()
        files = functools.partial(
            files_of, policy=self.policy, title=self.title, about=self.about, audit=self.audit
        )
        made = whole | "Report" >> beam.FlatMap(files).with_output_types(tuple[str, bytes])
        self.commit.artifacts(made, self.target)


def files_of(
    notes: Notes,
    policy: Policy,
    title: str,
    about: tuple[tuple[str, str], ...],
    audit: Mapping[str, Any] | None,
) -> list[tuple[str, bytes]]:
    """Returns the names and contents of what tells of a redaction."""
    done = _actions(policy)
    found = [_found(noted, number, done, audit) for noted, number in notes.counts.items()]
    facts = Facts(
        title,
        about,
        notes.rows,
        notes.rejected,
        notes.suppressed,
        _passed(policy),
        notes.untransformed,
    )
    files = [(REPORT, redaction_report(found, notes.forms, facts).encode())]
    if audit is not None:
        record = {**audit, **_counts(notes)}
        files.append((AUDIT, f"{json.dumps(record, indent=2)}\n".encode()))
    return files


def _found(noted: Noted, number: int, done: Mapping[tuple[str, str], str], audit: Any) -> Found:
    column, kind, likelihood, fate = noted
    if fate in _LEFT:
        return Found(column, kind, likelihood, number, _LEFT[fate], left=True)
    if audit is not None:
        return Found(column, kind, likelihood, number, "re-identified")
    key = (column, "") if fate == CELLS else ("", kind)
    action = done.get(key) or done.get(("", "")) or "transformed"
    return Found(column, kind, likelihood, number, action)


def _passed(policy: Policy) -> tuple[str, ...]:
    """Returns the columns of the input that a policy passes."""
    return tuple(name for name in policy.columns.leave if not name.startswith("millrace_"))


def _actions(policy: Policy) -> dict[tuple[str, str], str]:
    """Returns what a policy does, by column for whole cells and by infoType else."""
    config, done = policy.deidentify_config, dict[tuple[str, str], str]()
    groups = [config.info_type_transformations]
    for field in config.record_transformations.field_transformations:
        groups.append(field.info_type_transformations)
        name = _name(field.primitive_transformation)
        done |= {(each.name, ""): name for each in field.fields if name}
    for group in groups:
        for each in group.transformations:
            name = _name(each.primitive_transformation)
            kinds = [kind.name for kind in each.info_types] or [""]
            done |= {("", kind): name for kind in kinds}
    return done


def _name(primitive: Any) -> str:
    kind = primitive.WhichOneof("transformation") or ""
    return str(kind).removesuffix("_config").replace("_", " ")


def _counts(notes: Notes) -> dict[str, Any]:
    """Returns the counts of an audit record: of rows, and of values by column."""
    values: dict[str, int] = {}
    for noted, number in notes.counts.items():
        if noted.fate not in _LEFT:
            values[noted.column] = values.get(noted.column, 0) + number
    return {
        "rows": notes.rows,
        "rows_rejected": notes.rejected,
        "values_by_column": dict(sorted(values.items())),
    }
