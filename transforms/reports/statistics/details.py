"""The detail of a feature: a large chart, and its figures beside those of the baseline."""

from collections.abc import Iterable, Sequence

import numpy as np

from transforms.metadata.columns import Column
from transforms.reports.bins import Bins, Ranks
from transforms.reports.charts import LOG_LEAST, again, bar, in_logs, quantile_rows, top_of
from transforms.reports.figures import NOTHING, counted, number, share
from transforms.reports.markup import Markup, element, figure, joined
from transforms.reports.page import note, table
from transforms.reports.statistics.context import Context
from transforms.reports.statistics.expected import expected_in_words
from transforms.reports.statistics.findings import reasons
from transforms.reports.statistics.measures import (
    DECILES,
    INVALID,
    LENGTH,
    NAN,
    PER_ROW,
    PRESENT,
    Measure,
    quantiles,
)
from transforms.reports.statistics.pairing import Feature

# What stands in the row above is not repeated.
_NUMBERS = (PRESENT, PER_ROW, NAN, *DECILES)
_TEXTS = (PRESENT, PER_ROW, INVALID)
_OTHERS = (PRESENT, LENGTH)
_BRIEF = 5
"""How many texts are listed where there are many features."""


def number_detail(feature: Feature, bins: Bins | None, context: Context) -> Markup:
    """Returns the details of numbers: the histogram, the quantiles, the figures."""
    if bins is None:
        return _detail(feature, note("No finite number to draw."), _NUMBERS, context)
    hints = [] if context.is_brief else list(_hints(feature, bins, context))
    label = f"Histogram of {feature.name}"
    chart = joined(
        _chart(feature, bins, hints, label, context),
        _axis(feature, bins, context),
        _quantiles(feature, bins, context),
    )
    return _detail(feature, chart, _NUMBERS, context)


def _chart(
    feature: Feature, bins: Bins, hints: Sequence[str], label: str, context: Context
) -> Markup:
    """Returns the large chart with the figures of its height, on either scale if there is room."""
    plain = again(f"{context.anchors[feature.path]}c", label, "large", hints)
    top = top_of(bins.shares)
    if context.is_brief:
        return element("div", _heights((top, 0.0), feature), plain, class_="plot plain")
    logs = in_logs(bins.shares, f"{label}, heights as logarithms", "large", hints)
    steps = [top * LOG_LEAST ** (step / 4) for step in range(5)]
    return joined(
        element("div", _heights((top, top / 2, 0.0), feature), plain, class_="plot plain"),
        element("div", _heights(steps, feature), logs, class_="plot logs"),
    )


def _heights(shares: Sequence[float], feature: Feature) -> Markup:
    """Returns the figures beside a chart, from the top: in per cent, and in values of the data."""
    values = feature.any.total_values
    return element(
        "div",
        *(
            element(
                "span",
                element("span", f"{100 * each:.2g}%", class_="percent"),
                element("span", number(round(each * values)), class_="counts"),
            )
            for each in shares
        ),
        class_="heights",
        aria_hidden="true",
    )


def text_detail(feature: Feature, ranks: Ranks | None, context: Context) -> Markup:
    """Returns the details of texts: the most frequent ones, the figures."""
    chart = note("No values.") if ranks is None else _ranks(feature, ranks, context)
    return _detail(feature, chart, _TEXTS, context)


def other_detail(feature: Feature, context: Context) -> Markup:
    """Returns the details of structs and bytes: the figures alone."""
    return _detail(feature, None, _OTHERS, context)


def _detail(
    feature: Feature, chart: Markup | None, measures: Sequence[Measure], context: Context
) -> Markup:
    found = feature.anomaly
    why = reasons(found, feature.name, context.values) if found is not None else None
    side = joined(why, _figures(feature, measures, context), expected_in_words(feature, context))
    return element("div", element("div", chart), element("div", side), class_="detail")


def _figures(feature: Feature, measures: Iterable[Measure], context: Context) -> Markup:
    columns = feature.both if context.has_baseline else feature.both[:1]
    rows = []
    for measure in measures:
        texts = [measure.text(column, context.values) for column in columns]
        if any(text != NOTHING for text in texts):
            rows.append(_row(measure.name, texts))
    return table(
        f"Figures of {feature.name}",
        ["", *_heads(context)],
        [element("tbody", *rows)],
    )


