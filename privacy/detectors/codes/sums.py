"""Checksums of many codes at once: each takes n by w characters, and says which are right."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from privacy.detectors.checksums import luhn

Verdicts: TypeAlias = Any
"""An array of n booleans or likelihoods; for numpy's hints a comparison may be anything."""


def digits(codes: np.ndarray) -> np.ndarray:
    """Returns characters as numbers: 0 to 9, and 10 to 35 for letters."""
    values = codes.astype(np.int64)
    return np.where(values >= ord("A"), values - ord("A") + 10, values - ord("0"))


def total(numbers: np.ndarray, weights: Sequence[int]) -> np.ndarray:
    """Returns the weighted sums of the first columns of n by w numbers."""
    return np.asarray(numbers[:, : len(weights)] @ np.array(weights))


def number(codes: np.ndarray, first: int = 0, last: int | None = None) -> np.ndarray:
    """Returns what the digits from one place to another say as a number."""
    part = digits(codes)[:, first:last]
    return np.asarray(part @ (10 ** np.arange(part.shape[1] - 1, -1, -1, dtype=np.int64)))


def by_luhn(codes: np.ndarray) -> np.ndarray:
    """Checks codes by Luhn's checksum."""
    values = digits(codes).astype(np.uint8)
    return luhn(values, np.ones(values.shape, bool))


def by_weights(
    codes: np.ndarray, weights: Sequence[int], modulus: int, *, negative: bool = False
) -> np.ndarray:
    """Tells which codes end in the remainder of a weighted sum, or in what it lacks to the modulus.

    A remainder of 10 or more has no digit, and so is wrong.
    """
    values = digits(codes)
    rest = total(values, weights) % modulus
    if negative:
        rest = -rest % modulus
    return np.asarray(values[:, len(weights)] == rest)


def by_mod_11_10(codes: np.ndarray) -> np.ndarray:
    """Checks the last digit of codes by ISO/IEC 7064, modulus 11, 10."""
    values = digits(codes)
    product = np.full(len(codes), 10)
    for place in range(values.shape[1] - 1):
        rest = (values[:, place] + product) % 10
        product = np.where(rest == 0, 10, rest) * 2 % 11
    return np.asarray((product + values[:, -1]) % 10 == 1)


_MULTIPLIED = np.array(
    [[(i + j) % 5 if i < 5 and j < 5 else 0 for j in range(10)] for i in range(10)]
)
for _i in range(10):
    for _j in range(10):
        _low = _i % 5 + (_j if _i < 5 else -_j)
        _MULTIPLIED[_i, _j] = _low % 5 + 5 * ((_i >= 5) != (_j >= 5))
_PERMUTED = [np.arange(10), np.array([1, 5, 7, 6, 2, 8, 3, 0, 9, 4])]
while len(_PERMUTED) < 8:
    _PERMUTED.append(_PERMUTED[1][_PERMUTED[-1]])


def by_verhoeff(codes: np.ndarray) -> np.ndarray:
    """Checks codes by Verhoeff's checksum, of the dihedral group."""
    values = digits(codes)[:, ::-1]
    state = np.zeros(len(codes), np.int64)
    for place in range(values.shape[1]):
        state = _MULTIPLIED[state, _PERMUTED[place % 8][values[:, place]]]
    return np.asarray(state == 0)


def by_icao(codes: np.ndarray) -> np.ndarray:
    """Tells which end in the check digit of travel documents (ICAO 9303), weights 7, 3, 1."""
    weights = ([7, 3, 1] * 9)[: codes.shape[1] - 1]
    return by_weights(codes, weights, 10)


_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def is_date(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Tells which days are in the calendar; years have four digits."""
    known = (month >= 1) & (month <= 12)
    last = _DAYS[np.where(known, month, 0)]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = last - ((month == 2) & ~leap)
    return np.asarray(known & (day >= 1) & (day <= last))


def is_short_date(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Tells which days are in the calendar of this century or the last; years have two digits."""
    return np.asarray(is_date(1900 + year, month, day) | is_date(2000 + year, month, day))


def one_of_letters(column: np.ndarray, letters: str) -> np.ndarray:
    """Tells which characters are among some."""
    return np.isin(column, np.frombuffer(letters.encode(), np.uint8))


def at(text: str, places: np.ndarray) -> np.ndarray:
    """Returns the characters of a text at n places."""
    return np.asarray(np.frombuffer(text.encode(), np.uint8)[places])
