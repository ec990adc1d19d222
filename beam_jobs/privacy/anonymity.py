"""How well the rows of an output hide among each other: a measure, and a gate."""

from typing import TYPE_CHECKING

from transforms.errors import ConfigError

if TYPE_CHECKING:
    import apache_beam as beam
    import pyarrow as pa

    from beam_jobs.options.privacy import RedactionOptions
    from beam_jobs.running.run import Run
    from privacy.anonymity.classes import Measure
    from transforms.coders import Batches


def check_hiding(options: "RedactionOptions", schema: "pa.Schema") -> None:
    """Checks the options about quasi-identifiers.

    Raises:
      ConfigError: One does nothing without another, or a column isn't there.
    """
    from transforms.nearest import nearest_column

    for name, needs in (
        ("k", "quasi_identifiers"),
        ("sensitive", "quasi_identifiers"),
        ("l", "sensitive"),
    ):
        if getattr(options, name) and not getattr(options, needs):
            raise ConfigError(f"--{name} needs --{needs}")
    for name in (*options.quasi_identifiers, *options.sensitive):
        if name not in schema.names:
            near = nearest_column(name, schema.names)
            raise ConfigError(f"--quasi_identifiers and --sensitive: no column {name!r}{near}")


def measure(rows: "Batches", options: "RedactionOptions", run: "Run") -> None:
    """Measures the rows that are stored; if they hide worse than is asked, nothing is published."""
    if not options.quasi_identifiers:
        return
    from privacy.anonymity.measure import KAnonymity, LDiversity

    columns = options.quasi_identifiers
    found = rows | "KAnonymity" >> KAnonymity(columns, options.k or 1)
    _judge(found, run, "k-anonymity", ", ".join(columns), options.k)
    for name in options.sensitive:
        found = rows | f"LDiversity {name}" >> LDiversity(columns, name, options.l or 1)
        _judge(found, run, f"l-diversity of {name}", name, options.l)


def _judge(
    found: "beam.PCollection[Measure]", run: "Run", name: str, of: str, asked: int | None
) -> None:
    """Tells the run's ledger a measure, and what is wrong with it."""
    import apache_beam as beam

    from privacy.anonymity.verdict import verdict_of
    from transforms.commit.ledger import Entry

    entries = beam.Map(verdict_of, name, of, asked).with_output_types(Entry)
    run.whole.take(found | f"Judge {name}" >> entries)
