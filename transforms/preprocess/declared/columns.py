"""The columns that declared steps take: their kinds, their schema, and the units of their times."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from transforms.arrow.types import SCALARS, is_list, plain_type, to_example
from transforms.errors import ConfigError
from transforms.nearest import nearest_column
from transforms.preprocess.columns import DENSE, SPARSE, RawFeature
from transforms.preprocess.declared.parse import Feature, Steps
from transforms.preprocess.declared.values import Kind
from transforms.preprocess.times import is_point


def column_kind(column: RawFeature, single: bool) -> Kind:
    """Returns the kind of a column; a single one has one value a row at most."""
    if column.kind == DENSE:
        return (
            Kind("one", column.dtype)
            if column.size == 1
            else Kind("vector", column.dtype, size=column.size)
        )
    one = column.kind == SPARSE and single
    return Kind("one" if one else "many", column.dtype, whole=False)


def with_units(steps: Steps, units: Mapping[str, str | None]) -> Steps:
    """Returns steps in which those of times have the units of their columns.

    Args:
      steps: Any.
      units: That of each column; None where it is not known, or where it holds no times.

    Raises:
      ConfigError: A step names another unit.
    """
    return replace(steps, features=tuple(_with_unit(steps, each, units) for each in steps.features))


def _with_unit(steps: Steps, feature: Feature, units: Mapping[str, str | None]) -> Feature:
    known = [] if feature.of_features else [units.get(name) for name in feature.inputs]
    unit = next(filter(None, known), None)
    if unit is None:
        return feature
    made = list(feature.steps)
    for place, step in enumerate(feature.steps):
        own = getattr(step, "unit", unit)
        if own not in (None, unit):
            told = f"the times of {feature.name!r} are in {unit}, not {own}: say unit: {unit}"
            raise steps.error(feature.places[place], told)
        if own is None:
            made[place] = replace(step, unit=unit)  # type: ignore[call-arg]
    return replace(feature, steps=tuple(made))


def raw_schema(steps: Steps, columns: Any) -> Any:
    """Returns a schema for the columns that steps take, where nobody has written one.

    Each column may be missing in any row; one that is no list has one value at most. Timestamps and
    dates are seconds since 1970.

    Args:
      steps: Any.
      columns: The Arrow schema of the rows.

    Raises:
      ConfigError: A column is not there, or of a type that no tf.Example holds.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2

    kinds = {scalar.arrow: scalar.feature for scalar in reversed(SCALARS)}
    schema, there = schema_pb2.Schema(), frozenset(columns.names)
    for feature in steps.features:
        for name in () if feature.of_features else feature.inputs:
            if name not in there:
                near = nearest_column(name, columns.names)
                near = near or f"; there are {', '.join(columns.names)}"
                raise steps.error(feature.place, f"there is no column {name!r}{near}")
    for name in steps.columns:
        type = plain_type(columns.field(name).type)
        narrowed = _integers(type) if is_point(type) else to_example(type)
        if narrowed is None:
            raise ConfigError(f"column {name!r} is {type}, which no step takes: cast it first")
        listed = is_list(narrowed)
        leaf = narrowed.value_type if listed else narrowed
        made = schema.feature.add(name=name, type=schema_pb2.FeatureType.Value(kinds[leaf]))
        if is_point(type):
            made.time_domain.integer_format = schema_pb2.TimeDomain.UNIX_SECONDS
        made.value_count.min = 0
        if not listed:
            made.value_count.max = 1
    return schema


def _integers(type: pa.DataType) -> pa.DataType:
    """Returns the integers of times, or lists of them."""
    return pa.list_(pa.int64()) if is_list(type) else pa.int64()


def narrowed(schema: Any, columns: Collection[str]) -> Any:
    """Returns the part of a schema that is of some columns: what a graph takes."""
    made = type(schema)()
    made.CopyFrom(schema)
    wanted = frozenset(columns)
    kept = [each for each in schema.feature if each.name in wanted]
    del made.feature[:]
    made.feature.extend(kept)
    for group in made.tensor_representation_group.values():
        for name in set(group.tensor_representation) - wanted:
            del group.tensor_representation[name]
    return made
