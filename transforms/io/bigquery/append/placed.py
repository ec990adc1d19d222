"""Rows that have a place in a stream, appended there once however often a runner tries.

A runner keeps two things, both committed with a bundle or not at all: which place each part of rows
has (`Place`), and how far a stream is (`Progress`). The first is decided before the rows are sent:
what is sent again has the same rows and the same offset, and the service says that it is there.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from transforms.batches import slice_rows
from transforms.errors import MillraceError
from transforms.io.bigquery.append.appending import Refusal
from transforms.io.bigquery.append.requests import Part

LASTS_SECONDS = 3600.0
"""After so long rows go to a new stream, and the old one is closed."""
Make = Callable[[], str]


class Entry(NamedTuple):
    """Rows with a place.

    Attributes:
      place: How many rows were given a place in the stream before them.
      width: How many places they have: of rows that were refused nothing is left but that. 0 marks
        the stream's end.
      rows: The rows.
    """

    place: int
    width: int
    rows: pa.RecordBatch


@dataclass(frozen=True)
class Place:
    """Where the next rows of a shard go.

    Attributes:
      stream: The stream's name.
      next: The place of the next row.
      since: When the stream was made, in seconds since the epoch.
    """

    stream: str
    next: int
    since: float

    def dumped(self) -> str:
        """Returns it as text."""
        return json.dumps(asdict(self))

    @classmethod
    def parsed(cls, text: str | None) -> "Place | None":
        """Returns what was dumped, if anything was."""
        return cls(**json.loads(text)) if text else None


def placed(
    parts: Sequence[Part], place: Place | None, make: Make, now: float
) -> tuple[list[tuple[str, Entry]], Place]:
    """Gives parts their places.

    Args:
      parts: At least one.
      place: Where the shard's next rows go; None where it has no stream yet.
      make: Makes a stream, and returns its name. One that nobody comes to know has no rows.
      now: Seconds since the epoch.

    Returns: Streams and entries, among them the end of a stream that is old; and the next place.
    """
    made: list[tuple[str, Entry]] = []
    if place is not None and now - place.since > LASTS_SECONDS:
        made.append((place.stream, Entry(place.next, 0, slice_rows(parts[0].rows, 0, 0))))
        place = None
    place = place or Place(make(), 0, now)
    for part in parts:
        rows = part.rows.num_rows
        made.append((place.stream, Entry(place.next, rows, part.rows)))
        place = replace(place, next=place.next + rows)
    return made, place


@dataclass(frozen=True)
class Progress:
    """How far a stream is.

    Attributes:
      stream: Where its rows go now: another one, once the service has refused some.
      next: The place of the next row to append.
      shift: So many places before it are not rows of the stream.
    """

    stream: str
    next: int = 0
    shift: int = 0

    def dumped(self) -> str:
        """Returns it as text."""
        return json.dumps(asdict(self))

    @classmethod
    def parsed(cls, text: str | None) -> "Progress | None":
        """Returns what was dumped, if anything was."""
        return cls(**json.loads(text)) if text else None


class Service(Protocol):
    """What is done at BigQuery."""

    def make(self) -> str:
        """Makes a stream; returns its name."""

    def close(self, stream: str) -> int:
        """Closes a stream for good, again and again if need be; returns its number of rows."""

    def offer(self, stream: str, offset: int, rows: pa.RecordBatch) -> "Answer":
        """Appends rows at an offset, unless they are there."""


class Answer(NamedTuple):
    """What became of rows that were offered.

    Attributes:
      closed: The stream takes no more, and nothing is known of the rows.
      instead: What is to be offered in their place, as numbers of the rows; None if they are in.
      refused: Those that the table does not take.
    """

    closed: bool = False
    instead: list[np.ndarray] | None = None
    refused: tuple[Refusal, ...] = ()


class Outcome(NamedTuple):
    """What a bundle has come to.

    Attributes:
      progress: How far the stream is; None where it has ended.
      waiting: Entries whose turn has not come.
      refused: Entries, and which of their rows the table does not take.
      again: Whether to go on once all this is committed, and not before.
    """

    progress: Progress | None
    waiting: list[Entry]
    refused: list[tuple[Entry, tuple[Refusal, ...]]]
    again: bool = False


def advance(progress: Progress, entries: Sequence[Entry], service: Service) -> Outcome:
    """Appends the entries whose turn it is.

    It may be broken off anywhere and done again from the same progress, with the same entries or
    more of them, in any order, also by two workers at once. Whoever meets a refusal closes the
    stream, so that a worker that was given up can't append at an offset that means other rows now.

    Args:
      progress: As it was committed.
      entries: Those that wait, and new ones, of one stream.
      service: BigQuery.

    Raises:
      GoogleAPICallError: See `Appending.append`.
      MillraceError: A stream has other rows than it was given.
    """
    left = [each for each in entries if each.place >= progress.next]
    left.sort(key=lambda each: (each.place, each.width == 0))
    while left and left[0].place == progress.next:
        entry = left[0]
        if not entry.width:
            _end(progress, service)
            return Outcome(None, left[1:], [])
        rows = entry.rows.num_rows
        if rows:
            answer = service.offer(progress.stream, progress.next - progress.shift, entry.rows)
            if answer.closed or answer.instead is not None:
                return _elsewhere(progress, left, answer, service)
        shift = progress.shift + entry.width - rows
        progress = Progress(progress.stream, progress.next + entry.width, shift)
        left = left[1:]
    return Outcome(progress, left, [])


def _end(progress: Progress, service: Service) -> None:
    if service.close(progress.stream) != progress.next - progress.shift:
        raise MillraceError(f"{progress.stream} has other rows than were appended to it")


def _elsewhere(progress: Progress, left: list[Entry], answer: Answer, service: Service) -> Outcome:
    """Goes on in another stream, after the rows that the closed one has taken."""
    entry, taken = left[0], service.close(progress.stream) - (progress.next - progress.shift)
    place = progress.next
    while taken > 0 and left and left[0].place == place and left[0].rows.num_rows <= taken:
        taken -= left[0].rows.num_rows
        place += left.pop(0).width
    # An earlier try may have had more entries than this one: those had as many rows as places.
    place += taken
    left = [each for each in left if each.place >= place]
    moved = Progress(service.make(), place, place)
    if answer.closed or place > entry.place:
        return Outcome(moved, left, [], again=True)
    told = [(entry, answer.refused)] if answer.refused else []
    return Outcome(moved, [*_parts(entry, answer.instead or []), *left[1:]], told, again=True)


def _parts(entry: Entry, instead: list[np.ndarray]) -> list[Entry]:
    """Returns what is left of an entry; the last part has the places of what was refused, too."""
    made, place, end = [], entry.place, entry.place + entry.width
    for numbers in instead:
        made.append(Entry(place, len(numbers), entry.rows.take(pa.array(numbers))))
        place += len(numbers)
    if not made:
        return [Entry(entry.place, entry.width, slice_rows(entry.rows, 0, 0))]
    made[-1] = made[-1]._replace(width=end - made[-1].place)
    return made
