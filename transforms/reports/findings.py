"""Anomalies in plain words, the worst first, with rows that show them."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from transforms.reports.context import Context, link, severity
from transforms.reports.figures import counted
from transforms.reports.markup import Markup, element, joined
from transforms.reports.page import Section, badge, more, table
from transforms.reports.redaction import Values
from transforms.schema.protos import anomalies_pb2

_Info = anomalies_pb2.AnomalyInfo
ROWS, COLUMNS = 5, 12
"""How much of the example rows is shown."""
PLACE = "(row)"
"""The column of example rows that says where each is from: first, and no value of the row."""


def anomalies_section(
    anomalies: anomalies_pb2.Anomalies, examples: Mapping[str, pa.RecordBatch], context: Context
) -> Section:
    """What is wrong with the data, by feature.

    Args:
      anomalies: As `validate_statistics` gives them.
      examples: Rows at fault, by the same text of a path as the anomalies have.
      context: Of the report.
    """
    found = [
        _finding(info, tuple(info.path.step), key, examples.get(key), context)
        for key, info in sorted(anomalies.anomaly_info.items(), key=_worst_first)
    ]
    if anomalies.HasField("dataset_anomaly_info"):
        whole = _finding(anomalies.dataset_anomaly_info, (), "The data set", None, context)
        found.insert(0, whole)
    body = joined(*found)
    if anomalies.data_missing:
        text = "There are no rows to validate."
        body = element("p", text, class_="banner bad")
    elif not found:
        text = "The data is as the schema says."
        body = element("p", text, class_="banner good")
    return Section("anomalies", "Anomalies", body, len(found))


def reasons(info: anomalies_pb2.AnomalyInfo, name: str, values: Values) -> Markup:
    """Each reason with what it is called and what it says."""
    items = (element("li", *parts) for parts in _told(info, name, values))
    return element("ul", *items, class_="reasons")


def _worst_first(item: tuple[str, anomalies_pb2.AnomalyInfo]) -> tuple[int, str]:
    return -item[1].severity, item[0]


def _finding(
    info: anomalies_pb2.AnomalyInfo,
    path: tuple[str, ...],
    name: str,
    rows: pa.RecordBatch | None,
    context: Context,
) -> Markup:
    word, class_ = severity(info)
    return element(
        "article",
        element(
            "header",
            element("h3", link(context, path, name)),
            badge(word, class_),
        ),
        reasons(info, name, context.values),
        None if rows is None else _examples(name, path, rows, context.values),
        class_=f"finding {class_}".rstrip(),
    )


def _told(
    info: anomalies_pb2.AnomalyInfo, name: str, values: Values
) -> Iterator[tuple[object, ...]]:
    for reason in info.reason:
        kind = _Info.Type.Name(reason.type)
        text = values.sentence(name, kind, reason.description)
        yield (
            element("strong", reason.short_description.rstrip(".") + "."),
            " ",
            text,
            " ",
            element("code", kind),
        )
    if not info.reason:
        # Of what other tools wrote without reasons nothing is known but that it may hold values.
        text = info.description or info.short_description
        yield (values.text(name, text, len(text)),)


def _examples(name: str, path: tuple[str, ...], rows: pa.RecordBatch, values: Values) -> Markup:
    # Where a row is from comes first, and then the column at fault.
    first = (PLACE, *path[:1])
    names = sorted(rows.schema.names, key=lambda each: (*first, each).index(each))
    names = names[:COLUMNS]
    bodies = (
        element("tr", *(_cell(each, row[each], each in path[:1], values) for each in names))
        for row in rows.slice(0, ROWS).select(names).to_pylist()
    )
    return more(
        counted(min(rows.num_rows, ROWS), "example row"),
        element(
            "div",
            table(f"Rows with an anomaly of {name}", names, [element("tbody", *bodies)], "rows"),
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label=f"Rows with an anomaly of {name}",
        ),
    )


def _cell(column: str, value: object, is_at_fault: bool, values: Values) -> Markup:
    if column == PLACE and isinstance(value, str):
        return element("td", value.rpartition("/")[2], title=value)
    text = element("span", "missing", class_="soft") if value is None else None
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    return element(
        "td",
        text or values.text(column, str(value), 40),
        class_="mark" if is_at_fault else None,
    )
