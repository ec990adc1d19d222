"""Faults on request: which calls go wrong, and how."""

import itertools
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from grpc import StatusCode

from transforms.errors import ConfigError

REFUSALS = {
    "quota": (StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded for quota metric 'API requests'"),
    "unavailable": (StatusCode.UNAVAILABLE, "The service is currently unavailable."),
    "internal": (StatusCode.INTERNAL, "Internal error encountered."),
    "denied": (StatusCode.PERMISSION_DENIED, "Permission denied on resource project."),
    "expired": (StatusCode.UNAUTHENTICATED, "Request had invalid authentication credentials."),
    "gone": (StatusCode.NOT_FOUND, "Requested entity was not found."),
}
"""Faults that are a refusal."""
REPLIES = ("missing_row", "reordered", "missing_cell", "late")
"""Faults of a reply: a row or cell less, rows out of order, an answer that is sent but late."""
HANG = "hang"

_SPEC = re.compile(r"([a-z_]+):(every|first|after|at)=(\d+)")
_RULES: dict[str, Callable[[int, int], bool]] = {
    "every": lambda call, n: call % n == 0,
    "first": lambda call, n: call <= n,
    "after": lambda call, n: call > n,
    "at": lambda call, n: call == n,
}


@dataclass(frozen=True)
class Fault:
    """One kind of fault, and the calls that it meets: the first call is number 1.

    Args:
      kind: One of `REFUSALS`, `REPLIES` or "hang".
      rule: every, first, after or at.
      number: n of the rule.
    """

    kind: str
    rule: str
    number: int

    def meets(self, call: int) -> bool:
        """Tells whether a call goes wrong."""
        return _RULES[self.rule](call, self.number)


def parse_fault(text: str) -> Fault:
    """Returns the fault that a text like `unavailable:every=3` asks for.

    Raises:
      ConfigError: It asks for none.
    """
    match = _SPEC.fullmatch(text)
    kinds = (*REFUSALS, *REPLIES, HANG)
    if not match or match[1] not in kinds or int(match[3]) < 1:
        known = ", ".join(kinds)
        raise ConfigError(
            f"--fault={text} is not KIND:RULE=N, where KIND is one of {known}, and RULE is every, "
            "first, after or at"
        )
    return Fault(match[1], match[2], int(match[3]))


@dataclass
class Trouble:
    """What goes wrong on purpose; it may be changed while the server runs.

    Args:
      faults: Each meets the calls that its rule says.
      latency: Seconds that each call takes at least.
      quota: Calls that `quota_seconds` allow; 0 for no quota.
      quota_seconds: The length of the sliding window of the quota.
    """

    faults: Iterable[Fault] = ()
    latency: float = 0.0
    quota: int = 0
    quota_seconds: float = 60.0
    calls: int = 0
    answered: int = 0
    over_quota: int = 0
    bytes: int = 0
    _times: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_call(self, size: int) -> tuple[int, bool]:
        """Counts a call of `size` bytes: gives its number, and whether the quota allows it."""
        with self._lock:
            self.calls += 1
            self.bytes += size
            allowed = self._within_quota(time.monotonic())
            self.over_quota += not allowed
            self.answered += allowed
            return self.calls, allowed

    def of_call(self, call: int) -> list[str]:
        """Returns the kinds of fault that a call meets."""
        return [fault.kind for fault in self.faults if fault.meets(call)]

    def _within_quota(self, now: float) -> bool:
        if not self.quota:
            return True
        while self._times and self._times[0] <= now - self.quota_seconds:
            self._times.popleft()
        if len(self._times) >= self.quota:
            return False
        self._times.append(now)
        return True


NAMES = itertools.count(1)
"""Numbers for templates that come without an id."""
