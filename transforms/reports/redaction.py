"""Values: every value of the data in a report goes through it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from transforms.reports.figures import number
from transforms.reports.markup import shown
from transforms.schema.anomalies.comparators import DISTANCES
from transforms.schema.anomalies.missing_share import BEGINS

Redact = Callable[[str, str], str]
"""Gives what to show for a value: of the path of a column, and the value as text."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d.]*(?:e[+-]?\d+)?\b")
_OF_NAMES = ("SCHEMA_",)
_OF_TEXTS = (
    *("ENUM_TYPE_", "INT_TYPE_NOT_INT_STRING", "FLOAT_TYPE_STRING_NOT_FLOAT"),
    *("BOOL_TYPE_UNEXPECTED_STRING", "INVALID_DOMAIN_SPECIFICATION"),
)
_OF_NUMBERS = ("INT_TYPE_", "FLOAT_TYPE_", "BOOL_TYPE_")
_OF_DISTANCES = tuple(each.kind for each in DISTANCES)
_SENTENCES = ("Values are ", "Some texts are ", "Some are ", "True and false are ")
"""How our sentences about texts begin: in these, values stand in quotes; in TFDV's they do not."""
MOST = "what differs most: "
"""After it, the anomaly of a distance names a value or a range of numbers."""


@dataclass(frozen=True)
class Values:
    """Shows values; with `redact`, what that gives for them.

    Statistics made of many rows (means, shares, distances) are no values; the least, the greatest,
    quantiles and edges of histograms are.
    """

    redact: Redact | None = None

    def text(self, column: str, value: str, letters: int = 60) -> str:
        """Returns a value that is text, redacted."""
        if self.redact is not None:
            value = self.redact(column, value)
        return shown(value, letters)

    def number(self, column: str, value: float) -> str:
        """Returns a value that is a number, redacted."""
        plain = repr(int(value)) if _is_whole(value) else repr(value)
        safe = plain if self.redact is None else self.redact(column, plain)
        return number(value) if safe == plain else shown(safe)

    def cell(self, column: str, cell: str) -> str:
        """Redacts a text in quotes or a range of numbers, as given for the largest difference."""
        if _QUOTED.search(cell):
            return self._quoted(column, cell)
        return self._numbers(column, cell)

    def sentence(self, column: str, kind: str, text: str) -> str:
        """Redacts an anomaly's sentence; one of an unknown form as a single value.

        Args:
          column: Its path.
          kind: The name of an `AnomalyInfo.Type`.
          text: The sentence.
        """
        if self.redact is None or kind.startswith(_OF_NAMES):
            return text
        if kind.startswith(_OF_TEXTS):
            is_ours = text.startswith(_SENTENCES)
            return self._quoted(column, text) if is_ours else self.redact(column, text)
        if kind.startswith(_OF_DISTANCES):
            if text.startswith(BEGINS):
                return text
            head, mark, cell = text.partition(MOST)
            return head + mark + self.cell(column, cell) if mark else self.redact(column, text)
        if kind.startswith(_OF_NUMBERS):
            return self._numbers(column, text)
        return self._quoted(column, text)

    def _quoted(self, column: str, text: str) -> str:
        return _QUOTED.sub(lambda found: f'"{self.text(column, found[1])}"', text)

    def _numbers(self, column: str, text: str) -> str:
        redact = self.redact
        if redact is None:
            return text
        return _NUMBER.sub(lambda found: redact(column, found[0]), text)


def _is_whole(value: float) -> bool:
    return isinstance(value, int) or (value.is_integer() and abs(value) < 2**53)
