"""Figures of many stretches of an array at once, each from nothing but the stretch's values."""

from collections.abc import Callable

import numpy as np

Parts = tuple[np.ndarray, ...]
Merge = Callable[[Parts, Parts], Parts]


def fold(
    values: Parts, starts: np.ndarray, lengths: np.ndarray, merge: Merge, none: tuple[float, ...]
) -> Parts:
    """Merges the values of each stretch, in their order.

    Blocks of 1, 2, 4, ... values are merged pairwise, and a stretch is made of the blocks that its
    length is made of in binary, the smallest first. So the result, to the last bit, depends on the
    values of the stretch alone, unlike the difference of two running sums; and rounding grows with
    the logarithm of the length.

    Args:
      values: Arrays of n values that are merged together.
      starts: Where each of m stretches starts.
      lengths: How many values it has; it ends within the n.
      merge: What becomes of two neighbouring blocks.
      none: What a stretch without values gives: one number for each array.

    Returns: Arrays of m results. It takes n + m steps for each doubling up to the longest stretch.
    """
    found = tuple(
        np.full(len(starts), each, part.dtype) for each, part in zip(none, values, strict=True)
    )
    place, left, width = starts.copy(), lengths.copy(), 1
    while left.any():
        odd = np.flatnonzero(left & 1)
        merged = merge(_at(found, odd), _at(values, place[odd]))
        for whole, part in zip(found, merged, strict=True):
            whole[odd] = part
        place[odd] += width
        left >>= 1
        values = merge(tuple(v[:-width] for v in values), tuple(v[width:] for v in values))
        width *= 2
    return found


def _at(parts: Parts, places: np.ndarray) -> Parts:
    return tuple(part[places] for part in parts)


def sums(one: Parts, other: Parts) -> Parts:
    """Merges sums."""
    return (one[0] + other[0],)


def least(one: Parts, other: Parts) -> Parts:
    """Merges minima."""
    return (np.minimum(one[0], other[0]),)


def greatest(one: Parts, other: Parts) -> Parts:
    """Merges maxima."""
    return (np.maximum(one[0], other[0]),)


def moments(one: Parts, other: Parts) -> Parts:
    """Merges counts, means and sums of squared deviations, after Chan, Golub and LeVeque (1979)."""
    number = one[0] + other[0]
    safe = np.maximum(number, 1)
    apart = other[1] - one[1]
    mean = np.where(one[0] == 0, other[1], one[1] + apart * (other[0] / safe))
    squares = one[2] + other[2] + apart * apart * (one[0] * other[0] / safe)
    return number, mean, squares
