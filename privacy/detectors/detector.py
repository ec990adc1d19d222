"""What a detector is: a pattern, and a check of what the pattern matched."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from privacy.detectors.needs import needs_of
from privacy.likelihood import Likelihood
from privacy.spans import quotes

WORD = np.zeros(256, bool)
"""Bytes that a number or address may not be glued to: letters, digits, `_`, all but ASCII."""
WORD[
    np.frombuffer(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", np.uint8)
] = True
WORD[128:] = True


def one_of(characters: bytes) -> np.ndarray:
    """Returns a table of the 256 bytes, true at the given ones."""
    table = np.zeros(256, bool)
    table[np.frombuffer(characters, np.uint8)] = True
    return table


_END = ord("\n")


@dataclass(frozen=True, eq=False)
class Candidates:
    """n stretches of bytes that a detector's pattern matched, each in a text of its own.

    Attributes:
      data: The bytes of texts in UTF-8.
      starts: Where each begins; in order.
      ends: Where each ends.
      lows: Where the text begins that each lies in.
      highs: Where it ends.
    """

    data: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    lows: np.ndarray
    highs: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    @functools.cached_property
    def texts(self) -> pa.Array:
        """Returns the n texts."""
        return quotes(self.data, self.starts, self.ends)

    @property
    def before(self) -> np.ndarray:
        """The n bytes before them; a line's end where the text begins."""
        return self.byte(self.starts - 1)

    @property
    def behind(self) -> np.ndarray:
        """The n bytes behind them; a line's end where the text ends."""
        return self.byte(self.ends)

    def byte(self, places: np.ndarray) -> np.ndarray:
        """Returns the byte at n places, each in or next to its text; a line's end outside."""
        inside = (places >= self.lows) & (places < self.highs)
        return np.where(inside, self.data[np.where(inside, places, 0)], _END)

    def digits(self, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the digits of each as n by `width` numbers, and where a byte is a digit."""
        places = self.starts[:, None] + np.arange(width)
        inside = places < self.ends[:, None]
        values = self.data[np.minimum(places, len(self.data) - 1)] - np.uint8(48)
        return values, inside & (values < 10)

    def within(self, starts: np.ndarray, ends: np.ndarray) -> "Candidates":
        """Returns the same with other places."""
        return Candidates(self.data, starts, ends, self.lows, self.highs)


Verdict: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""What a check says of n candidates: likelihoods (0 for no), and where each starts and ends."""

Check: TypeAlias = Callable[[Candidates], Verdict]


@dataclass(frozen=True)
class Detector:
    """Finds one kind of personal data.

    Attributes:
      name: The infoType.
      prefilter: An RE2 pattern that each text with a match holds; simple, for it is joined with
        those of all detectors.
      pattern: An RE2 pattern of candidates, without names of groups. Where there are several in a
        text, it is tried again behind each, so it may not look back.
      check: Judges candidates; None where each is as likely as `likelihood` says.
      hotwords: An RE2 pattern of words that lift what stands behind them, or in their column.
      behind: Words that lift what stands before them.
      lifts_to: What hotwords lift to.
      checksum: Whether the check is about a checksum, which decides where spans overlap.
      likelihood: Of candidates, where there is no check; else the most that the check may say.
      again: Whether what was refused is looked at again from its second word on: a number of
        several groups may have begun with what belongs to another.
      looks_back: Whether the pattern is the user's, and may look at what stands before.
      apart: Whether the pattern is not joined with others, for it would slow them.
      groups: The groups whose matches are found, in the place of the whole.
    """

    name: str
    prefilter: str
    pattern: str
    check: Check | None = None
    hotwords: str = ""
    behind: str = ""
    lifts_to: Likelihood = Likelihood.LIKELY
    checksum: bool = False
    likelihood: Likelihood = Likelihood.VERY_LIKELY
    again: bool = False
    looks_back: bool = False
    apart: bool = False
    groups: tuple[int, ...] = ()

    @functools.cached_property
    def needs(self) -> np.ndarray:
        """Returns which codes of texts leave room for a match; see `needs_of`."""
        return np.asarray(needs_of(self.prefilter) & needs_of(self.pattern))


def judged(candidates: Candidates, likelihoods: np.ndarray) -> Verdict:
    """Returns a verdict that leaves the places of candidates as they are."""
    return likelihoods, candidates.starts, candidates.ends