def _row(name: str, texts: Iterable[str]) -> Markup:
    cells = (element("td", figure(text), class_="n") for text in texts)
    return element("tr", element("th", name, scope="row"), *cells)


def _heads(context: Context) -> list[Markup]:
    names = ("Current", "Baseline") if context.has_baseline else ("Current",)
    return [element("th", name, scope="col", class_="n") for name in names]


def _axis(feature: Feature, bins: Bins, context: Context) -> Markup:
    """Returns the ends of the chart, with a note if the last bins hold values further out."""
    low, high = _ends(bins)
    ends = [context.values.number(feature.name, each) for each in (low, high)]
    least, greatest = (
        context.values.number(feature.name, each) for each in (bins.least, bins.greatest)
    )
    if low > bins.least:
        ends[0] = f"≤ {ends[0]} (down to {least})"
    if high < bins.greatest:
        ends[1] = f"≥ {ends[1]} (up to {greatest})"
    ticks = [low / 4 * (4 - step) + high / 4 * step for step in (1, 2, 3)] if low < high else []
    between = [context.values.number(feature.name, float(f"{each:.4g}")) for each in ticks]
    parts = [ends[0], *between, ends[1]]
    return element("div", *(element("span", figure(text)) for text in parts), class_="axis")


def _ends(bins: Bins) -> tuple[float, float]:
    """Returns the numbers at the axis ends; for bins of one integer these integers."""
    low, high = float(bins.edges[0]), float(bins.edges[-1])
    if low < bins.least and high > bins.greatest:
        return bins.least, bins.greatest
    return low, high


def _hints(feature: Feature, bins: Bins, context: Context) -> Iterable[str]:
    whole = bins.edges[0] < bins.least
    for at in range(len(bins.edges) - 1):
        low, high = float(bins.edges[at]), float(bins.edges[at + 1])
        ends = [low + 0.5] if whole else [low] if low == high else [low, high]
        where = " to ".join(context.values.number(feature.name, each) for each in ends)
        texts = [
            f"{who} {share(float(shares[at]), 1)}"
            for who, shares in zip(("current", "baseline"), bins.shares, strict=True)
            if shares is not None
        ]
        yield f"{where}: {', '.join(texts)}"


def _quantiles(feature: Feature, bins: Bins, context: Context) -> Markup | None:
    low, high = _ends(bins)
    positions = tuple(_positions(column, low, high) for column in feature.both)
    if low == high or not any(positions):
        return None
    label = f"Quantiles of {feature.name}"
    return joined(
        element("h4", "Quantiles, the middle half in bold"), quantile_rows(positions, label)
    )


def _positions(column: Column | None, low: float, high: float) -> list[float] | None:
    """Returns the positions of quantiles between the ends of the axis, from 0 to 1."""
    edges = quantiles(column) if column is not None else []
    if not edges:
        return None
    width = high / 2 - low / 2
    inside = (min(max(edge, low), high) for edge in edges)
    return [(edge / 2 - low / 2) / width if width else 0.0 for edge in inside]


def _ranks(feature: Feature, ranks: Ranks, context: Context) -> Markup:
    current, baseline = ranks.shares
    rows = []
    labels = ranks.labels[: _BRIEF if context.is_brief else None]
    for at, label in enumerate(labels):
        heights = [
            None if shares is None or np.isnan(shares[at]) else float(shares[at])
            for shares in (current, baseline)
        ]
        cells = [element("td", bar(*heights))]
        for each in heights if context.has_baseline else heights[:1]:
            cells.append(element("td", NOTHING if each is None else share(each, 1), class_="n"))
        name = context.values.text(feature.name, label)
        rows.append(element("tr", element("th", name or "(empty)", scope="row"), *cells))
    heads = ["Value", element("th", "Share", scope="col"), *_heads(context)]
    shown = table(
        f"Most frequent values of {feature.name}", heads, [element("tbody", *rows)], "texts"
    )
    others = ranks.more + len(ranks.labels) - len(labels)
    word = "and" if ranks.is_exact else "and about"
    return joined(shown, note(f"{word} {counted(others, 'other value')}") if others else None)
