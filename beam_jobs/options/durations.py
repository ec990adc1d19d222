"""Durations as texts: 30s, 10m, 1h, or plain seconds."""

import re
from decimal import Decimal

_MILLIS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
REGEX = r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?(ms|s|m|h|d)?"
"""What a duration looks like, in POSIX's extended syntax."""


def seconds_of(text: str) -> float:
    """Returns the seconds of a text such as `90`, `1.5h` or `10m`, to the microsecond.

    Raises:
      ValueError: It is no duration.
    """
    found = re.fullmatch(REGEX, text)
    if found is None:
        raise ValueError(f"{text!r} is no duration")
    unit = found[3] or ""
    return round(float(text.removesuffix(unit)) * _MILLIS[unit or "s"] / 1000, 6)


def duration_text(seconds: float) -> str:
    """Returns a duration as a whole number of the largest unit that allows it."""
    millis = Decimal(str(seconds)) * 1000
    for unit, length in reversed(_MILLIS.items()):
        number = millis / length
        if number and number == number.to_integral_value():
            return f"{int(number)}{unit}"
    return f"{seconds:g}s"
