"""Short, plain words for messages: a handful of values, numbers without noise."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

_VALUES = 5
_LETTERS = 60


def quoted(value: str) -> str:
    """Returns a value of the data, cut to 60 letters, with unprintable signs escaped."""
    cut = value if len(value) <= _LETTERS else value[:_LETTERS] + "..."
    return f'"{"".join(map(_shown, cut))}"'


def _shown(letter: str) -> str:
    if letter == '"':
        return '\\"'
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")


def handful(parts: Iterable[str], total: int) -> str:
    """Returns the first five of some parts, and how many more there are."""
    first = list(islice(parts, _VALUES))
    more = total - len(first)
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")


def share(count: float, total: float) -> str:
    """Returns a share in per cent, rounded down; `?` if the total is not known."""
    if total <= 0:
        return "?"
    percent = 100 * count / total
    return "<1%" if percent < 1 else f"~{int(percent)}%"


def part_of_rows(share: float) -> str:
    """Returns a share in per cent, with three significant digits."""
    return f"{100 * share:.3g}%"


def number(value: float) -> str:
    """Returns a number with six significant digits."""
    return f"{value:.6g}"


def counted(value: float, noun: str) -> str:
    """Returns a count with its noun: `1 row`, `2 rows`."""
    return f"{amount(value)} {noun}" + ("" if value == 1 else "s")


def amount(value: float) -> str:
    """Returns a count in full; a sum of weights, which may be a fraction, in six digits."""
    return str(int(value)) if float(value).is_integer() else number(value)


def duration(seconds: float, digits: int = 1) -> str:
    """Returns a time span as people say it; below a minute with so many digits after the point."""
    if seconds < 60:
        return f"{seconds:.{digits}f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def repeated(names: Iterable[str]) -> list[str]:
    """Returns the names that occur more than once, sorted; one pass, for there may be thousands."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
