"""What a user's pattern costs: a bad one runs by itself, and slows nothing else."""

import functools
import random
import re
import string
import time

import pyarrow as pa
import pyarrow.compute as pc

MOST_CODE = 1_000
"""Instructions of a compiled pattern that may be joined with others."""
MOST_TIMES = 6.0
"""How much slower than a plain pattern one may be on the sample, and be joined with others."""

_PLAIN = r"\d{4}-\d{4}"
_ROWS, _SIZE, _TRIES = 200, 120, 3


def is_cheap(pattern: str) -> bool:
    """Tells whether a pattern may be joined with those of the engine.

    RE2 never backtracks, but a pattern such as `(a|b)[a-j ]{30}z` makes it build so many states
    that it falls back to its slow way, and others with it. A sample of letters shows that. Either
    way the same is found.
    """
    import re2  # type: ignore[import-untyped]

    compiled = re2.compile(pattern)
    if max(compiled.programsize, compiled.reverseprogramsize) > MOST_CODE:
        return False
    return _seconds(pattern) <= MOST_TIMES * max(_seconds(_PLAIN), 20e-6)


def _seconds(pattern: str) -> float:
    """Returns the least time of a few runs over the sample."""
    times = []
    for _ in range(_TRIES):
        start = time.thread_time()
        pc.match_substring_regex(_sample(), pattern)
        times.append(time.thread_time() - start)
    return min(times)


@functools.cache
def _sample() -> pa.Array:
    """Returns rows of few different letters, of words, and of all sorts of characters."""
    dice = random.Random(20_260_101)
    kinds = ("abcdefghij ", string.ascii_lowercase + "   ", string.printable.replace("\n", ""))
    return pa.array(
        ["".join(dice.choices(kinds[row % 3], k=_SIZE)) for row in range(_ROWS)], pa.string()
    )


def without_captures(pattern: str) -> str:
    """Returns an RE2 pattern whose groups capture nothing; what it matches stays the same."""
    made, inside, place = [], False, 0
    while place < len(pattern):
        if pattern.startswith(r"\Q", place):
            end = pattern.find(r"\E", place)
            end = len(pattern) if end < 0 else end + 2
            made.append(pattern[place:end])
            place = end
            continue
        sign = pattern[place]
        step = 2 if sign == "\\" else 1
        piece = pattern[place : place + step]
        if not inside and sign == "(":
            named = re.match(r"\(\?P?<\w+>", pattern[place:])
            if named:
                piece, step = "(?:", named.end()
            elif not pattern.startswith("(?", place):
                piece = "(?:"
        elif not inside and sign == "[":
            inside = True
            # A bracket that comes first in a class stands for itself.
            first = re.match(r"\[\^?\]?", pattern[place:])
            assert first is not None
            piece, step = first[0], first.end()
        elif inside and sign == "[" and pattern.startswith("[:", place):
            step = pattern.index(":]", place) + 2 - place
            piece = pattern[place : place + step]
        elif inside and sign == "]":
            inside = False
        made.append(piece)
        place += step
    return "".join(made)
