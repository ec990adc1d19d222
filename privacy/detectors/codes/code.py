"""A code: the detector of a number that is known by its layouts and a check of its characters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from privacy.detectors.codes.layouts import Group, Layout, layouts_of
from privacy.detectors.codes.tokens import Tokens
from privacy.detectors.detector import Detector, one_of
from privacy.likelihood import Likelihood

Rule: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""Judges n codes, given as n by w capital ASCII bytes without separators: n booleans, or n
likelihoods that bound what the layout says."""

ROWS = r"\d(?:[^\n]{0,3}\d){3}"
"""What each text with a code holds: some digits near each other."""

_GLUE = one_of(b"-./")
_GLUE_OF_DIGITS = one_of(b":+,")
_LEVELS = ("likely", "possible", "unlikely", "rare")


def code(
    name: str,
    rule: Rule | None = None,
    *,
    likely: str = "",
    possible: str = "",
    unlikely: str = "",
    rare: str = "",
    between: str = "- ",
    words: str = "",
    lifts_to: Likelihood | None = None,
) -> "Code":
    """Returns a detector; see `layouts` for how pictures are written.

    Args:
      name: The infoType.
      rule: Judges what has the form.
      likely: Layouts that are likely by themselves, where the rule agrees.
      possible: Layouts that are possible.
      unlikely: Layouts that need a hotword.
      rare: Layouts that are very unlikely without one.
      between: What `~` stands for.
      words: Hotwords, with bars between: RE2.
      lifts_to: What a hotword lifts to; the highest one where there is a rule.
    """
    pictures = zip((4, 3, 2, 1), (likely, possible, unlikely, rare), strict=True)
    return Code(
        name,
        ROWS,
        "",
        hotwords=rf"(?i)\b(?:{words})\b" if words else "",
        lifts_to=lifts_to or (Likelihood.VERY_LIKELY if rule else Likelihood.LIKELY),
        layouts=tuple((x, level) for level, each in pictures for x in layouts_of(each, between)),
        rule=rule,
    )


@dataclass(frozen=True)
class Code(Detector):
    """A detector of codes; `find` looks for all of a policy at once, in `Tokens`.

    Attributes:
      layouts: How it may be written, and how likely each is.
      rule: Judges what has the form.
    """

    layouts: tuple[tuple[Layout, int], ...] = ()
    rule: Rule | None = None


class Coded:
    """The words of some texts, ready to be compared with layouts.

    Args:
      tokens: The words.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._of_size = _grouped(tokens.sizes)
        # Many codes are written alike, and many layouts begin alike.
        self._matches: dict[Layout, tuple[np.ndarray, np.ndarray]] = {}
        self._heads: dict[tuple[Group, int], np.ndarray] = {}
        self._written: dict[Layout, np.ndarray] = {}

    def find(self, wanted: Code) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Yields for each layout the rows, starts, ends and likelihoods of what was found."""
        for layout, level in wanted.layouts:
            if layout not in self._matches:
                self._matches[layout] = self._matching(layout)
            first, last = self._matches[layout]
            if len(first):
                yield from self._judged(wanted.rule, layout, level, first, last)

    def _judged(
        self, rule: Rule | None, layout: Layout, level: int, first: np.ndarray, last: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        words = self.tokens
        levels = np.full(len(first), level)
        if rule is not None:
            if layout not in self._written:
                self._written[layout] = self._characters(layout, first)
            verdict = rule(self._written[layout])
            bound = verdict * 5 if verdict.dtype == bool else verdict
            levels = np.minimum(levels, bound)
        good = levels > 0
        if good.any():
            first, last = first[good], last[good]
            ends = words.starts[last] + words.sizes[last]
            # `A123456(3)`: a bracket that was opened is closed.
            ends = ends + (ord("(") in layout.joints)
            yield words.rows[first], words.starts[first], ends, levels[good]

    def _matching(self, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
        """Returns the numbers of the first and last words that have a layout."""
        words = self.tokens
        at = last = self._head(layout.groups[0], layout.joints[0] if layout.joints else _ALONE)
        for place, group in enumerate(layout.groups[1:], 1):
            if not len(at):
                return at, last
            last = last + 1
            good = (words.sizes[last] == group.size) & self._fits(last, group)
            if place < len(layout.joints):
                good &= words.joints[last] == layout.joints[place]
            at, last = at[good], last[good]
        if len(at):
            good = ~self._glued(at, last, layout)
            at, last = at[good], last[good]
        return at, last

    def _head(self, group: Group, joint: int) -> np.ndarray:
        """Returns the words that have the form of a group, and are followed by a byte."""
        if joint == _ALONE:
            at = self._of_size.get(group.size, _NOTHING)
            return np.asarray(at[self._fits(at, group)])
        if (group, joint) not in self._heads:
            at = self._head(group, _ALONE)
            self._heads[group, joint] = at[self.tokens.joints[at] == joint]
        return self._heads[group, joint]

    def _fits(self, at: np.ndarray, group: Group) -> np.ndarray:
        letters = self.tokens.letters[at]
        return np.asarray(
            (letters >= 0) & (letters & group.digits == 0) & (~letters & group.letters == 0)
        )

    def _glued(self, first: np.ndarray, last: np.ndarray, layout: Layout) -> np.ndarray:
        """Tells what goes on before or behind: with a dash, or another group of digits."""
        words, count = self.tokens, len(self.tokens)
        ahead, behind = words.ahead[first], words.behind[last]
        glued = _GLUE[ahead] | (_GLUE[behind] & (ord("(") not in layout.joints))
        own = _GLUE_OF_DIGITS | one_of(bytes(layout.joints))
        numbers = words.letters == 0
        before = np.maximum(first - 1, 0)
        after = np.minimum(last + 1, count - 1)
        glued |= own[ahead] & (words.joints[before] == ahead) & numbers[before] & (first > 0)
        glued |= own[words.joints[last]] & (words.joints[last] > 0) & numbers[after]
        return np.asarray(glued)

    def _characters(self, layout: Layout, first: np.ndarray) -> np.ndarray:
        words = self.tokens
        parts = [
            words.data[words.starts[first + number][:, None] + np.arange(group.size)]
            for number, group in enumerate(layout.groups)
        ]
        made = np.concatenate(parts, axis=1)
        return np.where(made >= ord("a"), made - 32, made).astype(np.uint8)


_ALONE = -1
_NOTHING = np.zeros(0, np.int64)


def _grouped(sizes: np.ndarray) -> dict[int, np.ndarray]:
    """Returns where each size is, in order."""
    order = np.argsort(sizes.astype(np.uint8), kind="stable")
    ends = np.cumsum(np.bincount(sizes))
    return {size: part for size, part in enumerate(np.split(order, ends[:-1])) if len(part)}
