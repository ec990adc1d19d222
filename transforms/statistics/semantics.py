"""What texts mean: images, addresses, times or sentences, told by looking at some of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from transforms.files.formats.image.header import HEAD_BYTES, image_size

ENOUGH = 100
"""Values that are looked at before anything is said, as in TFDV."""
SHARE = 0.8
"""Which part of them must be of a kind."""
LOOKED_AT = 1000
DOMAIN_INFO = "domain_info"
"""The custom statistic by which TFDV tells a domain: a field of a schema's feature, as text."""
IMAGES = "image_domain {}"
_URL = re.compile(r"(?:https?|ftp)://[^\s/$.?#][^\s]*", re.I)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_FEWEST_WORDS = 3
_WORD_LENGTH = (2.5, 8.0)
_TIMES = {
    "%Y-%m-%d": r"\d{4}-[01]\d-[0-3]\d",
    "%Y/%m/%d": r"\d{4}/[01]\d/[0-3]\d",
    "%Y%m%d": r"(?:19|20)\d\d[01]\d[0-3]\d",
    "%m/%d/%Y": r"[01]?\d/[0-3]?\d/\d{4}",
    "%d.%m.%Y": r"[0-3]?\d\.[01]?\d\.\d{4}",
    "%Y-%m-%d %H:%M:%S": r"\d{4}-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-6]\d",
    "%Y-%m-%dT%H:%M:%S": r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d",
    "%Y-%m-%dT%H:%M:%S%z": r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(?:Z|[+-]\d\d:?\d\d)",
    "%Y-%m-%dT%H:%M:%S.%f%z": (
        r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{1,6}(?:Z|[+-]\d\d:?\d\d)"
    ),
    "%H:%M:%S": r"[0-2]?\d:[0-5]\d:[0-6]\d",
}
_FORMATS = {name: re.compile(pattern) for name, pattern in _TIMES.items()}
_SECONDS_1990, _SECONDS_2030 = 631_152_000, 1_893_456_000
_UNITS = {
    "UNIX_SECONDS": 1,
    "UNIX_MILLISECONDS": 10**3,
    "UNIX_MICROSECONDS": 10**6,
    "UNIX_NANOSECONDS": 10**9,
}


@dataclass
class Sample:
    """The first values of a feature, as bytes, each cut to its first few kilobytes."""

    values: list[bytes] = field(default_factory=list)

    def add(self, array: pa.Array) -> None:
        """Takes values, none of them null, into account."""
        room = LOOKED_AT - len(self.values)
        if room > 0:
            some = array.slice(0, room).cast(pa.large_binary()).to_pylist()
            self.values += [value[:HEAD_BYTES] for value in some]

    def merge(self, other: "Sample") -> None:
        """Takes the values of another one into account."""
        self.values += other.values[: LOOKED_AT - len(self.values)]

    def domain(self) -> str:
        """Returns the domain of most values, as text of a schema; "" if there is none."""
        if len(self.values) < ENOUGH:
            return ""
        if self._are(lambda value: image_size(value) is not None):
            return IMAGES
        texts = [value.decode(errors="replace") for value in self.values]
        if _most(texts, lambda text: _URL.fullmatch(text) is not None):
            return "url_domain {}"
        for name, pattern in _FORMATS.items():
            if _most(texts, lambda text, p=pattern: p.fullmatch(text) is not None):  # type: ignore[misc]
                return f'time_domain {{ string_format: "{name}" }}'
        if _most(texts, _is_language):
            return "natural_language_domain {}"
        return ""

    def _are(self, is_one: Callable[[bytes], bool]) -> bool:
        return sum(map(is_one, self.values)) >= SHARE * len(self.values)


def _most(texts: list[str], is_one: Callable[[str], bool]) -> bool:
    return sum(map(is_one, texts)) >= SHARE * len(texts)


def _is_language(text: str) -> bool:
    """Returns whether most texts are words of usual length, with little else between them."""
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    if len(words) < _FEWEST_WORDS or letters < 0.7 * len(text.replace(" ", "")):
        return False
    return _WORD_LENGTH[0] <= letters / len(words) <= _WORD_LENGTH[1]


def epoch(low: int, high: int, number: int) -> str:
    """Returns the domain of integers that are times since 1970, of 1990 to 2030; or "".

    Args:
      low: The least.
      high: The greatest.
      number: How many there are.
    """
    for unit, size in _UNITS.items():
        if number >= ENOUGH and _SECONDS_1990 * size <= low <= high < _SECONDS_2030 * size:
            return f"time_domain {{ integer_format: {unit} }}"
    return ""
