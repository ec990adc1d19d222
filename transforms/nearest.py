"""What was meant by a mistyped name."""

import difflib
from collections.abc import Iterable


def most_similar(name: str, names: Iterable[str]) -> str | None:
    """Returns the name most similar to a mistyped one, or None."""
    # Dashes for underscores is the commonest slip; they count as equal.
    spelt = {known.lower().replace("-", "_"): known for known in names}
    found = difflib.get_close_matches(name.lower().replace("-", "_"), spelt, 1)
    return spelt[found[0]] if found else None


def nearest(name: str, names: Iterable[str]) -> str:
    """Returns a question that offers the most similar name, or "" if none is similar."""
    found = most_similar(name, names)
    return "" if found is None else f"; did you mean {found}?"


def nearest_column(name: str, names: Iterable[str]) -> str:
    """Returns the same in quotes, for names that may be any text."""
    found = most_similar(name, names)
    return "" if found is None else f"; did you mean {found!r}?"
