"""Histograms of the statistics proto, from the tables of summaries."""

import itertools
import math

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.statistics.sketches.summary import Weighted, quantiles, summed, weights_between

FINE, FINE_BUCKETS = "fine_histogram", 256
"""The name of a histogram of about so many buckets, among the custom statistics of a feature."""
BUCKETS = 10
"""Buckets of a histogram, as many as TFDV's have."""


def equi_width(table: Weighted, infinite: tuple[float, float]) -> statistics_pb2.Histogram:
    """Buckets of equal width from the least to the greatest finite number.

    Args:
      table: The finite numbers.
      infinite: The weights of minus and plus infinity: the outermost buckets reach to them.
    """
    made = statistics_pb2.Histogram(type=statistics_pb2.Histogram.STANDARD)
    values, weights = table
    below, above = infinite
    if not len(values):
        if below or above:
            made.buckets.add(low_value=-np.inf, high_value=np.inf, sample_count=below + above)
        return made
    low, high = float(values[0]), float(values[-1])
    if low == high:
        made.buckets.add(low_value=low, high_value=high, sample_count=float(weights.sum()))
    else:
        edges = _edges(low, high)
        for place, weight in enumerate(weights_between(table, edges)):
            made.buckets.add(
                low_value=edges[place], high_value=edges[place + 1], sample_count=weight
            )
    if below:
        made.buckets[0].low_value = -np.inf
        made.buckets[0].sample_count += below
    if above:
        made.buckets[-1].high_value = np.inf
        made.buckets[-1].sample_count += above
    return made


def _edges(low: float, high: float) -> np.ndarray:
    if math.isfinite(high - low):
        return np.linspace(low, high, BUCKETS + 1)
    # The distance of two finite numbers may be infinite; that of their halves is not.
    edges: np.ndarray = 2 * np.linspace(low / 2, high / 2, BUCKETS + 1)
    return edges


def fine(table: Weighted) -> statistics_pb2.Histogram:
    """Returns a few hundred buckets, by which distributions are compared.

    Args:
      table: Numbers, the infinite among them.

    Returns: Buckets that rise and do not overlap. Numbers that come often, and the infinite, have
      each one of their own, from the number to itself; the others share buckets of little weight.
    """
    made = statistics_pb2.Histogram(name=FINE)
    if not len(table[0]):
        return made
    # Several integers may be one double.
    values, weights = summed(table[0].astype(np.float64), table[1])
    share = float(weights.sum()) / FINE_BUCKETS
    alone = (weights >= share) | ~np.isfinite(values) | (len(values) <= FINE_BUCKETS)
    # The numbers between two that stand alone are cut where they weigh another share.
    shares = np.floor(np.cumsum(np.where(alone, 0.0, weights)) / share)
    group = np.cumsum(alone) + np.cumsum(np.roll(alone, 1)) + shares
    starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    ends = np.append(starts[1:], len(values)) - 1
    for start, end, weight in zip(starts, ends, np.add.reduceat(weights, starts), strict=True):
        made.buckets.add(low_value=values[start], high_value=values[end], sample_count=weight)
    return made


def by_quantiles(table: Weighted) -> statistics_pb2.Histogram:
    """Buckets of equal weight."""
    made = statistics_pb2.Histogram(type=statistics_pb2.Histogram.QUANTILES)
    if len(table[0]):
        cuts, share = quantiles(table, BUCKETS), float(table[1].sum()) / BUCKETS
        for low, high in itertools.pairwise(cuts):
            made.buckets.add(low_value=low, high_value=high, sample_count=share)
    return made


def median(table: Weighted) -> float:
    """Returns the least number with half of the weight at or below it; 0 without numbers."""
    return float(quantiles(table, 2)[1]) if len(table[0]) else 0.0


def with_infinite(table: Weighted, infinite: tuple[float, float]) -> Weighted:
    """Returns the finite numbers of a table, with infinite ones at its ends."""
    values, weights = table
    below, above = infinite
    if below:
        values, weights = np.append(-np.inf, values), np.append(below, weights)
    if above:
        values, weights = np.append(values, np.inf), np.append(weights, above)
    return values, weights
