"""Replay: dead letters become rows again, once what kept them out is mended."""

import functools
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import Batches
from transforms.dead_letters import DeadLetters, Outcome, through_door
from transforms.io.messages import MESSAGES
from transforms.io.payloads.payload import Payload

_BEFORE_THE_ID = r"^.*#message="


def messages_of(letters: pa.RecordBatch) -> pa.RecordBatch:
    """Dead letters as the messages that they were, or would have been.

    Args:
      letters: n dead letters, of schema `DEAD_LETTERS`.

    Returns: n messages, of schema `MESSAGES`: the payload and attributes; the message's id, else
      where the row came from; the time of its rejection.
    """
    data = pc.coalesce(letters["payloadBytes"], letters["payloadString"].cast(pa.binary()))
    names = pc.replace_substring_regex(letters["source"], _BEFORE_THE_ID, "")
    arrays = [
        data,
        letters["attributes"],
        names,
        letters["timestamp"],
        pa.nulls(letters.num_rows, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=MESSAGES)


def replayed(letters: pa.RecordBatch, payload: Payload, schema: pa.Schema) -> Outcome:
    """The rows of dead letters, and those that still can't be read."""
    return payload.decode(messages_of(letters), schema, "replay")


@dataclass
class Replay(beam.PTransform):
    """Makes rows of dead letters that hold the row, or the message, that was rejected.

    Args:
      payload: How payloads are read; JSON for rows that a verb rejected.
      schema: The columns of a payload.
      dead_letters: Takes what still can't be read.

    Returns: Rows of schema `payload.schema(schema)`, one for each letter that has its payload.
    """

    payload: Payload
    schema: pa.Schema
    dead_letters: DeadLetters | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, letters: Batches) -> Batches:
        """Applies it."""
        decode = functools.partial(replayed, payload=self.payload, schema=self.schema)
        outcomes = letters | "Decode" >> beam.Map(decode)
        outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        return through_door(outcomes, self.dead_letters, "Replay")
