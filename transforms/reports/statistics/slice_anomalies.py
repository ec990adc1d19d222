"""The anomalies of slices."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from transforms.metadata.paths import Path, path_text
from transforms.metadata.protos import anomalies_pb2
from transforms.reports.figures import counted
from transforms.reports.markup import Markup, element, joined, shown
from transforms.reports.page import badge, more, note, table
from transforms.reports.statistics.context import Context, link, severity
from transforms.reports.statistics.findings import reasons
from transforms.schema.slices import NO_CONTROL

_Info: TypeAlias = anomalies_pb2.AnomalyInfo
SLICES, SLICES_BRIEF = 30, 5
"""How many slices are described in sentences; where there are many features."""
FEATURES, NAMES = 12, 8
"""Of how many features of a slice; how many slices or features one line names."""
_ROWS = "number of rows"
_NO_CONTROL = _Info.Type.Value(NO_CONTROL)


def anomalies_by_slice(
    slices: Mapping[str, anomalies_pb2.Anomalies], order: Sequence[str], context: Context
) -> Markup | None:
    """Returns a line for each slice with an anomaly.

    Args:
      slices: As `validate_slices` gives them.
      order: The names of slices.
      context: Of the report.
    """
    listed = [(name, _infos(slices[name])) for name in order if name in slices]
    found = sorted((each for each in listed if each[1]), key=lambda each: -each[1][0].severity)
    lone = [name for name in order if name in slices and _is_lone(slices[name])]
    if not found and not lone:
        return None
    part = SLICES_BRIEF if context.is_brief else SLICES
    bodies = (_body(*each, at < part, context) for at, each in enumerate(found))
    heads = ("Slice", "Anomalies of")
    return element(
        "div",
        element("h3", "Anomalies by slice"),
        note("What all rows do not show, and drift from the same slice of other data."),
        table("Anomalies by slice", heads, bodies, "slices faults cards") if found else None,
        _lone(lone, context),
        class_="part",
    )


def _infos(anomalies: anomalies_pb2.Anomalies) -> list[_Info]:
    """Returns a slice's anomalies, the worst first, without the one that it is alone."""
    of_rows = _Info()
    of_rows.CopyFrom(anomalies.dataset_anomaly_info)
    del of_rows.reason[:]
    part = [each for each in anomalies.dataset_anomaly_info.reason if each.type != _NO_CONTROL]
    of_rows.reason.extend(part)
    found = [*anomalies.anomaly_info.values(), *([of_rows] if part else [])]
    return sorted(found, key=lambda info: (-info.severity, tuple(info.path.step)))


def _is_lone(anomalies: anomalies_pb2.Anomalies) -> bool:
    return any(each.type == _NO_CONTROL for each in anomalies.dataset_anomaly_info.reason)


def _body(name: str, infos: list[_Info], is_detailed: bool, context: Context) -> Markup:
    paths = [tuple(info.path.step) for info in infos]
    brief = ", ".join(shown(path_text(path) or _ROWS, 40) for path in paths[:NAMES])
    brief += f" and {len(paths) - NAMES:,} more" if len(paths) > NAMES else ""
    left = len(infos) - FEATURES
    part = (
        element("div", element("h4", _feature(path, context)), _reasons(path, info, context))
        for path, info in list(zip(paths, infos, strict=True))[:FEATURES]
    )
    rest = note(f"And {counted(left, 'feature')} more.") if left > 0 else None
    row = element(
        "tr",
        element("th", slice_name(name, context), " ", badge(*severity(infos[0])), scope="row"),
        element("td", more(brief, *part, rest) if is_detailed else brief),
    )
    return element("tbody", row)


def _feature(path: Path, context: Context) -> Markup:
    return link(context, path, path_text(path)) if path else joined(_ROWS)


def _reasons(path: Path, info: _Info, context: Context) -> Markup:
    return reasons(info, path_text(path), context.values)


def _listed(parts: list[Markup]) -> Iterator[object]:
    for at, part in enumerate(parts):
        yield ", " if at else None
        yield part


def slice_name(name: str, context: Context) -> Markup:
    """Returns the name of a slice: it may hold a value, and be as long as an expression."""
    part = context.values.text("", name, 120)
    whole = context.values.text("", name, len(name))
    return element("span", part, class_="name", title=None if part == whole else whole)


def names(some: Sequence[str], context: Context) -> Markup:
    """Returns several slices in one line."""
    part = _listed([slice_name(name, context) for name in some[:NAMES]])
    others = f" and {len(some) - NAMES:,} more" if len(some) > NAMES else None
    return joined(*part, others)


def _lone(lone: list[str], context: Context) -> Markup | None:
    if not lone:
        return None
    part = names(lone, context)
    return note("Not compared, for the other data has no slice of the name: ", part, ".")
