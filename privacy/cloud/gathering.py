"""Parts of columns that come back in any order: neighbours become one while others are awaited."""

from collections.abc import Iterable
from itertools import groupby

import numpy as np
import pyarrow as pa

from privacy.cloud.joining import Joined, Part, Tally

_MANY = 16
"""Parts that are put together: large blocks, so that few batches lie across two of them."""


class Gathering:
    """Takes parts as they come, and puts those together that follow one another.

    To copy all of them in the end would take as long as a good part of the requests.
    """

    def __init__(self) -> None:
        self._made, self._run = list[Part](), list[Part]()
        self._waiting: dict[int, Part] = {}
        self._next = 0

    def add(self, parts: Iterable[Part]) -> None:
        """Takes in some parts."""
        self._waiting |= {part.start: part for part in parts}
        while (part := self._waiting.pop(self._next, None)) is not None:
            self._run.append(part)
            self._next = part.stop
            if len(self._run) >= _MANY:
                self._made += merged(self._run)
                self._run = []

    def parts(self) -> list[Part]:
        """Returns all parts, ordered; what has no neighbour yet stays as it came."""
        rest = [self._waiting[start] for start in sorted(self._waiting)]
        return [*self._made, *self._run, *rest]


def merged(parts: Iterable[Part]) -> list[Part]:
    """Returns parts that follow one another; neighbours that are sound become one."""
    made = list[Part]()
    for sound, group in groupby(parts, lambda part: part.joined is not None and not part.why):
        some = list(group)
        made += [_one(some)] if sound and len(some) > 1 else some
    return made


def _one(parts: list[Part]) -> Part:
    start, joined = parts[0].start, [part.joined for part in parts if part.joined is not None]
    rows = [each.rows + (part.start - start) for part, each in zip(parts, joined, strict=True)]
    columns = zip(*(each.columns for each in joined), strict=True)
    faults = zip(*(each.faults for each in joined), strict=True)
    whole = Joined(
        np.concatenate(rows),
        [pa.concat_arrays(each) for each in columns],
        [np.concatenate(each) for each in faults],
    )
    tally = sum((part.transformed for part in parts), Tally())
    return Part(start, parts[-1].stop, whole, transformed=tally)
