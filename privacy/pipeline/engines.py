"""Engines of this process: all steps of one policy share one client, pool and pace."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from privacy.cloud.engine import CloudEngine
from privacy.cloud.settings import CloudPolicy


@dataclass
class _Open:
    engine: CloudEngine
    users: int = 0


_OPEN: dict[CloudPolicy, _Open] = {}
_LOCK = threading.Lock()


def borrow(policy: CloudPolicy) -> CloudEngine:
    """Returns the engine of a policy; who borrows it gives it back, and the last one closes it."""
    with _LOCK:
        if policy not in _OPEN:
            _OPEN[policy] = _Open(CloudEngine(policy))
        _OPEN[policy].users += 1
        return _OPEN[policy].engine


def give_back(policy: CloudPolicy) -> None:
    """Ends one use of the engine of a policy."""
    with _LOCK:
        _OPEN[policy].users -= 1
        last = None if _OPEN[policy].users else _OPEN.pop(policy).engine
    if last:
        last.close()


@contextmanager
def borrowed(policy: CloudPolicy) -> Iterator[CloudEngine]:
    """Gives the engine of a policy for as long as the context."""
    engine = borrow(policy)
    try:
        yield engine
    finally:
        give_back(policy)
