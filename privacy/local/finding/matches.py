"""Matches of one detector's pattern in texts, and what its check says of them."""

import functools
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.detector import WORD, Candidates, Detector
from privacy.local.texts import Texts
from privacy.spans import Spans, quotes

Matches: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Rows, and where the matches begin and end in the column's bytes."""


class Judged(NamedTuple):
    """Matches with what the detector's check says of them.

    Attributes:
      rows: Their rows.
      starts: Where they begin.
      ends: Where they end.
      likelihoods: How likely they are; 0 for not at all.
    """

    rows: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    likelihoods: np.ndarray

    def of_kind(self, number: int, most: int) -> Spans:
        """Returns those that passed, of a kind and a greatest likelihood."""
        good = self.likelihoods > 0
        rows, starts, ends, likelihoods = (each[good] for each in self)
        return Spans.of_kind(number, rows, starts, ends, np.minimum(likelihoods, most))


def matching(column: pa.Array, pattern: str) -> np.ndarray:
    """Returns the numbers of the texts in which a pattern is found."""
    found = pc.match_substring_regex(column, pattern)
    return np.asarray(pc.indices_nonzero(found)).astype(np.int64)


def matches_of(texts: Texts, detector: Detector, rows: np.ndarray, part: pa.Array) -> list[Judged]:
    """Returns what one detector finds in some rows: first matches, second matches, and so on.

    Args:
      texts: n texts.
      detector: The detector.
      rows: The numbers of m texts.
      part: These m texts.
    """
    which = matching(part, detector.prefilter) if len(part) else rows
    if not len(which):
        return []
    rounds = _behind if detector.looks_back else _rounds
    return list(rounds(texts, detector, rows[which], part.take(pa.array(which))))


def _rounds(texts: Texts, detector: Detector, rows: np.ndarray, part: pa.Array) -> Iterator[Judged]:
    """Yields the first match of each row, then the first behind that, until there is none."""
    begins = texts.offsets[rows]
    for number in itertools.count():
        if number >= _ROUNDS and _is_long(texts, rows, begins):
            for row, begin in zip(rows.tolist(), begins.tolist(), strict=True):
                yield from _row_by_itself(texts, detector, row, begin)
            return
        matched, starts, ends = _first(part, begins, detector.pattern)
        if not len(matched):
            return
        rows = rows[matched]
        judged = _judged(texts, detector, rows, starts, ends)
        yield judged
        next_ones = _next_ones(texts, detector, starts, ends, judged)
        rest = quotes(texts.data, next_ones, texts.offsets[rows + 1])
        more = matching(rest, detector.prefilter)
        if not len(more):
            return
        rows, begins, part = rows[more], next_ones[more], rest.take(pa.array(more))


def _next_ones(
    texts: Texts, detector: Detector, starts: np.ndarray, ends: np.ndarray, judged: Judged
) -> np.ndarray:
    """Returns where the rest of each row begins: where its match ends, or within a refused one."""
    if not detector.again:
        return judged.ends
    inside = _second_word(texts.data, starts, ends)
    return np.where(judged.likelihoods > 0, judged.ends, inside)


_ROUNDS, _ROWS, _SIZE = 8, 64, 1 << 14
_AHEAD, _MOST_AHEAD = 64, 1 << 12


def _is_long(texts: Texts, rows: np.ndarray, begins: np.ndarray) -> bool:
    """Tells whether so few or so long texts are left that a copy a match would take for ever."""
    return len(rows) < _ROWS or bool((texts.offsets[rows + 1] - begins).max() > _SIZE)


