"""Charts as inline SVG: the current data as bars, the baseline as a line over them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transforms.reports.bins import Bins, Ranks
from transforms.reports.figures import share
from transforms.reports.markup import Markup, element

_Floats = NDArray[np.float64]
_Shares = tuple[_Floats | None, ...]
WIDTH, HEIGHT = 300, 100
"""Units of every chart; the page stretches it, lines stay as thin as they are."""
_LEAST = 2
"""How high a bar is that is almost nothing, so that it is seen."""
_TOP = 0.02
"""The least share that fills a chart: where all are rare, all bars are low."""


def histogram(shares: _Shares, label: str, class_: str, name: str | None = None) -> Markup:
    """Bars over one axis.

    Args:
      shares: For each bin, of the current data and of the baseline; None where there is none, NaN
        where it is not known.
      label: The chart in words, for those who can't see it.
      class_: How large the page shows it.
      name: By which `again` shows it once more.
    """
    known = [None if each is None else np.nan_to_num(each) for each in shares]
    top = max((float(each.max(initial=0)) for each in known if each is not None), default=0.0)
    current, baseline = (None if each is None else each / max(top, _TOP) for each in known)
    parts = element(
        "g",
        None if current is None else element("path", class_="c", d=_bars(current)),
        None if baseline is None else element("path", class_="b", d=_steps(baseline)),
        id=name,
    )
    return _svg(label, class_, HEIGHT, parts)


def again(name: str, label: str, class_: str, hints: Sequence[str] = ()) -> Markup:
    """A histogram that the page shows elsewhere, once more.

    Args:
      name: It was given there.
      label: The chart in words.
      class_: How large the page shows it.
      hints: What its bins tell when pointed at.
    """
    return _svg(label, class_, HEIGHT, element("use", href=f"#{name}"), *_hints(hints))


def bar(current: float | None, baseline: float | None) -> Markup:
    """One share as a bar that lies, the baseline's as a tick; beside it stand the figures."""
    parts = []
    if current:
        parts.append(element("rect", class_="c", width=f"{max(100 * current, 0.6):.3g}%"))
    if baseline:
        parts.append(element("rect", class_="b", x=f"{100 * baseline:.3g}%"))
    return element("svg", *parts, class_="bar")


def quantile_rows(positions: tuple[list[float] | None, ...], label: str) -> Markup:
    """A row of ticks for each data set, where its quantiles lie, a bar over the middle half.

    Args:
      positions: Of the quantiles, rising, from 0 to 1; None where there are none.
      label: The chart in words.
    """
    parts = []
    for row, (some, class_) in enumerate(zip(positions, ("c", "b"), strict=False)):
        if some:
            top = 3 + 12 * row
            at = [round(WIDTH * each) for each in some]
            low, high = at[len(at) // 4], at[-1 - len(at) // 4]
            parts.append(element("path", class_=f"q{class_}", d=f"M{low} {top + 4}H{high}"))
            ticks = "".join(f"M{each} {top}v8" for each in at)
            parts.append(element("path", class_=f"t{class_}", d=ticks))
    return _svg(label, "quantiles", 26, *parts)


def _svg(label: str, class_: str, height: int, *parts: Markup) -> Markup:
    return element(
        "svg",
        *parts,
        class_=class_,
        viewbox=f"0 0 {WIDTH} {height}",
        preserve="none",
        role="img",
        aria_label=label,
    )


BOTH = ("current", "baseline")


def in_words(bins: Bins | Ranks | None, name: str, both: tuple[str, str] = BOTH) -> str:
    """What a chart of numbers or texts shows, in a sentence; it names no value."""
    if bins is None:
        return f"{name}: no values"
    told = [
        f"{who}: the fullest bar holds {share(float(np.nan_to_num(each).max(initial=0)), 1)}"
        for who, each in zip(both, bins.shares, strict=False)
        if each is not None
    ]
    return f"{name}: " + "; ".join(told)


def _bars(heights: _Floats) -> str:
    step = WIDTH / len(heights)
    gap = min(step / 6, 1.5)
    return "".join(
        f"M{_short(at * step)} {HEIGHT}v-{_units(height)}h{_short(step - gap)}v{_units(height)}"
        for at, height in enumerate(heights)
        if height > 0
    )


def _steps(heights: _Floats) -> str:
    step = WIDTH / len(heights)
    line, last = f"M0 {HEIGHT}", -1
    for at, height in enumerate(heights):
        if _units(height) != last:
            last = _units(height)
            line += f"H{_short(at * step)}V{HEIGHT - last}"
    return f"{line}H{WIDTH}V{HEIGHT}"


def _units(height: float) -> int:
    return 0 if height <= 0 else max(round(height * (HEIGHT - 2)), _LEAST)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _hints(hints: Sequence[str]) -> list[Markup]:
    step = WIDTH / max(len(hints), 1)
    return [
        element(
            "rect",
            element("title", hint),
            class_="hint",
            x=_short(at * step),
            width=_short(step),
            height=HEIGHT,
        )
        for at, hint in enumerate(hints)
    ]
