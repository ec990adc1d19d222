"""Distances between two distributions over the same cells."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from transforms.schema.anomalies.mass import Mass

_Floats = NDArray[np.float64]


def l_infinity(current: _Floats, control: _Floats) -> float:
    """The greatest difference between shares of a cell, each of its own total."""
    return float(np.abs(_shares(current) - _shares(control)).max(initial=0))


def normalized_difference(current: _Floats, control: _Floats) -> float:
    """The greatest difference between counts of a cell, as a share of both totals together."""
    total = current.sum() + control.sum()
    return float(np.abs(current - control).max(initial=0) / total) if total else 0.0


def jensen_shannon(current: _Floats, control: _Floats) -> float:
    """The Jensen-Shannon divergence in bits: 0 if alike, 1 if no cell has both.

    J. Lin, Divergence measures based on the Shannon entropy, 1991.
    """
    p, q = _shares(current), _shares(control)
    middle = (p + q) / 2
    return float(min(max((_bits(p, middle) + _bits(q, middle)) / 2, 0), 1))


def text_cells(
    current: dict[str, float], control: dict[str, float]
) -> tuple[list[str], _Floats, _Floats]:
    """A cell for each text of both, in the order of the texts, and the counts of each."""
    texts = sorted(current.keys() | control.keys())
    counts = [np.array([each.get(text, 0.0) for text in texts]) for each in (current, control)]
    return texts, counts[0], counts[1]


def number_cells(
    current: Mass, control: Mass, edges: _Floats
) -> tuple[list[str], _Floats, _Floats]:
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

    Returns: The names of the cells, and the counts of each.
    """
    known = current.without_guesses(control)
    cuts = _cuts(known, control, edges)
    names = [*_names(cuts), "NaN", "-inf", "+inf"]
    return names, _counts(known, cuts, control), _counts(control, cuts, None)


def _cuts(current: Mass, control: Mass, edges: _Floats) -> list[tuple[float, bool]]:
    """Where cells end: a position, and whether it belongs to the cell that ends there."""
    cuts: list[tuple[float, bool]] = []
    last = len(edges) - 1
    for at, edge in enumerate(map(float, edges)):
        if not control.is_fine and edge not in control.at:
            continue
        if control.jump_at(edge):
            cuts += [(edge, False), (edge, True)]
        elif control.is_fine or not current.jump_at(edge):
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
