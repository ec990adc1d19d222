"""Features made of others, sparse and weighted ones: whether their parts go together."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from transforms.arrow.casts import as_plain
from transforms.arrow.types import is_list, unmapped_type
from transforms.errors import ConfigError
from transforms.metadata.paths import Path, index_of


@dataclass(frozen=True)
class Composite:
    """A sparse or a weighted feature, by the paths of its parts.

    Attributes:
      path: Its own.
      value: That of its values.
      others: Those of its indices, or that of its weights.
      is_sparse: Which of both it is.
    """

    path: Path
    value: Path
    others: tuple[Path, ...]
    is_sparse: bool

    @property
    def columns(self) -> set[str]:
        """The columns that its parts are in."""
        return {path[0] for path in (self.value, *self.others)}

    @property
    def key(self) -> str:
        """What tells it from others, also from those with other parts: JSON of paths."""
        kind = "sparse" if self.is_sparse else "weighted"
        return json.dumps([(kind, *self.path), self.value, *self.others])


def composites_of(schema: schema_pb2.Schema) -> Iterator[Composite]:
    """Yields the sparse and the weighted features of a schema that name their parts."""
    index = index_of(schema)
    for path, sparse in index.sparse.items():
        names = sorted({each.name for each in sparse.index_feature})
        if sparse.value_feature.name and names:
            value, *others = ((*path[:-1], name) for name in (sparse.value_feature.name, *names))
            yield Composite(path, value, tuple(others), True)
    for path, weighted in index.weighted.items():
        if weighted.feature.step and weighted.weight_feature.step:
            weight = tuple(weighted.weight_feature.step)
            yield Composite(path, tuple(weighted.feature.step), (weight,), False)


@dataclass
class CompositeCounts:
    """In how many rows parts of a composite are missing, and how their numbers of values differ.

    Rows that have none of the parts do not count. Figures of parts other than the value are in the
    order of `Composite.others`.

    Attributes:
      missing_value: Rows without the value.
      missing: Rows without the other part.
      least, most: The number of its values less that of the value's; a part that is not there has
        none. Empty before the first row.
    """

    missing_value: int = 0
    missing: list[int] = field(default_factory=list)
    least: list[int] = field(default_factory=list)
    most: list[int] = field(default_factory=list)

    def add(self, batch: pa.RecordBatch, parts: Composite) -> None:
        """Takes rows into account.

        Raises:
          ConfigError: The parts are in lists of structs, and not in the same ones.
        """
        paths = (parts.value, *parts.others)
        lengths = [_lengths(batch, path) for path in paths]
        if len({len(each) for each in lengths}) > 1:
            raise ConfigError(
                f"the parts of {'.'.join(parts.path)!r} are not in the same structs:"
                " mend its entry in the schema"
            )
        value, *others = (each[np.max(lengths, axis=0) >= 0] for each in lengths)
        if len(value):
            apart = [np.maximum(each, 0) - np.maximum(value, 0) for each in others]
            self.merge(
                CompositeCounts(
                    int((value < 0).sum()),
                    [int((each < 0).sum()) for each in others],
                    [int(each.min()) for each in apart],
                    [int(each.max()) for each in apart],
                )
            )

    def merge(self, other: "CompositeCounts") -> None:
        """Takes other rows into account."""
        self.missing_value += other.missing_value
        if self.missing and other.missing:
            self.missing = [a + b for a, b in zip(self.missing, other.missing, strict=True)]
            self.least = list(map(min, self.least, other.least))
            self.most = list(map(max, self.most, other.most))
        elif other.missing:
            self.missing, self.least, self.most = other.missing, other.least, other.most

    def describe(self, parts: Composite) -> statistics_pb2.FeatureNameStatistics:
        """Returns the custom statistics that TFDV makes of such a feature."""
        made = statistics_pb2.FeatureNameStatistics()
        made.path.step.extend(parts.path)
        made.custom_stats.add(name="missing_value", num=self.missing_value)
        none = [0] * len(parts.others)
        missing, least, most = (each or none for each in (self.missing, self.least, self.most))
        if parts.is_sparse:
            labels = [path[-1] for path in parts.others]
            for name, figures in (
                ("missing_index", missing),
                ("max_length_diff", most),
                ("min_length_diff", least),
            ):
                ranks = made.custom_stats.add(name=name).rank_histogram
                for label, figure in zip(labels, figures, strict=True):
                    ranks.buckets.add(label=label, sample_count=figure)
        else:
            made.custom_stats.add(name="missing_weight", num=missing[0])
            made.custom_stats.add(name="min_weight_length_diff", num=least[0])
            made.custom_stats.add(name="max_weight_length_diff", num=most[0])
        return made


def _lengths(batch: pa.RecordBatch, path: Path) -> np.ndarray:
    """Returns how many values each row, or each struct above, has at a path; -1 for null."""
    array = _at(batch, path)
    if is_list(array.type):
        lengths = pc.fill_null(pc.list_value_length(array), -1)
        return np.asarray(lengths.to_numpy(zero_copy_only=False), np.int64)
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    return np.where(valid, 1, -1)


def _at(batch: pa.RecordBatch, path: Path) -> pa.Array:
    """Returns the array at a path; null if there is no such column or field."""
    if path[0] not in batch.schema.names:
        return pa.nulls(batch.num_rows)
    array = batch[path[0]]
    array = as_plain(array, unmapped_type(array.type))
    for name in path[1:]:
        while is_list(array.type):
            array = array.flatten()
        if not pa.types.is_struct(array.type) or array.type.get_field_index(name) < 0:
            return pa.nulls(len(array))
        array = pc.struct_field(array, name)
    return array
