"""Finds what a plan looks for in a column of texts."""

import numpy as np
import pyarrow as pa

from privacy.local.finding.coded import coded_spans
from privacy.local.finding.lifting import lifted
from privacy.local.finding.marks import Marked
from privacy.local.finding.matches import matches_of, matching
from privacy.local.finding.overlaps import with_rests, without_overlaps
from privacy.local.finding.plugged import plugged
from privacy.local.finding.search import search
from privacy.local.notes import note
from privacy.local.plan import Plan
from privacy.local.texts import Texts
from privacy.spans import NO_SPANS, Spans, blocks

_PART = 8 << 20
"""Bytes of texts that are looked at together: what is made of them takes some times as much."""


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
    found = list[Spans]()
    rows = matching(texts.column, plan.prefilter)
    sizes = texts.offsets[rows + 1] - texts.offsets[rows]
    for first, last in blocks(np.concatenate([[0], np.cumsum(sizes)]), _PART):
        some = rows[first:last]
        marked = Marked.of(some, texts.column.take(pa.array(some)))
        found += coded_spans(texts, plan.codes, marked)
        found += search(texts, plan.common, plan.others, marked)
    return lifted(texts, plan, found)


def _apart(texts: Texts, plan: Plan) -> list[Spans]:
    """Returns what the detectors find that run by themselves."""
    rows = np.arange(len(texts.column))
    found = [
        judged.of_kind(number, kind.detector.likelihood)
        for number, kind in enumerate(plan.kinds)
        if kind.detector.apart and kind.detector.pattern
        for judged in matches_of(texts, kind.detector, rows, texts.column)
    ]
    return lifted(texts, plan, found)
