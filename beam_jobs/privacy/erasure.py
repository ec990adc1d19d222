"""What the erase job knows at launch, and its certificate."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transforms.errors import ConfigError

if TYPE_CHECKING:
    import apache_beam as beam

    from beam_jobs.options.privacy import ErasureOptions
    from beam_jobs.running.run import Run
    from privacy.erasure.files import Part
    from transforms.io.file_source import Source


@dataclass(frozen=True)
class Erasure:
    """What is known before the pipeline is made.

    Attributes:
      parts: The files.
      index: The subject index.
      subjects: The hashes of those who are to be erased; nothing else is kept of them.
    """

    parts: "list[Part]"
    index: "Source"
    subjects: frozenset[bytes]


def resolve_erasure(options: "ErasureOptions") -> Erasure:
    """Looks at the files, the index and the subjects.

    Raises:
      ConfigError: One can't be read, or they don't fit each other.
    """
    from privacy.erasure.erase import check_retokenised
    from privacy.erasure.files import parts_of
    from privacy.erasure.index import INDEX
    from transforms.io.file_source import Source

    parts = parts_of(options.input, options.output, options.schema, options.limit)
    index = Source.resolve(options.subject_index)
    if index.schema.names[:2] != INDEX.names:
        raise ConfigError(f"--subject_index {options.subject_index}: is no subject index")
    for part in parts:
        check_retokenised(part.source.file_schema, options.retokenise)
    return Erasure(parts, index, _subjects(options))


def _subjects(options: "ErasureOptions") -> frozenset[bytes]:
    """Returns the hashes of all identifiers of a file."""
    import pyarrow as pa

    from privacy.erasure.index import subject_hashes
    from transforms.io.file_read import read_batches
    from transforms.io.file_source import Source

    # As texts: a number of a customer may begin with zeros.
    texts = {name: pa.string() for name in Source.resolve(options.subjects).schema.names}
    found = Source.resolve(options.subjects, types=texts)
    hashes: set[bytes] = set()
    for rows, rejects in read_batches(found):
        if rejects.num_rows:
            raise ConfigError(f"--subjects {options.subjects}: some of its rows can't be read")
        for name, column in zip(rows.schema.names, rows.columns, strict=True):
            made = subject_hashes(column, name, options.subject_key)
            hashes.update(made.drop_null().to_pylist())
    if not hashes:
        raise ConfigError(f"--subjects {options.subjects}: names nobody")
    return frozenset(hashes)


def store_certificate(
    erasure: Erasure, options: "ErasureOptions", run: "Run"
) -> "Callable[[beam.PCollection[Any], beam.PCollection[Any], beam.PCollection[Any]], None]":
    """Returns what makes a certificate of what came of the rows, and tells the ledger."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    facts = {
        "who": options.who,
        "why": options.reason,
        "when": now,
        "run_id": run.run_id,
        "input": options.input,
        "output": options.output,
        "subject_index": options.subject_index,
        "retokenised": list(options.retokenise),
        "not_covered": "dead letters, findings, backups and copies elsewhere",
    }
    place = run.evidence("erasure")
    assert place is not None, "the job has an output"
    target = run.whole.target(place, evidence=True)

    def store(
        erased: "beam.PCollection[Any]",
        wanted: "beam.PCollection[Any]",
        files: "beam.PCollection[Any]",
    ) -> None:
        import apache_beam as beam

        from privacy.erasure.certificate import certificate_file
        from privacy.erasure.erase import all_erased, removed
        from transforms.commit.ledger import Entry

        gone = beam.Map(removed).with_output_types(Entry)
        run.whole.take(erased | "Removed" >> gone)
        whole, asked = beam.pvalue.AsSingleton(wanted), len(erasure.subjects)
        each = beam.pvalue.AsIter(files)
        seal = beam.Map(certificate_file, whole, each, asked, facts, options.subject_key)
        made = seal.with_output_types(tuple[str, bytes])
        run.whole.artifacts(all_erased(erased) | "Certificate" >> made, target)

    return store
