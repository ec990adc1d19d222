"""How numbers are spelt in text, by which rows and statistics are judged alike."""

import math
import re

from transforms.metadata.columns import INT64

INTEGER = r"[ \t-\r]*[+-]?[0-9]+[ \t-\r]*"
"""The whole of a text that spells an integer, of however many bits."""
FLOAT = (
    r"[ \t-\r]*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    r"|[nN][aA][nN]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)[ \t-\r]*"
)
"""The whole of a text that spells a float, also one that is too great for 64 bits."""
_MOST_DIGITS = 19


def parse_int(text: str) -> int | None:
    """Returns the integer in a text, or None if it is not an integer of 64 bits."""
    if not re.fullmatch(INTEGER, text):
        return None
    digits = text.strip().lstrip("+-").lstrip("0")
    if len(digits) > _MOST_DIGITS:
        return None
    value = int(digits or 0) * (-1 if "-" in text else 1)
    return value if INT64[0] <= value <= INT64[1] else None


def parse_float(text: str) -> float | None:
    """Returns the float in a text, or None if it is not a float, or too great for 64 bits."""
    if not re.fullmatch(FLOAT, text):
        return None
    value = float(text)
    return None if math.isinf(value) and "inf" not in text.lower() else value
