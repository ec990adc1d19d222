"""Erases subjects from files: python -m beam_jobs.erase --input out/ --subject_index index/ ..."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beam_jobs.launch import run
from beam_jobs.options.privacy import ErasureOptions
from beam_jobs.privacy.erasure import Erasure, resolve_erasure, store_certificate
from beam_jobs.running.run import Run

if TYPE_CHECKING:
    import apache_beam as beam


@dataclass(frozen=True, kw_only=True)
class Options(ErasureOptions):
    """Erases the rows of given subjects from files, or what in them could lead back to them.

    The rows are found by the subject index that redact wrote. Everything appears at once, or
    nothing does; OUTPUT.erasure/certificate.json tells what was done and what could not be.

    Examples:
      python -m beam_jobs.erase --input redacted/ --subject_index index/ --subjects leave.csv \
--subject_key env:INDEX_KEY --output redacted/ --overwrite --who ada@example.com --reason GDPR-17
      python -m beam_jobs.erase --input redacted/ --subject_index index/ --subjects leave.csv \
--subject_key env:INDEX_KEY --output kept/ --retokenise user_token --who ada --reason GDPR-17
    """


def resolve(options: Options) -> Erasure:
    """Looks at the files, the index and the subjects."""
    return resolve_erasure(options)


def build(root: "beam.Pipeline", resolved: Erasure, options: Options, run: Run) -> None:
    """Builds the whole pipeline."""
    from privacy.erasure.files import EraseFiles

    assert run.dead_letters is not None, "the job has an output"
    notes = store_certificate(resolved, options, run)
    target = run.whole.target(options.output)
    target.check_folder()
    _ = root | "Erase" >> EraseFiles(
        resolved.parts,
        resolved.index,
        resolved.subjects,
        target,
        run.dead_letters,
        options.row_key,
        options.retokenise,
        notes,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
