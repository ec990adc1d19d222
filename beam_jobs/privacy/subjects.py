"""The subject index of a redaction: whose rows are where in the output."""

import functools
from typing import TYPE_CHECKING

from transforms.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

    from beam_jobs.options.privacy import RedactionOptions
    from beam_jobs.running.run import Run
    from privacy.erasure.index import Subjects
    from transforms.coders import Batches


def subjects_of(options: "RedactionOptions", schema: "pa.Schema") -> "Subjects | None":
    """Returns how subjects are known; None where no index is asked for.

    Raises:
      ConfigError: An option is missing, or does nothing without another; or a column isn't there.
    """
    given = {
        name: getattr(options, name) for name in ("subject_index", "subject_columns", "subject_key")
    }
    if not any(given.values()):
        if options.row_key:
            raise ConfigError("--row_key is for --subject_index")
        return None
    if missing := [name for name, value in given.items() if not value]:
        raise ConfigError(f"a subject index needs --{missing[0]} too")
    if options.reidentify:
        raise ConfigError("--subject_index is written when rows are de-identified")
    from privacy.erasure.index import Subjects

    found = Subjects(options.subject_columns, str(options.subject_key), options.row_key)
    found.check(schema)
    return found


def carrying(rows: "Batches", subjects: "Subjects | None") -> "Batches":
    """Returns rows that carry the hashes of their subjects, while they are redacted."""
    if subjects is None:
        return rows
    import apache_beam as beam
    import pyarrow as pa

    from privacy.erasure.index import with_subjects

    carry = beam.Map(functools.partial(with_subjects, subjects=subjects))
    made: Batches = rows | "Subjects" >> carry.with_output_types(pa.RecordBatch)
    return made


def indexed(
    rows: "Batches", subjects: "Subjects | None", options: "RedactionOptions", run: "Run"
) -> "Batches":
    """Stores the index of redacted rows, and returns them without the hashes."""
    if subjects is None or options.subject_index is None:
        return rows
    import apache_beam as beam
    import pyarrow as pa

    from privacy.erasure.index import index_of, without_subjects

    target = run.whole.target(options.subject_index, evidence=True)
    target.check_folder()
    index = beam.Map(functools.partial(index_of, subjects=subjects))
    found = rows | "Index" >> index.with_output_types(pa.RecordBatch)
    run.whole.stage(found, target, "Index")
    bare = beam.Map(functools.partial(without_subjects, subjects=subjects))
    made: Batches = rows | "Bare" >> bare.with_output_types(pa.RecordBatch)
    return made
