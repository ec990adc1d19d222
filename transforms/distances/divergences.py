"""Distances between two distributions over the same cells."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from transforms.distances.mass import Mass
from transforms.distances.text_mass import TextMass
from transforms.words import quoted

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """The counts of two data sets over the same cells.

    Attributes:
      names: Of the cells.
      current, control: The counts.
      has_rest: Whether the last cell stands for many values that may each count little.
    """

    names: list[str]
    current: _Floats
    control: _Floats
    has_rest: bool = False

    @property
    def single(self) -> slice:
        """The cells that stand for one value."""
        return slice(-1) if self.has_rest else slice(None)


def l_infinity(cells: Cells) -> float:
    """Returns the greatest difference between shares of a cell, each of its own total."""
    return float(share_differences(cells).max(initial=0))


def share_differences(cells: Cells) -> _Floats:
    """Returns the differences between shares, for each cell of a single value or range."""
    apart: _Floats = np.abs(_shares(cells.current) - _shares(cells.control))
    return apart[cells.single]


def normalized_difference(cells: Cells) -> float:
    """Returns the greatest difference between counts of a cell, as a share of both totals."""
    total = cells.current.sum() + cells.control.sum()
    apart = np.abs(cells.current - cells.control)[cells.single]
    return float(apart.max(initial=0) / total) if total else 0.0


def divergence(cells: Cells) -> float:
    """Returns the Jensen-Shannon divergence of all cells, the rest as one of them."""
    return jensen_shannon(cells.current, cells.control)


def jensen_shannon(current: _Floats, control: _Floats) -> float:
    """Returns the Jensen-Shannon divergence in bits: 0 if alike, 1 if no cell has both.

    J. Lin, Divergence measures based on the Shannon entropy, 1991.
    """
    p, q = _shares(current), _shares(control)
    middle = (p + q) / 2
    return float(min(max((_bits(p, middle) + _bits(q, middle)) / 2, 0), 1))


def text_cells(current: TextMass, control: TextMass) -> Cells:
    """Returns a cell for each text of both, in the order of the texts, and one for all others.

    Where the statistics do not hold all texts, a text counts what they allow that is nearest to its
    share of the other data set. So there may be more drift than is found, but none is made.
    """
    texts = sorted(current.counts.keys() | control.counts.keys())
    names = list(map(quoted, texts))
    least, most = current.bounds(texts)
    low, high = control.bounds(texts)
    if not (current.unseen or control.unseen):
        return Cells(names, least, low)
    least, most, low, high = (
        bound / mass.total
        for bound, mass in ((least, current), (most, current), (low, control), (high, control))
    )
    theirs = _within(np.clip(least, low, high), low)
    ours = _within(np.clip(theirs, least, most), least)
    rests = [max(0.0, 1 - float(shares.sum())) for shares in (ours, theirs)]
    return Cells(
        [*names, "all other texts"],
        np.append(ours, rests[0]) * current.total,
        np.append(theirs, rests[1]) * control.total,
        has_rest=True,
    )


def _within(shares: _Floats, least: _Floats) -> _Floats:
    """Shares that were raised, as far as all of them together are no more than there is."""
    more = float((shares - least).sum())
    room = max(0.0, 1 - float(least.sum()))
    return shares if more <= room else least + (shares - least) * (room / more)


def number_cells(current: Mass, control: Mass, edges: _Floats) -> Cells:
    """Cells between edges of the control, and one each for NaN, minus and plus infinity.

    Where the statistics do not tell how the current values lie between two positions, they are
    taken to lie there as the control's do: of all that fit the statistics, what is nearest to the
    control (S. Kullback, Information Theory and Statistics, 1959). So bins that are too wide hide
    drift; they make a little only where an edge cuts a bin of the control itself.

    Args:
      current: What is compared.
      control: What it is compared with.
      edges: Of the control, finite and rising. A number that many of its values are just gets a
        cell of its own.
    """
    known = current.without_guesses(control)
    cuts = _cuts(known, control, edges)
    names = [*_names(cuts), "NaN", "-inf", "+inf"]
    return Cells(names, _counts(known, cuts, control), _counts(control, cuts, None))


def _cuts(current: Mass, control: Mass, edges: _Floats) -> list[tuple[float, bool]]:
    """Returns where cells end: a position, and whether it belongs to the cell that ends there."""
    cuts: list[tuple[float, bool]] = []
    last = len(edges) - 1
    for at, edge in enumerate(map(float, edges)):
        if not control.is_fine and edge not in control.at:
            continue
        if control.has_mass_at(edge):
            cuts += [(edge, False), (edge, True)]
        elif control.is_fine or not current.has_mass_at(edge):
            cuts.append((edge, at == last))
    return cuts


def _names(cuts: list[tuple[float, bool]]) -> list[str]:
    if not cuts:
        return ["any number"]
    names = [f"below {cuts[0][0]:.6g}"]
    for (low, _), (high, _) in pairwise(cuts):
        names.append(f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}")
    return [*names, f"above {cuts[-1][0]:.6g}"]


def _counts(mass: Mass, cuts: list[tuple[float, bool]], shape: Mass | None) -> _Floats:
    ends = [0.0, *(mass.count(at, closed, shape) for at, closed in cuts), mass.finite]
    return np.concatenate([np.diff(ends), mass.odd])


def _shares(counts: _Floats) -> _Floats:
    total = counts.sum()
    return counts / total if total else counts


def _bits(p: _Floats, q: _Floats) -> float:
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())
