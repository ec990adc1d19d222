"""Finds what functions and lists of words find, which look at whole columns."""

import numpy as np
import pyarrow as pa

from privacy.detectors.detector import Candidates
from privacy.detectors.own.plug_in import PlugIn
from privacy.detectors.own.word_list import WordList
from privacy.local.plan import Plan
from privacy.local.texts import Texts
from privacy.spans import Spans


def plugged(texts: Texts, plan: Plan) -> list[Spans]:
    """Returns what the detectors of a plan find that are functions or lists of words.

    Each different text is looked at once by a function.
    """
    found = []
    for number, kind in enumerate(plan.kinds):
        if isinstance(kind.detector, PlugIn):
            found.append(_of_function(texts, number, kind.detector))
        elif isinstance(kind.detector, WordList):
            found.append(_of_words(texts, number, kind.detector))
    return [each for each in found if len(each)]


def _of_function(texts: Texts, number: int, detector: PlugIn) -> Spans:
    coded = texts.column.dictionary_encode()
    places = detector.places(coded.dictionary)
    # Each finding goes to all rows that have its text.
    texts_of_rows = np.asarray(coded.indices.fill_null(-1))
    order = np.argsort(texts_of_rows, kind="stable")
    ordered = texts_of_rows[order]
    lows = np.searchsorted(ordered, places[:, 0], side="left")
    counts = np.searchsorted(ordered, places[:, 0], side="right") - lows
    which = np.repeat(np.arange(len(places)), counts)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = order[np.repeat(lows, counts) + rank]
    starts, ends = (_bytes(texts, rows, places[which, at]) for at in (1, 2))
    return Spans.of_kind(number, rows, starts, ends, places[which, 3])


def _of_words(texts: Texts, number: int, detector: WordList) -> Spans:
    rows = np.flatnonzero(np.asarray(texts.column.is_valid()))
    part = texts.column.take(pa.array(rows)) if len(rows) < len(texts.column) else texts.column
    if not len(part):
        return Spans.joined([])
    places = detector.places(part)
    rows = rows[places[:, 0]]
    starts, ends = (_bytes(texts, rows, places[:, at]) for at in (1, 2))
    likelihoods = np.full(len(rows), int(detector.likelihood))
    if detector.check is not None and len(rows):
        lows, highs = texts.offsets[rows], texts.offsets[rows + 1]
        order = np.argsort(starts, kind="stable")
        judged = np.zeros(len(rows), np.int64)
        given = Candidates(texts.data, *(x[order] for x in (starts, ends, lows, highs)))
        judged[order] = detector.check(given)[0]
        likelihoods = np.minimum(likelihoods, judged)
    good = likelihoods > 0
    return Spans.of_kind(number, rows[good], starts[good], ends[good], likelihoods[good])


def _bytes(texts: Texts, rows: np.ndarray, characters: np.ndarray) -> np.ndarray:
    """Returns the bytes at which characters of rows begin."""
    begins = texts.offsets[rows]
    if texts.points is None:
        return np.asarray(begins + characters)
    return np.asarray(texts.point_starts[texts.points[begins] + characters])
