"""What a pattern needs: the kinds of bytes that each text with a match must hold.

A look at a text's marks is fifty times cheaper than a pattern, and for most patterns rules out most
texts: there is no address of mail without an `@`, and no number of a card without twelve digits.
"""

import functools
import itertools
import re
import warnings
from collections.abc import Iterable
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple, TypeAlias

import numpy as np

SIGNS = b"@:.-+"
"""Bytes with a mark of their own."""

DIGIT, UPPER, LETTER = 1, 64, 128
MARKS = np.zeros(256, np.uint8)
"""The mark of each byte: 1 for a digit, 64 and 128 for capital letters, 128 for small ones."""
MARKS[ord("0") : ord("9") + 1] = DIGIT
MARKS[ord("a") : ord("z") + 1] = LETTER
MARKS[ord("A") : ord("Z") + 1] = UPPER | LETTER
for _place, _sign in enumerate(SIGNS):
    MARKS[_sign] = 2 << _place

JOINED = LETTER
"""In the marks of a text, bit 128 says that a digit stands right behind a letter."""

MOST_DIGITS = 15
CODES = 1 << 12
"""A text's code: the marks of its bytes joined, and how many digits it has, up to 15, times 256."""

_MOST_WAYS = 12


class Way(NamedTuple):
    """One way to match a pattern.

    Attributes:
      marks: The marks that the text must hold.
      digits: How many digits it must hold.
    """

    marks: int
    digits: int


Ways: TypeAlias = tuple[Way, ...]

_NOTHING: Ways = (Way(0, 0),)


@functools.cache
def needs_of(pattern: str) -> np.ndarray:
    """Returns for each code of a text whether a text of that code may hold a match.

    Args:
      pattern: An RE2 pattern. If Python can't read it, each text may hold a match.

    Returns: `CODES` booleans.
    """
    ways = _ways_of(pattern)
    codes = np.arange(CODES)
    marks, digits = codes & 255, codes >> 8
    fits = [(marks & way.marks == way.marks) & (digits >= way.digits) for way in ways]
    return np.asarray(np.logical_or.reduce(fits))


def _ways_of(pattern: str) -> Ways:
    # A class such as [[:alpha:]] is another one for Python, which warns of it.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            parsed = _parser.parse(pattern)
            return _of_sequence(parsed, bool(parsed.state.flags & re.IGNORECASE))
        except (re.error, _Unreadable, FutureWarning, DeprecationWarning, OverflowError):
            return _NOTHING


class _Unreadable(Exception):
    """Something that RE2 doesn't have, or reads differently."""


def _of_sequence(nodes: Iterable[Any], any_case: bool) -> Ways:
    """Returns the ways of what stands one behind the other."""
    ways, last = _NOTHING, 0
    for node in nodes:
        if node[0] is _constants.AT:
            continue
        own = _single(node, any_case)
        joined = JOINED if last & LETTER and own == DIGIT else 0
        made = _of_node(node, any_case)
        ways = _fewer(
            Way(a.marks | b.marks | joined, min(a.digits + b.digits, MOST_DIGITS))
            for a, b in itertools.product(ways, made)
        )
        last = own
    return ways


def _of_node(node: Any, any_case: bool) -> Ways:
    kind, value = node
    if kind is _constants.BRANCH:
        return _fewer(way for each in value[1] for way in _of_sequence(each, any_case))
    if kind is _constants.SUBPATTERN:
        _, added, removed, inner = value
        return _of_sequence(inner, _is_any_case(any_case, added, removed))
    if kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        least, _, inner = value
        return _repeated(_of_sequence(inner, any_case), least) if least else _NOTHING
    if kind in (_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN):
        mark = _single(node, any_case)
        return (Way(mark & ~LETTER, int(mark == DIGIT)),)
    raise _Unreadable(str(kind))


def _is_any_case(any_case: bool, added: int, removed: int) -> bool:
    return (any_case or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE


def _repeated(ways: Ways, least: int) -> Ways:
    if len(ways) > 1 and least > 1:
        ways = (_common(ways),)
    return tuple(Way(way.marks, min(way.digits * least, MOST_DIGITS)) for way in ways)


def _fewer(ways: Iterable[Way]) -> Ways:
    """Leaves out ways that need all that another one needs; many become the one that all share."""
    kept = list[Way]()
    for way in sorted(set(ways), key=lambda way: (way.marks.bit_count(), way.digits)):
        if not any(o.marks & way.marks == o.marks and o.digits <= way.digits for o in kept):
            kept.append(way)
    return tuple(kept) if len(kept) <= _MOST_WAYS else (_common(kept),)


def _common(ways: Iterable[Way]) -> Way:
    marks, digits = zip(*ways, strict=True)
    return Way(functools.reduce(int.__and__, marks), min(digits))


def _single(node: Any, any_case: bool) -> int:
    """Returns the marks that all characters have that one node stands for; 0 for several nodes."""
    kind, value = node
    if kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        least, _, inner = value
        return _single(inner[0], any_case) if least and len(inner) == 1 else 0
    if kind is _constants.LITERAL:
        return _mark(value, value, any_case)
    if kind is _constants.IN:
        return functools.reduce(int.__and__, [_of_member(each, any_case) for each in value])
    return 0


def _of_member(member: Any, any_case: bool) -> int:
    kind, value = member
    if kind is _constants.LITERAL:
        return _mark(value, value, any_case)
    if kind is _constants.RANGE:
        return _mark(value[0], value[1], any_case)
    return DIGIT if member == (_constants.CATEGORY, _constants.CATEGORY_DIGIT) else 0


def _mark(low: int, high: int, any_case: bool) -> int:
    """Returns the marks that all characters of a range share."""
    if high > 127:
        return 0
    mark = functools.reduce(int.__and__, MARKS[low : high + 1].tolist())
    # In any case `k` is the sign of Kelvin too, so no letter is sure to be one of ASCII.
    return 0 if any_case and mark & LETTER else int(mark)
