"""The entries of a text proto, with where each stands: what its parser throws away."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPACE = re.compile(r"(?:\s|#[^\n]*)*")
_SEPARATORS = re.compile(r"(?:\s|[;,]|#[^\n]*)*")
_NAME = re.compile(r"\[[^\]]*\]|\w+")
_STRING = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
_STRINGS = re.compile(rf"(?:{_STRING})(?:(?:\s|#[^\n]*)*(?:{_STRING}))*")
_SCALAR = re.compile(r"-?\s*[^\s;,#{}<>\[\]]+")
_INNER = re.compile(rf"{_STRING}|#[^\n]*|[\[\]{{}}<>]")
_REST_OF_LINE = re.compile(r"[ \t]*[;,]?[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_CLOSING = {"{": "}", "<": ">", "[": "]"}


@dataclass(frozen=True)
class Entry:
    """One field of a message as it stands in a text.

    Attributes:
      name: Of the field.
      start: Where it begins, with the comments above it.
      at: Where its name begins.
      value: Where its value begins and ends, brackets included.
      end: Where it ends, with the comment behind it and the end of the line.
      opened: The bracket that its value begins with, or nothing.
    """

    name: str
    start: int
    at: int
    value: tuple[int, int]
    end: int
    opened: str


def read_entries(text: str, start: int, end: int) -> Iterator[Entry]:
    """Returns the fields of a message that has been parsed before, and so is well formed.

    Args:
      text: The whole text.
      start: Where the message begins, after its bracket.
      end: Where it ends, before its bracket.

    Yields: Its entries, in order; they follow each other without a gap. What is behind the last is
      space and comments.
    """
    while True:
        at = _end_of(_SEPARATORS, text, start, end)
        if at >= end:
            return
        name_end = _end_of(_NAME, text, at, end)
        value = _end_of(_SPACE, text, name_end, end)
        if text[value] == ":":
            value = _end_of(_SPACE, text, value + 1, end)
        value_end = _value_end(text, value, end)
        rest = _REST_OF_LINE.match(text, value_end, end)
        done = rest.end() if rest else value_end
        opened = text[value] if text[value] in _CLOSING else ""
        yield Entry(text[at:name_end], start, at, (value, value_end), done, opened)
        start = done


def _value_end(text: str, at: int, end: int) -> int:
    if text[at] in _CLOSING:
        return _closed(text, at, end)
    pattern = _STRINGS if text[at] in "\"'" else _SCALAR
    return _end_of(pattern, text, at, end)


def _closed(text: str, at: int, end: int) -> int:
    """Returns the position of the bracket that closes the one at a position."""
    depth = 0
    for found in _INNER.finditer(text, at, end):
        if found[0] in _CLOSING:
            depth += 1
        elif found[0] in _CLOSING.values():
            depth -= 1
        if depth == 0:
            return found.end()
    raise ValueError("a bracket is not closed")


def _end_of(pattern: re.Pattern[str], text: str, at: int, end: int) -> int:
    found = pattern.match(text, at, end)
    if found is None:
        raise ValueError(f"not a text proto at {at}")
    return found.end()
