"""Alphabets and tweaks of format-preserving encryption, as Cloud DLP defines them."""

import string

import numpy as np
import pyarrow as pa

from transforms.errors import ConfigError

CANONICAL = string.digits + string.ascii_uppercase + string.ascii_lowercase
CANONICAL += "~`!@#$%^&*()_-+={[}]|\\:;\"'<,>.?/"
"""The characters that DLP allows, in the order of its documentation: they stand for 0, 1, 2, ..."""

ALPHABETS = {
    "NUMERIC": CANONICAL[:10],
    "HEXADECIMAL": CANONICAL[:16],
    "UPPER_CASE_ALPHA_NUMERIC": CANONICAL[:36],
    "ALPHA_NUMERIC": CANONICAL[:62],
}
"""DLP's common alphabets, by name."""

MIN_RADIX, MAX_RADIX = 2, 95
_ALLOWED = CANONICAL + " "
_INTEGER, _STRING = b"\x01", b"\x02"


def custom_alphabet(characters: str) -> str:
    """Returns a custom alphabet in the canonical order: the order it is written in says nothing.

    A space, which DLP's text forgets where it counts 95 characters, comes last.

    Raises:
      ConfigError: Fewer than 2 characters, one twice, or one that DLP does not allow.
    """
    if len(set(characters)) != len(characters):
        raise ConfigError("custom_alphabet lists a character twice: list each once")
    if not MIN_RADIX <= len(characters) <= MAX_RADIX:
        raise ConfigError("custom_alphabet needs 2 to 95 characters")
    if set(characters) - set(_ALLOWED):
        raise ConfigError("custom_alphabet may hold printable ASCII characters only")
    return "".join(sorted(characters, key=_ALLOWED.index))


def radix_alphabet(radix: int) -> str:
    """Returns the first characters of the canonical order.

    Raises:
      ConfigError: The radix is not within 2 and 95.
    """
    if not MIN_RADIX <= radix <= MAX_RADIX:
        raise ConfigError(f"radix must be within {MIN_RADIX} and {MAX_RADIX}, not {radix}")
    return _ALLOWED[:radix]


def tweaks(context: pa.Array) -> pa.Array:
    """Returns the tweak of each value of a context column, by DLP's rule.

    An integer gives its 8 bytes, big-endian, and a byte 1; a text its UTF-8 bytes and a byte 2;
    null the empty tweak, which is DLP's default.

    Args:
      context: n integers or texts.

    Returns: n binary values without nulls.

    Raises:
      ConfigError: The context is of another type.
    """
    if pa.types.is_integer(context.type):
        return pa.array(_of_integers(context), pa.binary())
    if pa.types.is_string(context.type) or pa.types.is_large_string(context.type):
        texts = context.cast(pa.large_binary()).to_pylist()
        return pa.array([b"" if x is None else x + _STRING for x in texts], pa.binary())
    raise ConfigError(f"a context must be a column of integers or texts, not of {context.type}")


def _of_integers(context: pa.Array) -> list[bytes]:
    words = np.asarray(context.fill_null(0).cast(pa.int64(), safe=False), ">i8").tobytes()
    valid = context.is_valid().to_pylist()
    return [words[8 * i : 8 * i + 8] + _INTEGER if ok else b"" for i, ok in enumerate(valid)]
