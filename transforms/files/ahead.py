"""Reads ahead: the next batch is decoded while the last one is worked on."""

import queue
import threading
from collections.abc import Iterable, Iterator
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
    made: queue.Queue[tuple[str, Any]] = queue.Queue(number)
    unwanted = threading.Event()

    def put(kind: str, item: Any = None) -> None:
        while not unwanted.is_set():
            try:
                made.put((kind, item), timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put("item", item)
                if unwanted.is_set():
                    return
            put("end")
        except BaseException as error:
            put("error", error)

    thread = threading.Thread(target=make, name="millrace-ahead", daemon=True)
    thread.start()
    try:
        while True:
            kind, item = made.get()
            if kind == "error":
                raise item
            if kind == "end":
                return
            yield item
    finally:
        # The caller may have had enough, or failed.
        unwanted.set()
        thread.join()
