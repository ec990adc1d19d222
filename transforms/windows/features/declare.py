"""What a windowed feature is: an earlier value of its key, or a figure of a stretch of time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from transforms.errors import ConfigError
from transforms.nearest import nearest

_MOST_SECONDS = 1000 * 366 * 86_400
STATISTICS = ("count", "sum", "mean", "min", "max", "std")


@dataclass(frozen=True)
class Lag:
    """The value that a column had some rows of the key before; of the same type, null if none.

    Only rows with an earlier time count, by at least `ago` seconds: `Lag("load", ago=86_400)` is
    the last value that was known a day before. Of several rows with one time, the one with the
    smaller value counts as the earlier, so the answer does not depend on the order of the rows.

    Attributes:
      column: Numbers, texts, times or booleans.
      rows: How many rows before: 1 is the last one.
      within: How old that row may be, in seconds; None is any age, which a stream can't keep.
      ago: How old it is at least, in seconds; 0 takes any row before.

    Raises:
      ConfigError: When constructed with a number of rows or seconds that can't be.
    """

    column: str
    rows: int = 1
    within: float | None = None
    ago: float = 0

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ConfigError(f"Lag of {self.column!r}: rows is {self.rows}, but at least 1")
        if self.within is not None and to_us(self.within) < 1:
            raise ConfigError(f"Lag of {self.column!r}: within is more than 0 seconds, or None")
        if to_us(self.ago) < 0 or (self.within is not None and self.within < self.ago):
            raise ConfigError(f"Lag of {self.column!r}: ago is from 0 to within, in seconds")

    @property
    def reach(self) -> int | None:
        """How far back it looks, in microseconds; None is any age."""
        return None if self.within is None else to_us(self.within)


@dataclass(frozen=True)
class Rolling:
    """A figure of the key's rows in the stretch of time that ends at the row.

    Missing values and NaN are left out. Without a value in the stretch, "count" is 0 and the others
    are null; so is "std", the sample's (divided by n - 1), of one value. Figures are computed in
    float64, pairwise, from nothing but the values of the stretch in the order of time: the bits are
    the same whatever else is in the data.

    Attributes:
      seconds: The length of the stretch.
      statistic: "count", "sum", "mean", "min", "max" or "std".
      column: Numbers or booleans; None counts rows.
      closed: "left" is [time - seconds, time): the row itself, and others at the same time, are not
        in it. "right" is (time - seconds, time]: they are. Neither looks ahead.

    Raises:
      ConfigError: When constructed with what can't be.
    """

    seconds: float
    statistic: str
    column: str | None = None
    closed: str = "left"

    def __post_init__(self) -> None:
        if to_us(self.seconds) < 1:
            raise ConfigError("Rolling: seconds is more than 0")
        if self.statistic not in STATISTICS:
            near = nearest(self.statistic, STATISTICS)
            raise ConfigError(
                f"Rolling: statistic is {', '.join(STATISTICS)}, not {self.statistic!r}{near}"
            )
        if self.column is None and self.statistic != "count":
            raise ConfigError(f"Rolling: {self.statistic} needs a column; only count does without")
        if self.closed not in ("left", "right"):
            raise ConfigError(f"Rolling: closed is left or right, not {self.closed!r}")

    @property
    def reach(self) -> int:
        """How far back it looks, in microseconds."""
        return to_us(self.seconds)


Feature = Lag | Rolling


def to_us(seconds: float) -> int:
    """Returns whole microseconds.

    Raises:
      ConfigError: They are no number, or more than leaves room in the years that rows can have.
    """
    if not abs(seconds) <= _MOST_SECONDS:
        raise ConfigError(f"windowed features look back 1000 years at most, not {seconds} seconds")
    return round(seconds * 10**6)


def needed_columns(
    features: Mapping[str, Feature], keys: Sequence[str], event_time_column: str
) -> list[str]:
    """Returns the columns that features are made of, each once: keys, time, values."""
    values = [feature.column for feature in features.values() if feature.column is not None]
    return list(dict.fromkeys([*keys, event_time_column, *values]))


def horizon(features: Iterable[Feature]) -> int | None:
    """Returns how far back the features look, in microseconds; None is any age."""
    reaches = [feature.reach for feature in features]
    known = [reach for reach in reaches if reach is not None]
    return max(known) if len(known) == len(reaches) else None
