"""Tables of features: one row each with a small chart, and what there is more of it below."""

from collections.abc import Iterable, Iterator, Sequence

from transforms.metadata.columns import Column
from transforms.reports.bins import Bins, Ranks, number_bins, text_ranks
from transforms.reports.charts import histogram, in_words
from transforms.reports.figures import NOTHING, share
from transforms.reports.markup import Markup, breakable, element, figure, joined
from transforms.reports.page import Section, badge, more, table
from transforms.reports.statistics.context import Context, severity
from transforms.reports.statistics.details import number_detail, other_detail, text_detail
from transforms.reports.statistics.measures import (
    DEVIATION,
    DISTINCT,
    GREATEST,
    LEAST,
    LENGTH,
    MEAN,
    MEDIAN,
    MISSING,
    PER_ROW,
    ZEROS,
    Measure,
)
from transforms.reports.statistics.pairing import NUMBERS, OTHERS, TEXTS, Feature

RANKS = 10
"""How many texts a chart shows."""
_TITLES = {NUMBERS: "Numeric features", TEXTS: "Text features", OTHERS: "Other features"}
_MEASURES = {
    NUMBERS: (MISSING, MEAN, DEVIATION, ZEROS, LEAST, MEDIAN, GREATEST),
    TEXTS: (MISSING, DISTINCT, LENGTH),
    OTHERS: (MISSING, PER_ROW),
}


def feature_sections(features: Sequence[Feature], context: Context) -> list[Section]:
    """Returns a section for each kind of features."""
    found = []
    for group, title in _TITLES.items():
        some = [feature for feature in features if feature.group == group]
        if some:
            body = joined(_tools(group, some, context.is_brief), _table(group, some, context))
            found.append(Section(group, title, body, len(some)))
    return found


def _tools(group: str, features: Sequence[Feature], is_brief: bool) -> Markup:
    """Returns the tools of the script, hidden without it."""
    flagged = element("label", element("input", type="checkbox"), "Only with anomalies")
    has_any = any(feature.anomaly for feature in features)
    name = f"Find in {_TITLES[group].lower()}"
    return element(
        "div",
        element("input", type="search", placeholder="Find a feature", aria_label=name),
        flagged if has_any else None,
        element("button", "Open all", type="button", aria_expanded="false", class_="fold"),
        *(_scales() if group == NUMBERS and not is_brief else ()),
        element("output", aria_live="polite"),
        class_="find",
    )


def _scales() -> Iterator[Markup]:
    """Switches of the large charts' scales."""
    for name, text in (("logs", "Log scale"), ("counts", "Numbers of values")):
        yield element("button", text, type="button", aria_pressed="false", data_scale=name)


def _table(group: str, features: Iterable[Feature], context: Context) -> Markup:
    heads: list[object] = [element("th", "Feature", scope="col")]
    if group != OTHERS:
        heads.append(element("th", "Distribution", scope="col", data_sort="no"))
    heads += [element("th", each.name, scope="col", class_="n") for each in _MEASURES[group]]
    if group == TEXTS:
        heads.append(element("th", "Most frequent", scope="col"))
    bodies = (_body(group, feature, context, len(heads)) for feature in features)
    return element(
        "div",
        table(_TITLES[group], heads, bodies, "features sorts cards"),
        class_="scroll",
    )


def _body(group: str, feature: Feature, context: Context, width: int) -> Markup:
    cells = [_name(feature, context)]
    if group == NUMBERS:
        bins = number_bins(*feature.both)
        cells.append(_spark(bins, feature, context))
        detail = number_detail(feature, bins, context)
    elif group == TEXTS:
        ranks = text_ranks(*feature.both, limit=RANKS)
        cells.append(_spark(ranks, feature, context))
        detail = text_detail(feature, ranks, context)
    else:
        detail = other_detail(feature, context)
    cells += [_figure(each, feature, context) for each in _MEASURES[group]]
    if group == TEXTS:
        cells.append(_top(ranks, feature, context))
    return element(
        "tbody",
        element("tr", *cells),
        element("tr", element("td", more("Details", detail), colspan=width)),
        id=context.anchors[feature.path],
        class_="bad" if feature.anomaly else None,
        data_name=feature.name,
    )


def _name(feature: Feature, context: Context) -> Markup:
    flags = []
    if feature.anomaly is not None:
        word, class_ = severity(feature.anomaly)
        flags.append(badge(word, class_))
    if feature.current is None:
        flags.append(badge("not in the current data", ""))
    elif context.has_baseline and feature.baseline is None:
        flags.append(badge("not in the baseline", ""))
    kind = feature.any.type_name.lower()
    if feature.any.is_nested or feature.any.common.max_num_values > 1:
        kind = f"list of {kind}"
    return element(
        "th",
        breakable(feature.name),
        " ",
        element("span", kind, class_="soft"),
        *(joined(" ", flag) for flag in flags),
        scope="row",
    )


def _spark(bins: Bins | Ranks | None, feature: Feature, context: Context) -> Markup:
    if bins is None:
        return element("td", element("span", "no values", class_="soft"), class_="chart")
    label = in_words(bins, f"Distribution of {feature.name}")
    return element(
        "td",
        histogram(bins.shares, label, "spark", f"{context.anchors[feature.path]}c"),
        class_="chart",
    )


def _figure(measure: Measure, feature: Feature, context: Context) -> Markup:
    shown = measure.text(feature.current, context.values)
    value = None if feature.current is None else measure.read(feature.current)
    class_ = "missing" if measure is MISSING and value else None
    return element(
        "td",
        element("span", shown, class_=class_) if class_ else figure(shown),
        _was(measure.text(feature.baseline, context.values), context),
        class_="n",
        data_label=measure.name,
        data_v=_sortable(measure, context, value),
    )


def _sortable(measure: Measure, context: Context, value: float | None) -> str:
    """Returns the figure by which the script sorts; none for redacted values."""
    if value is None or (measure.is_value and context.values.redact is not None):
        return ""
    return f"{value:.7g}"


def _was(text: str, context: Context) -> Markup | None:
    return element("span", figure(text), class_="was") if context.has_baseline else None


def _top(ranks: Ranks | None, feature: Feature, context: Context) -> Markup:
    def most_frequent(column: Column | None) -> str:
        counts = {} if column is None else column.counts
        if column is None or not counts:
            return NOTHING
        label = min(counts, key=lambda label: (-counts[label], label))
        text = context.values.text(feature.name, label, 24)
        return f"{text} ({share(counts[label], column.total_values)})"

    return element(
        "td",
        most_frequent(feature.current),
        _was(most_frequent(feature.baseline), context),
        data_label="Most frequent",
    )
