"""Reads ahead: the next batch is decoded while the last one is worked on."""

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
_POLL_SECONDS = 0.1


def ahead(items: Iterable[T], number: int = 2) -> Iterator[T]:
    """Yields the items in their order, made by a thread of their own while the caller is busy.

    Args:
      items: What is made by code that lets go of the interpreter's lock, as Arrow's does.
      number: How many wait at most.

    Raises: What making them raises, after the items before it.
    """
    return side_by_side([items], number)


def side_by_side(sources: Sequence[Iterable[T]], number: int = 2) -> Iterator[T]:
    """Yields the items of several sources as they come, each source made by its own thread.

    Args:
      sources: Their items keep their order within each.
      number: How many items wait at most.

    Raises: What making one of them raises.
    """
    made: queue.Queue[tuple[str, Any]] = queue.Queue(number)
    unwanted = threading.Event()

    def put(kind: str, item: Any = None) -> None:
        while not unwanted.is_set():
            try:
                made.put((kind, item), timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return

    def make(items: Iterable[T]) -> None:
        try:
            for item in items:
                put("item", item)
                if unwanted.is_set():
                    return
            put("end")
        except BaseException as error:
            put("error", error)

    threads = [
        threading.Thread(target=make, args=(each,), name="millrace-ahead", daemon=True)
        for each in sources
    ]
    for thread in threads:
        thread.start()
    try:
        running = len(threads)
        while running:
            kind, item = made.get()
            if kind == "error":
                raise item
            if kind == "item":
                yield item
            running -= kind == "end"
    finally:
        # The caller may have had enough, or failed.
        unwanted.set()
        for thread in threads:
            thread.join()
