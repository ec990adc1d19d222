"""How far event time has come in a stream of messages."""

from collections import deque
from collections.abc import Callable

import numpy as np

SETTLE = 2.0


class Watermark:
    """The event time before which nothing more is expected.

    It stays behind the latest event time seen by a bound on disorder. What was just seen counts
    only a little later: of messages that have piled up, the service sends some thousands side by
    side, and the older ones are not always the first. While nothing arrives it goes on with the
    clock, so that windows end; it never goes back.

    Args:
      disorder: By how many microseconds messages may come out of order.
      idle: After how many seconds without a message event time goes on with the clock.
      settle: After how many seconds what was seen counts.
      held_until: Up to when, on the clock, there is none: older messages are still to come.
      clock: Where event time is the time of publishing: gives the microseconds since 1970. Then it
        goes on also before the first message: what is published later is not earlier.
    """

    def __init__(
        self,
        disorder: int,
        idle: float,
        settle: float = SETTLE,
        held_until: float = float("-inf"),
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._disorder, self._idle, self._settle = disorder, idle, settle
        self._held_until, self._clock = held_until, clock
        self._latest: int | None = None
        self._came = 0.0
        self._seen: deque[tuple[float, int]] = deque()
        self.value: int | None = None

    def observe(self, times: np.ndarray, now: float) -> None:
        """Takes the event times of messages into account.

        Args:
          times: Microseconds since the epoch.
          now: Seconds on a monotonic clock.
        """
        if len(times):
            latest = int(times.max())
            if self.value is None and now >= self._held_until:
                self.value = int(times.min()) - self._disorder
            self._latest = latest if self._latest is None else max(self._latest, latest)
            self._came = now
            self._seen.append((now, self._latest))
        self._settled(now)

    def pause(self, now: float, reached: float | None) -> None:
        """Notes that no message is there now: after a while, event time goes on by itself.

        Args:
          now: Seconds on a monotonic clock.
          reached: Since when the service has answered; None where it may be away. What it has not
            sent meanwhile is still to come, so only the time since then counts as quiet.
        """
        self._settled(now)
        if reached is None or now < self._held_until:
            return
        quiet = now - max(self._came, reached)
        if quiet < max(self._idle, self._settle):
            return
        if self._latest is not None:
            self._advance(self._latest + int(1e6 * quiet))
        elif self._clock is not None:
            self._advance(self._clock())

    def _settled(self, now: float) -> None:
        if now < self._held_until:
            return
        while self._seen and now - self._seen[0][0] >= self._settle:
            self._advance(self._seen.popleft()[1])

    def _advance(self, latest: int) -> None:
        value = latest - self._disorder
        self.value = value if self.value is None else max(self.value, value)
