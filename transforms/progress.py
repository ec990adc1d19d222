"""How far this process has come: counters any thread may add to, for the launcher's status line.

They are for people: retried work counts twice. The manifest's counts are exact.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from transforms.errors import MillraceError


class Stopped(MillraceError):
    """The run was stopped from outside; what a worker thread of this process meets then."""


@dataclass(frozen=True)
class Count:
    """What a step has done so far.

    Attributes:
      rows: Rows done.
      bytes: Bytes done.
      expected_bytes: Bytes there are to do; 0 where that is unknown.
    """

    rows: int = 0
    bytes: int = 0
    expected_bytes: int = 0

    @property
    def share(self) -> float | None:
        """Which part is done, from 0 to 1; None where it isn't known how much there is."""
        if not self.expected_bytes:
            return None
        return min(1.0, self.bytes / self.expected_bytes)


DEAD = "dead: "
FOUND = "found: "
"""How counters of rejected rows begin; the reason follows."""

_lock = threading.Lock()
_counts: dict[str, list[int]] = {}
_gauges: dict[str, float] = {}
_phases: list[str] = []
_stopped = threading.Event()


def add(step: str, rows: int = 0, bytes: int = 0) -> None:
    """Counts work done. It costs less than a microsecond: a DoFn may call it for every batch.

    Args:
      step: "read", "write", "dead", or another short name.
      rows: Rows more.
      bytes: Bytes more.

    Raises:
      Stopped: After `stop`: the work in hand is no longer wanted.
    """
    if _stopped.is_set():
        raise Stopped("the run was stopped")
    with _lock:
        counts = _counts.setdefault(step, [0, 0, 0])
        counts[0] += rows
        counts[1] += bytes


def gauge(name: str, value: float) -> None:
    """Sets a gauge to its value at this moment."""
    with _lock:
        _gauges[name] = value


def gauges() -> dict[str, float]:
    """Returns the gauges by name."""
    with _lock:
        return dict(_gauges)


@contextlib.contextmanager
def phase(what: str) -> Iterator[None]:
    """Shows what is done while no rows pass, such as "looking at the model"."""
    with _lock:
        _phases.append(what)
    try:
        yield
    finally:
        with _lock:
            _phases.remove(what)


def phase_now() -> str:
    """Returns what is done now, the innermost task that was begun; "" without one."""
    with _lock:
        return _phases[-1] if _phases else ""


def expect(step: str, bytes: int) -> None:
    """Adds to the bytes that a step has to read, so that its share can be shown."""
    with _lock:
        _counts.setdefault(step, [0, 0, 0])[2] += bytes


def snapshot() -> dict[str, Count]:
    """Returns the counts by step."""
    with _lock:
        return {step: Count(*counts) for step, counts in _counts.items()}


def stop() -> None:
    """Ends the work of every thread of this process at its next count.

    A run is stopped so, and not by raising in the launcher's thread, for the last step must not
    be torn apart: publishing counts nothing, and once begun it ends.
    """
    _stopped.set()


def reset() -> None:
    """Forgets everything: a new run begins in this process."""
    _stopped.clear()
    with _lock:
        _counts.clear()
        _gauges.clear()
