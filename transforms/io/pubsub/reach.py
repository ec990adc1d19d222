"""Whether a service answers: silence is not the same as having nothing to send."""

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds after an answer in which the service counts as there."""


class Reach:
    """Since when a service has answered without a break. Threads share it.

    Args:
      name: The name of the service for the user.
      clock: Seconds on a monotonic clock.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._lock = threading.Lock()
        self._first: float | None = None
        self._last = self._away = float("-inf")

    def answered(self) -> None:
        """Notes that the service has answered a call, with any answer."""
        with self._lock:
            now, away = self._clock(), self._away
            if self._first is None or now - self._last > PATIENCE:
                self._first = now
            self._last, self._away = now, float("-inf")
        if away > float("-inf"):
            _log.warning("%s is back after %.0f s", self._name, now - away)

    def failed(self) -> None:
        """Notes that a call failed."""
        with self._lock:
            reported, self._first = self._away > float("-inf"), None
            self._away = self._away if reported else self._clock()
        if not reported:
            _log.warning("%s can't be reached; trying again until it can", self._name)

    def silent(self) -> float:
        """Returns the seconds without an answer."""
        return self._clock() - self._last

    def since(self) -> float | None:
        """Returns since when there have been answers, on the clock; None if it may be away now."""
        with self._lock:
            return self._first if self._clock() - self._last <= PATIENCE else None
