"""What a validation found: a table of anomalies, and the exit code."""

from collections.abc import Mapping, Sequence
from typing import Any

from beam_jobs.running.failures import GATE_SAID_NO
from beam_jobs.running.logs import say

_WIDEST = 160


def verdict(options: Any) -> int:
    """Shows the anomalies that a validation found.

    Args:
      options: The job's; `output` is the folder in which it wrote.

    Returns: 3 where one of them is an error, else 0.
    """
    from transforms.commit.ledger import MANIFEST
    from transforms.commit.manifest import read_manifest
    from transforms.files import filesystem
    from transforms.gate.places import ANOMALIES, REPORT

    folder = options.output.rstrip("/")
    manifest = read_manifest(f"{folder}/{MANIFEST}")
    if manifest is None or not filesystem.exists(f"{folder}/{ANOMALIES}"):
        return 0
    found = manifest["counts"]["findings"]
    if not found:
        return say("validate", "no anomalies")
    errors = sum(each["severity"] == "ERROR" for each in found)
    noun = "anomaly" if len(found) == 1 else "anomalies"
    told = f"{len(found):,} {noun}, {errors:,} of them errors; {folder}/{REPORT} tells more"
    return say("validate", f"{told}\n{_table(found)}", GATE_SAID_NO if errors else 0)


def _table(found: Sequence[Mapping[str, str]]) -> str:
    rows = [(each["severity"], _cut(each["feature"], 60), _cut(each["why"])) for each in found]
    widths = [max(len(row[place]) for row in rows) for place in (0, 1)]
    return "\n".join(
        f"  {severity:<{widths[0]}}  {feature:<{widths[1]}}  {why}"
        for severity, feature, why in rows
    )


def _cut(text: str, most: int = _WIDEST) -> str:
    """One line of a terminal: names of columns may hold anything."""
    text = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return text if len(text) <= most else f"{text[: most - 3]}..."
