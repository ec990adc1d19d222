"""Which columns a transform graph takes, and batches made ready for it."""

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import Cast
from transforms.arrow.casts import checked_cast
from transforms.arrow.types import from_tensor, is_list, is_text, plain_type, to_example
from transforms.conform import described_faults
from transforms.errors import ConfigError
from transforms.examples.convert import as_lists, without_null_items
from transforms.faults import Fault
from transforms.nearest import nearest_column
from transforms.preprocess.times import is_point, since_1970, time_unit
from transforms.reasons import Reason

DENSE, SPARSE, RAGGED = "dense_tensor", "varlen_sparse_tensor", "ragged_tensor"
"""The kinds of tensor that a column becomes, as tensorflow-metadata calls them."""


@dataclass(frozen=True)
class RawFeature:
    """A column that a preprocessing function takes, as tensors know it.

    Attributes:
      name: Its name.
      dtype: "int64", "float32" or "string".
      kind: `DENSE`, `SPARSE` or `RAGGED`.
      shape: The sizes of a row's value, of a dense one.
      representation: The serialized `TensorRepresentation`.
      has_default: Whether a row without a value is given one.
      unit: That of times since 1970 (d, s, ms, us or ns), if they are such: timestamps and dates
        can feed it.
    """

    name: str
    dtype: str
    kind: str
    shape: tuple[int, ...]
    representation: bytes
    has_default: bool = False
    unit: str | None = None

    @property
    def leaf(self) -> pa.DataType:
        """The type of one value."""
        return pa.binary() if self.dtype == "string" else from_tensor(self.dtype)

    @property
    def size(self) -> int | None:
        """How many values each row has; None where that is open."""
        return int(np.prod(self.shape, dtype=np.int64)) if self.kind == DENSE else None

    def cast(self, column: pa.Array, type: pa.DataType) -> Cast:
        """Returns a column cast to the feature's values or lists of them, and what doesn't fit."""
        if self.unit is not None and is_point(column.type):
            times = since_1970(column, self.unit)
            cast = checked_cast(times.values, type)
            return Cast(cast.values, (*times.faults, *cast.faults))
        return checked_cast(column, type)

    def blank(self, rows: int) -> pa.Array:
        """Returns lists for so many rows, of values that mean nothing."""
        size = self.size or 0
        value: Any = b"" if self.dtype == "string" else 0
        values = pa.repeat(pa.scalar(value, self.leaf), rows * size)
        return pa.ListArray.from_arrays(
            np.arange(rows + 1, dtype=np.int32) * np.int32(size), values
        )


@dataclass(frozen=True)
class RawColumns:
    """The columns that a preprocessing function or transform graph takes.

    Attributes:
      features: All that it is given, in the order of their names.
      used: Those that anything depends on. The others may be missing from the data, or be wrong in
        it: they are given as blanks, which nothing looks at.
    """

    features: tuple[RawFeature, ...]
    used: frozenset[str]

    @classmethod
    def of_schema(cls, schema: Any) -> "RawColumns":
        """Returns the columns that a tensorflow-metadata `Schema` describes, all of them used.

        Raises:
          ConfigError: A feature is of a kind that can't become a tensor here.
        """
        features = [*_of_schema(schema)]
        return cls(tuple(features), frozenset(feature.name for feature in features))

    @functools.cached_property
    def by_name(self) -> dict[str, RawFeature]:
        """The features by their names."""
        return {each.name: each for each in self.features}

    def only(self, used: Iterable[str]) -> "RawColumns":
        """Returns the same columns, where only some are used."""
        return replace(self, used=frozenset(used))

    def types(self) -> dict[str, pa.DataType]:
        """Returns the types of the used columns, for formats that don't tell them, such as CSV.

        Columns of times are left out: they may be written as numbers or as dates.
        """
        text = {pa.binary(): pa.string()}
        features = [each for each in self.features if each.name in self.used]
        return {
            each.name: text.get(each.leaf, each.leaf)
            for each in features
            if each.size in (None, 1) and each.unit is None
        }

    def check(self, schema: pa.Schema) -> None:
        """Checks that a schema has the columns that are used, each of a type that can be cast.

        Raises:
          ConfigError: It has not. The text tells all that is wrong.
        """
        counts = Counter(schema.names)
        problems = [
            problem
            for feature in self.features
            if feature.name in self.used
            and (problem := _problem(feature, schema, counts[feature.name]))
        ]
        if problems:
            raise ConfigError("\n".join([*problems, f"The columns are: {', '.join(schema.names)}"]))

    def feed(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[Fault]]:
        """Returns a batch as tf.Transform takes it, and what is wrong with which rows.

        Args:
          batch: n rows with at least the columns that are used.

        Returns: n rows of lists of int64, float32 or bytes, a column for each feature; where a row
          is at fault, its values mean nothing.

        Raises:
          ConfigError: A used column is missing, or of a type that can't be cast.
        """
        self.check(batch.schema)
        faults: list[Fault] = []
        arrays = []
        for feature in self.features:
            if feature.name not in self.used:
                arrays.append(feature.blank(batch.num_rows))
                continue
            array, wrong = _fed(feature, batch.column(feature.name))
            arrays.append(array)
            faults += wrong
        return pa.RecordBatch.from_arrays(arrays, schema=self.arrow()), faults

    def arrow(self) -> pa.Schema:
        """Returns the schema of the result of `feed`."""
        return pa.schema([(feature.name, pa.list_(feature.leaf)) for feature in self.features])

    def adapter(self) -> Any:
        """Returns the `TensorAdapterConfig` that makes tensors of the result of `feed`."""
        from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

        return TensorAdapterConfig(self.arrow(), self.representations())

    def representations(self) -> dict[str, Any]:
        """Returns how columns become tensors: tensorflow-metadata's `TensorRepresentation`."""
        from tensorflow_metadata.proto.v0 import schema_pb2

        parse = schema_pb2.TensorRepresentation.FromString
        return {feature.name: parse(feature.representation) for feature in self.features}


