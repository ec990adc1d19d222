"""Calls a model in a few fixed sizes, with fewer rows when memory runs out, around bad rows."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")

SMALLEST = 16
"""The smallest size that rows are padded to: tiny calls cost the same, and each size compiles."""

PROBES = 128
"""How many rows must fail alone, and alike, before others of their call are not tried alone."""


@dataclass(frozen=True)
class Failed:
    """A row that the model can't score, and what failed, without any value of it."""

    row: int
    message: str


@dataclass(frozen=True)
class CallResult(Generic[T]):
    """The result of one call: rows `start` to `start + count`."""

    start: int
    count: int
    result: T


class RowLimit:
    """The most rows of a call: as configured, and fewer once memory ran out. Thread-safe.

    Args:
      rows: The most rows to begin with.
      fixed: Whether each call must have exactly so many.
    """

    def __init__(self, rows: int, fixed: bool = False) -> None:
        self._rows, self._fixed, self._lock = rows, fixed, threading.Lock()
        self._pads = True

    @property
    def rows(self) -> int:
        """The most rows of a call now."""
        return self._rows

    def lower(self, rows: int) -> None:
        """Remembers that so many rows fit."""
        with self._lock:
            if not self._fixed:
                self._rows = min(self._rows, rows)

    def stop_padding(self) -> None:
        """Stops padding, unless the number of rows is fixed."""
        self._pads = False

    def padded(self, count: int) -> int:
        """Returns the padded size of a call of so many rows: a power of two, or the limit."""
        if self._fixed:
            return self._rows
        if not self._pads:
            return count
        size = max(SMALLEST, 1 << (count - 1).bit_length())
        return max(count, min(size, self._rows))


@dataclass(frozen=True)
class Calls(Generic[T]):
    """How rows are scored.

    Attributes:
      call: Scores `count` rows from `start` on, padded to a size: call(start, count, padded).
      exhausted: Whether an error means that memory ran out.
      blame: What an error says of itself without values.
      passed: Errors that no row is to blame for.
    """

    call: Callable[[int, int, int], T]
    exhausted: Callable[[Exception], bool]
    blame: Callable[[Exception], str]
    passed: tuple[type[Exception], ...] = ()

    def over(self, rows: int, limit: RowLimit) -> Iterator[CallResult[T] | Failed]:
        """Scores rows in calls of at most the limit.

        Args:
          rows: How many there are.
          limit: The most rows of a call; lowered when memory runs out.

        Yields: Results and failed rows, in the order of the rows.
        """
        start = 0
        while start < rows:
            count = min(limit.rows, rows - start)
            yield from self._attempt(start, count, limit.padded(count), limit)
            start += count

    def trial(self, rows: int, limit: RowLimit) -> None:
        """Makes one call of so many rows, fewer if memory runs out; other errors are ignored."""
        while rows >= 1:
            try:
                self.call(0, rows, limit.padded(rows))
                return
            except self.passed:
                raise
            except Exception as error:
                if not self.exhausted(error):
                    return
            rows //= 2
            limit.lower(max(1, rows))

    def _attempt(
        self, start: int, count: int, padded: int, limit: RowLimit
    ) -> Iterator[CallResult[T] | Failed]:
        """Scores rows; halves them while that fails, until the rows at fault are alone."""
        try:
            yield CallResult(start, count, self.call(start, count, padded))
            return
        except self.passed:
            raise
        except Exception as error:
            exhausted, message = self.exhausted(error), self.blame(error)
        if exhausted and padded > count:
            parts, fitting = [*self._attempt(start, count, count, limit)], count
        elif count == 1:
            yield Failed(start, message)
            return
        elif not exhausted and (alike := self._all_alike(start, count, message, limit)):
            yield from alike
            return
        else:
            parts, fitting = self._halved(start, count, exhausted, limit), (count + 1) // 2
        if exhausted and not any(isinstance(part, Failed) for part in parts):
            # A single row that is too large says nothing about how many usual rows fit.
            limit.lower(fitting)
        yield from parts

    def _all_alike(self, start: int, count: int, message: str, limit: RowLimit) -> list[Failed]:
        """Returns the rows of a call that failed, if it seems that all of them fail; else none.

        Looking for good rows takes two calls for each bad one, minutes where all are bad. So some
        rows are drawn and called alone: where each fails, and alike, the others are not tried.
        """
        if count < 2 * PROBES:
            return []
        # Drawn, for rows at fault may come at regular steps; seeded, for a rerun to do the same.
        drawn = np.random.default_rng(count).choice(count, PROBES, replace=False).tolist()
        if not all(self._fails(start + row, message, limit) for row in drawn):
            return []
        untried = (
            f"{message}: so did the rows it came with, {PROBES} of them alone; this one was not "
            "tried alone"
        )
        alone = set(drawn)
        return [Failed(start + r, message if r in alone else untried) for r in range(count)]

    def _fails(self, row: int, message: str, limit: RowLimit) -> bool:
        """Returns whether a row fails alone with this message."""
        try:
            self.call(row, 1, limit.padded(1))
        except self.passed:
            raise
        except Exception as error:
            return not self.exhausted(error) and self.blame(error) == message
        return False

    def _halved(
        self, start: int, count: int, exhausted: bool, limit: RowLimit
    ) -> list[CallResult[T] | Failed]:
        half = (count + 1) // 2
        parts: list[CallResult[T] | Failed] = []
        for first, size in ((start, half), (start + half, count - half)):
            # When memory ran out, padding to more than the half would run out again.
            padded = min(limit.padded(size), half) if exhausted else limit.padded(size)
            parts += self._attempt(first, size, padded, limit)
        return parts


def groups(sizes: np.ndarray) -> Iterator[np.ndarray]:
    """Yields the rows that agree in all sizes, group by group.

    Args:
      sizes: [n, k] sizes.

    Yields: Row numbers, ascending in each group.
    """
    _, members = np.unique(sizes, axis=0, return_inverse=True)
    members = members.ravel()
    order = np.argsort(members, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(members[order])) + 1)
