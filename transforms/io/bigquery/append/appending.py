"""Appends parts to a stream: some in flight at once, tried again, refused rows left out by row."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.api_core import exceptions

from transforms.errors import ConfigError
from transforms.io.bigquery.append.connection import Line
from transforms.io.bigquery.append.requests import Part, request, too_large
from transforms.io.bigquery.clients import without_values
from transforms.io.bigquery.patience import TRANSIENT, TRIES, pause
from transforms.reasons import Reason

IN_FLIGHT = 4
"""Most requests that wait for an answer: 40 MB."""
MOST_ALONE = 64
"""Rows that may be refused one by one, where the service does not say which, before it is not the
rows' fault."""
_OK, _INVALID, _ALREADY_EXISTS = 0, 3, 6
_EXTRA_FIELDS, _FINALIZED = 7, 6
_LATER = frozenset({4, 8, 10, 11, 13, 14})
"""Codes of answers after which the same request may be taken: deadline, quota, aborted, behind an
earlier one that failed, internal, unavailable."""
_log = logging.getLogger(__name__)


class Closed(exceptions.InvalidArgument):
    """The stream takes no more rows."""


@dataclass(frozen=True)
class Refusal:
    """A row that the table does not take.

    Attributes:
      number: Which row of the whole.
      reason: A stable code.
      why: The service's reason, without values.
    """

    number: int
    reason: Reason
    why: str


