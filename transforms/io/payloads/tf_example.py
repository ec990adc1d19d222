"""Messages that each hold one serialized tf.Example."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.batches import row_positions, with_source
from transforms.conform import described_faults
from transforms.examples.convert import decode_examples, encode_examples
from transforms.files.formats.text.records import BadRecords
from transforms.io.payloads.payload import Decoded, Encoded, Payload, one_each, reject_faults
from transforms.reasons import Reason
from transforms.rejects import split_by_faults


@dataclass(frozen=True)
class TfExample(Payload):
    """One serialized tf.Example a message."""

    def read(self, messages: pa.RecordBatch, schema: pa.Schema, uri: str) -> Decoded:
        """Decodes them with tfx-bsl; a feature that an example lacks is null.

        Raises:
          ConfigError: A column is of a type that no feature can fill.
        """
        examples = pa.RecordBatch.from_arrays([messages.column("data")], ["example"])
        # The note of their positions says which messages the rows and rejects are.
        rows, rejects = decode_examples(with_source(examples, "", 0), schema)
        positions = row_positions(rows)
        numbers = np.zeros(0, np.int64) if positions is None else positions
        faults = list(_faults(rejects))
        return Decoded(rows, numbers, reject_faults(messages, faults, uri))

    def encode(self, rows: pa.RecordBatch) -> Encoded:
        """Serializes rows; one that int64, float32 and bytes can't hold is rejected.

        Raises:
          ConfigError: A column of a type that tf.Example can't hold.
        """
        examples, casts = encode_examples(rows)
        return one_each(examples, split_by_faults(rows, described_faults(casts))[1])


def _faults(rejects: pa.RecordBatch) -> Iterator[BadRecords]:
    """Returns the faults of rejects, each with the number in its source: "#row=7" has 7."""
    columns = ("reason", "errorMessage", "column", "source")
    values = [rejects.column(name).to_pylist() for name in columns]
    for reason, message, column, source in zip(*values, strict=True):
        yield BadRecords(
            Reason(reason), message, column, np.array([int(source.rpartition("=")[2])])
        )
