"""Infers a schema from statistics."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from transforms.metadata.columns import Column
from transforms.metadata.datasets import Dataset, dataset_of
from transforms.metadata.long_texts import is_shortened
from transforms.metadata.paths import path_text
from transforms.metadata.protos import schema_pb2, statistics_pb2
from transforms.schema.domains import semantic_domain
from transforms.schema.infer.shape import set_shape, set_value_counts
from transforms.schema.infer.suggest import suggest_range
from transforms.schema.spelling import parse_int

_TRUE = frozenset({"TRUE", "true", "SET", "set", "1", ""})
_FALSE = frozenset({"FALSE", "false", "CLEAR", "clear", "0"})
_Stats = statistics_pb2.FeatureNameStatistics


def infer_schema(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    max_string_domain_size: int = 100,
    infer_shape: bool = True,
    suggest_ranges: bool = False,
    times: Mapping[str, str] | None = None,
) -> schema_pb2.Schema:
    """Returns the tightest schema of TFDV's kind that the data meets.

    Args:
      statistics: Of the data; of slices, the one named `All Examples` counts.
      max_string_domain_size: Texts of at most so many distinct values get a domain of them.
      infer_shape: Whether features that every row has, with the same number of values, get a
        fixed shape.
      suggest_ranges: Whether numbers get a comment with their range. It is not enforced until
        `adopt_ranges` makes domains of these comments.
      times: Columns that are points in time, and their integer formats, as `time_formats` returns
        them: statistics hold numbers alone. They get a time domain.

    Returns: A feature for each column, in the statistics' order: its type, presence, shape or
      number of values, and its domain: what `domain_info` says, bool, integers written as text,
      or a shared domain of its texts, unless one of them is longer than statistics hold. It has
      no ranges of numbers.
    """
    schema, data = schema_pb2.Schema(), dataset_of(statistics)
    limits = Limits(max_string_domain_size, infer_shape, suggest_ranges, times or {})
    for column in data.children.get((), []):
        if column.has_common:
            add_column(schema, schema, data, column, limits)
    return schema


@dataclass(frozen=True)
class Limits:
    """How far inference goes: the arguments of `infer_schema`."""

    max_string_domain_size: int = 100
    infer_shape: bool = True
    suggest_ranges: bool = False
    times: Mapping[str, str] = field(default_factory=dict)


def add_column(
    schema: schema_pb2.Schema,
    level: schema_pb2.Schema | schema_pb2.StructDomain,
    data: Dataset,
    column: Column,
    limits: Limits,
) -> None:
    """Adds a feature for a column, and for those below it.

    Args:
      schema: Gets the domain of its texts.
      level: Gets the feature: the schema, or the struct that it is in.
      data: Where the columns below it are.
      column: Its statistics.
      limits: How far to go.
    """
    feature = level.feature.add(name=column.path[-1], type=column.kind)
    _set_presence(feature, column)
    if column.present > 0:
        if limits.infer_shape:
            set_shape(feature, column)
        if not feature.HasField("shape"):
            set_value_counts(feature, column)
    if column.stats.HasField("validation_derived_source"):
        feature.validation_derived_source.CopyFrom(column.stats.validation_derived_source)
        feature.lifecycle_stage = schema_pb2.VALIDATION_DERIVED
    time = limits.times.get(column.path[0]) if len(column.path) == 1 else None
    if time is not None and column.kind == schema_pb2.INT:
        feature.time_domain.integer_format = schema_pb2.TimeDomain.IntegerTimeFormat.Value(time)
    else:
        _set_domain(schema, feature, column, limits.max_string_domain_size)
    if limits.suggest_ranges:
        suggest_range(feature, column)
    for below in data.children.get(column.path, []):
        if below.has_common:
            add_column(schema, feature.struct_domain, data, below, limits)


def _set_presence(feature: schema_pb2.Feature, column: Column) -> None:
    # By weight there may be some, but less than one.
    feature.presence.min_count = 1 if column.present >= 1 else 0
    if column.present > 0 and column.missing == 0:
        feature.presence.min_fraction = 1


def _set_domain(
    schema: schema_pb2.Schema, feature: schema_pb2.Feature, column: Column, most: int
) -> None:
    semantic = semantic_domain(column)
    if semantic is not None:
        feature.MergeFrom(semantic)
    elif column.has_invalid_utf8 or column.stats.type == _Stats.BYTES:
        return
    elif column.kind == schema_pb2.INT:
        _set_int_domain(feature, column)
    elif column.stats.type == _Stats.STRING and column.counts:
        _set_text_domain(schema, feature, column, most)


def _set_int_domain(feature: schema_pb2.Feature, column: Column) -> None:
    if column.counts:
        feature.int_domain.is_categorical = True
    elif column.numbers.min >= 0 and column.numbers.max == 1:
        feature.bool_domain.SetInParent()


def _set_text_domain(
    schema: schema_pb2.Schema, feature: schema_pb2.Feature, column: Column, most: int
) -> None:
    values = sorted(column.counts)
    if _is_bool(values):
        for value in values:
            setattr(feature.bool_domain, "true_value" if value in _TRUE else "false_value", value)
    elif all(parse_int(value) is not None for value in values):
        feature.int_domain.SetInParent()
    elif max(len(values), column.unique or 0) <= most and not any(map(is_shortened, values)):
        name = _free_name(schema, path_text(column.path))
        schema.string_domain.add(name=name, value=values)
        feature.domain = name


def _is_bool(values: list[str]) -> bool:
    """Returns whether at most one text means true, at most one false, and there is no other."""
    true = [value for value in values if value in _TRUE]
    false = [value for value in values if value in _FALSE]
    return len(true) <= 1 and len(false) <= 1 and len(true) + len(false) == len(values)


def _free_name(schema: schema_pb2.Schema, wanted: str) -> str:
    taken = {domain.name for domain in schema.string_domain}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}{number}"
    return name
