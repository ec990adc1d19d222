"""Numbers among rising bounds: how many are at or beyond each, and beyond how many each one is."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
"""Numbers of 64 or 32 bits; bounds have as many."""

_BLOCK = 32_768
"""So many numbers are compared at once: what that makes stays in the processor's cache."""
_MOST = 255
"""So many ones can be added up in a byte."""
_BUFFER = 4096
"""Fewer numbers than this NumPy would copy for each bound, which takes twice as long as the rest,
unless its buffer is small."""
_thread = threading.local()


def at_or_beyond(values: Floats, bounds: Floats) -> NDArray[np.int64]:
    """Counts the numbers at or beyond each bound; NaN is beyond none.

    To compare with every bound takes a quarter of the time of a search for the right one.

    Args:
      values: n numbers.
      bounds: k numbers.

    Returns: k counts.
    """
    found = np.zeros(len(bounds), np.int64)
    for start in range(0, len(values), _BLOCK):
        found += _beyond(values[start : start + _BLOCK], bounds)
    return found


def _beyond(values: Floats, bounds: Floats) -> NDArray[np.int64]:
    """Counts some numbers: only bounds between the least and the greatest are looked at."""
    found = np.zeros(len(bounds), np.int64)
    first, end = 0, len(bounds)
    low, high = values.min(), values.max()
    if low == low:
        # Without NaN.
        first, end = np.searchsorted(bounds, (low, high), side="right").tolist()
    found[:first] = len(values)
    if first < end:
        sums = _ones(values, bounds[first:end])
        np.add.reduce(sums.view(np.uint8), axis=1, dtype=np.int64, out=found[first:end])
    return found


def _ones(values: Floats, bounds: Floats) -> NDArray[np.uint64]:
    """Returns how many comparisons are true: integers of eight counts each, for each bound."""
    words = -(-len(values) // 8)
    parts = -(-words // _MOST)
    width = -(-words // parts)
    is_beyond = _held(len(bounds), parts * width * 8)
    is_beyond[:, len(values) :] = False
    _compare(values, bounds, is_beyond[:, : len(values)])
    sums = np.add.reduce(is_beyond.view(np.uint64).reshape(len(bounds), parts, width), axis=2)
    found: NDArray[np.uint64] = sums
    return found


def _held(rows: int, columns: int) -> NDArray[np.bool_]:
    """Returns memory of this thread, used again: to get new pages takes as long as to compare."""
    size = rows * columns
    held: NDArray[np.bool_] | None = getattr(_thread, "held", None)
    if held is None or len(held) < size:
        held = _thread.held = np.empty(size, bool)
    return held[:size].reshape(rows, columns)


def _compare(values: Floats, bounds: Floats, is_beyond: NDArray[np.bool_]) -> None:
    if len(values) >= _BUFFER:
        np.greater_equal(values, bounds[:, None], out=is_beyond)
        return
    before = np.setbufsize(16)
    try:
        np.greater_equal(values, bounds[:, None], out=is_beyond)
    finally:
        np.setbufsize(before)


def places(values: Floats, bounds: Floats) -> NDArray[Any]:
    """Returns beyond how many bounds each number is, or at; NaN is beyond none.

    Args:
      values: n numbers.
      bounds: k numbers.

    Returns: n integers of 8 bits; of 16 where there are more than 255 bounds.
    """
    kind = np.uint8 if len(bounds) <= _MOST else np.uint16
    found = np.empty(len(values), kind)
    held = _held(len(bounds), min(_BLOCK, len(values)))
    for start in range(0, len(values), _BLOCK):
        part = found[start : start + _BLOCK]
        is_beyond = held[:, : len(part)]
        _compare(values[start : start + _BLOCK], bounds, is_beyond)
        np.add.reduce(is_beyond.view(np.uint8), axis=0, dtype=kind, out=part)
    return found
