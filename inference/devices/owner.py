"""The one thread that a device works for: it takes calls that are ready from a short queue.

Whoever has rows decodes them and copies them to the device in a thread of its own, so that the
device need not wait for that, and reads results back after its call, so that it works on the next.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from inference.time_limit import ModelTimeoutError, too_slow

T = TypeVar("T")


@dataclass(frozen=True)
class Usage:
    """What a device did within some time.

    Attributes:
      calls: How many calls it made.
      busy: For how many seconds it worked.
      waited: For how many seconds calls that were ready waited for it, all together.
      seconds: How long that time was.
    """

    calls: int = 0
    busy: float = 0.0
    waited: float = 0.0
    seconds: float = 0.0

    @property
    def occupancy(self) -> float:
        """The share of the time in which the device worked, 0 to 1."""
        return min(1.0, self.busy / self.seconds) if self.seconds > 0 else 0.0

    def __add__(self, other: "Usage") -> "Usage":
        """Returns the usage of two devices in the same time; its occupancy is that of both."""
        return Usage(
            self.calls + other.calls,
            self.busy + other.busy,
            self.waited + other.waited,
            self.seconds + other.seconds,
        )


class _Asked:
    """A call that waits for the device, runs on it, and ends."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function: Callable[[], Any] | None = function
        self.began: float | None = None
        self.ended = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None


class DeviceOwner:
    """Works for one device, one call at a time. Threads share it.

    Nothing can end a call within TensorFlow. Where one takes too long, its thread is left to itself
    and the device with it: all later calls fail too.

    Args:
      name: The device's name.
      ahead: How many calls may wait; the next one waits until there is room.
      timeout: The most seconds of a call, counted from when the device takes it; None for any.
      clock: Tells the time in seconds.
    """

    def __init__(
        self,
        name: str,
        ahead: int,
        timeout: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.name, self._timeout, self._clock = name, timeout, clock
        self._queue: queue.Queue[_Asked | None] = queue.Queue(ahead)
        self._lock, self._lost = threading.Lock(), False
        self._calls, self._busy, self._waited, self._since = 0, 0.0, 0.0, clock()
        # A daemon, for no process should wait for a call that never returns.
        threading.Thread(target=self._work, name=f"device {name}", daemon=True).start()

    def call(self, function: Callable[[], T], rows: int) -> T:
        """Has the device run a function, and returns its result.

        Args:
          function: What is run, on the owner's thread.
          rows: How many rows it is about, for the message.

        Raises:
          ModelTimeoutError: It has not returned in time, or an earlier one hasn't.
        """
        asked, ready = _Asked(function), self._clock()
        self._put(asked, rows)
        while not asked.ended.wait(self._left(asked)):
            if self._lost or self._is_late(asked):
                self._lost = True
                raise self._too_slow(rows)
        with self._lock:
            self._waited += max(0.0, (asked.began or ready) - ready)
        if asked.error is not None:
            raise asked.error
        result: T = asked.result
        return result

    def taken(self) -> Usage:
        """Returns what the device did since this was asked last."""
        with self._lock:
            now = self._clock()
            usage = Usage(self._calls, self._busy, self._waited, now - self._since)
            self._calls, self._busy, self._waited, self._since = 0, 0.0, 0.0, now
        return usage

    def close(self) -> None:
        """Ends its thread, after the calls that wait."""
        if not self._lost:
            self._queue.put(None)

    def _put(self, asked: _Asked, rows: int) -> None:
        while True:
            if self._lost:
                raise self._too_slow(rows)
            try:
                return self._queue.put(asked, timeout=self._timeout)
            except queue.Full:
                continue

    def _left(self, asked: _Asked) -> float | None:
        """Returns the seconds until a call is late, or until it is looked at again."""
        if self._timeout is None:
            return None
        if asked.began is None:
            return self._timeout
        return max(0.0, asked.began + self._timeout - self._clock())

    def _is_late(self, asked: _Asked) -> bool:
        assert self._timeout is not None
        return asked.began is not None and self._clock() - asked.began >= self._timeout

    def _too_slow(self, rows: int) -> ModelTimeoutError:
        return too_slow(rows, self._timeout or 0.0)

    def _work(self) -> None:
        while (asked := self._queue.get()) is not None:
            function, asked.function = asked.function, None
            assert function is not None
            asked.began = self._clock()
            try:
                asked.result = function()
            except BaseException as error:
                asked.error = error
            # Tensors must not live on here until the next call comes.
            del function
            with self._lock:
                self._calls += 1
                self._busy += self._clock() - asked.began
            asked.ended.set()
            del asked