def _of_schema(schema: Any) -> list[RawFeature]:
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tfx_bsl.tfxio import tensor_representation_util as util

    kept = schema_pb2.Schema()
    kept.CopyFrom(schema)
    live = [each for each in schema.feature if each.lifecycle_stage != schema_pb2.DEPRECATED]
    del kept.feature[:]
    kept.feature.extend(live)
    types = {each.name: schema_pb2.FeatureType.Name(each.type) for each in live}
    try:
        found = util.InferTensorRepresentationsFromMixedSchema(kept)
    except ValueError as error:
        raise ConfigError(f"the schema can't become tensors: {error}") from None
    made = [_feature(name, found[name], types) for name in sorted(found)]
    units = {each.name: time_unit(each) for each in live if types[each.name] == "INT"}
    return [replace(feature, unit=units.get(feature.name)) for feature in made]


_DTYPES = {"INT": "int64", "FLOAT": "float32", "BYTES": "string"}


def _feature(name: str, representation: Any, types: Mapping[str, str]) -> RawFeature:
    kind = representation.WhichOneof("kind")
    if kind not in (DENSE, SPARSE, RAGGED) or types.get(name) not in _DTYPES:
        raise ConfigError(
            f"feature {name!r} of the schema is a {kind} of {types.get(name, 'several features')}, "
            "which preprocessing does not take: it takes INT, FLOAT and BYTES, each one value, "
            "values of a fixed shape, or lists of them. Leave it out of the schema"
        )
    dense = representation.dense_tensor
    shape = tuple(dim.size for dim in dense.shape.dim) if kind == DENSE else ()
    return RawFeature(
        name,
        _DTYPES[types[name]],
        kind,
        shape,
        representation.SerializeToString(deterministic=True),
        kind == DENSE and dense.HasField("default_value"),
    )


def _problem(feature: RawFeature, schema: pa.Schema, count: int) -> str | None:
    """Returns why a column, which occurs so often, can't feed a feature; None if it can."""
    name = feature.name
    if count != 1:
        near = nearest_column(name, schema.names)
        return f"column {name!r} is needed for preprocessing, but " + (
            f"occurs {count} times" if count else f"is not in the data{near}"
        )
    type = plain_type(schema.field(name).type)
    leaf = type.value_type if is_list(type) else type
    if pa.types.is_null(leaf):
        return None
    if is_point(type) and feature.dtype == "int64":
        if feature.unit is not None:
            return None
        return (
            f"column {name!r} is {type}, but preprocessing takes integers whose unit is not known: "
            "add time_domain { integer_format: UNIX_SECONDS } to the schema, or cast it first"
        )
    if to_example(type) is None:
        return f"column {name!r} is {type}, which can't become {feature.dtype}: cast it first"
    if feature.dtype == "string" and not is_text(leaf):
        return (
            f"column {name!r} is {type}, but BYTES in the schema of the preprocessing: read it as "
            "text, or make it INT or FLOAT in the schema"
        )
    return None


def _fed(feature: RawFeature, column: pa.Array) -> tuple[pa.Array, list[Fault]]:
    """Returns a column as lists of a feature's values."""
    listed = is_list(plain_type(column.type))
    cast = feature.cast(column, pa.list_(feature.leaf) if listed else feature.leaf)
    cast = without_null_items(cast) if listed else cast
    faults = described_faults({feature.name: cast})
    array = as_lists(cast.values)
    if feature.kind == DENSE:
        faults += _shape_faults(feature, array, listed)
    return array, faults


def _shape_faults(feature: RawFeature, array: pa.Array, listed: bool) -> list[Fault]:
    """Returns the faults of rows with no value where one is needed, too few or too many."""
    faults = []
    if array.null_count and not feature.has_default:
        null = np.asarray(array.is_null().to_numpy(zero_copy_only=False))
        message = f"column {feature.name!r} has no value, but preprocessing needs one"
        faults.append(Fault(null, Reason.MISSING_VALUE, feature.name, message))
    if listed or feature.size != 1:
        lengths = pc.list_value_length(array).fill_null(feature.size)
        wrong = np.asarray(pc.not_equal(lengths, feature.size).to_numpy(zero_copy_only=False))
        if wrong.any():
            message = (
                f"column {feature.name!r} has not the number of values that preprocessing takes: "
                f"{feature.size}"
            )
            faults.append(Fault(wrong, Reason.WRONG_SHAPE, feature.name, message))
    return faults
