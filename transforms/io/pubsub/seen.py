"""Which keys came before, within a horizon: a bounded memory."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

import numpy as np

MAX_KEYS = 2_000_000


class Seen:
    """Remembers keys for a while. Threads share it.

    Args:
      horizon: For how many seconds a key is remembered.
      max_keys: Most keys remembered, the latest ones; about 150 bytes each.
      clock: Seconds on a monotonic clock.
    """

    def __init__(
        self,
        horizon: float,
        max_keys: int = MAX_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._horizon, self._max_keys, self._clock = horizon, max_keys, clock
        self._keys: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, keys: Iterable[str | None]) -> np.ndarray:
        """N booleans: which keys come for the first time. A null is no key, and always first."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            return np.array([self._is_first(key, now) for key in keys], bool)

    def _is_first(self, key: str | None, now: float) -> bool:
        if key is None:
            return True
        if key in self._keys:
            return False
        self._keys[key] = now
        return True

    def _forget(self, now: float) -> None:
        while self._keys:
            key, since = next(iter(self._keys.items()))
            if now - since <= self._horizon and len(self._keys) <= self._max_keys:
                return
            del self._keys[key]
