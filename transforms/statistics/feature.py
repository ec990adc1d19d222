"""Feature: the statistics of one column, of what its lists hold, and of its fields."""

import copy
import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import path_pb2, statistics_pb2

from transforms.arrow.casts import as_feature
from transforms.arrow.types import is_list, is_text, is_time, whole_times
from transforms.errors import ConfigError
from transforms.statistics.composite import Composite
from transforms.statistics.images import Images
from transforms.statistics.language import Language
from transforms.statistics.numbers import Numbers
from transforms.statistics.semantics import Sample
from transforms.statistics.sketches.levels import Level, valid_of, values_of_rows
from transforms.statistics.sketches.presence import Presence
from transforms.statistics.texts import Texts, as_text
from transforms.statistics.vocabulary import TokenQuestions

Path = tuple[str, ...]
"""The names of fields, from the column on."""
DEEPEST = 64
"""So many structs may be in each other: what is known of them must be written and read again."""


@dataclass(frozen=True)
class Kinds:
    """What types do not tell of features.

    Attributes:
      named: "categorical", of integers, or "bytes", by path.
      semantics: Whether values are looked at for what they mean.
      composites: Sparse and weighted features.
      languages: What is asked of the tokens of features, by path.
    """

    named: Mapping[Path, str]
    semantics: bool = False
    composites: tuple[Composite, ...] = ()
    languages: Mapping[Path, TokenQuestions] = field(default_factory=dict)


