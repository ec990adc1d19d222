"""How fast requests go out: one bucket a process, whose rate halves when the quota is used up."""

import threading
import time
from collections.abc import Callable

PER_MINUTE = 600.0
"""DLP's quota of a project and region, where nobody asked for more."""
_HEADROOM, _CEILING = 0.98, 0.95
_BACK_IN = 4.0
_PROBE = 0.002
_PATIENCE = 20.0
_LEAST, _PAUSE = 64, 0.25


class Bucket:
    """A token bucket whose rate follows the service's answers (AIMD).

    A 429 halves the rate, at most once for what was in flight together. It then comes back within
    seconds to just below where it was refused, and from there it is raised slowly at first and
    faster by and by: little of the quota is left unused, few requests are refused for finding
    that out, and a storm of 429s is forgotten within a minute or two.

    Args:
      per_minute: The rate to begin with, and never to exceed.
      burst: How many requests may go out at once after a pause.
      clock: Seconds that only grow.
      sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        per_minute: float = PER_MINUTE,
        burst: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._most = self._rate = per_minute / 60 * _HEADROOM
        self._ceiling = self._most
        self._burst, self._clock, self._sleep = burst, clock, sleep
        self._tokens, self._at = burst, clock()
        self._cut_at = float("-inf")
        self._lock = threading.Lock()
        self.waited = 0.0
        self._waiting_until, self._throttled = clock(), 0.0

    @property
    def per_minute(self) -> float:
        """The present rate."""
        return 60 * self._rate

    def take(self) -> float:
        """Waits until a request may go out, and returns the time at which it does."""
        with self._lock:
            now = self._clock()
            self._refill(now)
            self._tokens -= 1
            wait = max(0.0, -self._tokens / self._rate)
            self.waited += wait
            self._note(now, wait)
        if wait:
            self._sleep(wait)
        return now + wait

    def throttle(self, seconds: float) -> None:
        """Notes that a request will wait so long, because the quota is used up."""
        with self._lock:
            self._note(self._clock(), seconds)

    def claim_throttled(self) -> int:
        """Returns the whole seconds in which requests waited that nobody has claimed yet.

        Time in which several wait counts once: it is what a runner should know before it adds
        workers to work that waits for a quota.
        """
        with self._lock:
            ahead = max(0.0, self._waiting_until - self._clock())
            whole = int(max(0.0, self._throttled - ahead))
            self._throttled -= whole
            return whole

    def _note(self, now: float, wait: float) -> None:
        end = now + wait
        self._throttled += max(0.0, end - max(now, self._waiting_until))
        self._waiting_until = max(self._waiting_until, end)

    def refused(self, sent: float) -> None:
        """Halves the rate for a 429, unless the request went out before the last cut."""
        with self._lock:
            now = self._clock()
            self._refill(now)
            if sent <= self._cut_at or now - self._cut_at < _PAUSE:
                return
            self._cut_at, least = now, self._most / _LEAST
            self._ceiling = max(least, self._rate * _CEILING)
            self._rate = max(least, self._rate / 2)
            self._tokens = min(self._tokens, 0.0)

    def _refill(self, now: float) -> None:
        passed, self._at = max(0.0, now - self._at), now
        self._tokens = min(self._burst, self._tokens + passed * self._rate)
        if self._rate < self._ceiling:
            self._rate = min(self._ceiling, self._rate + passed * self._ceiling / _BACK_IN)
        elif self._rate < self._most:
            # The ceiling was where it was refused: beyond it the rate feels its way.
            growth = _PROBE * (1 + ((now - self._cut_at) / _PATIENCE) ** 3)
            self._rate = min(self._most, self._rate * (1 + growth * min(passed, 1.0)))


_BUCKETS: dict[str, Bucket] = {}
_BUCKETS_LOCK = threading.Lock()


def shared_bucket(name: str, per_minute: float) -> Bucket:
    """Returns the bucket of a project and region: one for the whole process."""
    with _BUCKETS_LOCK:
        return _BUCKETS.setdefault(f"{name} {per_minute}", Bucket(per_minute))
