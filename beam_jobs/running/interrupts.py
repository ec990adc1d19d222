"""Ctrl-C and SIGTERM in a local run: end it in order, leaving nothing behind."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from transforms import progress

_ONE_PRESS = 0.3
"""Seconds within which signals count as one."""


class Interrupts:
    """Turns the first signal into a stop of the workers, and the second into an exit at once.

    The kernel may hand a signal to any thread, and Python's handlers wait until the main thread
    wakes, which in a runner may be at its end: so a thread of our own listens.

    Args:
      in_process: Whether the workers are threads of this process. Others can't be stopped so;
        then signals do what they always do.
      stop: Ends the workers.
      message: What is printed for the user.

    Attributes:
      signal: The number of the signal that came; 0 where none did.
    """

    def __init__(
        self,
        in_process: bool = True,
        stop: Callable[[], None] = progress.stop,
        message: str = "stopping",
    ) -> None:
        self.signal, self._at = 0, 0.0
        self._in_process, self._stop, self._message = in_process, stop, message
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        # Python lets only the main thread listen; elsewhere the host program decides.
        if self._in_process and threading.current_thread() is threading.main_thread():
            self._here, self._there = socket.socketpair()
            self._there.setblocking(False)
            self._before = {number: signal.signal(number, _nothing) for number in _signals()}
            self._fd = signal.set_wakeup_fd(self._there.fileno(), warn_on_full_buffer=False)
            self._thread = threading.Thread(
                target=self._listen, name="millrace-signals", daemon=True
            )
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._before:
            signal.set_wakeup_fd(self._fd)
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._there.close()
            self._thread.join()
            self._here.close()

    @property
    def exit_code(self) -> int:
        """What a shell expects of a program that a signal ended."""
        return 128 + self.signal

    def _listen(self) -> None:
        while numbers := self._here.recv(64):
            for number in numbers:
                if number in self._before:
                    self._came(number)

    def _came(self, number: int) -> None:
        now = time.monotonic()
        if self.signal and now - self._at < _ONE_PRESS:
            # `timeout`, and a terminal with a wrapper, send the same one to the group besides.
            return
        if self.signal:
            print("interrupted", file=sys.stderr, flush=True)
            os._exit(128 + number)
        self.signal, self._at = number, now
        self._stop()
        print(f"\n{self._message}; once more to quit at once", file=sys.stderr, flush=True)


def _signals() -> list[int]:
    """Returns the signals to listen for; what nohup ignores stays ignored."""
    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        wanted.append(signal.SIGHUP)
    return [int(number) for number in wanted]


def _nothing(*_: object) -> None:
    """Does nothing: Python writes to the descriptor, and the listener does the rest."""
