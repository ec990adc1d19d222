"""The search of several detectors: cheap tests rule out most texts for most of them."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from privacy.detectors.detector import Detector
from privacy.local.finding.marks import Marked
from privacy.local.finding.matches import Judged, matches_of, matching
from privacy.local.plan import joined
from privacy.local.texts import Texts
from privacy.spans import Spans

Numbered: TypeAlias = tuple[int, Detector]
"""A detector, and the number of its kind."""

_FEW, _PARTS, _LARGE = 3, 4, 4


def search(
    texts: Texts, common: Sequence[Numbered], others: Sequence[Numbered], marked: Marked
) -> list[Spans]:
    """Returns what some detectors find.

    The marks of a text rule out most detectors. Those that they leave many texts are tried
    together first, then in smaller parts, except the common ones, which find something in most.

    Args:
      texts: n texts.
      common: Detectors that are tried one by one.
      others: The others.
      marked: Those of the texts that may hold something.
    """
    hits = _Hits(texts)
    rare = []
    for each in (*common, *others):
        which = marked.fitting(each[1].needs)
        if len(which) * _LARGE < len(marked) or each in common:
            hits.add(each, marked.take(which))
        else:
            rare.append(each)
    _in_parts(hits, rare, marked)
    return hits.found


class _Hits:
    """Gathers what is found; what shares its pattern shares the search."""

    def __init__(self, texts: Texts) -> None:
        self.found = list[Spans]()
        self._texts = texts
        self._judged: dict[Any, tuple[np.ndarray, list[Judged]]] = {}

    def add(self, numbered: Numbered, marked: Marked) -> None:
        number, detector = numbered
        if not len(marked):
            return
        # Dates of birth are dates.
        same = (detector.prefilter, detector.pattern, detector.check)
        rows, judged = self._judged.get(same, (None, []))
        if rows is None or not np.array_equal(rows, marked.rows):
            judged = matches_of(self._texts, detector, marked.rows, marked.texts)
            self._judged[same] = marked.rows, judged
        self.found += [each.of_kind(number, detector.likelihood) for each in judged]


def _in_parts(hits: _Hits, detectors: Sequence[Numbered], marked: Marked) -> None:
    """Adds what detectors find that find little: all are tried together, and then parts of them."""
    if not detectors:
        return
    some = marked.take(marked.fitting(np.logical_or.reduce([each.needs for _, each in detectors])))
    if len(detectors) > 1:
        some = some.take(matching(some.texts, joined(each for _, each in detectors)))
    if not len(some):
        return
    if len(detectors) <= _FEW:
        for each in detectors:
            hits.add(each, some.take(some.fitting(each[1].needs)))
        return
    size = -(-len(detectors) // _PARTS)
    for first in range(0, len(detectors), size):
        _in_parts(hits, detectors[first : first + size], some)
