"""Bins of numbers, and ranks of texts, that two data sets share so that a chart may show both."""

from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from transforms.distances.mass import Mass, mass_of
from transforms.metadata.columns import Column

_Floats = NDArray[np.float64]
BINS = 30
FEW_INTEGERS = 40
"""Integers that span no more get a bin each."""
TAIL = 0.005
"""How much of the values may lie in an outermost bin that is wider than it looks."""


@dataclass(frozen=True)
class Bins:
    """Shares of numbers in bins of equal width; the outermost hold what lies further out too.

    Attributes:
      edges: One more than bins; for bins of one integer each halfway between two.
      least, greatest: Of all finite numbers.
      shares: Of each data set, of all its values, also those that are not finite; None where it
        has no histogram.
    """

    edges: _Floats
    least: float
    greatest: float
    shares: tuple[_Floats | None, ...]


@dataclass(frozen=True)
class Ranks:
    """Shares of the most frequent texts.

    Attributes:
      labels: The texts, the most frequent of the first data set first.
      more: How many others there are; where not all are known, in one of the data sets.
      is_exact: Whether all are known.
      shares: Of each data set, of all its values; None where it has none, NaN where it is
        not known.
    """

    labels: list[str]
    more: int
    is_exact: bool
    shares: tuple[_Floats | None, ...]


def number_bins(*columns: Column | None) -> Bins | None:
    """Returns the bins of the numbers of columns; None if no number is finite."""
    known = [None if column is None else mass_of(column) for column in columns]
    finite = [mass for mass in known if mass is not None and mass.finite > 0]
    if not finite:
        return None
    least = min(float(mass.at[0]) for mass in finite)
    greatest = max(float(mass.at[-1]) for mass in finite)
    edges = _edges(finite, least, greatest, all(_are_integers(column) for column in columns))
    shares = tuple(None if mass is None else _shares(mass, edges) for mass in known)
    return Bins(edges, least, greatest, shares)


def text_ranks(*columns: Column | None, limit: int) -> Ranks | None:
    """Returns the ranks of the texts of columns; None without texts."""
    counts = [{} if column is None else column.counts for column in columns]
    labels = list(dict.fromkeys(label for each in counts for label in _most(each, limit)))
    if not labels:
        return None
    known = len(set().union(*counts))
    most = max(column.unique or 0 for column in columns if column is not None)
    labels = labels[:limit]
    shares = tuple(None if column is None else _of_labels(column, labels) for column in columns)
    return Ranks(labels, max(known, most) - len(labels), known >= most, shares)


def _most(counts: dict[str, float], limit: int) -> list[str]:
    """Returns the labels with the highest counts; equal ones in alphabetical order."""
    if len(counts) > limit:
        values = np.fromiter(counts.values(), float, len(counts))
        high = values >= np.partition(values, -limit)[-limit]
        counts = dict(compress(counts.items(), high))
    return sorted(counts, key=lambda label: (-counts[label], label))[:limit]


def _of_labels(column: Column, labels: list[str]) -> _Floats:
    """Shares of texts; NaN for texts that statistics do not list, since they list some only."""
    known = column.counts
    other = 0.0 if len(known) >= (column.unique or 0) else np.nan
    found = np.array([known.get(label, other) for label in labels])
    shares: _Floats = found / max(column.total_values, float(np.nansum(found)), 1e-300)
    return shares


def _are_integers(column: Column | None) -> bool:
    return column is None or column.type_name == "INT"


def _edges(finite: list[Mass], least: float, greatest: float, integers: bool) -> _Floats:
    # Beyond, a double has no half between two integers, and further on not each integer.
    is_fine = max(-least, greatest) < 2**51
    if integers and is_fine and greatest - least < FEW_INTEGERS:
        return np.arange(least, greatest + 2) - 0.5
    if least == greatest:
        return np.array([least, greatest])
    low = min(_position(mass, TAIL) for mass in finite)
    high = max(_position(mass, 1 - TAIL) for mass in finite)
    # What lies further out is cut off only where it would squeeze the rest. Halves, for the
    # difference of two doubles may not be a double.
    width = high / 2 - low / 2
    if low / 2 - least / 2 < width / 2 or width <= 0:
        low = least
    if greatest / 2 - high / 2 < width / 2 or width <= 0:
        high = greatest
    return 2 * np.linspace(low / 2, high / 2, BINS + 1)


def _position(mass: Mass, share: float) -> float:
    """Returns the first known position with at least a share of the finite values up to it."""
    index = int(np.searchsorted(mass.upto, share * mass.finite))
    return float(mass.at[min(index, len(mass.at) - 1)])


def _shares(mass: Mass, edges: _Floats) -> _Floats:
    inner = [mass.count(float(edge), False) for edge in edges[1:-1]]
    counts = np.diff([0.0, *inner, mass.finite])
    shares: _Floats = np.maximum(counts, 0) / max(mass.total, 1e-300)
    return shares
