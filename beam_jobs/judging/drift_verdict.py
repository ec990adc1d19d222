"""What drifted: a table, and the exit code."""

from typing import Any

from beam_jobs.running.failures import GATE_SAID_NO
from beam_jobs.running.logs import say
from beam_jobs.running.verdict import anomaly_table


def drift_verdict(options: Any) -> int:
    """Shows what moved.

    Args:
      options: The job's; `output` is the folder in which it wrote.

    Returns: 3 where a column drifted and `fail_on_drift` is set, else 0.
    """
    from transforms.commit.ledger import MANIFEST
    from transforms.commit.manifest import read_manifest

    folder = options.output.partition("?")[0].rstrip("/")
    manifest = read_manifest(f"{folder}/{MANIFEST}")
    found = None if manifest is None else manifest.get("counts", {}).get("findings")
    if found is None:
        return 0
    if not found:
        return say("drift", "nothing moved")
    drifted = sum(each["severity"] == "ERROR" for each in found)
    noun = "column" if drifted == 1 else "columns"
    code = GATE_SAID_NO if drifted and options.fail_on_drift else 0
    headline = f"{drifted:,} {noun} drifted; {folder}/report.html tells more"
    return say("drift", f"{headline}\n{anomaly_table(found, folder)}", code)
