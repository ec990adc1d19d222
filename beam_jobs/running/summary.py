"""What a local run shows while it goes on: a status line."""

import math
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Self, TextIO

from transforms import progress
from transforms.progress import Count
from transforms.words import duration

LIVE_SECONDS = 0.5
PLAIN_SECONDS = 10.0
_RATE_SAMPLES = 10


_SURE_SHARE, _SURE_SECONDS = 0.02, 2.0
"""The share of the work after which the time left is estimated."""


def status_line(
    counts: Mapping[str, Count], rate: float, seconds: float, reading: float = 0.0
) -> str:
    """Returns how far a run has come, in one line.

    Args:
      counts: The process's counters, by step.
      rate: Rows a second, of late.
      seconds: Time since the start.
      reading: Time since the first rows came, by which the time that is left is reckoned.
    """
    read, phase = counts.get("read"), progress.phase_now()
    if read is None or not (read.rows or read.bytes):
        return f"{phase}  {duration(seconds)}" if phase else duration(seconds)
    parts = [f"{read.rows:,} rows", f"{rate:,.0f} rows/s", duration(seconds)]
    if read.share is not None:
        parts.append(f"{read.share:.0%} of the input")
        parts += _left(read.share, reading)
    if dead := counts.get("dead", Count()).rows:
        parts.append(f"{dead:,} rejected")
    return "  ".join([*parts, phase] if phase else parts)


def _left(share: float, seconds: float) -> list[str]:
    """Returns about how long it will go on, if enough is known for that."""
    if share < _SURE_SHARE or seconds < _SURE_SECONDS or share >= 1:
        return []
    return [f"about {duration(math.ceil(seconds / share * (1 - share)), 0)} left"]


class Meter:
    """Shows the status line from a thread of its own: alive on a terminal, else now and then.

    Args:
      out: Where to; stderr by default.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._show, name="millrace-meter", daemon=True)
        self._samples: deque[tuple[float, int]] = deque(maxlen=_RATE_SAMPLES)

    def __enter__(self) -> Self:
        self.started, self._first = time.monotonic(), 0.0
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self.started
        self._end.set()
        self._thread.join()

    def _show(self) -> None:
        while not self._end.wait(LIVE_SECONDS if self._live else PLAIN_SECONDS):
            line = self._line()
            # The escape clears what a longer line before this one has left.
            self._out.write(f"\r{line}\x1b[K" if self._live else f"{line}\n")
            self._out.flush()
        if self._live:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _line(self) -> str:
        counts, now = progress.snapshot(), time.monotonic()
        read = counts.get("read", Count())
        # What came before the first look at it is not known better than that.
        self._first = self._first or (now if read.bytes else 0.0)
        self._samples.append((now, read.rows))
        (first, before), (last, rows) = self._samples[0], self._samples[-1]
        if first == last:
            first, before = self.started, 0
        rate = (rows - before) / (last - first)
        reading = now - self._first if self._first else 0.0
        return self.line(counts, rate, now - self.started, reading)

    def line(
        self, counts: Mapping[str, Count], rate: float, seconds: float, reading: float = 0.0
    ) -> str:
        """Returns the status line."""
        return status_line(counts, rate, seconds, reading)
