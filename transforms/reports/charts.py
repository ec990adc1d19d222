"""Charts as inline SVG: the current data as bars, the baseline as a line over them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transforms.reports.bins import Bins, Ranks
from transforms.reports.figures import number, share
from transforms.reports.markup import Markup, element

_Floats = NDArray[np.float64]
_Shares = tuple[_Floats | None, ...]
WIDTH, HEIGHT = 300, 100
"""Units of every chart; the page stretches it, lines stay as thin as they are."""
_LEAST = 2
"""How high a bar is that is almost nothing, so that it is seen."""
LOG_LEAST = 1e-4
"""Where a logarithmic scale begins, as a part of its top."""
_TOP = 0.02
"""The least share that fills a chart: where all are rare, all bars are low."""


def histogram(
    shares: _Shares, label: str, class_: str, name: str | None = None, hints: Sequence[str] = ()
) -> Markup:
    """Bars over one axis.

    Args:
      shares: For each bin, of the current data and of the baseline; None where there is none, NaN
        where it is not known.
      label: The chart in words, for those who can't see it.
      class_: How large the page shows it.
      name: By which `again` shows it once more.
      hints: What its bins show when pointed at.
    """
    known = [None if each is None else np.nan_to_num(each) for each in shares]
    top = top_of(shares)
    current, baseline = (None if each is None else each / top for each in known)
    parts = element(
        "g",
        None if current is None else element("path", class_="c", d=_bars(current)),
        None if baseline is None else element("path", class_="b", d=_steps(baseline)),
        id=name,
    )
    return _svg(label, class_, HEIGHT, parts, *_hints(hints))


def top_of(shares: _Shares) -> float:
    """Returns the share at which bars of a histogram are as high as the chart."""
    known = [float(np.nan_to_num(each).max(initial=0)) for each in shares if each is not None]
    return max(*known, _TOP) if known else _TOP


def in_logs(shares: _Shares, label: str, class_: str, hints: Sequence[str] = ()) -> Markup:
    """Returns a histogram on a logarithmic scale, from `LOG_LEAST` of the highest bar up."""
    top = top_of(shares)

    def heights(some: _Floats) -> _Floats:
        least = top * LOG_LEAST
        raised: _Floats = 1 - np.log(np.maximum(some, least) / top) / np.log(LOG_LEAST)
        # What is there at all is seen, and what is not there is not.
        return np.where(some > 0, np.maximum(raised, 1e-9), 0.0)

    current, baseline = (None if each is None else heights(np.nan_to_num(each)) for each in shares)
    return _svg(
        label,
        class_,
        HEIGHT,
        *([] if current is None else [element("path", class_="c", d=_bars(current))]),
        *([] if baseline is None else [element("path", class_="b", d=_steps(baseline))]),
        *_hints(hints),
    )


def again(name: str, label: str, class_: str, hints: Sequence[str] = ()) -> Markup:
    """Returns a histogram that the page shows elsewhere, once more.

    Args:
      name: It was given there.
      label: The chart in words.
      class_: How large the page shows it.
      hints: What its bins show when pointed at.
    """
    return _svg(label, class_, HEIGHT, element("use", href=f"#{name}"), *_hints(hints))


def bar(current: float | None, baseline: float | None) -> Markup:
    """Returns one share as a horizontal bar, with the baseline's as a tick."""
    parts = []
    if current:
        parts.append(element("rect", class_="c", width=f"{max(100 * current, 0.6):.3g}%"))
    if baseline:
        parts.append(element("rect", class_="b", x=f"{100 * baseline:.3g}%"))
    return element("svg", *parts, class_="bar")


def meter(value: float, threshold: float | None, most: float) -> Markup:
    """Returns a figure as a horizontal bar, on a scale from 0 that several have in common.

    Args:
      value: Not less than 0.
      threshold: Marked by a line, over the bar and beyond it; None where there is none.
      most: The end of the scale.
    """
    parts = [element("rect", class_="c", width=f"{max(100 * value / most, 0.6):.3g}%")]
    if threshold is not None:
        parts.append(
            element(
                "rect",
                element("title", f"threshold {number(threshold)}"),
                class_="limit",
                x=f"{100 * threshold / most:.3g}%",
            )
        )
    return element("svg", *parts, class_="bar meter")


def strip(parts: Sequence[tuple[float, str, str]], label: str) -> Markup:
    """Returns a bar for each step of time.

    Args:
      parts: Of each its height, from 0 to 1, its class, and what it shows when pointed at.
      label: The chart in words.
    """
    step = WIDTH / max(len(parts), 1)
    gap = min(step / 6, 1.5)
    bars = [
        element(
            "rect",
            element("title", hint),
            class_=class_,
            x=_short(at * step),
            y=_short(HEIGHT * (1 - height)),
            width=_short(max(step - gap, 0.5)),
            height=_short(HEIGHT * height),
        )
        for at, (height, class_, hint) in enumerate(parts)
    ]
    return _svg(label, "strip", HEIGHT, *bars)


def quantile_rows(positions: tuple[list[float] | None, ...], label: str) -> Markup:
    """Returns a row of ticks for each data set, at its quantiles, with a bar over the middle half.

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
    """Returns what a chart of numbers or texts shows, in a sentence; it names no value."""
    if bins is None:
        return f"{name}: no values"
    counts_of = [
        f"{who}: the fullest bar holds {share(float(np.nan_to_num(each).max(initial=0)), 1)}"
        for who, each in zip(both, bins.shares, strict=False)
        if each is not None
    ]
    return f"{name}: " + "; ".join(counts_of)


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
