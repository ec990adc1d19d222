"""Messages of plain text, each one value of the column `text`."""

from dataclasses import dataclass

import pyarrow as pa

from transforms.arrow.cast_faults import marked, true_where
from transforms.arrow.casts import checked_cast
from transforms.arrow.types import is_text
from transforms.conform import described_faults
from transforms.errors import ConfigError
from transforms.faults import Fault
from transforms.io.payloads.payload import (
    Decoded,
    Encoded,
    Payload,
    fitted,
    one_each,
    reject_faults,
)
from transforms.reasons import Reason
from transforms.rejects import split_by_faults

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
        cast = marked(payloads, Fault(true_where(payloads.is_null()), Reason.MISSING_VALUE))
        return one_each(payloads, split_by_faults(rows, described_faults({TEXT: cast}))[1])
