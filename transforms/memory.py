"""How much memory this process can still take."""

from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""Limit and use of a container, as Linux tells them in its second and first version."""


def free_memory() -> int | None:
    """Returns the bytes that are free on this machine and in this container; None if unknown."""
    known = [_of_machine(), *(_of_group(Path(limit), Path(used)) for limit, used in _GROUPS)]
    return min((each for each in known if each is not None), default=None)


def _of_machine() -> int | None:
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None


def _of_group(limit: Path, used: Path) -> int | None:
    try:
        return max(0, int(limit.read_text()) - int(used.read_text()))
    except (OSError, ValueError):
        # There is no such file, or the limit is "max".
        return None
