"""How long a call of a model may take: one that never returns ends the run, it hangs nothing."""

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from transforms.errors import MillraceError

T = TypeVar("T")


class ModelTimeoutError(MillraceError):
    """A call of the model took longer than it may (exit code 1)."""


def too_slow(rows: int, seconds: float) -> ModelTimeoutError:
    """Returns the error of a call with so many rows that has not returned in time."""
    return ModelTimeoutError(
        f"step Score: the model has not returned from a call with {rows:,} rows within "
        f"{seconds:g} s: raise model_timeout, or lower batch_rows"
    )


class TimeLimit:
    """Calls functions in threads of their own, and gives up on one that takes too long.

    Nothing can end a call within TensorFlow. So the thread is left to itself: it is a daemon, which
    no process waits for at its end. Each thread that calls has one such thread, used again and
    again, for to start one takes longer than to hand something over.

    Args:
      seconds: The most seconds of a call; None for any number, without threads.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds, self._own = seconds, threading.local()

    def call(self, function: Callable[[], T], rows: int) -> T:
        """Returns what a function returns.

        Args:
          function: Calls the model.
          rows: With how many rows, for the message.

        Raises:
          ModelTimeoutError: It has not returned in time.
        """
        if self._seconds is None:
            return function()
        helper: _Helper | None = getattr(self._own, "helper", None)
        if helper is None:
            helper = self._own.helper = _Helper()
        helper.asked.put(function)
        try:
            result, error = helper.answers.get(timeout=self._seconds)
        except queue.Empty:
            del self._own.helper
            raise too_slow(rows, self._seconds) from None
        if error is not None:
            raise error
        answer: T = result
        return answer


class _Helper:
    """A thread that calls what it is asked to, one after the other."""

    def __init__(self) -> None:
        self.asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(
            target=_serve, args=(self.asked, self.answers), name="model-call", daemon=True
        ).start()

    def __del__(self) -> None:
        self.asked.put(None)


def _serve(asked: "queue.SimpleQueue[Any]", answers: "queue.SimpleQueue[Any]") -> None:
    while (function := asked.get()) is not None:
        answer: tuple[Any, BaseException | None]
        try:
            answer = function(), None
        except BaseException as error:
            answer = None, error
        # Neither may outlive the call here: they hold tensors.
        del function
        answers.put(answer)
        del answer
