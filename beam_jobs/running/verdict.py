"""What a validation found: a table of anomalies, and the exit code."""

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from beam_jobs.running.failures import GATE_SAID_NO
from beam_jobs.running.logs import say

_WIDEST, _NARROWEST, _LONGEST = 160, 40, 600
"""Letters of a line without a terminal; the fewest of a text's line; and the most of a text."""


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
    headline = f"{len(found):,} {noun}, {errors:,} of them errors; {folder}/{REPORT} tells more"
    table = anomaly_table(found, folder)
    return say("validate", f"{headline}\n{table}", GATE_SAID_NO if errors else 0)


def anomaly_table(found: Sequence[Mapping[str, str]], folder: str) -> str:
    """Draws what a validation found, with the values and figures that its report has.

    Args:
      found: As in the manifest, without values.
      folder: Where the validation wrote its files; without them the findings are shown as in the
        manifest.
    """
    full = _in_full(folder)
    rows = [
        (
            each["severity"],
            _cut(each["feature"], 60),
            full.get((each["severity"], each["feature"]), each["why"]),
        )
        for each in found
    ]
    widths = [max(len(row[place]) for row in rows) for place in (0, 1)]
    left = sum(widths) + 6
    room = max(_NARROWEST, shutil.get_terminal_size((_WIDEST, 24)).columns - left)
    return "\n".join(
        f"  {severity:<{widths[0]}}  {feature:<{widths[1]}}  " + f"\n{' ' * left}".join(lines)
        for severity, feature, why in rows
        for lines in [textwrap.wrap(_cut(why, _LONGEST), room)]
    )


def _in_full(folder: str) -> dict[tuple[str, str], str]:
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    from transforms.files import filesystem
    from transforms.gate.findings import findings
    from transforms.gate.places import ANOMALIES

    place = f"{folder}/{ANOMALIES}"
    if not filesystem.exists(place):
        return {}
    anomalies = anomalies_pb2.Anomalies.FromString(filesystem.read_bytes(place))
    return {(each.severity, each.feature): each.why for each in findings(anomalies, True)}


def _cut(text: str, most: int) -> str:
    """Returns a text as one line, for names of columns may hold anything."""
    text = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return text if len(text) <= most else f"{text[: most - 3]}..."
