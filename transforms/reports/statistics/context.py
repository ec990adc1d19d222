"""What all parts of a report of statistics know besides their own feature."""

from collections.abc import Mapping
from dataclasses import dataclass

from transforms.metadata.paths import Path
from transforms.metadata.protos import anomalies_pb2
from transforms.reports.markup import LETTERS, Markup, breakable, element
from transforms.reports.redaction import Values

_Info = anomalies_pb2.AnomalyInfo


@dataclass(frozen=True)
class Context:
    """The same for all of a report.

    Attributes:
      values: Shows values.
      has_baseline: Whether there is one to show beside the current data.
      anchors: Where a feature's row is, by path.
      is_brief: Whether there are so many features that each has only a few lines.
    """

    values: Values
    has_baseline: bool
    anchors: Mapping[Path, str]
    is_brief: bool


def severity(info: anomalies_pb2.AnomalyInfo) -> tuple[str, str]:
    """Returns the name of a severity, and its class."""
    if info.severity == _Info.ERROR:
        return "Error", "bad"
    return ("Warning", "warn") if info.severity == _Info.WARNING else ("Note", "")


def link(context: Context, path: Path, name: str, letters: int = LETTERS) -> Markup:
    """Returns a feature's name, with a link to its row if it has one."""
    label, anchor = breakable(name, letters), context.anchors.get(path)
    return element("a", label, href=f"#{anchor}") if anchor else label
