"""What was meant by a mistyped column."""

import difflib
from collections.abc import Iterable


def nearest_column(name: str, names: Iterable[str]) -> str:
    """A question that offers the most similar name, or nothing where none is similar."""
    spelt = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name.lower(), spelt, 1)
    return f"; did you mean {spelt[found[0]]!r}?" if found else ""
