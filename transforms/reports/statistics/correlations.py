"""Correlations: the pairs of numeric features that go together most, and what they were before."""

from typing import TypeAlias

from transforms.metadata.datasets import whole_of
from transforms.metadata.paths import Path, path_text
from transforms.metadata.protos import statistics_pb2
from transforms.reports.charts import bar
from transforms.reports.figures import NOTHING, counted, number
from transforms.reports.markup import Markup, breakable, element, joined
from transforms.reports.page import Section, note, table
from transforms.reports.statistics.context import Context, link

PAIRS, PAIRS_BRIEF = 40, 10
"""How many pairs are shown; how many where there are many features."""
SIDE = 20
"""How many features the matrix has at most."""

_Cross: TypeAlias = statistics_pb2.CrossFeatureStatistics
_Pair = tuple[Path, Path]


def correlations_section(
    current: statistics_pb2.DatasetFeatureStatisticsList,
    baseline: statistics_pb2.DatasetFeatureStatisticsList | None,
    context: Context,
) -> Section | None:
    """Returns the pairs that are correlated most; None if pairs were not counted."""
    pairs = _pairs(current)
    if not pairs:
        return None
    before = {} if baseline is None else _pairs(baseline)
    order = sorted(pairs, key=lambda pair: -_most(pair, pairs, before))
    listed = order[: PAIRS_BRIEF if context.is_brief else PAIRS]
    names = ("Correlation", "Covariance", "Rows with both")
    heads = [
        "Feature",
        "And",
        *(element("th", name, scope="col", class_="n") for name in names),
        element("th", "", scope="col", data_sort="no"),
    ]
    rows = (_row(pair, pairs[pair], before.get(pair), context) for pair in listed)
    text = f"Of {counted(len(pairs), 'pair')}, those that go together most, or did before."
    caption = "Correlations of pairs"
    body = joined(
        _matrix(pairs, order),
        note(text),
        element("div", table(caption, heads, rows, "sorts cards"), class_="scroll"),
    )
    return Section("correlations", "Correlations", body, len(pairs))


def _matrix(pairs: dict[_Pair, _Cross], order: list[_Pair]) -> Markup | None:
    """Returns a matrix of the features in the strongest pairs, in their order."""
    features = list(dict.fromkeys(path for pair in order for path in pair))[:SIDE]
    if len(features) < 3:
        return None
    names = [breakable(path_text(path), 24) for path in features]
    heads = ["", *(element("th", name, scope="col") for name in names)]
    rows = []
    for name, one in zip(names, features, strict=True):
        cells = (_square(pairs, one, other) for other in features)
        rows.append(element("tr", element("th", name, scope="row"), *cells))
    caption = "Correlation of each feature with each other"
    left = len({path for pair in pairs for path in pair}) - len(features)
    others = f"; {counted(left, 'other feature')} not shown" if left else ""
    return joined(
        note(f"Blue: one rises with the other. Orange: one falls as the other rises{others}."),
        element(
            "div",
            table(caption, heads, [element("tbody", *rows)], "matrix"),
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label=caption,
        ),
    )


def _square(pairs: dict[_Pair, _Cross], one: Path, other: Path) -> Markup:
    value = _correlation(pairs.get((min(one, other), max(one, other))))
    if one == other or value is None:
        return element("td", "1" if one == other else NOTHING, class_="self")
    look = f"{'up' if value > 0 else 'down'} m{min(5, round(5 * abs(value)))}"
    return element("td", f"{value:+.2f}", class_=look)


def _pairs(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> dict[_Pair, _Cross]:
    crosses = whole_of(statistics).cross_features if statistics.datasets else ()
    return {_pair(each): each for each in crosses if each.HasField("num_cross_stats")}


def _pair(cross: _Cross) -> _Pair:
    """Returns the paths in order, since statistics may have them in either order."""
    one, other = sorted((tuple(cross.path_x.step), tuple(cross.path_y.step)))
    return one, other


def _correlation(cross: _Cross | None) -> float | None:
    """Returns the correlation, 0 if a feature is constant."""
    return None if cross is None else float(cross.num_cross_stats.correlation)


def _most(pair: _Pair, *sides: dict[_Pair, _Cross]) -> float:
    return max(abs(_correlation(side.get(pair)) or 0.0) for side in sides)


def _row(pair: _Pair, cross: _Cross, before: _Cross | None, context: Context) -> Markup:
    value, was = _correlation(cross), _correlation(before)
    one, other = (link(context, path, path_text(path)) for path in pair)
    earlier = element("span", _figure(was), class_="was") if context.has_baseline else None
    cells = (
        element("th", one, scope="row"),
        element("td", other, data_label="And"),
        element("td", _figure(value), earlier, class_="n", data_label="Correlation", data_v=value),
        element(
            "td",
            number(cross.num_cross_stats.covariance),
            class_="n",
            data_label="Covariance",
            data_v=cross.num_cross_stats.covariance,
        ),
        element("td", number(cross.count), class_="n", data_label="Rows with both"),
        element("td", bar(*(None if each is None else abs(each) for each in (value, was)))),
    )
    return element("tbody", element("tr", *cells))


def _figure(correlation: float | None) -> str:
    return NOTHING if correlation is None else f"{correlation:+.3f}"
