"""What a measure of anonymity means for a run: figures for its manifest, and a fault."""

from privacy.anonymity.classes import Measure
from transforms.commit.ledger import Entry, Finding


def verdict_of(found: Measure, name: str, of: str, asked: int | None) -> Entry:
    """Returns the line of a run's ledger about a measure.

    Args:
      found: The measure.
      name: What it is called.
      of: The columns that it is about.
      asked: What it must be at least; None where nothing is asked for.
    """
    figures = ((name, found.least or 0), (f"{name}, classes", found.classes))
    faults: tuple[Finding, ...] = ()
    if asked is not None and found.least is not None and found.least < asked:
        why = (
            f"{name} is {found.least}, and {asked} is asked for: {found.rows_below:,} of "
            f"{found.rows:,} rows are in {found.classes_below:,} classes that have less"
        )
        faults = (Finding("ERROR", of, why),)
    return Entry("verdict", "Anonymity", findings=faults, measures=figures)
