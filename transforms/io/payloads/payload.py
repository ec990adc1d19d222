"""What all kinds of payload share: how messages become rows, and rows become payloads."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from transforms.arrow.cast_faults import Cast
from transforms.arrow.casts import checked_cast
from transforms.batches import MESSAGE, with_source
from transforms.errors import ConfigError
from transforms.files.formats.text.records import BadRecords, faults_of
from transforms.io.payloads.messages import MESSAGES, attribute, reject_messages
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, Outcome, join_rejects

_KEPT = ("message_id", "publish_time", "ordering_key")


@dataclass(frozen=True)
class Decoded:
    """The payloads of some messages as rows.

    Attributes:
      rows: Their columns.
      messages: The number of the message that each row came from, ascending.
      rejects: What could not be decoded, of schema `REJECTS`.
    """

    rows: pa.RecordBatch
    messages: np.ndarray
    rejects: pa.RecordBatch


@dataclass(frozen=True)
class Encoded:
    """The payloads of some rows.

    Attributes:
      payloads: Byte strings, none of them null.
      starts: The number of the first row in each.
      stops: One past the number of the last row in each.
      rejects: The rows that could not be encoded, of schema `REJECTS`.
    """

    payloads: pa.Array
    starts: np.ndarray
    stops: np.ndarray
    rejects: pa.RecordBatch


@dataclass(frozen=True)
class Payload(ABC):
    """A kind of payload.

    Args:
      attributes: The messages' attributes that become columns of text, by their names.
    """

    attributes: tuple[str, ...] = field(default=(), kw_only=True)
    holds_many = False
    """Whether a payload holds more rows than one."""

    def __post_init__(self) -> None:
        names = (*_KEPT, *self.attributes)
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise ConfigError(
                f"attribute {twice!r} would be the second column of its name: name each attribute "
                f"once, and none of {', '.join(_KEPT)}, which every row has"
            )

    def schema(self, columns: pa.Schema) -> pa.Schema:
        """Returns the columns of decoded rows: the payload's, then the message's.

        Args:
          columns: The payload's.

        Raises:
          ConfigError: A payload's column has the name of one of the message's.
        """
        own = [MESSAGES.field(name) for name in _KEPT]
        own += [pa.field(name, pa.string()) for name in self.attributes]
        clash = [part.name for part in own if part.name in columns.names]
        if clash:
            raise ConfigError(
                f"the payload and the message both have a column {clash[0]!r}: leave it out of "
                "the payload's schema or of the attributes, or rename it where it is published"
            )
        return pa.schema([*columns, *own])

    def decode(self, messages: pa.RecordBatch, schema: pa.Schema, uri: str) -> Outcome:
        """Makes rows of messages.

        Args:
          messages: n messages, of schema `MESSAGES`.
          schema: The payload's columns wanted, of plain types; what a payload lacks is null,
            what it has more is left out.
          uri: Where the messages were pulled from.

        Returns: The rows in the order of their messages, of schema `self.schema(schema)`, and
          the rejects with the bytes and attributes of their messages.

        Raises:
          ConfigError: A payload's column has the name of one of the message's, or can't be
            decoded from this kind of payload.
        """
        wanted = self.schema(schema)
        data = messages.column("data")
        held = messages.filter(data.is_valid()) if data.null_count else messages
        empty = messages.filter(data.is_null())
        none = reject_messages(empty, Reason.MISSING_VALUE, "the message has no payload", uri=uri)
        decoded = self.read(held, schema, uri) if held.num_rows else no_payloads(schema)
        arrays = decoded.rows.columns + self._message_columns(held, decoded.messages)
        rows = pa.RecordBatch.from_arrays(arrays, schema=wanted)
        return with_source(rows, uri, None, MESSAGE), join_rejects([none, decoded.rejects])

    def _message_columns(self, messages: pa.RecordBatch, numbers: np.ndarray) -> list[pa.Array]:
        """Returns the columns of the messages of the given numbers, repeated where a number is."""
        kept = [messages.column(name) for name in _KEPT]
        kept += [attribute(messages, name) for name in self.attributes]
        if np.array_equal(numbers, np.arange(messages.num_rows)):
            return kept
        return [column.take(pa.array(numbers)) for column in kept]

    @abstractmethod
    def read(self, messages: pa.RecordBatch, schema: pa.Schema, uri: str) -> Decoded:
        """Decodes the payloads of at least one message, none of them null; see `decode`."""

    @abstractmethod
    def encode(self, rows: pa.RecordBatch) -> Encoded:
        """Makes payloads of rows, of all their columns.

        Args:
          rows: n rows.

        Returns: The payloads in the order of the rows, and the rows that have none as rejects.

        Raises:
          ConfigError: A column that this kind of payload can't hold.
        """


def no_payloads(schema: pa.Schema) -> Decoded:
    """Returns the outcome of decoding no messages."""
    rows = pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in schema], schema=schema)
    return Decoded(rows, np.zeros(0, np.int64), NO_REJECTS)


def fitted(
    batch: pa.RecordBatch, schema: pa.Schema
) -> tuple[pa.RecordBatch, np.ndarray, list[BadRecords]]:
    """Casts the columns of a batch to a schema, as `conform` does, but makes no rejects.

    Args:
      batch: n rows.
      schema: The columns wanted, of plain types; those that the batch lacks become null.

    Returns: The rows that fit, their numbers, and why the others don't, by their numbers.
    """
    names = batch.schema.names
    casts = {
        field.name: checked_cast(batch.column(field.name), field.type)
        if field.name in names
        else Cast(pa.nulls(batch.num_rows, field.type))
        for field in schema
    }
    faults, good = faults_of(casts, np.arange(batch.num_rows))
    rows = pa.RecordBatch.from_arrays([cast.values for cast in casts.values()], schema=schema)
    return rows.filter(pa.array(good)) if faults else rows, np.flatnonzero(good), faults


def reject_faults(messages: pa.RecordBatch, faults: list[BadRecords], uri: str) -> pa.RecordBatch:
    """Rejects messages for their faults, in the order of the messages.

    Args:
      messages: The messages; the records of the faults are their numbers.
      faults: No message has two.
      uri: Where they were pulled from.
    """
    causes: dict[tuple[Reason, str, str | None], list[np.ndarray]] = {}
    for fault in faults:
        causes.setdefault((fault.reason, fault.message, fault.column), []).append(fault.records)
    if not causes:
        return NO_REJECTS
    numbers = [np.concatenate(found) for found in causes.values()]
    rejects = [
        reject_messages(messages.take(pa.array(at)), *cause, uri=uri)
        for cause, at in zip(causes, numbers, strict=True)
    ]
    return join_rejects(rejects).take(pa.array(np.argsort(np.concatenate(numbers))))


def one_each(payloads: pa.Array, rejects: pa.RecordBatch = NO_REJECTS) -> Encoded:
    """Returns a payload for each row that has one.

    Args:
      payloads: n byte strings, null for the rows that were rejected.
      rejects: These rows.
    """
    starts = np.flatnonzero(payloads.is_valid().to_numpy(zero_copy_only=False))
    return Encoded(payloads.drop_null(), starts, starts + 1, rejects)
