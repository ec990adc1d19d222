"""The words of an expression, each with its place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KEYWORDS = frozenset("and or not in between is null matches true false".split())

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<float>(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)"
    r"|(?P<int>\d+)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<quoted>`[^`]+`)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<sign><=|>=|!=|<>|==|[-+*/()<>=,.])"
)


class ExpressionError(Exception):
    """A fault of an expression, and its character, from 0."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at, self.message = at, message


@dataclass(frozen=True)
class Token:
    """A word of an expression.

    Attributes:
      kind: "int", "float", "text", "name", "keyword", "sign" or "end".
      value: What it means: a number, a text without its quotes, a name, a keyword, a sign.
      at: Where it begins.
    """

    kind: str
    value: Any
    at: int


def tokens(text: str) -> Iterator[Token]:
    """Cuts an expression into words.

    Names of columns that are no plain words stand in backquotes; texts in single quotes, in which
    two make one.

    Raises:
      ExpressionError: Something in it is no word.
    """
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(at, _stray(text, at))
        if match.lastgroup != "space":
            yield _token(str(match.lastgroup), match.group(), at)
        at = match.end()
    yield Token("end", "the end", at)


def _token(group: str, found: str, at: int) -> Token:
    if group == "word":
        lower = found.lower()
        return Token("keyword", lower, at) if lower in KEYWORDS else Token("name", found, at)
    if group == "int":
        return _whole(found, at)
    if not _is_unicode(found):
        raise ExpressionError(at, "a half of a surrogate pair is no text")
    values: dict[str, Any] = {
        "float": lambda: float(found),
        "text": lambda: found[1:-1].replace("''", "'"),
        "quoted": lambda: found[1:-1],
        "sign": lambda: {"<>": "!=", "==": "="}.get(found, found),
    }
    return Token("name" if group == "quoted" else group, values[group](), at)


def _is_unicode(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def _whole(found: str, at: int) -> Token:
    if len(found) > 19 or int(found) >= 1 << 63:
        raise ExpressionError(at, "an integer is less than 2^63; write it as a float, with a point")
    return Token("int", int(found), at)


def _stray(text: str, at: int) -> str:
    if text[at] == "'":
        return "this text has no closing quote"
    if text[at] == "`":
        return "this column name has no closing backquote"
    hint = "; a text stands in single quotes" if text[at] == '"' else ""
    return f"{text[at]!r} means nothing here{hint}"
