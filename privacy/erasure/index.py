"""The subject index: whose rows are where, by keyed hashes of who and hashes of the rows.

Who a row is about is known only before it is de-identified; so the index is written then. Without
its key nobody can tell from it whether somebody is in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.crypto.hmac import raw_digest
from privacy.crypto.keys import resolve_key
from transforms.arrow.json_text import json_values
from transforms.batches import select_rows
from transforms.errors import ConfigError
from transforms.keys.key_hash import wide_hash
from transforms.nearest import nearest_column

INDEX = pa.schema([("subject", pa.binary(16)), ("row", pa.binary(16))])
"""A subject, as the HMAC of its identifier, and a row, as the hash of its columns."""

_CARRIED = "millrace_subject_"


@dataclass(frozen=True)
class Subjects:
    """How subjects and their rows are known.

    Attributes:
      columns: The columns of identifiers; each names a subject.
      key: A reference to the key of the index: `env:NAME`, `file:PATH`.
      row_key: The columns of the output by which a row is known; all of them, if empty. Rows that
        are alike in them can't be told apart.
    """

    columns: tuple[str, ...]
    key: str = field(repr=False)
    row_key: tuple[str, ...] = ()

    @property
    def carried(self) -> tuple[str, ...]:
        """The columns in which hashes go along with rows while these are redacted."""
        return tuple(f"{_CARRIED}{at}" for at in range(len(self.columns)))

    def check(self, schema: pa.Schema) -> None:
        """Checks at launch that the key is there, and the columns.

        Raises:
          ConfigError: They are not.
        """
        resolve_key(self.key)
        for name in (*self.columns, *self.row_key):
            if name not in schema.names:
                near = nearest_column(name, schema.names)
                raise ConfigError(f"subject index: there is no column {name!r}{near}")


def subject_hashes(values: pa.Array, column: str, key: str) -> pa.Array:
    """Returns the keyed hash of each identifier: 16 bytes of HMAC-SHA-256; null of null.

    Args:
      values: n identifiers: texts or numbers; a number is the same as its text.
      column: What kind of identifiers they are.
      key: A reference to the key.
    """
    texts = _text(values)
    bound = pc.binary_join_element_wise(pa.scalar(column), texts, "\0").cast(pa.binary())
    whole = raw_digest(bound, resolve_key(key))
    return pc.binary_slice(whole, 0, 16).cast(pa.binary(16))


def with_subjects(batch: pa.RecordBatch, subjects: Subjects) -> pa.RecordBatch:
    """Returns a batch whose rows carry the hashes of their subjects."""
    for name, carried in zip(subjects.columns, subjects.carried, strict=True):
        hashes = subject_hashes(batch.column(name), name, subjects.key)
        batch = batch.append_column(carried, hashes.cast(pa.binary()))
    return batch


def without_subjects(batch: pa.RecordBatch, subjects: Subjects) -> pa.RecordBatch:
    """Returns a batch without what `with_subjects` added."""
    return batch.drop_columns(list(subjects.carried))


def index_of(batch: pa.RecordBatch, subjects: Subjects) -> pa.RecordBatch:
    """Returns the index of rows that carry hashes, of schema `INDEX`.

    Args:
      batch: n rows, as they are stored, with what `with_subjects` added.
      subjects: How they are known.
    """
    rows = row_hashes(without_subjects(batch, subjects), subjects.row_key)
    parts = []
    for name in subjects.carried:
        hashes = batch.column(name).cast(pa.binary(16))
        part = pa.RecordBatch.from_arrays([hashes, rows], schema=INDEX)
        there = np.asarray(hashes.is_valid().to_numpy(zero_copy_only=False), bool)
        parts.append(select_rows(part, there))
    table = pa.Table.from_batches(parts, INDEX)
    arrays = [pa.concat_arrays(column.chunks) for column in table.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=INDEX)


def row_hashes(batch: pa.RecordBatch, columns: Sequence[str] = ()) -> pa.Array:
    """Returns the hash of each row by some columns, or all: n times 16 bytes.

    Values are hashed as texts, so that a file of text gives the same hashes as one of types.

    Raises:
      ConfigError: A column isn't there.
    """
    names = list(columns) or batch.schema.names
    for name in names:
        if name not in batch.schema.names:
            near = nearest_column(name, batch.schema.names)
            raise ConfigError(f"subject index: there is no column {name!r}{near}")
    texts = pa.RecordBatch.from_arrays([_text(batch.column(name)) for name in names], names)
    hashes = np.ascontiguousarray(wide_hash(texts, names))
    return pa.Array.from_buffers(pa.binary(16), batch.num_rows, [None, pa.py_buffer(hashes)])


def _text(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_nested(values.type):
        return pc.if_else(values.is_valid(), json_values(values), None)
    if pa.types.is_string(values.type):
        return values
    return values.cast(pa.string())