class Appending:
    """Appends rows to one stream; may be used again and again.

    Args:
      connect: Opens a connection to it.
      stream: Its name.
      offset: How many rows it has; None for the default stream, which does not count: what is sent
        again there, after an answer was lost, may be there twice.
      note: Is given the refused rows so far, before any row that comes after them is appended.
      passing: Errors after which a connection is opened anew.
    """

    def __init__(
        self,
        connect: Callable[[], Line],
        stream: str,
        offset: int | None = None,
        note: Callable[[Sequence[Refusal]], None] | None = None,
        passing: tuple[type[Exception], ...] = TRANSIENT,
    ) -> None:
        self._connect, self.stream, self.offset = connect, stream, offset
        self._note, self._passing = note, passing
        self._line: Line | None = None
        self._pending: deque[Part] = deque()
        self._waiting: deque[tuple[Part, int | None]] = deque()
        self._refused: list[Refusal] = []
        self._failures = self._alone = 0

    def append(self, parts: Iterable[Part]) -> list[Refusal]:
        """Appends parts, and returns once the service has answered all.

        Returns: The rows that were left out.

        Raises:
          GoogleAPICallError: The table or stream is not there, access is denied, or the service is
            away after several tries.
          ConfigError: A column that the table lacks.
        """
        self._refused, self._failures, self._alone = [], 0, 0
        if self._line is not None and not self._line.fresh:
            self.close()
        try:
            return self._appended(iter(parts))
        except BaseException:
            self.close()
            self._pending.clear()
            self._waiting.clear()
            raise

    def offer(self, part: Part, offset: int) -> tuple[list[Part] | None, list[Refusal]]:
        """Appends one part at an offset, and nothing in its place where it is refused.

        Returns: What may be appended in its place, None if it is in the stream; and the rows that
          the table does not take.

        Raises:
          GoogleAPICallError: See `append`; the stream is closed.
          ConfigError: A column that the table lacks.
        """
        self._refused, self._failures = [], 0
        if self._line is not None and not self._line.fresh:
            self.close()
        while True:
            try:
                self._line = self._line or self._connect()
                self._line.send(request(part, self.stream, offset))
                answer = self._line.receive()
            except self._passing as error:
                self.close()
                self._pause(error)
                continue
            if answer.error.code in (_OK, _ALREADY_EXISTS):
                self._alone = 0
                return None, []
            instead = self._remedy(part, answer)
            if instead != [part]:
                return instead, self._refused

    def _appended(self, source: Iterator[Part]) -> list[Refusal]:
        while True:
            try:
                self._fill(source)
                if not self._waiting:
                    return self._refused
                self._answer()
            except self._passing as error:
                self._broken(error)

    def close(self) -> None:
        """Ends the connection."""
        if self._line is not None:
            self._line.close()
        self._line = None

    def _fill(self, source: Iterator[Part]) -> None:
        """Sends parts as long as few wait for an answer."""
        while len(self._waiting) < IN_FLIGHT:
            part = self._pending.popleft() if self._pending else next(source, None)
            if part is None:
                return
            if too_large(part):
                self._refuse(part, {0: "is larger than a request may be"}, Reason.OVERSIZED)
                continue
            self._line = self._line or self._connect()
            self._waiting.append((part, self.offset))
            self._line.send(request(part, self.stream, self.offset))
            if self.offset is not None:
                self.offset += len(part.numbers)

    def _answer(self) -> None:
        """Waits for an answer, and does what it asks for."""
        assert self._line is not None
        answer = self._line.receive()
        part, at = self._waiting.popleft()
        code = answer.error.code
        if code == _OK or (code == _ALREADY_EXISTS and at is not None):
            self._failures = 0
            return
        instead = self._remedy(part, answer)
        if at is None:
            self._pending.extendleft(reversed(instead))
            return
        # What was sent after it is behind a gap, and was refused as well: it is sent again.
        later = [each for each, _ in self._waiting]
        self._waiting.clear()
        self._pending.extendleft(reversed([*instead, *later]))
        self.offset = at
        for _ in later:
            self._line.receive()

    def _remedy(self, part: Part, answer: Any) -> list[Part]:
        """Returns what is sent in place of a part that was refused."""
        if answer.row_errors:
            told = {error.index: error.message for error in answer.row_errors}
            self._refuse(part, told, Reason.PUBLISH_ERROR)
            return part.without(set(told))
        code, why = answer.error.code, answer.error.message
        if code in _LATER:
            self._pause(_error(code, why))
            return [part]
        kind = _storage_code(answer.error)
        if kind == _FINALIZED:
            raise Closed(why)  # type: ignore[no-untyped-call]
        if code != _INVALID or kind not in (0, _EXTRA_FIELDS):
            raise _error(code, why)
        if kind == _EXTRA_FIELDS:
            raise ConfigError(
                f"--output: the table lacks a column that the rows have: {why}. Add it to the "
                "table, or leave it out"
            )
        if len(part.numbers) > 1:
            return part.halves()
        self._alone += 1
        if self._alone > MOST_ALONE:
            raise _error(_INVALID, f"one row after another is refused: {why}")
        self._refuse(part, {0: why}, Reason.PUBLISH_ERROR)
        return []

    def _refuse(self, part: Part, told: dict[int, str], reason: Reason) -> None:
        self._refused += [
            Refusal(int(part.numbers[n]), reason, without_values(told[n])) for n in sorted(told)
        ]
        if self._note is not None:
            self._note(self._refused)

    def _broken(self, error: Exception) -> None:
        """Opens another connection, over which all is sent again that was not answered."""
        self.close()
        self._pause(error)
        if self._waiting and self._waiting[0][1] is not None:
            self.offset = self._waiting[0][1]
        self._pending.extendleft(reversed([part for part, _ in self._waiting]))
        self._waiting.clear()

    def _pause(self, error: Exception) -> None:
        """Waits, longer each time, and not all workers alike."""
        self._failures += 1
        if self._failures >= TRIES:
            raise exceptions.RetryError("several tries failed", error)  # type: ignore[no-untyped-call]
        _log.warning("an append failed (%s); trying again", type(error).__name__)
        pause(self._failures - 1)


def _error(code: int, why: str) -> Exception:
    error: Exception = exceptions.from_grpc_status(code, why)  # type: ignore[no-untyped-call]
    return error


def _storage_code(status: Any) -> int:
    """Returns what the Storage API says of an error, or 0."""
    from google.cloud.bigquery_storage_v1 import types

    for detail in status.details:
        known = types.StorageError.pb(types.StorageError())
        if detail.Unpack(known):
            return int(known.code)
    return 0
