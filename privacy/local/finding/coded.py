"""Finds codes in texts: all of a policy in one pass over the words with digits."""

from collections.abc import Sequence

from privacy.detectors.codes.code import ROWS, Code, Coded
from privacy.detectors.codes.tokens import tokens_of
from privacy.detectors.needs import needs_of
from privacy.local.finding.marks import Marked
from privacy.local.finding.matches import matching
from privacy.local.texts import Texts
from privacy.spans import Spans, text_bytes, text_offsets


def coded_spans(texts: Texts, codes: Sequence[tuple[int, Code]], marked: Marked) -> list[Spans]:
    """Returns what detectors of codes find.

    Args:
      texts: n texts.
      codes: The detectors, with the numbers of their kinds.
      marked: Those of the texts that may hold something.

    Returns: Spans of each detector and layout; none where there are none.
    """
    if not codes:
        return []
    some = marked.take(marked.fitting(needs_of(ROWS)))
    some = some.take(matching(some.texts, ROWS))
    if not len(some):
        return []
    offsets = text_offsets(some.texts)
    coded = Coded(tokens_of(text_bytes(some.texts), offsets))
    moved = texts.offsets[some.rows] - offsets[:-1]
    return [
        Spans.of_kind(number, some.rows[at], starts + moved[at], ends + moved[at], levels)
        for number, wanted in codes
        for at, starts, ends, levels in coded.find(wanted)
    ]
