"""Anomalies as a list, errors first: what a table shows, and what a gate goes by."""

from typing import TYPE_CHECKING

from transforms.commit.ledger import Finding
from transforms.reports.redaction import MOST, Values

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import anomalies_pb2

ERROR = "ERROR"


def findings(anomalies: "anomalies_pb2.Anomalies", with_values: bool = False) -> list[Finding]:
    """Returns the anomalies in words, errors first, then by name.

    Args:
      anomalies: The anomalies of a validation.
      with_values: Whether to include the values at fault, as the report does. Only for people
        who may read the report; logs and manifests have no values.
    """
    items = anomalies.anomaly_info.items()
    found = [_found(feature, info, with_values) for feature, info in items]
    if anomalies.data_missing:
        found.append(Finding(ERROR, "(all)", "there are no rows"))
    if anomalies.HasField("dataset_anomaly_info"):
        found.append(_found("(dataset)", anomalies.dataset_anomaly_info, with_values))
    return sorted(found, key=lambda each: (each.severity != ERROR, each.feature, each.why))


def _found(feature: str, info: "anomalies_pb2.AnomalyInfo", with_values: bool) -> Finding:
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    text_of = _in_full if with_values else _first_words
    reasons = [text_of(reason) for reason in info.reason] or [info.short_description]
    severity = anomalies_pb2.AnomalyInfo.Severity.Name(info.severity)
    return Finding(severity, feature, "; ".join(reasons))


def _first_words(reason: "anomalies_pb2.AnomalyInfo.Reason") -> str:
    """Returns the anomaly in a few words, and more if that shows no value."""
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    kind = anomalies_pb2.AnomalyInfo.Type.Name(reason.type)
    short = str(reason.short_description).rstrip(".")
    text = str(reason.description).partition(MOST)[0].rstrip(" ;.")
    if kind == "CUSTOM_VALIDATION" or Values(_hide).sentence("", kind, text) != text:
        return short
    return f"{short}: {text}" if text else short


def _in_full(reason: "anomalies_pb2.AnomalyInfo.Reason") -> str:
    short, text = (
        str(each).strip().rstrip(".") for each in (reason.short_description, reason.description)
    )
    return short if not text or text == short else f"{short}: {text}"


def _hide(column: str, value: str) -> str:
    return ""
