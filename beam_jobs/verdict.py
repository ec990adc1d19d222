"""What a validation found: a table of anomalies, and the exit code."""

from typing import TYPE_CHECKING, Any

from beam_jobs.failures import GATE_SAID_NO
from beam_jobs.logs import say

if TYPE_CHECKING:
    from transforms.gate.findings import Found

_WIDEST = 100


def verdict(options: Any) -> int:
    """Shows the anomalies that a validation found.

    Args:
      options: The job's; `output` is the folder in which it wrote.

    Returns: 3 where one of them is an error, else 0.
    """
    from transforms.gate.findings import ERROR, findings
    from transforms.gate.places import read_anomalies

    anomalies = read_anomalies(options.output)
    if anomalies is None:
        return 0
    rows = [*_unread(options), *findings(anomalies)]
    if not rows:
        return say("validate", "no anomalies")
    errors = sum(row.severity == ERROR for row in rows)
    code = GATE_SAID_NO if errors else 0
    noun = "anomaly" if len(rows) == 1 else "anomalies"
    told = f"{len(rows):,} {noun}, {errors:,} of them errors"
    return say("validate", f"{told}\n{_table(rows)}", code)


def _unread(options: Any) -> "list[Found]":
    """Rows that could not be read, of which no statistics tell; an error unless some may be."""
    from transforms.gate.findings import ERROR, Found
    from transforms.ledger import MANIFEST
    from transforms.publish import read_manifest

    manifest = read_manifest(f"{options.output.rstrip('/')}/{MANIFEST}")
    dead = manifest["counts"]["rows_dead"] if manifest else 0
    if not dead or options.max_rejected_fraction is not None:
        return []
    return [Found(ERROR, "(rows)", f"{dead:,} could not be read: see the dead letters")]


def _table(rows: "list[Found]") -> str:
    width = max(len(row.severity) for row in rows)
    names = max(len(row.feature) for row in rows)
    return "\n".join(
        f"  {row.severity:<{width}}  {row.feature:<{names}}  {row.why[:_WIDEST]}" for row in rows
    )
