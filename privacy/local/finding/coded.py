"""Finds codes in texts: all of a policy in one pass over the words with digits."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.codes.code import ROWS, Code, Coded
from privacy.detectors.codes.tokens import tokens_of
from privacy.local.texts import Texts
from privacy.spans import Spans, text_bytes, text_offsets


def coded_spans(
    texts: Texts, codes: Sequence[tuple[int, Code]], rows: np.ndarray, part: pa.Array
) -> list[Spans]:
    """Returns what detectors of codes find.

    Args:
      texts: n texts.
      codes: The detectors, with the numbers of their kinds.
      rows: The numbers of m texts.
      part: These m texts.

    Returns: Spans of each detector and layout; none where there are none.
    """
    which = np.asarray(pc.indices_nonzero(pc.match_substring_regex(part, ROWS))).astype(np.int64)
    if not len(which):
        return []
    if 2 * len(which) < len(rows):
        part, rows = part.take(pa.array(which)), rows[which]
    offsets = text_offsets(part)
    coded = Coded(tokens_of(text_bytes(part), offsets))
    moved = texts.offsets[rows] - offsets[:-1]
    return [
        Spans.of_kind(number, rows[at], starts + moved[at], ends + moved[at], levels)
        for number, wanted in codes
        for at, starts, ends, levels in coded.find(wanted)
    ]
