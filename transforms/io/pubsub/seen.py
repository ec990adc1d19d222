"""Which keys came before, within a horizon: a bounded and compact memory."""

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np

MAX_KEYS = 4_000_000
_PARTS = 8
_RECENT = 4096
_DIGITS = 18
_LOW = (1 << 64) - 1


@dataclass
class _Run:
    """Keys that came in a stretch of time, sorted.

    Attributes:
      first: When the first of them came, in seconds.
      last: When the last one came.
      low: Their lower 64 bits, ascending.
      high: Their upper 64 bits; None where those are all 0.
    """

    first: float
    last: float
    low: np.ndarray
    high: np.ndarray | None

    def has(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Returns which of some keys are remembered."""
        places = np.searchsorted(self.low, low)
        places[places == len(self.low)] = 0
        same = (high == 0) if self.high is None else (self.high[places] == high)
        return np.asarray(same & (self.low[places] == low))


class Seen:
    """Remembers keys for a while. Threads share it.

    A number of up to 18 digits, as the service's message ids are, is kept as it is, in 8 bytes; of
    any other key a hash of 127 bits, which no two keys can be expected to share.

    Args:
      horizon: For how many seconds a key is remembered, and at most an eighth longer.
      max_keys: About the most keys remembered, the latest ones.
      clock: Seconds on a monotonic clock.
    """

    def __init__(
        self,
        horizon: float,
        max_keys: int = MAX_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._horizon, self._clock = horizon, clock
        self._most = max(1, max_keys // _PARTS)
        self._recent: set[int] = set()
        self._began = self._came = 0.0
        self._runs: list[_Run] = []
        self._lock = threading.Lock()

    def first(self, keys: Iterable[str | None]) -> np.ndarray:
        """Returns n booleans: whether a key is new. A null is no key, and always new."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            codes = [None if key is None else _code(key) for key in keys]
            new = ~self._among_runs(codes)
            for index in np.flatnonzero(new):
                code = codes[index]
                new[index] = code not in self._recent
                if code is not None:
                    self._recent.add(code)
            self._came = now
            if len(self._recent) >= min(_RECENT, self._most):
                self._set_aside()
            return new

    @property
    def _span(self) -> float:
        """The stretch of time of a run: what is forgotten at once."""
        return self._horizon / _PARTS

    def _among_runs(self, codes: list[int | None]) -> np.ndarray:
        low, high = _halves([code or 0 for code in codes])
        found = np.zeros(len(codes), bool)
        for run in self._runs:
            found |= run.has(low, high)
        return np.asarray(found & np.array([code is not None for code in codes], bool))

    def _set_aside(self) -> None:
        """Makes the recent keys part of the last run, or a run of their own."""
        low, high = _halves(self._recent)
        first, last = self._began, self._runs[-1] if self._runs else None
        if last is not None and len(last.low) < self._most and first - last.first <= self._span:
            self._runs.pop()
            before = np.zeros_like(last.low) if last.high is None else last.high
            low, high = np.concatenate([last.low, low]), np.concatenate([before, high])
            first = last.first
        order = np.argsort(low, kind="stable")
        sorted_high = high[order] if high.any() else None
        self._runs.append(_Run(first, self._came, low[order], sorted_high))
        self._recent = set()

    def _forget(self, now: float) -> None:
        if self._recent and now - self._began > self._span:
            self._set_aside()
        if not self._recent:
            self._began = now
        while self._runs and now - self._runs[0].last > self._horizon:
            del self._runs[0]
        while sum(len(run.low) for run in self._runs[1:]) >= self._most * _PARTS:
            del self._runs[0]


def _code(key: str) -> int:
    """Returns a key's number of 128 bits, whose upper half is 0 if the key is a short number."""
    if len(key) <= _DIGITS and key.isascii() and key.isdigit() and (key[0] != "0" or key == "0"):
        return int(key)
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(digest) | 1 << 127


def _halves(codes: Collection[int]) -> tuple[np.ndarray, np.ndarray]:
    low = np.fromiter((code & _LOW for code in codes), np.uint64, len(codes))
    return low, np.fromiter((code >> 64 for code in codes), np.uint64, len(codes))
