"""Overlaps: of findings on the same characters, one is kept."""

import bisect

import numpy as np

from privacy.detectors.detector import WORD
from privacy.spans import Spans


def without_overlaps(spans: Spans, checksums: np.ndarray) -> Spans:
    """Keeps one of the findings that overlap.

    A checksum decides before the likelihood, then the longer one, then the earlier one.

    Args:
      spans: Findings, ordered by where they start.
      checksums: Of each kind, whether it rests on a checksum.

    Returns: Findings that don't overlap, ordered.
    """
    if len(spans) < 2:
        return spans
    furthest = np.maximum.accumulate(spans.ends)
    heads = np.concatenate([[True], spans.starts[1:] >= furthest[:-1]])
    group = np.cumsum(heads) - 1
    crowded = np.flatnonzero(np.bincount(group)[group] > 1)
    if not len(crowded):
        return spans
    keep = np.ones(len(spans), bool)
    keep[crowded] = False
    part = spans.take(crowded)
    size = part.ends - part.starts
    order = np.lexsort(
        (part.kinds, part.starts, -size, -part.likelihoods, ~checksums[part.kinds], group[crowded])
    )
    ordered = group[crowded[order]]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    keep[crowded[order[first]]] = True
    # Where two overlap, one is kept; of more, some may lie apart from the first.
    several = np.bincount(ordered)[ordered] > 2
    chosen: list[int] = []
    for place, begins in zip(order[several].tolist(), first[several].tolist(), strict=True):
        if begins:
            chosen = [place]
        elif all(
            part.ends[o] <= part.starts[place] or part.starts[o] >= part.ends[place] for o in chosen
        ):
            chosen.append(place)
            keep[crowded[place]] = True
    return spans.take(keep)


def with_rests(data: np.ndarray, spans: Spans, kept: Spans) -> Spans:
    """Adds what sticks out of the findings that were kept.

    Of two findings that overlap in part, the one that was dropped goes on before or behind the
    other; that part is personal data as well, and must not stay.

    Args:
      data: The bytes of the texts.
      spans: All findings.
      kept: Those that were kept, ordered; no two overlap.

    Returns: Findings that do not overlap, ordered; a part needs a letter or digit.
    """
    if len(spans) == len(kept):
        return kept
    at = np.searchsorted(kept.ends, spans.starts, side="right")
    near = np.minimum(at, len(kept) - 1)
    inside = (kept.starts[near] <= spans.starts) & (kept.ends[near] >= spans.ends)
    out = np.flatnonzero((at >= len(kept)) | ~inside)
    if not len(out):
        return kept
    taken = list(zip(kept.starts.tolist(), kept.ends.tolist(), strict=True))
    found = []
    # Only these few are looked at one by one.
    for place in out.tolist():
        for start, end in _free(int(spans.starts[place]), int(spans.ends[place]), taken):
            if WORD[data[start:end]].any():
                found.append((place, start, end))
                bisect.insort(taken, (start, end))
    if not found:
        return kept
    which, starts, ends = np.array(found).T
    part = spans.take(which)
    return Spans.joined([kept, Spans(part.rows, starts, ends, part.kinds, part.likelihoods)])


def _free(start: int, end: int, taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns the parts of a stretch that none of the others, which are ordered, takes."""
    parts = []
    place = max(bisect.bisect_right(taken, (start,)) - 1, 0)
    while place < len(taken) and taken[place][0] < end:
        low, high = taken[place]
        if low > start:
            parts.append((start, low))
        start = max(start, min(high, end))
        place += 1
    return [*parts, (start, end)] if start < end else parts
