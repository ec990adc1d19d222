"""Notes: what was found while rows were redacted, counted; no value is in them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from privacy.likelihood import Likelihood
from privacy.local.finding.overlaps import without_overlaps
from privacy.local.texts import Texts
from privacy.spans import Spans
from transforms.reports.masking import form_of

if TYPE_CHECKING:
    from privacy.local.plan import Plan

FOUND, UNLIKELY, UNTOUCHED, CELLS = "found", "unlikely", "untouched", "cells"
"""What becomes of a finding: it is transformed; it is left, for it is not likely enough; it is
left, for the policy has no transformation for it; or a whole cell was transformed."""
FAILED = "failed"
"""It is left, for it can't be transformed, and the policy says that it then stays."""

EXAMPLES = 3
_LONGEST = 60


class Noted(NamedTuple):
    """What is counted together.

    Attributes:
      column: The path of the values.
      info_type: What was found; empty for whole cells.
      likelihood: The name of a likelihood; empty where it is not known.
      fate: What became of it.
    """

    column: str
    info_type: str
    likelihood: str
    fate: str


@dataclass(frozen=True)
class Notes:
    """What was found in some rows.

    Attributes:
      rows: How many rows were looked at.
      rejected: How many of them could not be transformed.
      suppressed: How many the policy leaves out.
      untransformed: How many go on with a value that can't be transformed; 0 where only the
        values are counted.
      counts: How many findings there were of each kind.
      forms: The forms of a few findings, by column and infoType: 9 for digits, a and A for letters.
    """

    rows: int = 0
    rejected: int = 0
    suppressed: int = 0
    counts: dict[Noted, int] = field(default_factory=dict)
    forms: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    untransformed: int = 0

    @property
    def failed(self) -> int:
        """How many values can't be transformed, and stay what they are."""
        return sum(number for noted, number in self.counts.items() if noted.fate == FAILED)

    def merge(self, other: "Notes") -> "Notes":
        """Returns the notes of the rows of both."""
        counts = Counter(self.counts)
        counts.update(other.counts)
        forms = {
            key: _some((*self.forms.get(key, ()), *other.forms.get(key, ())))
            for key in self.forms | other.forms
        }
        return Notes(
            self.rows + other.rows,
            self.rejected + other.rejected,
            self.suppressed + other.suppressed,
            dict(counts),
            forms,
            self.untransformed + other.untransformed,
        )


@dataclass
class NoteBook:
    """Takes notes while a batch is redacted."""

    counts: Counter[Noted] = field(default_factory=Counter)
    forms: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    left: list[np.ndarray] = field(default_factory=list)

    def take(self, texts: Texts, plan: "Plan", every: Spans, kept: Spans) -> None:
        """Notes what was found in a column.

        Args:
          texts: The column.
          plan: By what it was looked through.
          every: All that detectors found, judged by the rules.
          kept: What of it is transformed.
        """
        self._count(texts, plan, kept, FOUND)
        rest = every.take((every.likelihoods > 0) & ~_within(every, kept))
        if not len(rest):
            return
        reported = np.array([kind.reported for kind in plan.kinds])
        minimum = np.array([kind.minimum for kind in plan.kinds])
        rest = rest.take(reported[rest.kinds])
        checksums = np.array([kind.detector.checksum for kind in plan.kinds])
        rest = without_overlaps(rest, checksums)
        likely = rest.likelihoods >= minimum[rest.kinds]
        self._count(texts, plan, rest.take(likely), UNTOUCHED)
        self._count(texts, plan, rest.take(~likely), UNLIKELY)

    def cells(self, column: str, number: int) -> None:
        """Notes that whole cells of a column were transformed."""
        if number:
            self.counts[Noted(column, "", "", CELLS)] += number

    def failed(self, texts: Texts, plan: "Plan", spans: Spans) -> None:
        """Notes that findings of a column, noted before, can't be transformed and are left."""
        before = Counter(self.counts)
        self._count(texts, plan, spans, FAILED)
        for noted, number in (self.counts - before).items():
            found = noted._replace(fate=FOUND)
            self.counts[found] = max(0, self.counts[found] - number)

    def failed_cells(self, column: str, number: int) -> None:
        """Notes that so many of the whole cells of a column can't be transformed and are left."""
        self.counts[Noted(column, "", "", FAILED)] += number
        self.counts[Noted(column, "", "", CELLS)] -= number

    def notes(self, rows: int, rejected: int, suppressed: int = 0) -> Notes:
        """Returns what was noted."""
        counts = {noted: number for noted, number in self.counts.items() if number > 0}
        left = len(np.unique(np.concatenate(self.left))) if self.left else 0
        return Notes(rows, rejected, suppressed, counts, self.forms, left)

    def _count(self, texts: Texts, plan: "Plan", spans: Spans, fate: str) -> None:
        if not len(spans):
            return
        weights = None if texts.weights is None else texts.weights[spans.rows]
        levels = len(Likelihood) + 1
        codes = spans.kinds.astype(np.int64) * levels + spans.likelihoods
        sums = np.bincount(codes, weights)
        for code in np.flatnonzero(sums).tolist():
            kind, level = divmod(code, levels)
            name = plan.kinds[kind].name
            noted = Noted(texts.name, name, Likelihood(level).name, fate)
            self.counts[noted] += int(sums[code])
            self._example(texts, spans.take(spans.kinds == kind), (texts.name, name))

    def _example(self, texts: Texts, spans: Spans, key: tuple[str, str]) -> None:
        known = self.forms.get(key, ())
        if len(known) < EXAMPLES:
            quotes: pa.Array = texts.quotes(spans.take(np.arange(min(len(spans), EXAMPLES))))
            forms = [str(form_of(each))[:_LONGEST] for each in quotes.to_pylist()]
            self.forms[key] = _some((*known, *forms))


_BOOK: ContextVar[NoteBook | None] = ContextVar("book", default=None)


@contextmanager
def noting() -> Iterator[NoteBook]:
    """Gives a book in which all is noted that is found to be transformed, within the context."""
    book = NoteBook()
    token = _BOOK.set(book)
    try:
        yield book
    finally:
        _BOOK.reset(token)


def note(texts: Texts, plan: "Plan", every: Spans, kept: Spans) -> None:
    """Notes what was found in a column, if notes are taken; see `NoteBook.take`."""
    book = _BOOK.get()
    if book is not None:
        book.take(texts, plan, every, kept)


def note_left(texts: Texts, plan: "Plan", spans: Spans) -> None:
    """Notes findings that can't be transformed, if notes are taken; see `NoteBook.failed`."""
    book = _BOOK.get()
    if book is not None:
        book.failed(texts, plan, spans)


def note_left_cells(column: str, number: int) -> None:
    """Notes cells that can't be transformed, if notes are taken; see `NoteBook.failed_cells`."""
    book = _BOOK.get()
    if book is not None:
        book.failed_cells(column, number)


def note_left_rows(rows: np.ndarray) -> None:
    """Notes the numbers of rows of a batch that go on with a value that can't be transformed."""
    book = _BOOK.get()
    if book is not None:
        book.left.append(rows)


def _within(spans: Spans, kept: Spans) -> np.ndarray:
    """Tells which spans overlap one of those that are kept, which are ordered and apart."""
    if not len(kept):
        return np.zeros(len(spans), bool)
    at = np.searchsorted(kept.ends, spans.starts, side="right")
    begins = kept.starts[np.minimum(at, len(kept) - 1)]
    return np.asarray((at < len(kept)) & (begins < spans.ends))


def _some(forms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(forms))[:EXAMPLES]
