"""Text files read as a schema says: where the sample alone would take one bad cell for a type."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from transforms.files.formats.text.cast import text_cast
from transforms.io.file_read import read_batches
from transforms.io.file_source import CELLS, Source
from transforms.io.inputs import Input

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

S = TypeVar("S", bound=Input)

SAMPLE_ROWS = 1000
ENOUGH = 0.5
"""Where less than this part of a column's cells can be what the schema says, it is another type."""

MOST = 0.9
"""A text column with at least this share of numbers was meant to hold numbers."""

_NUMBERS = {"INT": pa.int64(), "FLOAT": pa.float64()}


def with_schema_types(source: S, schema: "schema_pb2.Schema", but: Collection[str] = ()) -> S:
    """Returns the same rows, with columns of text files in the types of a schema.

    Digits are a text where the schema says BYTES, and whole numbers are floats where it says FLOAT.
    A column of a CSV file is one of numbers where half of the cells in its first rows are; the
    others are then rows that can't be read. Where fewer are, the column stays what it is, and its
    type is what is wrong. What the schema doesn't know stays as it is; so do files that have
    their types.

    Args:
      source: A resolved input.
      schema: A tensorflow-metadata `Schema`.
      but: Columns that stay of their types: those that a model needs, say.
    """
    if not isinstance(source, Source) or source.origin != "sample":
        return source
    from tensorflow_metadata.proto.v0 import schema_pb2

    kinds = {each.name: schema_pb2.FeatureType.Name(each.type) for each in schema.feature}
    kinds = {name: kind for name, kind in kinds.items() if name not in but}
    changed = dict(_changes(source, kinds))
    fields = [field.with_type(changed.get(field.name, field.type)) for field in source.schema]
    return replace(source, schema=pa.schema(fields))


def nearly_numbers(source: Input) -> dict[str, int]:
    """Returns CSV columns that a few cells make texts: how many of their first are not numbers.

    Args:
      source: A resolved input; other than files of text have their types.

    Returns: By column, where nine in ten of the first cells are numbers.
    """
    if not isinstance(source, Source) or source.origin != "sample":
        return {}
    if source.format.name not in CELLS:
        return {}
    texts = [field.name for field in source.file_schema if pa.types.is_string(field.type)]
    cells = _cells(source, texts) if texts else {}
    found = {}
    for name in texts:
        there = cells[name].combine_chunks().drop_null()
        wrong = text_cast(there, pa.float64()).values.null_count
        if 0 < wrong <= (1 - MOST) * len(there):
            found[name] = wrong
    return found


def _changes(source: Source, kinds: dict[str, str]) -> Iterator[tuple[str, pa.DataType]]:
    """Returns the columns that have another type in the schema, and that type."""
    is_cells = source.format.name in CELLS
    asked: dict[str, pa.DataType] = {}
    for field in source.file_schema:
        type, kind = field.type, kinds.get(field.name)
        if kind == "FLOAT" and pa.types.is_integer(type):
            yield field.name, pa.float64()
        elif is_cells and kind == "BYTES" and not pa.types.is_string(type):
            yield field.name, pa.string()
        elif is_cells and kind in _NUMBERS and _may_be(type, kind):
            asked[field.name] = _NUMBERS[kind]
    if asked:
        cells = _cells(source, list(asked))
        for name, wanted in asked.items():
            texts = cells[name].combine_chunks().drop_null()
            if text_cast(texts, wanted).values.null_count <= (1 - ENOUGH) * len(texts):
                yield name, wanted


def _may_be(type: pa.DataType, kind: str) -> bool:
    return bool(pa.types.is_string(type) or (kind == "INT" and pa.types.is_floating(type)))


def _cells(source: Source, columns: list[str]) -> pa.Table:
    """Returns the first rows of some columns, as texts."""
    schema = pa.schema([(name, pa.string()) for name in columns])
    some = replace(source, schema=schema, partitions=(), limit=SAMPLE_ROWS)
    batches = [rows for rows, _ in read_batches(some) if rows.num_rows]
    return pa.Table.from_batches(
        [rows.replace_schema_metadata(None) for rows in batches], schema=schema
    )