def _row_by_itself(texts: Texts, detector: Detector, row: int, begin: int) -> Iterator[Judged]:
    """Yields the matches of one row from a place on, the same as rounds would give.

    Many matches are found before they are judged together. If the verdict on one makes the next
    search begin elsewhere, and that finds another match, those behind are searched for again.
    """
    low, high = int(texts.offsets[row]), int(texts.offsets[row + 1])
    text, at, ahead = texts.data[low:high].tobytes(), begin - low, _AHEAD
    while found := _ahead(detector, text, at, ahead):
        starts, ends = np.array(found, np.int64).T + low
        judged = _judged(texts, detector, np.full(len(found), row), starts, ends)
        next_ones = _next_ones(texts, detector, starts, ends, judged) - low
        count = _undisturbed(detector, text, found, next_ones.tolist())
        yield Judged(*(each[:count] for each in judged))
        at = int(next_ones[count - 1])
        ahead = min(2 * ahead, _MOST_AHEAD) if count == len(found) else max(ahead // 4, 1)


def _ahead(detector: Detector, text: bytes, at: int, most: int) -> list[tuple[int, int]]:
    """Returns the next matches, as long as the prefilter is found behind each."""
    pattern, prefilter = _compiled(detector.pattern), _compiled(detector.prefilter)
    found, seen = list[tuple[int, int]](), -1
    while len(found) < most:
        if at > seen:
            near = prefilter.search(text, at)
            if near is None:
                break
            seen = near.start()
        match = pattern.search(text, at)
        if match is None or match.end() == match.start():
            break
        at = match.end()
        found.append((match.start(), at))
    return found


def _undisturbed(
    detector: Detector, text: bytes, found: list[tuple[int, int]], next_ones: list[int]
) -> int:
    """Returns how many matches there are up to the first that another one should follow."""
    for place, ((_, end), begin) in enumerate(zip(found, next_ones, strict=True)):
        if begin > end:
            return place + 1
        if begin < end:
            match = _compiled(detector.pattern).search(text, begin)
            if match is None or match.start() < end:
                return place + 1
    return len(found)


def _second_word(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns where the second word of each stretch begins; its end where it has only one."""
    places = starts[:, None] + np.arange(1, int((ends - starts).max()) + 1)
    inside = places < ends[:, None]
    between = inside & ~WORD[data[np.minimum(places, len(data) - 1)]]
    first = places[np.arange(len(places)), between.argmax(1)]
    return np.where(between.any(1), first, ends)


def _behind(texts: Texts, detector: Detector, rows: np.ndarray, part: pa.Array) -> Iterator[Judged]:
    """Yields the first match of each row, and then the others, whose pattern may look back."""
    if detector.groups:
        yield _judged(texts, detector, *_of_groups(texts, detector, rows, part))
        return
    matched, starts, ends = _first(part, texts.offsets[rows], detector.pattern)
    if not len(matched):
        return
    yield _judged(texts, detector, rows[matched], starts, ends)
    pattern, found = _compiled(detector.pattern), []
    begins = texts.offsets[rows[matched]]
    texts_of_rows = part.take(pa.array(matched)).cast(pa.binary()).to_pylist()
    for place, text in enumerate(texts_of_rows):
        first, begin = int(ends[place] - begins[place]), int(begins[place])
        for match in pattern.finditer(text, first):
            if match.end() > match.start():
                found.append((rows[matched[place]], begin + match.start(), begin + match.end()))
    if found:
        table = np.array(found, np.int64)
        yield _judged(texts, detector, table[:, 0], table[:, 1], table[:, 2])


def _of_groups(texts: Texts, detector: Detector, rows: np.ndarray, part: pa.Array) -> Matches:
    """Returns the matches of a pattern's groups."""
    pattern = _compiled(detector.pattern)
    found = [
        (row, begin + match.start(group), begin + match.end(group))
        for row, begin, text in zip(
            rows.tolist(),
            texts.offsets[rows].tolist(),
            part.cast(pa.binary()).to_pylist(),
            strict=True,
        )
        for match in pattern.finditer(text)
        for group in detector.groups
        if match.start(group) < match.end(group)
    ]
    table = np.array(found, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _first(part: pa.Array, begins: np.ndarray, pattern: str) -> Matches:
    """Returns the numbers of the texts that match, and where their first matches lie."""
    spans = pc.extract_regex_span(part, f"(?P<all>{pattern})")
    matched = np.asarray(pc.indices_nonzero(spans.is_valid())).astype(np.int64)
    places = (
        spans.field(0).flatten() if not spans.null_count else spans.drop_null().field(0).flatten()
    )
    table = np.asarray(places).reshape(-1, 2).astype(np.int64)
    starts = begins[matched] + table[:, 0]
    return matched, starts, starts + table[:, 1]


@functools.cache
def _compiled(pattern: str) -> Any:
    """Returns a compiled RE2 pattern of bytes."""
    import re2  # type: ignore[import-untyped]

    return re2.compile(pattern.encode())


def _judged(
    texts: Texts, detector: Detector, rows: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> Judged:
    """Returns matches with what a detector's check says of them."""
    likelihoods = np.full(len(starts), 5, np.int8)
    if detector.check is not None:
        lows, highs = texts.offsets[rows], texts.offsets[rows + 1]
        found = Candidates(texts.data, starts, ends, lows, highs)
        likelihoods, starts, ends = detector.check(found)
    return Judged(rows, starts, ends, likelihoods)
