"""Drift report: which columns moved in which windows, and how, as a page."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.reports.charts import histogram, strip
from transforms.reports.drift.incidents import incidents, opened
from transforms.reports.drift.quality import predictions
from transforms.reports.figures import counted, number, share
from transforms.reports.markup import Markup, element, joined, shown
from transforms.reports.page import Section, badge, more, note, page, table, tiles

Row = Mapping[str, Any]
"""A verdict, by the names of `verdicts.VERDICTS`."""

MOST = 60
"""So many findings are shown with their histograms, the largest first."""
STRIP = 400
"""So many windows a timeline shows; of more, several are one, the worst of them shown."""
_SIGNS = ("OK", "NOT_ENOUGH_DATA", "NO_DATA", "NEW_COLUMN", "SUSPECT", "MISSING_COLUMN", "DRIFT")
"""The statuses, the worse the later."""
_CLASSES = {
    "OK": "good",
    "SUSPECT": "warn",
    "DRIFT": "bad",
    "MISSING_COLUMN": "bad",
    "NEW_COLUMN": "new",
}
FOUND = ("SUSPECT", "DRIFT", "MISSING_COLUMN")


@dataclass(frozen=True)
class Moved:
    """The histograms of a finding.

    Attributes:
      cells: The names of its cells.
      window: Shares of the window's rows.
      baseline: Of the baseline's.
    """

    cells: Sequence[str]
    window: NDArray[np.float64]
    baseline: NDArray[np.float64]


@dataclass(frozen=True)
class Facts:
    """What is said of the whole.

    Attributes:
      title: The heading.
      baseline: The hash of the baseline.
      baseline_rows: How many rows it has.
      calibrated: Of how many of its windows it knows how far they differ.
      rows: How many rows were compared, each once for each window that it is in.
      windows: How many windows there are.
    """

    title: str
    baseline: str
    baseline_rows: int
    calibrated: int
    rows: int
    windows: int


def findings(rows: Sequence[Row]) -> list[Row]:
    """Returns the worst verdict of each column and slice that needs a look, the worst first."""
    worst: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = row["slice"], row["column"]
        if row["status"] in FOUND and (key not in worst or _weight(row) > _weight(worst[key])):
            worst[key] = row
    return sorted(worst.values(), key=_weight, reverse=True)


def drift_report(
    rows: Sequence[Row],
    moved: Mapping[tuple[str, str], Moved],
    facts: Facts,
    events: Sequence[Row] = (),
    quality: Sequence[Row] = (),
) -> str:
    """Returns a self-contained page.

    Args:
      rows: All verdicts, by window.
      moved: The histograms of findings, by slice and column.
      facts: What is said of the whole.
      events: The events of incidents, by window.
      quality: How good predictions were, by window, by the names of `quality.judge.QUALITY`.

    Returns: The document. It loads nothing and reads the same without scripts; of text, UTF-8.
    """
    found = findings(rows)
    errors = {row["quality_id"] for row in quality}
    sections = [
        Section("timeline", "Windows by column", _timeline(rows)),
        Section("incidents", "Incidents", incidents(events, window_text, errors), opened(events)),
        Section("moved", "What moved", _moved(found, rows, moved), len(found)),
    ]
    if quality:
        sections.insert(2, Section("quality", "Predictions", predictions(quality, window_text)))
    return page(facts.title, joined(_tiles(found, facts), _legend()), sections)


def _weight(row: Row) -> tuple[int, float, int]:
    """Returns the weight of a verdict; of equal ones the whole weighs more than a slice."""
    return _SIGNS.index(row["status"]), row["adjusted_psi"] or 0.0, -len(row["slice"])


def _judged_weight(row: Row) -> tuple[int, float, int]:
    """Returns the same, but a window without judgement weighs no more than one without drift."""
    weight = _weight(row)
    return weight if row["status"] in (*FOUND, "NEW_COLUMN") else (0, *weight[1:])


def _tiles(found: Sequence[Row], facts: Facts) -> Markup:
    drifted = {row["column"] for row in found if row["status"] != "SUSPECT"}
    suspect = {row["column"] for row in found} - drifted
    calibrated = f"{facts.calibrated:,} windows" if facts.calibrated else "no"
    return tiles(
        [
            ("Windows", number(facts.windows), ""),
            ("Rows", number(facts.rows), ""),
            ("Rows of the baseline", number(facts.baseline_rows), ""),
            ("Columns that drifted", number(len(drifted)), "bad" if drifted else "good"),
            ("Columns that are suspect", number(len(suspect)), "warn" if suspect else ""),
            ("Calibrated on", calibrated, "" if facts.calibrated else "warn"),
            ("Baseline", facts.baseline[:8], ""),
        ]
    )


def _legend() -> Markup:
    return element(
        "p",
        element("span", "window", class_="c"),
        element("span", "baseline", class_="b"),
        class_="legend",
    )


def _timeline(rows: Sequence[Row]) -> Markup:
    whole = [row for row in rows if not row["slice"]]
    columns: dict[str, list[Row]] = {}
    for row in whole:
        columns.setdefault(row["column"], []).append(row)
    windows = list(dict.fromkeys(window_text(row) for row in rows))
    ordered = sorted(columns, key=lambda name: _order(name, columns[name]))
    heads = [
        "Column",
        element("th", "Windows, the first on the left", scope="col", data_sort="no"),
        *(element("th", head, scope="col", class_="n") for head in ("Drift", "Suspect", "PSI")),
        "Worst window",
    ]
    bodies = [_line(name, columns[name], windows) for name in ordered]
    body = table("Columns, and their windows", heads, bodies, "features cards sorts timelines")
    ends = (
        element("span", f"{windows[0]}", class_="w"),
        element("span", f"{windows[-1]}", class_="w"),
    )
    told = note(
        "Each bar is a window: low and green where nothing moved, higher where it is suspect, full "
        "where it drifted; a thin line has too few rows, a gap none. From ",
        ends[0],
        joined(" to ", ends[1]) if len(windows) > 1 else None,
        ". PSI is adjusted: what chance alone makes of it is taken off.",
    )
    return joined(told, element("div", body, class_="scroll"))


def _order(name: str, rows: Sequence[Row]) -> tuple[float, ...]:
    status, index, _ = max(map(_judged_weight, rows))
    return (-status, -index)


def _line(name: str, rows: Sequence[Row], windows: Sequence[str]) -> Markup:
    by_window = {window_text(row): row for row in rows}
    signs = [by_window[each]["status"] if each in by_window else "NO_DATA" for each in windows]
    worst = max(rows, key=_judged_weight)
    bad = sum(row["status"] in ("DRIFT", "MISSING_COLUMN") for row in rows)
    suspect = sum(row["status"] == "SUSPECT" for row in rows)
    told = f"{name}: {counted(bad, 'window')} drifted, {suspect:,} suspect, of {len(windows):,}"
    index = worst["adjusted_psi"]
    cells = (
        element("th", shown(name), " ", _badge(worst["status"]), scope="row"),
        element("td", _strip(signs, windows, told), class_="chart"),
        element("td", number(bad), class_="n", data_label="Drift", data_v=bad),
        element("td", number(suspect), class_="n", data_label="Suspect", data_v=suspect),
        element("td", _figure(index), class_="n", data_label="PSI", data_v=index),
        element("td", window_text(worst), class_="w", data_label="Worst window"),
    )
    return element("tbody", element("tr", *cells), class_="bad" if bad else None, data_name=name)


def _strip(signs: Sequence[str], windows: Sequence[str], told: str) -> Markup:
    step = -(-len(signs) // STRIP)
    parts = []
    for at in range(0, len(signs), step):
        worst = max(signs[at : at + step], key=_SIGNS.index)
        last = windows[min(at + step, len(windows)) - 1]
        name = windows[at] if step == 1 else f"{windows[at]} to {last}"
        parts.append((_height(worst), _CLASSES.get(worst, "none"), f"{name}: {_words(worst)}"))
    return strip(parts, told)


def _height(status: str) -> float:
    heights = {"OK": 0.3, "NOT_ENOUGH_DATA": 0.08, "NO_DATA": 0.0, "NEW_COLUMN": 0.3}
    return heights.get(status, 0.65 if status == "SUSPECT" else 1.0)


def _badge(status: str) -> Markup | None:
    return badge(_words(status), _CLASSES[status]) if status in (*FOUND, "NEW_COLUMN") else None


def _words(status: str) -> str:
    return status.replace("_", " ").lower()


def window_text(row: Row) -> str:
    """Returns a window as people read it."""
    start, end = row["window_start"], row["window_end"]
    if start is None:
        return "all rows"
    whole = not (start.second or start.microsecond or end.second or end.microsecond)
    told = f"{start:%Y-%m-%d %H:%M}" if whole else f"{start:%Y-%m-%d %H:%M:%S.%f}"
    if whole and end - start == datetime.timedelta(days=1) and not (start.hour or start.minute):
        return f"{start:%Y-%m-%d}"
    return f"{told} ({_length(end - start)})"


def _length(length: datetime.timedelta) -> str:
    seconds = length.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and not seconds % size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"


def _moved(
    found: Sequence[Row], rows: Sequence[Row], moved: Mapping[tuple[str, str], Moved]
) -> Markup:
    if not found:
        return element(
            "p", "Nothing moved by more than chance and the policy allow.", class_="banner good"
        )
    parts = [_finding(row, moved.get((row["slice"], row["column"])), rows) for row in found[:MOST]]
    if len(found) > MOST:
        parts.append(note(f"{len(found) - MOST:,} more are in the verdicts."))
    return joined(*parts)


def _finding(row: Row, shape: Moved | None, rows: Sequence[Row]) -> Markup:
    name = row["column"] + (f", {row['slice']}" if row["slice"] else "")
    mine = [
        each for each in rows if (each["slice"], each["column"]) == (row["slice"], row["column"])
    ]
    bad = sum(each["status"] in FOUND for each in mine)
    when = window_text(row)
    if len(mine) > 1:
        when = f"in {bad:,} of {len(mine):,} windows, most in that of {when}"
    head = element(
        "header",
        element("h3", shown(name)),
        _badge(row["status"]),
        element("span", when, class_="soft"),
    )
    chart = None if shape is None else _chart(shape, name)
    reasons = element("ul", *(element("li", each) for each in _reasons(row)), class_="reasons")
    figures = more("All figures", _figures(row), class_="figures")
    return element("div", head, reasons, chart, figures, class_=f"finding {_class(row)}")


def _class(row: Row) -> str:
    return _CLASSES[row["status"]]


def _reasons(row: Row) -> list[str]:
    if row["status"] == "MISSING_COLUMN":
        return ["The rows of this window have no such column."]
    told = []
    if row["measure"] == "missing" or abs(row["missing"] - row["missing_baseline"]) >= 0.01:
        told.append(
            f"Missing values: {share(row['missing_baseline'], 1)} in the baseline, "
            f"{share(row['missing'], 1)} in the window."
        )
    if row["moved_cell"] is not None:
        told.append(
            f"Moved most: {shown(row['moved_cell'], 60)}, from {share(row['moved_from'], 1)} to "
            f"{share(row['moved_to'], 1)}."
        )
    if row["mean_shift"] is not None and abs(row["mean_shift"]) >= 0.05:
        told.append(f"The mean moved by {number(row['mean_shift'])} standard deviations.")
    if row["outside"] is not None and row["outside"] - row["outside_baseline"] >= 0.01:
        told.append(
            f"Values that the baseline does not know: {share(row['outside'], 1)}, in the baseline "
            f"{share(row['outside_baseline'], 1)}."
        )
    index, least = row["adjusted_psi"], row["detectable_psi"]
    if index is not None:
        told.append(
            f"Adjusted PSI {number(index)} of {counted(row['rows'], 'row')}; from about "
            f"{number(least)} on it would be found."
        )
    return told


_FIGURES = (
    ("Rows", "rows"),
    ("Rows of the baseline", "rows_baseline"),
    ("PSI", "psi"),
    ("Adjusted PSI", "adjusted_psi"),
    ("Least PSI that is found", "detectable_psi"),
    ("p-value", "p_value"),
    ("q-value", "q_value"),
    ("Jensen-Shannon divergence, bits", "jsd"),
    ("L-infinity", "l_infinity"),
    ("KS, binned", "ks"),
    ("Hellinger", "hellinger"),
    ("Wasserstein, sd", "wasserstein"),
    ("Shift of the mean, sd", "mean_shift"),
    ("Shift of the median, sd", "median_shift"),
    ("Missing", "missing"),
    ("Missing in the baseline", "missing_baseline"),
    ("q-value of missing", "missing_q_value"),
    ("Outside the baseline's cells", "outside"),
)


def _figures(row: Row) -> Markup:
    lines = [
        element(
            "tr", element("th", name, scope="row"), element("td", _figure(row[key]), class_="n")
        )
        for name, key in _FIGURES
        if row[key] is not None
    ]
    told = "calibrated on the baseline's windows" if row["calibrated"] else "chance alone"
    lines.append(
        element("tr", element("th", "Compared with", scope="row"), element("td", told, class_="n"))
    )
    return table("Figures", (), [element("tbody", *lines)])


def _figure(value: float | None) -> str:
    return "—" if value is None else number(value)


def _chart(shape: Moved, name: str) -> Markup:
    some = (shape.window > 0) | (shape.baseline > 0)
    cells = [cell for cell, there in zip(shape.cells, some, strict=True) if there]
    shares = (shape.window[some], shape.baseline[some])
    hints = [
        f"{shown(cell, 60)}: {share(after, 1)}, in the baseline {share(before, 1)}"
        for cell, after, before in zip(cells, *shares, strict=True)
    ]
    drawn = histogram(
        shares, f"{name}: the window's shares over the baseline's", "large", None, hints
    )
    axis = element(
        "p",
        element("span", shown(cells[0], 40)),
        element("span", shown(cells[-1], 40)),
        class_="axis",
    )
    return joined(drawn, axis)
