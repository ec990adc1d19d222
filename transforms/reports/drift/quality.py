"""The predictions of a drift report: how good they were in each window, and what was estimated."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from transforms.reports.charts import strip
from transforms.reports.figures import counted, number, share
from transforms.reports.markup import Markup, element, joined
from transforms.reports.page import badge, more, note, table

Row = Mapping[str, Any]
MOST = 100
"""So many windows have a line, the last ones."""
FEW = 10
_CLASSES = {"OK": "good", "SUSPECT": "warn"}
_HEIGHTS = {"OK": 0.3, "SUSPECT": 1.0, "NOT_ENOUGH_LABELS": 0.08}


def predictions(quality: Sequence[Row], window_text: Callable[[Row], str]) -> Markup:
    """Returns a timeline of windows, and a table of them, the last ones first.

    Args:
      quality: By window, by the names of `quality.judge.QUALITY`.
      window_text: Gives a window as people read it.
    """
    name, bad = str(quality[0]["prediction"]), sum(r["status"] == "SUSPECT" for r in quality)
    told = f"{name}: errors are higher in {counted(bad, 'window')} of {len(quality):,}"
    bars = [_bar(row, window_text(row)) for row in quality]
    is_rmse = quality[0]["rmse"] is not None or quality[0]["estimated_rmse"] is not None
    main, likely = ("rmse", "estimated_rmse") if is_rmse else ("accuracy", "estimated_accuracy")
    heads = ["Window", "Rows", "Labelled", "Root mean squared error" if is_rmse else "Accuracy"]
    heads += ["Estimated without labels", "Of the baseline", "Standard deviations above"]
    lines = [_line(row, window_text(row), main, likely, heads) for row in quality[-MOST:][::-1]]
    return joined(
        note(
            f"Each bar is a window of {name}: low where errors are as in the baseline, full where "
            "they are higher, thin where labels are too few. What is estimated is of all rows: it "
            "notices rows that are harder, but not labels that follow another rule."
        ),
        element("div", strip(bars, told), class_="chart"),
        _figures(table("Windows", heads, lines, "features cards sorts"), len(quality)),
    )


def _figures(body: Markup, windows: int) -> Markup:
    which = f"Figures of the last {MOST} windows" if windows > MOST else "Figures of all windows"
    # Ten fill a screen; more are there for who wants them.
    return more(which, element("div", body, class_="scroll"), is_open=windows <= FEW)


def _bar(row: Row, when: str) -> tuple[float, str, str]:
    words = str(row["status"]).replace("_", " ").lower()
    return _HEIGHTS.get(row["status"], 0.0), _CLASSES.get(row["status"], "none"), f"{when}: {words}"


def _line(row: Row, when: str, main: str, likely: str, heads: Sequence[str]) -> Markup:
    figure = _share if main == "accuracy" else _number
    words = str(row["status"]).replace("_", " ").lower()
    sign = None if row["status"] == "OK" else badge(words, _CLASSES.get(row["status"], "soft"))
    baseline = row["error_baseline"]
    if baseline is not None:
        baseline = 1 - baseline if main == "accuracy" else baseline**0.5
    values = (
        number(row["rows"]),
        _share(row["coverage"]),
        figure(row[main]),
        figure(row[likely]),
        figure(baseline),
        _number(row["z"]),
    )
    cells = [element("th", element("span", when, class_="w"), " ", sign, scope="row")]
    pairs = zip(heads[1:], values, strict=True)
    cells += [element("td", value, class_="n", data_label=head) for head, value in pairs]
    return element("tbody", element("tr", *cells), data_name=when)


def _share(value: float | None) -> str:
    return "—" if value is None else share(value, 1)


def _number(value: float | None) -> str:
    return "—" if value is None else number(value)
