"""Redacts personal data: python -m beam_jobs.redact --input in/ --policy p.yaml --output out/."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from beam_jobs.launch import run
from beam_jobs.options.privacy import RedactionOptions
from beam_jobs.privacy.anonymity import check_hiding, measure
from beam_jobs.privacy.price import price_of
from beam_jobs.privacy.redaction import Redaction, close_door, read_redaction, redacted
from beam_jobs.privacy.report import check_asked, report_of, store_findings
from beam_jobs.privacy.subjects import carrying, indexed, subjects_of
from beam_jobs.running.run import Run
from beam_jobs.streaming.streams import read

if TYPE_CHECKING:
    import apache_beam as beam

    from privacy.erasure.index import Subjects
    from transforms.io.inputs import Input


@dataclass(frozen=True, kw_only=True)
class Options(RedactionOptions):
    """Redacts or pseudonymises the personal data in rows, by a policy in Cloud DLP's words.

    Nothing is stored unredacted: rows that can't be transformed are dead letters without the values
    at fault, and the payloads of all dead letters are redacted too.

    Examples:
      python -m beam_jobs.redact --input trips.csv --policy policy.yaml --output redacted/
      python -m beam_jobs.redact --input 'notes/*.jsonl' --policy p.json --output stdout: --limit 5
      python -m beam_jobs.redact --input trips.csv --policy p.yaml --output out/ --findings found/
      python -m beam_jobs.redact --input in/ --policy p.yaml --output out/ \
--quasi_identifiers zip,birth_year --k 5 --sensitive diagnosis --l 2
      python -m beam_jobs.redact --input redacted/ --policy p.yaml --output clear/ --reidentify \
--reason TICKET-7 --who ada@example.com
      python -m beam_jobs.redact --input pubsub://projects/p/subscriptions/notes \
--schema notes.json --policy policy.yaml --output gs://bucket/notes/
    """


Resolved: TypeAlias = "tuple[Input, Redaction, Subjects | None]"


def resolve(options: Options) -> Resolved:
    """Looks at the input and the policy, and checks that they fit each other."""
    from transforms.io.inputs import resolve_input

    check_asked(options)
    redaction = read_redaction(options.policy)
    source = resolve_input(
        options.input, options.schema, redaction.types, options.limit, **options.streaming
    )
    check_hiding(options, source.schema)
    subjects = subjects_of(options, source.schema)
    return source, _fitted(redaction, source, subjects), subjects


def _fitted(redaction: Redaction, source: "Input", subjects: "Subjects | None") -> Redaction:
    """Returns the redaction for the input, whose rows may carry hashes of their subjects."""
    if subjects is None:
        return redaction.fitted(source)
    import pyarrow as pa

    carried = [pa.field(name, pa.binary()) for name in subjects.carried]
    return redaction.fitted(source, pa.schema([*source.schema, *carried]), subjects.carried)


def build(root: "beam.Pipeline", resolved: Resolved, options: Options, run: Run) -> None:
    """Builds the whole pipeline."""
    from privacy.reidentify import Reidentify
    from transforms.io.write import Write

    source, redaction, subjects = resolved
    dead_letters, notes = run.dead_letters, report_of(redaction.policy, options, run)
    close_door(redaction, root, run)
    rows = carrying(read(root, source, options, run), subjects)
    store_findings(rows, redaction.policy, options, run)
    if options.reidentify:
        rows = rows | Reidentify(redaction.policy, dead_letters, notes)
    else:
        rows = redacted(rows, redaction, dead_letters, notes=notes)
    rows = indexed(rows, subjects, options, run)
    measure(rows, options, run)
    _ = rows | Write(options.output, run.commit, options.shards, dead_letters=dead_letters)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv, estimate=price_of)


if __name__ == "__main__":
    sys.exit(main())
