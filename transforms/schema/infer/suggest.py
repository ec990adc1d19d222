"""Ranges of numbers: suggested in a comment, and enforced when someone adopts them."""

import math
import re

import numpy as np

from transforms.metadata.columns import Column
from transforms.metadata.protos import schema_pb2, text_format
from transforms.schema.anomalies.domains.floats import outwards
from transforms.schema.domains import domain_name

SUGGESTED = "suggested"
"""The tag of a feature that has a suggestion, and the first word of its comment."""

_COMMENT = re.compile(rf"{SUGGESTED}: (?P<domain>(?:int|float)_domain \{{.*\}}) \(")


def suggest_range(feature: schema_pb2.Feature, column: Column) -> None:
    """Notes the range of a column's numbers in a comment of its feature.

    Of n values that come in no particular order, the next is outside of their range with a chance
    of 2 / (n + 1) at most: the comment says so. A feature that has a domain gets none.
    """
    values = column.common.tot_num_values
    range_ = _range_text(column) if domain_name(feature) is None and values else None
    if range_ is None:
        return
    chance = f"{100 * min(1, 2 / (values + 1)):.2g}%"
    feature.annotation.tag.append(SUGGESTED)
    feature.annotation.comment.append(
        f"{SUGGESTED}: {range_} (of {values} values; the next is outside with a chance of at most "
        f"{chance})"
    )


def adopt_ranges(schema: schema_pb2.Schema) -> list[str]:
    """Enforces suggested ranges: turns the comments into domains.

    Args:
      schema: Is changed. A feature that has a domain keeps it.

    Returns: The names of the features that now have a range.
    """
    return _adopt(schema.feature)


def _adopt(features: "list[schema_pb2.Feature]") -> list[str]:
    adopted = []
    for feature in features:
        found = [_COMMENT.match(comment) for comment in feature.annotation.comment]
        told = [match for match in found if match]
        if told and domain_name(feature) is None:
            text_format.Merge(told[0]["domain"], feature)
            adopted.append(feature.name)
        if told:
            _forget(feature)
        adopted += (
            _adopt(feature.struct_domain.feature) if feature.HasField("struct_domain") else []
        )
    return adopted


def _forget(feature: schema_pb2.Feature) -> None:
    notes = feature.annotation
    kept_comments = [comment for comment in notes.comment if not _COMMENT.match(comment)]
    kept_tags = [tag for tag in notes.tag if tag != SUGGESTED]
    del notes.comment[:], notes.tag[:]
    notes.comment.extend(kept_comments)
    notes.tag.extend(kept_tags)
    if not notes.ListFields():
        feature.ClearField("annotation")


def _range_text(column: Column) -> str | None:
    if column.counts:
        return None
    if column.kind == schema_pb2.INT:
        return "int_domain {{ min: {} max: {} }}".format(*column.int_range)
    low, high = column.numbers.min, column.numbers.max
    if column.kind != schema_pb2.FLOAT or column.is_all_nan or not math.isfinite(high - low):
        return None
    bounds = (str(np.float32(outwards(*end))) for end in ((low, -math.inf), (high, math.inf)))
    return "float_domain {{ min: {} max: {} }}".format(*bounds)