@dataclass
class Feature:
    """What is known of a feature: mergeable, and of bounded size.

    Attributes:
      path: Its column, and the fields that lead to it.
      rows: Presence of the rows, and how many values each has, in all lists in its lists.
      levels: Presence and valency at each level of lists in lists; empty where there are none.
      values: What is known of its values; None of a struct, or where none was seen.
      fields: Those of a struct.
      language: What is known of its tokens, where the schema asks of it.
    """

    path: Path
    rows: Presence = field(default_factory=Presence)
    levels: list[Presence] = field(default_factory=list)
    values: Numbers | Texts | None = None
    fields: dict[str, "Feature"] = field(default_factory=dict)
    is_struct: bool = False
    language: Language | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles it compressed: between steps the states of thousands of columns wait pickled."""
        content = pickle.dumps(self.__dict__, pickle.HIGHEST_PROTOCOL)
        return _unpacked, (pa.compress(content, "zstd", asbytes=True), len(content))

    def add(self, array: pa.Array, kinds: Kinds, weights: np.ndarray | None = None) -> None:
        """Takes rows into account.

        Args:
          array: Their values, of a plain type without maps (`types.unmapped_type`).
          kinds: Features that their type does not tell of.
          weights: The weights of the rows.

        Raises:
          ConfigError: Statistics know nothing of such a type.
        """
        levels: list[Level] = []
        while is_list(array.type):
            levels.append(Level.of(array, weights))
            array, weights = array.flatten(), levels[-1].weights_of_values()
        self._add_rows(levels or [Level(valid_of(array), None, weights)])
        if self.path in kinds.languages:
            self._add_language(
                array, levels[-1].lengths if levels else None, kinds.languages[self.path]
            )
        if array.null_count:
            weights = None if weights is None else weights[valid_of(array)]
            array = array.drop_null()
        if pa.types.is_struct(array.type):
            self._add_fields(array, kinds, weights)
        elif not pa.types.is_null(array.type):
            self._add_values(array, kinds, weights)

    def _add_rows(self, levels: list[Level]) -> None:
        if self.levels or len(levels) > 1:
            # Of the rows before there were lists in lists, a row's values were those of its list.
            self.levels = self.levels or [copy.deepcopy(self.rows)]
            self.levels += [Presence() for _ in range(len(levels) - len(self.levels))]
            for presence, level in zip(self.levels, levels, strict=False):
                presence.add(level.valid, level.lengths, level.weights)
        rows = levels[0]
        self.rows.add(rows.valid, values_of_rows(levels), rows.weights)

    def _add_language(
        self, array: pa.Array, lengths: np.ndarray | None, asked: TokenQuestions
    ) -> None:
        """Takes the tokens of lists into account; where there are no lists, each row is one."""
        if lengths is None:
            array = array.drop_null()
            lengths = np.ones(len(array), np.int64)
        if is_text(array.type):
            array, _ = as_text(array)
        elif pa.types.is_null(array.type):
            array = array.cast(pa.string())
        elif pa.types.is_integer(array.type):
            array = _integers(array)
        if pa.types.is_integer(array.type) or is_text(array.type):
            self.language = self.language or Language()
            self.language.add(array, lengths, asked)

    def _add_fields(self, array: pa.Array, kinds: Kinds, weights: np.ndarray | None) -> None:
        self._check_holds("structs")
        self.is_struct = True
        if len(self.path) > DEEPEST:
            raise ConfigError(
                f"column {self.path[0]!r} has structs in structs, more than {DEEPEST} deep: "
                "flatten it"
            )
        if twice := repeated([inner.name for inner in array.type]):
            raise ConfigError(f"column {'.'.join(self.path)!r} has several fields {twice!r}")
        given = dict(zip((inner.name for inner in array.type), array.flatten(), strict=True))
        if "" in given:
            raise ConfigError(f"column {'.'.join(self.path)!r} has a field without a name")
        self._open_fields(given)
        missing = pa.nulls(len(array))
        for name, inner in self.fields.items():
            inner.add(given.get(name, missing), kinds, weights)

    def _add_values(self, array: pa.Array, kinds: Kinds, weights: np.ndarray | None) -> None:
        kind = kinds.named.get(self.path, "")
        array = _simple(array, kind, self.path)
        made: Numbers | Texts
        if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
            made = Texts(is_bytes=kind == "bytes")
            if kinds.semantics:
                made.sample, made.images = Sample(), Images()
        else:
            made = Numbers(pa.types.is_integer(array.type))
        self._check_holds("numbers" if isinstance(made, Numbers) else "texts")
        if self.values is None:
            self.values = made
        self.values.add(array, weights)

    @property
    def _holds(self) -> str:
        """What its values are, in a word; none where none was seen."""
        if self.is_struct:
            return "structs"
        if self.values is None:
            return ""
        return "numbers" if isinstance(self.values, Numbers) else "texts"

    def _check_holds(self, more: str) -> None:
        if more and self._holds and more != self._holds:
            one, other = sorted((more, self._holds))
            raise ConfigError(
                f"column {'.'.join(self.path)!r} holds {one} in some rows and {other} in others: "
                "cast it before, or name its type in --schema"
            )

    def merge(self, other: "Feature") -> None:
        """Merges the state of the same feature for other rows."""
        self._check_holds(other._holds)
        self.is_struct |= other.is_struct
        if self.levels or other.levels:
            self.levels = self.levels or [copy.deepcopy(self.rows)]
            more = other.levels or [other.rows]
            self.levels += [Presence() for _ in range(len(more) - len(self.levels))]
            for mine, theirs in zip(self.levels, more, strict=False):
                mine.merge(theirs)
        self.rows.merge(other.rows)
        if self.values is None:
            self.values = other.values
        elif other.values is not None:
            self.values.merge(other.values)  # type: ignore[arg-type]
        if self.language is None:
            self.language = other.language
        elif other.language is not None:
            self.language.merge(other.language)
        self._merge_fields(other)

    def _merge_fields(self, other: "Feature") -> None:
        self._open_fields(other.fields)
        other._open_fields(self.fields)
        for name, inner in other.fields.items():
            self.fields[name].merge(inner)

    def _open_fields(self, names: Iterable[str]) -> None:
        """Makes fields that structs before did not have: they are missing in all of these."""
        new = [name for name in names if name not in self.fields]
        siblings = list(islice(self.fields.values(), 1))
        for name in new:
            self.fields[name] = Feature((*self.path, name))
            for sibling in siblings:
                self.fields[name].rows.add_missing(sibling.rows)

    def describe(self, kinds: Kinds) -> Iterator[statistics_pb2.FeatureNameStatistics]:
        """Returns the statistics of the feature, and of its fields."""
        made = statistics_pb2.FeatureNameStatistics(path=path_pb2.Path(step=self.path))
        if self.is_struct:
            made.type = statistics_pb2.FeatureNameStatistics.STRUCT
            common = made.struct_stats.common_stats
        elif isinstance(self.values, Numbers):
            self.values.describe(made)
            if kinds.semantics:
                self.values.describe_times(made)
            common = made.num_stats.common_stats
        else:
            # TFDV takes a feature that was never seen for one of strings.
            texts = self.values or Texts(is_bytes=kinds.named.get(self.path) == "bytes")
            texts.describe(made)
            if kinds.named.get(self.path) == "categorical":
                # Integers still, whose values are counted.
                made.type = statistics_pb2.FeatureNameStatistics.INT
            common = (
                made.bytes_stats.common_stats if texts.is_bytes else made.string_stats.common_stats
            )
        self._describe_presence(common)
        if self.language is not None and self.path in kinds.languages:
            self.language.describe(made, kinds.languages[self.path])
        yield made
        for inner in self.fields.values():
            yield from inner.describe(kinds)

    def _describe_presence(self, stats: statistics_pb2.CommonStatistics) -> None:
        self.rows.describe(stats)
        for level in self.levels:
            level.describe_level(stats.presence_and_valency_stats.add())
            if level.is_weighted:
                level.describe_weighted(stats.weighted_presence_and_valency_stats.add())


def _unpacked(compressed: bytes, size: int) -> Feature:
    feature = Feature(())
    feature.__dict__ |= pickle.loads(pa.decompress(compressed, size, "zstd"))
    return feature


def repeated(names: list[str]) -> str | None:
    """Returns a name that occurs twice, or None."""
    if len(set(names)) == len(names):
        return None
    return next(name for place, name in enumerate(names) if name in names[:place])


def _simple(array: pa.Array, kind: str, path: Path) -> pa.Array:
    """Returns values in one of the types that `Numbers` and `Texts` take."""
    array = as_feature(array)
    type = array.type
    if pa.types.is_string(type) or pa.types.is_binary(type):
        return array
    if kind == "categorical":
        return array.cast(pa.string())
    if pa.types.is_boolean(type) or pa.types.is_integer(type):
        return _integers(array)
    if pa.types.is_floating(type):
        return array.cast(pa.float64())
    if is_time(type):
        return whole_times(array)
    raise ConfigError(f"column {'.'.join(path)!r}: there are no statistics of type {type}")


def _integers(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:
        # Beyond 63 bits.
        return array.cast(pa.float64(), safe=False)
