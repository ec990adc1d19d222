"""Batches to serialized tf.Examples and back, with tfx-bsl's C++ coders."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import Cast
from transforms.arrow.casts import checked_cast
from transforms.arrow.types import SCALARS, is_list, plain_type, to_example
from transforms.batches import row_positions, row_sources, select_rows, slice_rows
from transforms.conform import conform
from transforms.errors import ConfigError
from transforms.faults import Fault
from transforms.reasons import Reason
from transforms.rejects import Outcome, join_rejects, reject_payloads

SEQUENCE_COLUMN = "##SEQUENCE##"
"""The struct column of a SequenceExample's feature lists; the name is tfx-bsl's."""


def encode_examples(batch: pa.RecordBatch) -> tuple[pa.BinaryArray, dict[str, Cast]]:
    """Serializes each row of a batch as a tf.Example.

    A null becomes a feature without a kind, which TensorFlow's parsers take as absent; an empty
    list becomes a feature of its kind without values. The bytes of equal rows may differ, as
    protobuf does not order a map.

    Args:
      batch: n rows of columns that tf.Example can hold (`check_example_schema`).

    Returns: n serialized examples, null for the rows that could not be narrowed to int64,
      float32 and bytes, and the casts by column, which `conform.part` turns into rejects.

    Raises:
      ConfigError: A column of a type that tf.Example can't hold.
    """
    from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

    check_example_schema(batch.schema)
    if batch.num_rows == 0:
        return pa.array([], pa.binary()), {}
    casts = {name: _narrowed(batch.column(i)) for i, name in enumerate(batch.schema.names)}
    features = [as_lists(cast.values) for cast in casts.values()]
    narrow = pa.RecordBatch.from_arrays(features, list(casts))
    examples = pa.array(RecordBatchToExamplesEncoder().encode(narrow), pa.binary())
    bad = [cast.bad for cast in casts.values() if cast.bad is not None]
    if bad:
        missing = pa.scalar(None, pa.binary())
        examples = pc.if_else(pa.array(np.logical_or.reduce(bad)), missing, examples)
    return examples, casts


def check_example_schema(schema: pa.Schema) -> None:
    """Checks that tf.Example can hold the columns of a schema.

    Raises:
      ConfigError: It can't hold one of them.
    """
    for field in schema:
        if to_example(plain_type(field.type)) is None and not pa.types.is_null(field.type):
            raise ConfigError(
                f"column {field.name!r} is {field.type}, but a tf.Example holds only integers, "
                "floats, text, bytes and flat lists of them: leave the column out, cast it to "
                "one of these, or write Parquet or Avro"
            )


def _narrowed(column: pa.Array) -> Cast:
    """Returns a column as int64, float32 or binary, or a list of it, each row checked."""
    if pa.types.is_null(column.type):
        return Cast(pa.nulls(len(column), pa.int64()))
    cast = checked_cast(column, to_example(plain_type(column.type)))
    return without_null_items(cast) if is_list(cast.values.type) else cast


def without_null_items(cast: Cast) -> Cast:
    """Marks lists that hold a null: a tf.Example has none, and the encoder would write 0."""
    null = pc.list_flatten(cast.values).is_null()
    if not pc.any(null).as_py():
        return cast
    holders = pc.unique(pc.list_parent_indices(cast.values).filter(null))
    bad = np.zeros(len(cast.values), bool)
    bad[holders.to_numpy()] = True
    kept = pc.if_else(pa.array(bad), pa.scalar(None, cast.values.type), cast.values)
    return Cast(kept, (*cast.faults, Fault(bad, Reason.LOSSY_CAST)))


def as_lists(column: pa.Array) -> pa.Array:
    """Returns a column of lists; a scalar becomes a list of one, and null stays null."""
    if is_list(column.type):
        return column
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(valid)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, column.drop_null(), mask=pa.array(~valid))


@dataclass(frozen=True)
class Decoding:
    """How serialized records become columns.

    Attributes:
      sequence: Whether they are tf.SequenceExamples; their feature lists then form the struct
        column `##SEQUENCE##`, each feature of it a list (steps) of lists (values).
    """

    sequence: bool = False

    def decode(self, records: list[bytes], schema: pa.Schema | None) -> pa.RecordBatch | None:
        """Decodes records with tfx-bsl.

        Args:
          records: n serialized records.
          schema: The columns wanted; None for whatever the records hold, a bit slower.

        Returns: n rows of lists, or None where tfx-bsl refuses one of the records.
        """
        try:
            # Each time anew, as a decoder that has failed once keeps half-built columns.
            return self._decoder(schema).DecodeBatch(records)
        except (RuntimeError, TypeError):
            return None

    def _decoder(self, schema: pa.Schema | None) -> Any:
        features = None if schema is None else _features(schema, self.sequence)
        if self.sequence:
            from tfx_bsl.coders.sequence_example_coder import SequenceExamplesToRecordBatchDecoder

            return SequenceExamplesToRecordBatchDecoder(SEQUENCE_COLUMN, features or b"")
        from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

        return ExamplesToRecordBatchDecoder(features)


EXAMPLE, SEQUENCE = Decoding(), Decoding(sequence=True)


def decode_examples(
    examples: pa.RecordBatch, schema: pa.Schema, decoding: Decoding = EXAMPLE
) -> Outcome:
    """Decodes serialized tf.Examples (or tf.SequenceExamples) into the columns of a schema.

    Where a record holds a feature as another kind than the schema's, its values are cast if they
    lose nothing by it (the float 3.0 may become an integer), else the row is rejected.

    Args:
      examples: n rows of one binary column; its position note names the rejects,
        and stays with the rows.
      schema: The columns wanted, of plain types. A feature that a record lacks is null.
      decoding: How; tf.Example by default.

    Returns: The rows that fit, in order and with this schema, and the rejects: the record itself
      where it could not be parsed, else its columns as JSON.

    Raises:
      ConfigError: A column is of a type that no feature can fill.
    """
    parts = list(_decoded(examples, schema, decoding))
    if len(parts) == 1:
        return parts[0]
    note = _joined_note(examples, [rows for rows, _ in parts])
    rows = pa.concat_batches([rows.replace_schema_metadata(None) for rows, _ in parts])
    return rows.replace_schema_metadata(note), join_rejects([rejects for _, rejects in parts])


def _joined_note(examples: pa.RecordBatch, parts: list[pa.RecordBatch]) -> Any:
    """Returns the note of where the rows of all parts came from."""
    positions = row_positions(examples)
    if positions is None:
        return examples.schema.metadata
    mask = np.zeros(len(positions), bool)
    for rows in parts:
        kept = row_positions(rows)
        if kept is not None:
            mask |= np.isin(positions, kept)
    return select_rows(examples, mask).schema.metadata


def _decoded(examples: pa.RecordBatch, schema: pa.Schema, decoding: Decoding) -> Iterator[Outcome]:
    """Decodes all records at once, or, where one of them is refused, each half of them."""
    records = examples.column(0).to_pylist()
    batch = decoding.decode(records, schema)
    if batch is None:
        batch = decoding.decode(records, None)
    if batch is not None:
        yield conform(batch.replace_schema_metadata(examples.schema.metadata), schema)
    elif len(records) == 1:
        yield conform(pa.RecordBatch.from_arrays([], []), schema)[0], _unparsable(examples)
    else:
        half = len(records) // 2
        yield from _decoded(slice_rows(examples, 0, half), schema, decoding)
        yield from _decoded(slice_rows(examples, half, len(records) - half), schema, decoding)


def _unparsable(examples: pa.RecordBatch) -> pa.RecordBatch:
    return reject_payloads(
        examples.column(0),
        Reason.UNPARSABLE,
        "the record is not a valid example",
        sources=row_sources(examples, np.arange(examples.num_rows)),
    )


@functools.lru_cache(maxsize=16)
def _features(schema: pa.Schema, sequence: bool) -> bytes:
    """Returns the serialized tensorflow-metadata Schema that has tfx-bsl decode these columns."""
    from tensorflow_metadata.proto.v0 import schema_pb2

    meaning = schema_pb2.Schema()
    for field in schema:
        feature = meaning.feature.add(name=field.name)
        if sequence and field.name == SEQUENCE_COLUMN:
            feature.type = schema_pb2.STRUCT
            for step in field.type:
                kind = schema_pb2.FeatureType.Value(_kind(step))
                feature.struct_domain.feature.add(name=step.name, type=kind)
        else:
            feature.type = schema_pb2.FeatureType.Value(_kind(field))
    return bytes(meaning.SerializeToString())


def _kind(field: pa.Field) -> str:
    """Returns the FeatureType to try first for a column; for dates, times and decimals, text."""
    leaf = field.type
    while is_list(leaf):
        leaf = leaf.value_type
    if pa.types.is_nested(leaf):
        raise ConfigError(
            f"column {field.name!r} is {field.type}, but a feature of a tf.Example holds only "
            "integers, floats or bytes: correct the schema, or leave the column out"
        )
    return next((scalar.feature for scalar in SCALARS if scalar.arrow.equals(leaf)), "BYTES")
