"""A column of texts as the engine looks at it: bytes, the rows' places, and the column's name."""

import functools
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.spans import Spans, quotes, text_bytes, text_offsets, windows


@dataclass(frozen=True, eq=False)
class Texts:
    """n texts.

    Attributes:
      column: The texts, of type string.
      name: The column's name, which is a hotword; empty where there is none.
      weights: How many cells have each text; None for one.
    """

    column: pa.Array
    name: str = ""
    weights: np.ndarray | None = None

    @functools.cached_property
    def offsets(self) -> np.ndarray:
        """Returns where the rows begin and end."""
        return text_offsets(self.column)

    @functools.cached_property
    def data(self) -> np.ndarray:
        """Returns the bytes."""
        return text_bytes(self.column)

    @functools.cached_property
    def points(self) -> np.ndarray | None:
        """Returns how many code points begin before each byte; None where all bytes are ASCII."""
        part = self.data[: self.offsets[-1]]
        if not len(part) or part.max() < 128:
            return None
        return np.concatenate([[0], np.cumsum((part & 0xC0) != 0x80)])

    @functools.cached_property
    def point_starts(self) -> np.ndarray:
        """Returns the byte at which each code point begins, and the end."""
        part = self.data[: self.offsets[-1]]
        return np.append(np.flatnonzero((part & 0xC0) != 0x80), len(part))

    def quotes(self, spans: Spans) -> pa.Array:
        """Returns the text of each span, which may overlap."""
        if len(spans) and (spans.starts[1:] >= spans.ends[:-1]).all():
            return quotes(self.data, spans.starts, spans.ends)
        return windows(self.data, spans.starts, spans.ends).cast(pa.string())

    def name_matches(self, pattern: str) -> bool:
        """Tells whether a pattern is found in the column's name, in words."""
        return bool(self.name) and _is_named(self.name, pattern)

    def near(self, spans: Spans, pattern: str, before: int, behind: int) -> np.ndarray:
        """Tells of each span whether a pattern is found within so many characters of it."""
        starts, ends = self._moved(spans.starts, -before), self._moved(spans.ends, behind)
        starts = np.maximum(starts, self.offsets[spans.rows])
        ends = np.minimum(ends, self.offsets[spans.rows + 1])
        around = windows(self.data, starts, ends).cast(pa.string())
        return np.asarray(pc.match_substring_regex(around, pattern))

    def before(self, spans: Spans, characters: int) -> pa.Array:
        """Returns what stands before each span."""
        starts = np.maximum(self._moved(spans.starts, -characters), self.offsets[spans.rows])
        return windows(self.data, starts, spans.starts).cast(pa.string())

    def behind(self, spans: Spans, characters: int) -> pa.Array:
        """Returns what stands behind each span."""
        ends = np.minimum(self._moved(spans.ends, characters), self.offsets[spans.rows + 1])
        return windows(self.data, spans.ends, ends).cast(pa.string())

    def _moved(self, places: np.ndarray, characters: int) -> np.ndarray:
        """Returns places some characters further on, or back."""
        if self.points is None:
            return np.asarray(np.clip(places + characters, 0, self.offsets[-1]))
        moved = np.clip(self.points[places] + characters, 0, len(self.point_starts) - 1)
        return np.asarray(self.point_starts[moved])

    def code_points(self, places: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns how many characters of its row lie before each place."""
        if self.points is None:
            return np.asarray(places - self.offsets[rows])
        return np.asarray(self.points[places] - self.points[self.offsets[rows]])


@functools.lru_cache(4096)
def _is_named(name: str, pattern: str) -> bool:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.]+", " ", name)
    return bool(pc.any(pc.match_substring_regex(pa.array([name, spaced]), pattern)).as_py())
