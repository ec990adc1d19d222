"""Anomalies in plain words, the worst first, with rows that show them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from transforms.arrow.scalars import python_values
from transforms.metadata.protos import anomalies_pb2
from transforms.reports.figures import counted
from transforms.reports.markup import Markup, breakable, element, joined
from transforms.reports.markup import shown as visible
from transforms.reports.page import Section, badge, more, note, table
from transforms.reports.redaction import Values
from transforms.reports.statistics.context import Context, link, severity
from transforms.reports.statistics.example import Example

_Info = anomalies_pb2.AnomalyInfo
WHOLE = "The data set"
"""What an anomaly is called that is of no feature."""
ROWS, COLUMNS, NAMED = 5, 12, 50
"""How much of the example rows is shown, and how many of the other columns are named."""
PLACE = "(row)"
"""The column of example rows that says where each is from: first, and no value of the row."""
UNREAD = "(rows)"
"""The key of an anomaly of rows as such, such as those that could not be read."""
_NAME = 1_000
"""So much of a heading is shown: it may be a rule, which is long."""


def anomalies_section(
    anomalies: anomalies_pb2.Anomalies,
    examples: Mapping[str, pa.RecordBatch | Example],
    examples_note: str | None,
    context: Context,
) -> Section:
    """Returns the anomalies of the data, by feature.

    Args:
      anomalies: As `validate_statistics` gives them.
      examples: Rows at fault, by the same text of a path as the anomalies have.
      examples_note: How their values are shown that are not at fault; None if as they are.
      context: Of the report.
    """
    is_masked = examples_note is not None
    found, has_rows = [], False
    if anomalies.data_missing:
        found.append(_no_rows())
    if anomalies.HasField("dataset_anomaly_info"):
        found.append(_finding(anomalies.dataset_anomaly_info, WHOLE, None, context))
    for key, info in sorted(anomalies.anomaly_info.items(), key=_worst_first):
        path = tuple(info.path.step)
        rows = _examples(key, path, examples[key], is_masked, context) if key in examples else None
        has_rows = has_rows or rows is not None
        name = "Rows" if key == UNREAD and not path else key
        found.append(_finding(info, name, rows, context))
    if not found:
        body = element("p", "The data is as the schema says.", class_="banner good")
    else:
        body = joined(note(examples_note) if is_masked and has_rows else None, *found)
    return Section("anomalies", "Anomalies", body, len(found))


def severities(anomalies: anomalies_pb2.Anomalies) -> Counter[int]:
    """Returns how many anomalies have each severity; data without rows is an error."""
    infos = list(anomalies.anomaly_info.values())
    if anomalies.HasField("dataset_anomaly_info"):
        infos.append(anomalies.dataset_anomaly_info)
    found = Counter(int(info.severity) for info in infos)
    found[_Info.ERROR] += anomalies.data_missing
    return found


def reasons(info: anomalies_pb2.AnomalyInfo, name: str, values: Values) -> Markup:
    """Returns each reason with its name and text."""
    items = (element("li", *parts) for parts in _reasons(info, name, values))
    return element("ul", *items, class_="reasons")


def _worst_first(item: tuple[str, anomalies_pb2.AnomalyInfo]) -> tuple[int, str]:
    return -item[1].severity, item[0]


def _no_rows() -> Markup:
    body = element("p", element("strong", "There are no rows to validate."))
    return _article(WHOLE, badge("Error", "bad"), "bad", body)


def _finding(
    info: anomalies_pb2.AnomalyInfo, name: str, rows: Markup | None, context: Context
) -> Markup:
    word, class_ = severity(info)
    heading = link(context, tuple(info.path.step), name, _NAME)
    body = reasons(info, name, context.values)
    return _article(heading, badge(word, class_), class_, body, rows)


def _article(heading: str, badge: Markup, class_: str, *body: Markup | None) -> Markup:
    header = element("header", element("h3", heading), badge)
    return element("article", header, *body, class_=f"finding {class_}".rstrip())


def _reasons(
    info: anomalies_pb2.AnomalyInfo, name: str, values: Values
) -> Iterator[tuple[object, ...]]:
    for reason in info.reason:
        kind = _Info.Type.Name(reason.type)
        text = values.sentence(name, kind, reason.description)
        yield (
            element("strong", reason.short_description.rstrip(".") + "."),
            " ",
            text,
            *((" ", element("code", kind)) if reason.type else ()),
        )
    if not info.reason:
        # Of what other tools wrote without reasons nothing is known but that it may hold values.
        text = info.description or info.short_description
        yield (values.text(name, text, len(text)),)


def _examples(
    name: str,
    path: tuple[str, ...],
    given: pa.RecordBatch | Example,
    is_masked: bool,
    context: Context,
) -> Markup:
    example = given if isinstance(given, Example) else Example(given)
    rows, at_fault = example.rows, example.at_fault or path[:1]
    # Where a row is from comes first, and then the columns at fault.
    first = (PLACE, *at_fault)
    names = rows.schema.names
    # By their places, for a column of the data may be called as the first one is.
    shown = sorted(range(len(names)), key=lambda at: (*first, names[at]).index(names[at]))[:COLUMNS]
    # Where nothing is known to be at fault, nothing is known to be masked.
    other = "soft" if is_masked and at_fault else None
    heads, columns = [], []
    for at in shown:
        is_place = names[at] == PLACE and at == names.index(PLACE)
        look = None if is_place else "mark" if names[at] in at_fault else other
        heads.append(element("th", breakable(names[at]), scope="col", class_=look))
        values = python_values(rows.column(at).slice(0, ROWS))
        columns.append(
            [
                _place(value) if is_place else _cell(names[at], value, look, context.values)
                for value in values
            ]
        )
    bodies = (element("tr", *cells) for cells in zip(*columns, strict=True))
    label = f"Rows with an anomaly of {name}"
    return more(
        counted(min(rows.num_rows, ROWS), "example row"),
        element(
            "div",
            table(label, heads, [element("tbody", *bodies)], "rows"),
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label=label,
        ),
        _left_out(names, shown),
    )


def _left_out(names: Sequence[str], shown: Sequence[int]) -> Markup | None:
    """Returns the names of the columns that are not shown."""
    rest = [name for at, name in enumerate(names) if at not in shown]
    if not rest:
        return None
    named = ", ".join(visible(name, 40) for name in rest[:NAMED])
    others = f" and {counted(len(rest) - NAMED, 'other')}" if len(rest) > NAMED else ""
    return note(f"Not shown: {counted(len(rest), 'column')}, {named}{others}.")


def _place(value: object) -> Markup:
    return element("td", str(value).rpartition("/")[2], title=str(value))


def _cell(column: str, value: object, class_: str | None, values: Values) -> Markup:
    text = element("span", "missing", class_="soft") if value is None else None
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    return element("td", text or values.text(column, str(value), 40), class_=class_)
