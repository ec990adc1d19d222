"""Messages of plain text, each one value of the column `text`."""

from dataclasses import dataclass

import pyarrow as pa

from transforms.arrow.cast_faults import marked, true_where
from transforms.arrow.casts import checked_cast
from transforms.arrow.types import is_text
from transforms.conform import part
from transforms.errors import ConfigError
from transforms.io.payloads.payload import (
    Decoded,
    Encoded,
    Payload,
    fitted,
    one_each,
    reject_faults,
)
from transforms.reasons import Reason

TEXT = "text"


@dataclass(frozen=True)
class Text(Payload):
    """A text (UTF-8) a message. Where the schema says `text` is binary, bytes of any kind."""

    def read(self, messages: pa.RecordBatch, schema: pa.Schema, uri: str) -> Decoded:
        """Takes the payloads as they are; one that is not UTF-8 is rejected."""
        texts = pa.RecordBatch.from_arrays([messages.column("data")], [TEXT])
        rows, numbers, faults = fitted(texts, schema)
        return Decoded(rows, numbers, reject_faults(messages, faults, uri))

    def encode(self, rows: pa.RecordBatch) -> Encoded:
        """Takes the only column, `text`; null is no payload, and rejected.

        Raises:
          ConfigError: There is no such column, or there are others.
        """
        if rows.schema.names != [TEXT] or not is_text(rows.schema.field(TEXT).type):
            raise ConfigError(
                f"a payload of text is made of one column, {TEXT!r}, of strings, but there are: "
                f"{', '.join(rows.schema.names)}; select it, or write another kind of payload"
            )
        payloads = checked_cast(rows.column(0), pa.binary()).values
        cast = marked(payloads, (Reason.MISSING_VALUE, true_where(payloads.is_null())))
        return one_each(payloads, part(rows, rows, {TEXT: cast})[1])
