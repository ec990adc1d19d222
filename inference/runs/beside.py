"""How many calls a CPU makes side by side: as many as it has cores, where that is faster.

A model of large products keeps all cores busy with one call, and two calls only get in each other's
way. One whose ops work on one core each, with texts or loops, leaves the others idle. No graph
shows which kind its model is, so calls are measured.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from transforms.calls import Ahead

WORTHWHILE = 1.25
"""By how much calls must be faster side by side: what they may cost elsewhere, and some noise."""
_LEAST_SECONDS = 0.02
"""Shorter calls are not worth a change of threads, and can't be told apart."""


def calls_beside(
    call: Callable[[], object], cores: int, clock: Callable[[], float] = time.perf_counter
) -> int:
    """Returns how many calls to make at a time: 1, or one for each core.

    Args:
      call: Makes a call with as many rows as one of several at a time would have.
      cores: How many cores there are.
      clock: Tells the time in seconds.
    """
    if cores < 2:
        return 1
    alone = _seconds(call, clock)
    if alone < _LEAST_SECONDS:
        return 1
    with ThreadPoolExecutor(cores) as pool:
        together = min(_seconds(lambda: _all(pool, call, cores), clock) for _ in range(2))
    alone = min(alone, _seconds(call, clock))
    return cores if cores * alone >= WORTHWHILE * together else 1


def ahead_of(calls: int) -> Ahead | None:
    """Returns what makes so many calls at a time; None for one."""
    if calls < 2:
        return None
    return Ahead(ThreadPoolExecutor(calls, thread_name_prefix="call"), calls, parts=calls)


def _seconds(call: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    call()
    return clock() - began


def _all(pool: ThreadPoolExecutor, call: Callable[[], object], times: int) -> None:
    done: Iterable[object] = pool.map(lambda _: call(), range(times))
    for _ in done:
        pass
