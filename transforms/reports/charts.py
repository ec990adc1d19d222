"""Charts as inline SVG: the current data as bars, the baseline as a line over them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from transforms.reports.bins import Bins, Ranks
from transforms.reports.figures import share
from transforms.reports.markup import Markup, element

_Floats = NDArray[np.float64]
_Shares = tuple[_Floats | None, ...]
WIDTH, HEIGHT = 300, 60
"""Units of every chart; the page stretches it, lines stay as thin as they are."""
_LEAST = 1.5
"""How high a bar is that is almost nothing, so that it is seen."""


def histogram(shares: _Shares, label: str, class_: str, hints: Iterable[str] = ()) -> Markup:
    """Bars over one axis.

    Args:
      shares: For each bin, of the current data and of the baseline; None where there is none.
      label: The chart in words, for those who can't see it.
      class_: How large the page shows it.
      hints: What a bin tells when pointed at.
    """
    top = max((float(each.max(initial=0)) for each in shares if each is not None), default=0) or 1
    current, baseline = shares
    return element(
        "svg",
        None if current is None else element("path", class_="c", d=_bars(current / top)),
        None if baseline is None else element("path", class_="b", d=_steps(baseline / top)),
        *_hints(list(hints)),
        class_=class_,
        viewbox=f"0 0 {WIDTH} {HEIGHT}",
        preserve="none",
        role="img",
        aria_label=label,
    )


def bar(current: float | None, baseline: float | None) -> Markup:
    """One share as a bar that lies, the baseline's as a tick; decoration beside the figures."""
    parts = []
    if current:
        parts.append(element("path", class_="c", d=f"M0 0H{max(100 * current, 0.6):.1f}V8H0z"))
    if baseline:
        parts.append(element("path", class_="b", d=f"M{100 * baseline:.1f} 0V8"))
    return element(
        "svg", *parts, class_="bar", viewbox="0 0 100 8", preserve="none", aria_hidden="true"
    )


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
            at = [f"{WIDTH * each:.1f}" for each in some]
            low, high = at[len(at) // 4], at[-1 - len(at) // 4]
            parts.append(element("path", class_=f"q{class_}", d=f"M{low} {top + 4}H{high}"))
            ticks = "".join(f"M{each} {top}v8" for each in at)
            parts.append(element("path", class_=f"t{class_}", d=ticks))
    return element(
        "svg",
        *parts,
        class_="quantiles",
        viewbox=f"0 0 {WIDTH} 26",
        preserve="none",
        role="img",
        aria_label=label,
    )


def in_words(bins: Bins | Ranks | None, name: str) -> str:
    """What a chart of numbers or texts shows, in a sentence; it names no value."""
    if bins is None:
        return f"{name}: no values"
    told = [
        f"{who}: the fullest bar holds {share(float(each.max(initial=0)), 1)}"
        for who, each in zip(("current", "baseline"), bins.shares, strict=False)
        if each is not None
    ]
    return f"{name}: " + "; ".join(told)


def _bars(heights: _Floats) -> str:
    step = WIDTH / len(heights)
    gap = min(step / 6, 1.5)
    return "".join(
        f"M{_short(at * step)} {HEIGHT}V{_short(_top(height))}h{_short(step - gap)}V{HEIGHT}z"
        for at, height in enumerate(heights)
        if height > 0
    )


def _steps(heights: _Floats) -> str:
    step = WIDTH / len(heights)
    line = "".join(
        f"V{_short(_top(height))}H{_short((at + 1) * step)}" for at, height in enumerate(heights)
    )
    return f"M0 {HEIGHT}{line}V{HEIGHT}"


def _top(height: float) -> float:
    return HEIGHT if height <= 0 else HEIGHT - max(float(height) * (HEIGHT - 2), _LEAST)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _hints(hints: list[str]) -> list[Markup]:
    step = WIDTH / max(len(hints), 1)
    return [
        element(
            "path",
            element("title", hint),
            class_="hint",
            d=f"M{_short(at * step)} 0h{_short(step)}V{HEIGHT}h-{_short(step)}z",
        )
        for at, hint in enumerate(hints)
    ]
