"""What a validation found: a table of anomalies, and the exit code."""

from typing import TYPE_CHECKING, Any

from beam_jobs.failures import GATE_SAID_NO
from beam_jobs.logs import say

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import anomalies_pb2

_WIDEST = 100


def verdict(options: Any) -> int:
    """Shows the anomalies that a validation found.

    Args:
      options: The job's; `output` is the folder in which it wrote.

    Returns: 3 where one of them is an error, else 0.
    """
    from transforms.gate import read_anomalies

    anomalies = read_anomalies(options.output)
    if anomalies is None:
        return 0
    rows = anomaly_rows(anomalies)
    if not rows:
        return say("validate", "no anomalies")
    errors = sum(severity == "ERROR" for severity, _, _ in rows)
    code = GATE_SAID_NO if errors else 0
    noun = "anomaly" if len(rows) == 1 else "anomalies"
    told = f"{len(rows):,} {noun}, {errors:,} of them errors"
    return say("validate", f"{told}\n{_table(rows)}", code)


def anomaly_rows(anomalies: "anomalies_pb2.Anomalies") -> list[tuple[str, str, str]]:
    """Severity, feature and what is wrong with it, errors first."""
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    name = anomalies_pb2.AnomalyInfo.Severity.Name
    found = [
        (name(info.severity), feature, info.short_description)
        for feature, info in anomalies.anomaly_info.items()
    ]
    if anomalies.data_missing:
        found.append(("ERROR", "(all)", "there are no rows"))
    if anomalies.HasField("dataset_anomaly_info"):
        info = anomalies.dataset_anomaly_info
        found.append((name(info.severity), "(dataset)", info.short_description))
    return sorted(found, key=lambda row: (row[0] != "ERROR", row))


def _table(rows: list[tuple[str, str, str]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in (0, 1)]
    return "\n".join(
        f"  {severity:<{widths[0]}}  {feature:<{widths[1]}}  {why[:_WIDEST]}"
        for severity, feature, why in rows
    )
