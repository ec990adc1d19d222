"""Ends an unbounded run in order: sources stop, what is in work is finished, windows close."""

import threading

_wanted = threading.Event()


def ask() -> None:
    """Asks every source of this process to end."""
    _wanted.set()


def asked() -> bool:
    """Returns whether sources should end."""
    return _wanted.is_set()


def reset() -> None:
    """Begins a new run in this process."""
    _wanted.clear()
