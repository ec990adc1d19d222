"""What a refusal means: wait, try again, ask for less, look for the row at fault, or stop.

| the service says | it means | so |
|---|---|---|
| RESOURCE_EXHAUSTED | the quota is used up | wait: the rate is halved |
| UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED, CANCELLED | it is gone or slow | try again, with jitter |
| INTERNAL, UNKNOWN | a fault of its own, or one that our rows provoke | try again a few times |
| INVALID_ARGUMENT "... smaller request", or a size | it is too large | ask for the halves |
| INVALID_ARGUMENT otherwise | a value that can't be transformed | halve until the row is alone |
| NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED, ... | the configuration | stop the run at once |
"""

import re
from enum import Enum

from grpc import StatusCode


class Action(Enum):
    """What to do about a refusal."""

    WAIT = "wait"
    RETRY = "retry"
    RETRY_FEW = "retry a few times"
    SPLIT = "split"
    BISECT = "bisect"
    STOP = "stop"


_TOO_MUCH = re.compile(
    r"smaller request|too many findings|payload|exceeds? (the )?(limit|maximum)|larger than max"
    r"|too large|request size",
    re.IGNORECASE,
)
_ACTIONS = {
    StatusCode.RESOURCE_EXHAUSTED: Action.WAIT,
    StatusCode.UNAVAILABLE: Action.RETRY,
    StatusCode.DEADLINE_EXCEEDED: Action.RETRY,
    StatusCode.ABORTED: Action.RETRY,
    StatusCode.CANCELLED: Action.RETRY,
    StatusCode.INTERNAL: Action.RETRY_FEW,
    StatusCode.UNKNOWN: Action.RETRY_FEW,
    StatusCode.INVALID_ARGUMENT: Action.BISECT,
    StatusCode.OUT_OF_RANGE: Action.BISECT,
}
_MAY_BE_SIZE = (StatusCode.INVALID_ARGUMENT, StatusCode.RESOURCE_EXHAUSTED)


def action_for(code: StatusCode, message: str) -> Action:
    """Returns what to do about a refusal.

    Args:
      code: The status.
      message: The service's text. It may quote a value, so it is read here and kept nowhere.
    """
    if code in _MAY_BE_SIZE and _TOO_MUCH.search(message):
        return Action.SPLIT
    return _ACTIONS.get(code, Action.STOP)
