"""How long BigQuery is asked again: after what errors, how often, with what pauses."""

import random
import time
from collections.abc import Callable
from typing import Any

from google.api_core import exceptions

TRANSIENT = (
    exceptions.ServerError,
    exceptions.TooManyRequests,
    exceptions.Aborted,
    exceptions.Cancelled,
)
"""Errors after which the same call may succeed."""
TRIES = 8
"""How often in a row a call may fail, a stream may break without a row in between."""
_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE = 30.0


def pause(number: int) -> None:
    """Waits after a failure, longer each time, and not all workers alike.

    Args:
      number: How many failures there were in a row before it.
    """
    time.sleep(min(_LONGEST_PAUSE, _PAUSE_SECONDS * 2**number) * random.uniform(0.5, 1))


def tried(call: Callable[[], Any]) -> Any:
    """Returns what a call returns, after several tries if need be.

    Raises:
      GoogleAPICallError: The last one's error.
    """
    for number in range(TRIES - 1):
        try:
            return call()
        except TRANSIENT:
            pause(number)
    return call()
