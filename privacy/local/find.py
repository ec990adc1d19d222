"""Finds what a plan looks for in a column of texts."""

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.detector import Candidates, Detector
from privacy.local.overlaps import without_overlaps
from privacy.local.plan import Plan
from privacy.local.texts import Texts
from privacy.spans import NO_SPANS, Spans, text_bytes, text_offsets

_WINDOW, _BEHIND = 40, 14


def find(texts: Texts, plan: Plan, *, transformed: bool = False) -> Spans:
    """Finds personal data in texts.

    One pattern picks the texts that may hold any; only these are looked at again.

    Args:
      texts: n texts; null counts as empty.
      plan: What is looked for.
      transformed: Whether only that counts which has a transformation.

    Returns: What is likely enough, ordered; no two overlap.
    """
    spans = Spans.joined([*_common(texts, plan), *_by_row(texts, plan)])
    if not len(spans):
        return NO_SPANS
    for rule in plan.rules:
        likelihoods = rule.likelihoods(texts, spans)
        spans = Spans(spans.rows, spans.starts, spans.ends, spans.kinds, likelihoods)
    minimum = np.array([kind.minimum for kind in plan.kinds])
    counts = np.array(
        [k.reported and (k.transformation is not None or not transformed) for k in plan.kinds]
    )
    spans = spans.take((spans.likelihoods >= minimum[spans.kinds]) & counts[spans.kinds])
    return without_overlaps(spans, np.array([kind.detector.checksum for kind in plan.kinds]))


def _common(texts: Texts, plan: Plan) -> list[Spans]:
    """Returns what the detectors find whose patterns are joined."""
    if not plan.prefilter:
        return []
    rows = _matching(texts.column, plan.prefilter)
    if not len(rows):
        return []
    part = texts.column.take(pa.array(rows))
    return [
        _found(texts, number, kind.detector, rows, part)
        for number, kind in enumerate(plan.kinds)
        if not kind.detector.by_row
    ]


def _by_row(texts: Texts, plan: Plan) -> list[Spans]:
    rows = np.arange(len(texts.column))
    return [
        _found(texts, number, kind.detector, rows, texts.column)
        for number, kind in enumerate(plan.kinds)
        if kind.detector.by_row
    ]


def _matching(column: pa.Array, pattern: str) -> np.ndarray:
    """Returns the numbers of the texts in which a pattern is found."""
    found = pc.match_substring_regex(column, pattern)
    return np.asarray(pc.indices_nonzero(found)).astype(np.int64)


def _found(
    texts: Texts, number: int, detector: Detector, rows: np.ndarray, part: pa.Array
) -> Spans:
    """Returns what one detector finds in some rows."""
    which = _matching(part, detector.prefilter)
    if not len(which):
        return NO_SPANS
    rows, part = rows[which], part.take(pa.array(which))
    joined = pc.binary_join_element_wise(part, "", "\n")
    offsets, data = text_offsets(joined), text_bytes(joined)
    data = data[offsets[0] : offsets[-1]]
    places = _by_lines(detector, data, offsets) if not detector.by_row else _each(detector, part, offsets)
    if not len(places):
        return NO_SPANS
    starts, ends = places[:, 0], places[:, 1]
    owner = np.searchsorted(offsets, starts, side="right") - 1
    candidates = Candidates(data, starts, ends)
    likelihoods = np.full(len(starts), detector.likelihood, np.int8)
    if detector.check is not None:
        verdict, starts, ends = detector.check(candidates)
        likelihoods = np.minimum(verdict, likelihoods)
    shift = texts.offsets[rows[owner]] - offsets[owner]
    spans = Spans.of_kind(number, rows[owner], starts + shift, ends + shift, likelihoods)
    return _lifted(texts, spans.take(likelihoods > 0), detector)


def _by_lines(detector: Detector, data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Returns the matches in joined texts; the pattern matches no line's end."""
    matches = compiled(detector.pattern).finditer(data.tobytes())
    places = np.array([match.span() for match in matches], np.int64)
    return places.reshape(-1, 2)


def _each(detector: Detector, part: pa.Array, offsets: np.ndarray) -> np.ndarray:
    """Returns the matches in each text by itself, as places in the joined texts."""
    pattern = compiled(detector.pattern)
    found = [
        (match.start() + offset, match.end() + offset)
        for text, offset in zip(part.cast(pa.binary()).to_pylist(), offsets.tolist(), strict=False)
        for match in pattern.finditer(text or b"")
        if match.end() > match.start()
    ]
    return np.array(found, np.int64).reshape(-1, 2)


@functools.cache
def compiled(pattern: str) -> "object":
    """Returns a compiled RE2 pattern of bytes."""
    import re2

    return re2.compile(pattern.encode())


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
