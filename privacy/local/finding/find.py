"""Finds what a plan looks for in a column of texts."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.detector import WORD, Candidates, Detector
from privacy.local.finding.coded import coded_spans
from privacy.local.finding.overlaps import with_rests, without_overlaps
from privacy.local.finding.plugged import plugged
from privacy.local.notes import note
from privacy.local.plan import Plan
from privacy.local.texts import Texts
from privacy.spans import NO_SPANS, Spans, quotes

_WINDOW, _BEHIND = 40, 14
_NO_ROWS = np.zeros(0, np.int64)


def find(texts: Texts, plan: Plan, *, transformed: bool = False) -> Spans:
    """Finds personal data in texts.

    One pattern picks the texts that may hold any; only these are looked at again.

    Args:
      texts: n texts; null counts as empty.
      plan: What is looked for.
      transformed: Whether only that counts which has a transformation.

    Returns: What is likely enough, ordered; no two overlap. With `transformed`, what sticks out of
      a finding that was kept is a finding too.
    """
    spans = Spans.joined([*_common(texts, plan), *_apart(texts, plan), *plugged(texts, plan)])
    if not len(spans):
        return NO_SPANS
    for rule in plan.rules:
        likelihoods = rule.likelihoods(texts, spans)
        spans = Spans(spans.rows, spans.starts, spans.ends, spans.kinds, likelihoods)
    minimum = np.array([kind.minimum for kind in plan.kinds])
    counts = np.array(
        [k.reported and (k.transformation is not None or not transformed) for k in plan.kinds]
    )
    enough = spans.take((spans.likelihoods >= minimum[spans.kinds]) & counts[spans.kinds])
    kept = without_overlaps(enough, np.array([kind.detector.checksum for kind in plan.kinds]))
    if transformed:
        note(texts, plan, spans, kept)
        return with_rests(texts.data, enough, kept)
    return kept


def _common(texts: Texts, plan: Plan) -> list[Spans]:
    """Returns what the detectors find whose patterns are joined."""
    if not plan.prefilter:
        return []
    rows = _matching(texts.column, plan.prefilter)
    if not len(rows):
        return []
    part = texts.column.take(pa.array(rows))
    found = coded_spans(texts, plan.codes, rows, part) if plan.codes else []
    for group in plan.groups:
        own, narrowed = rows, part
        # Of the first group nearly every text has something.
        if group is not plan.groups[0] and len(group.detectors) > 1:
            own, narrowed = _narrowed(rows, part, group.prefilter)
        judged: dict[Any, list[Judged]] = {}
        for number, detector in group.detectors:
            # Dates of birth are dates: what shares its pattern shares the search.
            same = (detector.prefilter, detector.pattern, detector.check)
            if same not in judged:
                judged[same] = _found(texts, detector, own, narrowed)
            found += [each.of_kind(number, detector.likelihood) for each in judged[same]]
    return [
        _lifted(texts, spans, plan.kinds[spans.kinds[0]].detector) for spans in found if len(spans)
    ]


def _apart(texts: Texts, plan: Plan) -> list[Spans]:
    """Returns what the detectors find that run by themselves."""
    rows = np.arange(len(texts.column))
    return [
        _lifted(texts, found, kind.detector)
        for number, kind in enumerate(plan.kinds)
        if kind.detector.apart and kind.detector.pattern
        for judged in _found(texts, kind.detector, rows, texts.column)
        for found in [judged.of_kind(number, kind.detector.likelihood)]
    ]


def _matching(column: pa.Array, pattern: str) -> np.ndarray:
    """Returns the numbers of the texts in which a pattern is found."""
    found = pc.match_substring_regex(column, pattern)
    return np.asarray(pc.indices_nonzero(found)).astype(np.int64)


def _narrowed(rows: np.ndarray, part: pa.Array, pattern: str) -> tuple[np.ndarray, pa.Array]:
    """Returns the rows in which a pattern is found; all of them where these are most."""
    which = _matching(part, pattern)
    if 2 * len(which) > len(rows):
        return rows, part
    return rows[which], part.take(pa.array(which))


def _found(texts: Texts, detector: Detector, rows: np.ndarray, part: pa.Array) -> list["Judged"]:
    """Returns what one detector finds in some rows: first matches, second matches, and so on."""
    which = _matching(part, detector.prefilter) if len(part) else _NO_ROWS
    if not len(which):
        return []
    rounds = _behind if detector.looks_back else _rounds
    return list(rounds(texts, detector, rows[which], part.take(pa.array(which))))


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


def _rounds(texts: Texts, detector: Detector, rows: np.ndarray, part: pa.Array) -> Iterator[Judged]:
    """Yields the first match of each row, then the first behind that, until there is none."""
    begins = texts.offsets[rows]
    while True:
        matched, starts, ends = _first(part, begins, detector.pattern)
        if not len(matched):
            return
        rows = rows[matched]
        judged = _judged(texts, detector, rows, starts, ends)
        yield judged
        # What is left of each row begins where its match ends; or within one that was refused.
        next_ones = judged.ends
        if detector.again:
            inside = _second_word(texts.data, starts, ends)
            next_ones = np.where(judged.likelihoods > 0, next_ones, inside)
        rest = quotes(texts.data, next_ones, texts.offsets[rows + 1])
        more = _matching(rest, detector.prefilter)
        if not len(more):
            return
        rows, begins, part = rows[more], next_ones[more], rest.take(pa.array(more))


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


def _lifted(texts: Texts, spans: Spans, detector: Detector) -> Spans:
    """Raises what stands near a detector's own hotwords, or in a column that bears one."""
    low = np.flatnonzero(spans.likelihoods < detector.lifts_to)
    if not detector.hotwords or not len(low):
        return spans
    part = spans.take(low)
    if texts.name_matches(detector.hotwords):
        near = np.ones(len(low), bool)
    else:
        words = texts.before(part, _WINDOW)
        near = np.asarray(pc.match_substring_regex(words, detector.hotwords))
        if detector.behind:
            words = texts.behind(part, _BEHIND)
            near |= np.asarray(pc.match_substring_regex(words, detector.behind))
    likelihoods = spans.likelihoods.copy()
    likelihoods[low[near]] = detector.lifts_to
    return Spans(spans.rows, spans.starts, spans.ends, spans.kinds, likelihoods)
