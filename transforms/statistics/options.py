"""What statistics are made of, and how."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.nearest import nearest_column

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

    from transforms.statistics.feature import Kinds

Slicer = Callable[[pa.RecordBatch], Iterator[tuple[str, pa.RecordBatch]]]
"""Gives parts of a batch, each with the name of its slice; a row may be in several, or in none.

Where it has an attribute `of`, that tells what its slices are of; see `of`.
"""


def of(slicer: Slicer) -> str:
    """Returns what defines the slices of a slicer, so that no name stands for two slices."""
    return str(getattr(slicer, "of", getattr(slicer, "__qualname__", type(slicer).__qualname__)))


@dataclass(frozen=True, kw_only=True)
class StatisticsOptions:
    """How statistics are made; the defaults are those of TFDV.

    Attributes:
      schema: Marks categorical integers, binary, sparse and weighted features, and constraints on
        tokens of natural language; may be None.
      weight: The column of the rows' weights, 0 or more; a null weighs nothing.
      slices: Makes statistics of each of these slices too.
      columns: Makes statistics of these columns only; all by default. A column that no row has is
        an error.
      sample_rate: The part of the rows to use, chosen at random, row by row.
      semantics: Whether to detect what values mean: images, addresses, times, language.
      pairs: Whether to make covariances and correlations of all pairs of numeric columns.
      vocabularies: URIs of text files of one token a line, by the names that natural-language
        domains of the schema give; a feature whose vocabulary is not among them has no statistics
        of language.
    """

    schema: "schema_pb2.Schema | None" = None
    weight: str | None = None
    slices: tuple[Slicer, ...] = ()
    columns: tuple[str, ...] | None = None
    sample_rate: float = 1.0
    pairs: bool = False
    semantics: bool = False
    vocabularies: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.sample_rate <= 1:
            raise ConfigError(f"sample_rate is above 0 and at most 1, not {self.sample_rate}")
        if isinstance(self.columns, str):
            raise ConfigError("StatisticsOptions.columns is a tuple of names, not one name")
        if self.vocabularies and self.schema is None:
            raise ConfigError("vocabularies are those that a schema names: give the schema too")

    def check(self, schema: pa.Schema) -> None:
        """Checks that data has the named columns, and that vocabularies can be read.

        Raises:
          ConfigError: They are not; the text names the nearest.
        """
        sliced = [name for each in self.slices for name in getattr(each, "columns", ())]
        wanted = [("--weight", self.weight), *(("--slices", name) for name in sliced)]
        wanted += [("StatisticsOptions.columns", name) for name in self.columns or ()]
        for option, name in wanted:
            if name is not None and name not in schema.names:
                near = nearest_column(name, schema.names)
                raise ConfigError(f"{option}: there is no column {name!r}{near}")
        _ = self.kinds

    @property
    def kinds(self) -> "Kinds":
        """Returns what the schema says about features besides their types."""
        from transforms.statistics.composite import composites_of
        from transforms.statistics.feature import Kinds
        from transforms.statistics.vocabulary import token_questions_of

        if self.schema is None:
            return Kinds({}, self.semantics)
        composites = tuple(
            each
            for each in composites_of(self.schema)
            if self.columns is None or each.columns <= {*self.columns}
        )
        languages = dict(token_questions_of(self.schema, self.vocabularies))
        named = dict(_kinds(self.schema.feature, ()))
        return Kinds(named, self.semantics, composites, languages)


def _kinds(features: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    from tensorflow_metadata.proto.v0 import schema_pb2

    for feature in features:
        here = (*path, feature.name)
        is_integer = feature.type == schema_pb2.INT
        if feature.type == schema_pb2.BYTES and feature.HasField("image_domain"):
            yield here, "bytes"
        elif is_integer and feature.int_domain.is_categorical:
            yield here, "categorical"
        yield from _kinds(feature.struct_domain.feature, here)
