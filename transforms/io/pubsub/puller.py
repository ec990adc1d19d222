"""Keeps messages of a subscription at hand: pulls in flight, leases kept, room left."""

import logging
import threading
import time
from collections import deque
from typing import Any, Protocol

from transforms.io.pubsub.clients import PULL_MESSAGES, explained, is_transient
from transforms.io.pubsub.reach import Reach

_log = logging.getLogger(__name__)

LEASE_SECONDS = 60
RENEW_SECONDS = 20.0
PULL_SECONDS = 5.0
LOOK_SECONDS = 8.0
IN_FLIGHT = 4
MAX_HELD = 20_000
MAX_HELD_BYTES = 256 << 20
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0


class Service(Protocol):
    """What a puller needs of a client; see `clients.Subscriber`."""

    subscription: str

    def pull(self, number: int, seconds: float) -> list[Any]:
        """Pulls messages."""

    def acknowledge(self, ack_ids: list[str]) -> None:
        """Acknowledges messages."""

    def lease(self, ack_ids: list[str], seconds: int) -> None:
        """Extends leases, or gives messages back."""

    def check(self, seconds: float) -> None:
        """Looks whether the subscription is there."""

    def close(self) -> None:
        """Closes connections."""


class Puller:
    """Pulls from a subscription with several calls in flight.

    It stops pulling while more is held than its limits allow, and extends the leases of all that
    is held, so that a slow pipeline does not get the same messages again. Threads share it.

    Args:
      service: The subscription's client.
      max_held: Most messages held: waiting to be taken, or taken and not yet acknowledged.
      max_held_bytes: Most bytes of them.

    Attributes:
      reach: Whether the service answers.
    """

    def __init__(
        self, service: Service, max_held: int = MAX_HELD, max_held_bytes: int = MAX_HELD_BYTES
    ) -> None:
        self._service = service
        self._max_held, self._max_held_bytes = max_held, max_held_bytes
        self._change = threading.Condition()
        self._waiting: deque[Any] = deque()
        self._held: dict[str, tuple[float, int]] = {}
        self._held_bytes = 0
        self._closed = threading.Event()
        self._error: Exception | None = None
        self.reach = Reach("Pub/Sub")
        names = ["lease"] + ["pull"] * IN_FLIGHT
        self._threads = [
            threading.Thread(
                target=self._renew if name == "lease" else self._pull,
                name=f"millrace-{name}",
                daemon=True,
            )
            for name in names
        ]
        for thread in self._threads:
            thread.start()

    @property
    def held(self) -> int:
        """How many messages are waiting or in work."""
        return len(self._held)

    def take(self, max_messages: int, max_bytes: int, wait: float, linger: float) -> list[Any]:
        """Takes messages that are there.

        Args:
          max_messages: The most.
          max_bytes: About the most bytes.
          wait: Seconds to wait for the first one.
          linger: Seconds to wait for more after it.

        Returns: Protobuf `ReceivedMessage`s; none if none came in time.

        Raises:
          Exception: The service refuses to be pulled from.
        """
        with self._change:
            self._change.wait_for(self._ready, wait)
            if self._error is not None:
                raise self._error
            if self._waiting and linger:
                self._change.wait_for(lambda: len(self._waiting) >= max_messages, linger)
            taken: list[Any] = []
            size = 0
            while self._waiting and len(taken) < max_messages and size < max_bytes:
                message = self._waiting.popleft()
                taken.append(message)
                size += len(message.message.data)
            return taken

    def _ready(self) -> bool:
        return bool(self._waiting) or self._error is not None or self._closed.is_set()

    def acknowledge(self, ack_ids: list[str]) -> None:
        """Acknowledges messages; if the service can't be reached, they come again."""
        self._forget(ack_ids)
        pause = _FIRST_PAUSE
        while True:
            try:
                self._service.acknowledge(ack_ids)
            except Exception as error:
                if not is_transient(error) or pause > LEASE_SECONDS:
                    _log.warning("%d messages could not be acknowledged", len(ack_ids))
                    return
            else:
                self.reach.answered()
                return
            time.sleep(min(pause, _LONGEST_PAUSE))
            pause *= 2

    def _forget(self, ack_ids: list[str]) -> None:
        with self._change:
            for ack_id in ack_ids:
                self._held_bytes -= self._held.pop(ack_id, (0.0, 0))[1]
            self._change.notify_all()

    def close(self) -> None:
        """Stops pulling, and gives back what nobody took; what was taken may still be acknowledged.

        Doing it twice does no harm.
        """
        with self._change:
            self._closed.set()
            left = [message.ack_id for message in self._waiting]
            self._waiting.clear()
            self._change.notify_all()
        self._forget(left)
        if left:
            self._quietly(left, 0)

    def _pull(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closed.is_set():
            with self._change:
                self._change.wait_for(lambda: self._room() > 0 or self._closed.is_set(), 1.0)
                room = self._room()
            if room <= 0 or self._closed.is_set():
                continue
            try:
                messages = self._service.pull(min(PULL_MESSAGES, room), PULL_SECONDS)
            except Exception as error:
                if self._closed.is_set() or self._failed(error):
                    return
                self._closed.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            if messages:
                # None may mean that the call timed out, at a service that is not there.
                self.reach.answered()
            self._came(messages)

    def _room(self) -> int:
        return self._max_held - len(self._held) if self._held_bytes < self._max_held_bytes else 0

    def _came(self, messages: list[Any]) -> None:
        now = time.monotonic()
        with self._change:
            if not self._closed.is_set():
                for message in messages:
                    size = len(message.message.data)
                    # The service's own deadline may be as short as 10 s: renew it soon.
                    self._held[message.ack_id] = (now - RENEW_SECONDS + 3.0, size)
                    self._held_bytes += size
                self._waiting.extend(messages)
                self._change.notify_all()
                return
        self._quietly([message.ack_id for message in messages], 0)

    def _failed(self, error: Exception) -> bool:
        """Notes that a call failed; returns whether it always will."""
        if is_transient(error):
            self.reach.failed()
            return False
        with self._change:
            self._error = explained(error, self._service.subscription)
            self._change.notify_all()
        return True

    def _look(self) -> None:
        """Asks for an answer, where none had to come."""
        try:
            self._service.check(PULL_SECONDS)
        except Exception as error:
            self._failed(error)
        else:
            self.reach.answered()

    def _renew(self) -> None:
        """Extends all leases, also of messages taken, until none is left after the end."""
        while not self._closed.is_set() or self._held:
            if not self._closed.is_set() and self.reach.silent() > LOOK_SECONDS:
                self._look()
            now = time.monotonic()
            with self._change:
                due = [i for i, (at, _) in self._held.items() if now - at >= RENEW_SECONDS]
            if due and self._quietly(due, LEASE_SECONDS):
                with self._change:
                    for ack_id in due:
                        if ack_id in self._held:
                            self._held[ack_id] = (now, self._held[ack_id][1])
            time.sleep(1.0)

    def _quietly(self, ack_ids: list[str], seconds: int) -> bool:
        """Extends or gives back; where that fails the lease ends, and the messages come again."""
        try:
            self._service.lease(ack_ids, seconds)
        except Exception:
            return False
        self.reach.answered()
        return True
