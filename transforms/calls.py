"""Calls a model in a few fixed sizes, with fewer rows when memory runs out, around bad rows."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")

SMALLEST = 16
"""The smallest size that rows are padded to: tiny calls cost the same, and each size compiles."""


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


@dataclass(frozen=True)
class _Error:
    """What a call failed of, and whether memory ran out."""

    message: str
    exhausted: bool


@dataclass(frozen=True)
class Ahead:
    """Makes several calls at a time, for one to be prepared while another is made.

    Attributes:
      pool: Its threads make the calls.
      calls: How many calls of one batch are begun and not looked at yet.
      parts: Into how many calls at least a batch is cut, where it has rows enough.
    """

    pool: Executor
    calls: int
    parts: int = 1

    def rows(self, rows: int, most: int) -> int:
        """Returns how many rows each call of a batch has.

        Args:
          rows: Those of the batch.
          most: Those that a call may have.
        """
        return max(min(SMALLEST, most), min(most, -(-rows // self.parts)))


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

    @property
    def pads(self) -> bool:
        """Whether a call may have any number of rows, for they don't depend on each other."""
        return self._pads and not self._fixed

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

    def over(
        self, rows: int, limit: RowLimit, ahead: "Ahead | None" = None
    ) -> Iterator[CallResult[T] | Failed]:
        """Scores rows in calls of at most the limit.

        Args:
          rows: How many there are.
          limit: The most rows of a call; lowered when memory runs out.
          ahead: Makes several calls at a time; None makes one after the other.

        Yields: Results and failed rows, in the order of the rows.
        """
        if ahead is not None:
            yield from self._ahead(rows, limit, ahead)
            return
        start = 0
        while start < rows:
            count = min(limit.rows, rows - start)
            yield from self._attempt(start, count, limit.padded(count), limit)
            start += count

    def _ahead(
        self, rows: int, limit: RowLimit, ahead: "Ahead"
    ) -> Iterator[CallResult[T] | Failed]:
        """Scores rows in several calls at a time; one that fails is looked into when it's due."""
        start, begun = 0, deque[tuple[int, int, int, Future[T]]]()
        try:
            while start < rows or begun:
                while start < rows and len(begun) < ahead.calls:
                    count = min(ahead.rows(rows, limit.rows), rows - start)
                    padded = limit.padded(count)
                    future = ahead.pool.submit(self.call, start, count, padded)
                    begun.append((start, count, padded, future))
                    start += count
                first, count, padded, future = begun.popleft()
                yield from self._attempt(first, count, padded, limit, future.result)
        finally:
            # Where one of them has failed for good, nobody asks for the others.
            for *_, future in begun:
                future.cancel()

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
        self,
        start: int,
        count: int,
        padded: int,
        limit: RowLimit,
        begun: Callable[[], T] | None = None,
    ) -> Iterator[CallResult[T] | Failed]:
        """Scores rows; with fewer a call while that fails, until the rows at fault are alone."""
        found = self._called(start, count, padded, begun)
        if isinstance(found, CallResult):
            yield found
        elif found.exhausted and padded > 1:
            yield from self._with_less(start, count, padded, limit)
        elif count == 1:
            yield Failed(start, found.message)
        else:
            yield from self._around(start, count, limit)

    def _called(
        self, start: int, count: int, padded: int, begun: Callable[[], T] | None = None
    ) -> "CallResult[T] | _Error":
        try:
            result = begun() if begun else self.call(start, count, padded)
            return CallResult(start, count, result)
        except self.passed:
            raise
        except Exception as error:
            return _Error(self.blame(error), self.exhausted(error))

    def _around(self, start: int, count: int, limit: RowLimit) -> Iterator[CallResult[T] | Failed]:
        """Scores the good ones of rows that fail together, each bad one alone.

        The size of a call is halved where it fails and doubled where it succeeds. So a bad row
        among good ones takes a search, of at most 3 log2(count) calls; and where most are bad, the
        size stays 1: all of n rows take at most 2 n + log2(n) calls, and n + log2(n) if none is
        good. No row is judged by others.
        """
        end, size = start + count, count // 2
        while start < end:
            rows = min(size, end - start)
            found = self._called(start, rows, limit.padded(rows))
            if isinstance(found, _Error) and rows > 1 and not found.exhausted:
                size = rows // 2
                continue
            yield from self._settled(found, start, rows, limit)
            start, size = start + rows, 1 if isinstance(found, _Error) else 2 * rows

    def _settled(
        self, found: "CallResult[T] | _Error", start: int, count: int, limit: RowLimit
    ) -> Iterator[CallResult[T] | Failed]:
        """Returns what is known of rows after a call, and calls again where memory ran out."""
        if isinstance(found, CallResult):
            yield found
        elif found.exhausted:
            yield from self._attempt(start, count, count, limit)
        else:
            yield Failed(start, found.message)

    def _with_less(
        self, start: int, count: int, padded: int, limit: RowLimit
    ) -> list[CallResult[T] | Failed]:
        """Scores rows after memory ran out: without padding, else half of them a call."""
        if padded > count:
            parts, fitting = [*self._attempt(start, count, count, limit)], count
        else:
            parts, fitting = self._halved(start, count, limit), (count + 1) // 2
        if not any(isinstance(part, Failed) for part in parts):
            # A single row that is too large says nothing about how many usual rows fit.
            limit.lower(fitting)
        return parts

    def _halved(self, start: int, count: int, limit: RowLimit) -> list[CallResult[T] | Failed]:
        half = (count + 1) // 2
        parts: list[CallResult[T] | Failed] = []
        for first, size in ((start, half), (start + half, count - half)):
            # Padding to more than the half would run out of memory again.
            parts += self._attempt(first, size, min(limit.padded(size), half), limit)
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
