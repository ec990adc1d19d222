"""Buckets: numbers, texts and days become the range that they lie in."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.transformations.calendar import days_of

_NUMBER = r"^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*$"


def numbers_of(values: pa.Array) -> np.ndarray:
    """Returns texts as floats; NaN where a text is no number."""
    good = pc.fill_null(pc.match_substring_regex(values, _NUMBER), False)
    texts = pc.if_else(good, pc.utf8_trim_whitespace(values), None)
    return np.asarray(texts.cast(pa.float64()).fill_null(float("nan")))


@dataclass(frozen=True)
class FixedSizeBuckets:
    """Ranges of one size: `90:100`; what is below the first is `-90`, above the last `100+`.

    Attributes:
      lower: Where the first begins.
      upper: Where the last ends.
      size: Of each, which may be a fraction.
      whole: Whether the bounds are written as whole numbers.
    """

    lower: float
    upper: float
    size: float
    whole: bool = True

    def __call__(self, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Replaces n texts; one that is no number is a fault, null stays null."""
        numbers = numbers_of(values)
        bad = np.isnan(numbers)
        count = max(1, int(np.ceil((self.upper - self.lower) / self.size - 1e-9)))
        place = np.floor((np.where(bad, self.lower, numbers) - self.lower) / self.size + 1e-9)
        place = np.clip(place, -1, count - 1).astype(np.int64)
        place = np.where(numbers > self.upper, count, place)
        made = pa.array(self._names(count)).take(pa.array(place + 1))
        valid = np.asarray(values.is_valid())
        return pc.if_else(pa.array(~bad), made, None), bad & valid

    def _names(self, count: int) -> list[str]:
        lows = [self.lower + place * self.size for place in range(count)]
        highs = [min(low + self.size, self.upper) for low in lows]
        inside = [
            f"{self._text(low)}:{self._text(high)}" for low, high in zip(lows, highs, strict=True)
        ]
        return [f"-{self._text(self.lower)}", *inside, f"{self._text(self.upper)}+"]

    def _text(self, number: float) -> str:
        return str(round(number)) if self.whole else f"{round(number, 2):g}"


@dataclass(frozen=True)
class Bucket:
    """One range.

    Attributes:
      low: The least value in it; None for no bound.
      high: The first value above it; None for no bound.
      text: What stands for it.
    """

    low: float | str | None
    high: float | str | None
    text: str


@dataclass(frozen=True)
class Buckets:
    """Ranges of any size, which may be of numbers, texts, or days.

    Attributes:
      buckets: In order; the first that a value lies in counts.
      kind: `number`, `text` or `day`; bounds of days are days since 1970.
    """

    buckets: tuple[Bucket, ...]
    kind: str = "number"

    def __call__(self, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Replaces n texts; one that lies in no bucket is a fault, null stays null."""
        valid = np.asarray(values.is_valid())
        keys = self._keys(values)
        left = valid.copy()
        place = np.zeros(len(values), np.int64)
        for number, bucket in enumerate(self.buckets):
            inside = left & self._within(keys, bucket)
            place[inside], left[inside] = number, False
        made = pa.array([bucket.text for bucket in self.buckets]).take(pa.array(place))
        return pc.if_else(pa.array(valid & ~left), made, None), left

    def _keys(self, values: pa.Array) -> np.ndarray:
        if self.kind == "number":
            return numbers_of(values)
        if self.kind == "day":
            days, good = days_of(values)
            return np.where(good, days, np.nan)
        return np.array(values.fill_null("").to_pylist(), object)

    @staticmethod
    def _within(keys: np.ndarray, bucket: Bucket) -> np.ndarray:
        inside = keys == keys
        if bucket.low is not None:
            inside &= keys >= bucket.low
        if bucket.high is not None:
            inside &= keys < bucket.high
        return np.asarray(inside, bool)
