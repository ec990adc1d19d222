"""A text that is too much for one request, in pieces: cut only where no finding changes by it.

What is found in a text may depend on what stands around it. So a place counts as safe only if Cloud
DLP finds the same around it, cut and uncut.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

Made = TypeVar("Made")
Places: TypeAlias = frozenset[tuple[str, int, int]]
"""Findings of a text: an infoType, and its first and last character, the last one excluded."""
Look: TypeAlias = Callable[[Sequence[str]], list[Places] | None]
"""Returns the findings of each of some texts; None where there are too many to tell."""

AROUND, LEAST_AROUND = 8_000, 500
"""Characters on both sides of a place that are looked at: long keys fit into them. Fewer are where
these hold too many findings."""
SHORTEST = 64
"""Characters; a shorter text is not cut."""
_TRIED = 8
_ENDS = (r"\n", r"[.;!?]\s", r"\s", r"[,;|&]")


def in_pieces(
    text: str, ask: Callable[[str], Made], too_much: Callable[[Exception], bool], look: Look
) -> list[tuple[str, Made]]:
    """Asks about a text, and about its pieces where it is too much; in the end all pieces answer.

    Args:
      text: The text; it was asked about before, and was too much.
      ask: Returns the answer about one piece.
      too_much: Tells of an error of `ask` whether a smaller piece may be answered.
      look: Finds personal data around a place.

    Returns: The pieces, in order, each with its answer.

    Raises:
      NoSafeCut: There is no place to cut.
      Exception: What `ask` raises, if it is not because of the size.
    """
    cut = safe_cut(text, look)
    if cut is None:
        raise NoSafeCut
    made: list[tuple[str, Made]] = []
    for piece in (text[:cut], text[cut:]):
        try:
            made.append((piece, ask(piece)))
        except Exception as error:
            if not too_much(error):
                raise
            made += in_pieces(piece, ask, too_much, look)
    return made


class NoSafeCut(Exception):
    """A text is too much for one request, and can't be cut without changing what is found."""


def safe_cut(text: str, look: Look) -> int | None:
    """Returns where a text may be cut, near its middle; None where no place is safe.

    Args:
      text: The text.
      look: Finds personal data in what stands around a place, cut and uncut.
    """
    if len(text) < SHORTEST:
        return None
    return next((cut for cut in candidates(text) if _is_safe(text, cut, look)), None)


def candidates(text: str) -> Iterator[int]:
    """Yields some places between the lines, sentences or words of a text, the middle ones first."""
    low, high, middle = len(text) // 8, len(text) - len(text) // 8, len(text) // 2
    seen: set[int] = set()
    for pattern in _ENDS:
        places = [found.end() for found in re.finditer(pattern, text[low:high])]
        near = sorted((low + place for place in places), key=lambda place: abs(place - middle))
        # A few neighbours of the middle may all lie in one finding: others are spread out.
        spread = near[:: max(1, len(near) // _TRIED)]
        for cut in [*near[:2], *spread[:_TRIED]]:
            if cut not in seen:
                seen.add(cut)
                yield cut


def _is_safe(text: str, cut: int, look: Look) -> bool:
    around = AROUND
    while around >= LEAST_AROUND:
        begin = max(0, cut - around)
        left, right = text[begin:cut], text[cut : cut + around]
        found = look([left + right, left, right])
        if found is not None:
            uncut, before, behind = found
            moved = {(kind, len(left) + a, len(left) + b) for kind, a, b in behind}
            # What the edges of the window cut in two is the same in both.
            return uncut == before | moved
        around //= 2
    return False
