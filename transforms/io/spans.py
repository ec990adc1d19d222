"""Spans: the days or other parts in which data comes, told by the names of its files."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from transforms.errors import ConfigError
from transforms.files.format import File
from transforms.files.uris import parse

_FIELD = re.compile(r"\{(SPAN|YYYY|MM|DD)(?:[:_](\d+))?\}")
_DIGITS = {"YYYY": 4, "MM": 2, "DD": 2}


@dataclass(frozen=True)
class Span:
    """A part of the data.

    Attributes:
      name: Its number, or its date: `12`, `2026-01-31`.
      files: What it is made of.
    """

    name: str
    files: tuple[File, ...]

    @property
    def digest(self) -> str:
        """A digest of its files' names, sizes and times: another one where a file was changed."""
        told = [[file.uri, file.size, file.modified] for file in self.files]
        return hashlib.sha256(json.dumps(sorted(told)).encode()).hexdigest()


def has_spans(uri: str) -> bool:
    """Returns whether a URI names spans: by {SPAN}, or by {YYYY}, {MM} and {DD}, as in TFX."""
    return _FIELD.search(uri) is not None


def glob_of(uri: str) -> str:
    """Returns a URI that matches the files of all spans; one without spans as it is.

    Raises:
      ConfigError: It names both numbers and dates, or a part of a date alone.
    """
    names = {name for name, _ in _FIELD.findall(uri)}
    if names not in (set(), {"SPAN"}, {"YYYY", "MM", "DD"}):
        raise ConfigError(f"--input {uri}: spans are {{SPAN}}, or all of {{YYYY}}, {{MM}}, {{DD}}")
    return _FIELD.sub("*", uri)


def spans_of(uri: str, files: Sequence[File]) -> tuple[Span, ...]:
    """Returns files by span, the first span first.

    Args:
      uri: With {SPAN}, {SPAN:2} where it has so many digits, or {YYYY}, {MM} and {DD}.
      files: What `glob_of(uri)` matches.

    Raises:
      ConfigError: A file is in no span.
    """
    # A colon would end a scheme.
    plain = _FIELD.sub(lambda field: field[0].replace(":", "_"), uri)
    pattern = re.compile(_pattern(parse(plain).path))
    found: dict[tuple[int, ...], list[File]] = {}
    for file in files:
        match = pattern.fullmatch(file.uri)
        if match is None:
            raise ConfigError(
                f"--input {uri}: {file.uri} is of no span: where the pattern has one, the name has "
                "something else than digits; narrow the pattern"
            )
        parts = match.groupdict()
        key = [parts["SPAN"]] if "SPAN" in parts else [parts[each] for each in _DIGITS]
        found.setdefault(tuple(map(int, key)), []).append(file)
    return tuple(Span(_name(key), tuple(found[key])) for key in sorted(found))


def _name(key: tuple[int, ...]) -> str:
    return str(key[0]) if len(key) == 1 else "{:04}-{:02}-{:02}".format(*key)


def _pattern(path: str) -> str:
    """Returns a regular expression for the files of a path with spans."""
    made, end, seen = "", 0, set()
    for field in _FIELD.finditer(path):
        name, digits = field[1], field[2] or _DIGITS.get(field[1])
        number = rf"\d{{{digits}}}" if digits else r"\d+"
        made += _plain(path[end : field.start()])
        made += rf"(?P={name})" if name in seen else f"(?P<{name}>{number})"
        seen.add(name)
        end = field.end()
    made += _plain(path[end:])
    return f"{made}.*" if path.endswith("/") else f"{made}(?:/.*)?"


def _plain(text: str) -> str:
    """Returns a regular expression for a glob."""
    signs = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*|\*|\?)", text)
    return "".join(signs.get(part) or re.escape(part) for part in parts)


def latest(spans: Sequence[Span], text: str) -> tuple[Span, ...]:
    """Returns the spans that are wanted.

    Args:
      spans: All, in order.
      text: `all`, or `last:30`.

    Raises:
      ConfigError: It is neither.
    """
    if text == "all":
        return tuple(spans)
    word, _, number = text.partition(":")
    if word != "last" or not number.isdecimal() or int(number) < 1:
        raise ConfigError(f"--spans {text}: is neither all nor last:N, such as last:30")
    return tuple(spans)[-int(number) :]
