"""One run at a time for an output: a lock that ends with its process, however that ends."""

import atexit
import fcntl
import os

_held: dict[str, int] = {}


def lock(output: str) -> bool:
    """Locks a local output, by a hidden file beside it; this process may do so again.

    Returns: Whether it could: another process may hold it.
    """
    return hold(_file(output))


def unlock(output: str) -> None:
    """Lets go of a lock, and deletes its file; one that is not held is no error."""
    release(_file(output))


def hold(path: str) -> bool:
    """Makes a file and locks it until the process ends; this process may do so again.

    Returns: Whether it could: another process may hold it.
    """
    while path not in _held:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        if _is_at(descriptor, path):
            _held[path] = descriptor
        else:
            # Who had it has just deleted it, and another may have made it anew.
            os.close(descriptor)
    return True


def release(path: str) -> None:
    """Lets go of a file that is held, and deletes it; one that is not held is no error."""
    descriptor = _held.pop(path, None)
    if descriptor is not None:
        if _is_at(descriptor, path):
            os.remove(path)
        os.close(descriptor)


def is_held(path: str) -> bool:
    """Returns whether some process holds a file; this one counts too."""
    if path in _held:
        return True
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _file(output: str) -> str:
    folder, slash, name = os.path.abspath(output).rpartition("/")
    return f"{folder}{slash}.{name}.millrace.lock"


def _is_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


@atexit.register
def _unlock_all() -> None:
    for path in list(_held):
        release(path)
