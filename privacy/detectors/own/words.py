"""Words and phrases as DLP matches them: whatever their case, whatever stands between."""

import re
from collections.abc import Iterable

_SPACE = re.compile(r"[\W_]+")


def normal_form(text: str) -> str:
    """Returns a text in small letters, with one space for all that is no letter or digit."""
    return _SPACE.sub(" ", text).strip().casefold()


def words_pattern(words: Iterable[str]) -> str:
    """Returns an RE2 pattern of normal forms, which finds the longest of several."""
    ordered = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    return rf"\b(?:{'|'.join(re.escape(word) for word in ordered)})\b" if ordered else r"[^\s\S]"
