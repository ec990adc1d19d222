"""One request until it is answered, or until it is known why it never will be."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from privacy.cloud.outcomes import Action, action_for
from privacy.cloud.pacing import Bucket
from privacy.cloud.wire import Call
from transforms.errors import MillraceError

FEW = 4
"""How often a fault of the service's own is asked again about."""
_FIRST, _LONGEST = 0.25, 20.0


class Refusal(Exception):
    """The service will not answer this request, however often it is asked; see `Action`."""

    def __init__(self, action: Action, code: str) -> None:
        super().__init__(f"{action.value} after {code}")
        self.action, self.code = action, code


class CloudStopped(MillraceError):
    """Cloud DLP can't go on: the run stops, and what was not transformed is written nowhere."""


@dataclass
class Counts:
    """What a caller has seen, for metrics: how many calls, by their outcome."""

    calls: int = 0
    quota: int = 0
    retries: int = 0
    splits: int = 0


@dataclass
class Caller:
    """Sends requests at the pace of a bucket, and tries again where that may help.

    Args:
      call: Sends one.
      bucket: The pace.
      deadline: Of one try, in seconds.
      patience: Of all tries of a request, in seconds, the time in the bucket's queue not counted.
      in_flight: How many requests may be out at once.
      sleep: Waits for so many seconds.
    """

    call: Call
    bucket: Bucket
    deadline: float
    patience: float
    in_flight: int = 16
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.counts = Counts()
        self._slots = threading.BoundedSemaphore(self.in_flight)

    def ask(self, method: str, request: Any, accept: Callable[[Any], Any]) -> Any:
        """Returns what `accept` makes of the reply.

        Args:
          method: The name of the service's method.
          request: The message.
          accept: Checks the reply; a `ValueError` says that it can't be right.

        Raises:
          Refusal: It must be split, or a row of it is at fault.
          CloudStopped: The configuration is refused, or patience is at its end.
        """
        begun, few, tries = self.clock(), 0, 0
        while True:
            quota = self.counts.quota
            try:
                with self._slots:
                    sent = self.bucket.take()
                    self.counts.calls += 1
                    reply = self.call(method, request, self.deadline)
                return accept(reply)
            except ValueError:
                few += 1
                if few > FEW:
                    raise Refusal(Action.RETRY_FEW, "replies that do not fit") from None
            except grpc.RpcError as error:
                few += self._judged(error, sent, few)
            tries += 1
            self.counts.retries += 1
            self._check_patience(begun)
            pause = random.uniform(0, min(_LONGEST, _FIRST * 2**tries))
            if self.counts.quota > quota:
                self.bucket.throttle(pause)
            self.sleep(pause)

    def _judged(self, error: Any, sent: float, few: int) -> int:
        """Raises what can't be tried again; else returns 1 for what may be tried a few times."""
        code = error.code()
        action = action_for(code, error.details() or "")
        if action is Action.WAIT:
            self.counts.quota += 1
            self.bucket.refused(sent)
            return 0
        if action is Action.RETRY:
            return 0
        if action is Action.RETRY_FEW and few < FEW:
            return 1
        if action is Action.STOP:
            raise CloudStopped(_stopped(code.name)) from None
        raise Refusal(action, code.name) from None

    def _check_patience(self, begun: float) -> None:
        if self.clock() - begun > self.patience:
            raise CloudStopped(
                f"Cloud DLP did not answer within {self.patience:.0f} s, whatever was tried: "
                "the run stops and nothing is published; start it again when the service is back"
            ) from None


def _stopped(code: str) -> str:
    advice = {
        "PERMISSION_DENIED": "give the worker's account the role roles/dlp.user, and for "
        "wrapped keys roles/cloudkms.cryptoKeyDecrypter",
        "UNAUTHENTICATED": "the credentials are missing or have expired",
        "NOT_FOUND": "a template, key or location that the policy names is not there",
    }
    known = advice.get(code, "the policy, project and location can't be used as they are")
    return f"Cloud DLP answered {code}: {known}. The run stops and nothing is published."
