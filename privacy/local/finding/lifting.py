"""Hotwords of the detectors themselves: they lift what stands near them, or in their column."""

from collections.abc import Iterable

import numpy as np
import pyarrow.compute as pc

from privacy.detectors.detector import Detector
from privacy.local.plan import Plan
from privacy.local.texts import Texts
from privacy.spans import Spans

_WINDOW, _BEHIND = 40, 14


def lifted(texts: Texts, plan: Plan, found: Iterable[Spans]) -> list[Spans]:
    """Raises what stands near its detector's own hotwords, or in a column that bears one.

    Args:
      texts: n texts.
      plan: What was looked for.
      found: Findings, each of one kind.

    Returns: The same findings, those of a kind together.
    """
    parts: dict[int, list[Spans]] = {}
    for each in found:
        if len(each):
            parts.setdefault(int(each.kinds[0]), []).append(each)
    kinds = {number: plan.kinds[number].detector for number in parts}
    spans = {number: Spans.joined(each) for number, each in parts.items()}
    low = {
        number: np.flatnonzero(spans[number].likelihoods < detector.lifts_to)
        for number, detector in kinds.items()
        if detector.hotwords
    }
    near = _near_any(texts, [(kinds[n], spans[n].take(which)) for n, which in low.items()])
    for number, which in low.items():
        if len(which):
            spans[number] = _raised(texts, spans[number], which, kinds[number], near)
    return list(spans.values())


def _near_any(texts: Texts, found: list[tuple[Detector, Spans]]) -> np.ndarray:
    """Returns the ordered beginnings of findings that stand near a hotword of some detector.

    Many detectors find the same number, and near most there is no hotword of any of them.
    """
    patterns = "|".join(dict.fromkeys(f"(?:{each.hotwords})" for each, _ in found))
    every = Spans.joined([spans for _, spans in found])
    if not len(every):
        return every.starts
    first = np.concatenate([[True], every.starts[1:] != every.starts[:-1]])
    once = every.take(first)
    near = pc.match_substring_regex(texts.before(once, _WINDOW), patterns)
    return np.asarray(once.starts[np.asarray(near)])


def _raised(
    texts: Texts, spans: Spans, low: np.ndarray, detector: Detector, near_any: np.ndarray
) -> Spans:
    """Raises some findings of one detector."""
    near = np.ones(len(low), bool)
    if not texts.name_matches(detector.hotwords):
        part = spans.take(low)
        near = _is_in(part.starts, near_any)
        some = np.flatnonzero(near)
        if len(some):
            words = texts.before(part.take(some), _WINDOW)
            near[some] = pc.match_substring_regex(words, detector.hotwords)
        if detector.behind:
            words = texts.behind(part, _BEHIND)
            near |= np.asarray(pc.match_substring_regex(words, detector.behind))
    likelihoods = spans.likelihoods.copy()
    likelihoods[low[near]] = detector.lifts_to
    return Spans(spans.rows, spans.starts, spans.ends, spans.kinds, likelihoods)


def _is_in(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.asarray(ordered[at] == values)
