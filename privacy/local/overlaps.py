"""Overlaps: of findings on the same characters, one is kept."""

import numpy as np

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
    chosen: list[int] = []
    last = -1
    for place in order.tolist():
        if group[crowded[place]] != last:
            last, chosen = group[crowded[place]], []
        if all(
            part.ends[o] <= part.starts[place] or part.starts[o] >= part.ends[place] for o in chosen
        ):
            chosen.append(place)
            keep[crowded[place]] = True
    return spans.take(keep)
