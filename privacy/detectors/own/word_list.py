"""Long lists of words: an automaton of Aho and Corasick runs once over all texts."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from privacy.detectors.detector import Detector

_BETWEEN, _END = " ", "\n"


@dataclass(frozen=True)
class WordList(Detector):
    """A detector of the words and phrases of a list, which may be long.

    Attributes:
      automaton: Of normal forms; see `words.normal_form`.
    """

    automaton: Any = field(default=None, repr=False, compare=False)

    def places(self, texts: pa.Array) -> np.ndarray:
        """Returns where words are in n texts without nulls, glued ones included.

        Returns: m rows of three: the text's number, and the first and last character.
        """
        joined = _END.join(texts.to_pylist())
        form, places = _normal(joined)
        ends = np.flatnonzero(np.frombuffer(joined.encode("utf-32-le"), np.uint32) == ord(_END))
        rows, starts = np.searchsorted(ends, places), np.concatenate([[0], ends + 1])
        found = [
            (places[last - size + 1], places[last] + 1)
            for last, size in self.automaton.iter(form)
            if rows[last] == rows[last - size + 1]
        ]
        table = np.array(found, np.int64).reshape(-1, 2)
        row = np.searchsorted(ends, table[:, 0])
        return np.column_stack([row, table - starts[row][:, None]])


def word_list(name: str, forms: list[str], **more: Any) -> WordList:
    """Returns a detector of normal forms."""
    import ahocorasick  # type: ignore[import-not-found]

    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    for form in forms:
        automaton.add_word(form, len(form))
    automaton.make_automaton()
    return WordList(name, "", "", automaton=automaton, apart=True, **more)


def _normal(text: str) -> tuple[str, np.ndarray]:
    """Returns a text in small letters, a space for all between words, and where each was."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    points = np.frombuffer(small.encode("utf-32-le"), np.uint32)
    inside = _is_word(points)
    # Of several separators the first stays, as a space.
    kept = inside | np.concatenate([[True], inside[:-1]])
    form = np.where(inside, points, ord(_BETWEEN))[kept].astype(np.uint32)
    return form.tobytes().decode("utf-32-le"), np.flatnonzero(kept)


def _is_word(points: np.ndarray) -> np.ndarray:
    unique, which = np.unique(points, return_inverse=True)
    return np.array([chr(each).isalnum() for each in unique.tolist()], bool)[which]
