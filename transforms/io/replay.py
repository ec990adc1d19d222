"""Replay: dead letters become rows again, once what kept them out is mended."""

import functools
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.io.payloads.csv import Csv
from transforms.io.payloads.json import Json
from transforms.io.payloads.messages import MESSAGES
from transforms.io.payloads.payload import Payload
from transforms.rejects import Outcome, join_rejects
from transforms.verb import Verb

_BEFORE_THE_ID = r"^.*#message="
_PLACE, _ID = "replay", "message_id"
_KEPT = pa.schema([MESSAGES.field("publish_time"), MESSAGES.field("ordering_key")])


def messages_of(letters: pa.RecordBatch) -> pa.RecordBatch:
    """Returns dead letters as the messages that they were, or would have been.

    Args:
      letters: n dead letters, of schema `DEAD_LETTERS`; attributes may be lists of pairs, as
        tables have them.

    Returns: n messages, of schema `MESSAGES`: the payload and attributes; where the row came from,
      as its id; the time of its rejection.
    """
    data = pc.coalesce(letters["payloadBytes"], letters["payloadString"].cast(pa.binary()))
    arrays = [
        data,
        letters["attributes"].cast(MESSAGES.field("attributes").type),
        letters["source"],
        letters["timestamp"],
        pa.nulls(letters.num_rows, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=MESSAGES)


def replayed(letters: pa.RecordBatch, payload: Payload, schema: pa.Schema) -> Outcome:
    """Returns the rows of dead letters, and those that still can't be read.

    Lines of CSV are what a reader rejected. The rows that later verbs rejected are JSON even so.
    """
    messages = messages_of(letters)
    if isinstance(payload, Csv):
        objects = pc.fill_null(pc.starts_with(messages["data"], pattern="{"), False)
        parts = [
            _read(messages.filter(objects), Json(attributes=payload.attributes), schema),
            _read(messages.filter(pc.invert(objects)), payload, schema),
        ]
        # Both have the same note of where they are from.
        rows = pa.concat_batches([rows for rows, _ in parts])
        return rows, join_rejects([rejects for _, rejects in parts])
    return _read(messages, payload, schema)


def _read(messages: pa.RecordBatch, payload: Payload, schema: pa.Schema) -> Outcome:
    rows, rejects = payload.decode(_as_published(messages, payload), schema, _PLACE)
    ids = pc.replace_substring_regex(rows[_ID], _BEFORE_THE_ID, "")
    rows = rows.set_column(rows.schema.get_field_index(_ID), rows.schema.field(_ID), ids)
    # A second rejection names the first place, not this one.
    sources = pc.replace_substring_regex(rejects["source"], f"^{_PLACE}#message=", "")
    place = rejects.schema.get_field_index("source")
    return rows, rejects.set_column(place, rejects.schema.field(place), sources)


def _as_published(messages: pa.RecordBatch, payload: Payload) -> pa.RecordBatch:
    """Messages with the time and key of the first one, where a verb rejected its row with them."""
    if not messages.num_rows or not isinstance(payload, Json):
        return messages
    found = payload.read(messages.filter(messages["data"].is_valid()), _KEPT, _PLACE)
    valid = np.flatnonzero(messages["data"].is_valid().to_numpy(zero_copy_only=False))
    for name in _KEPT.names:
        values = pa.nulls(messages.num_rows, _KEPT.field(name).type)
        mask = np.zeros(messages.num_rows, bool)
        mask[valid[found.messages]] = True
        values = pc.replace_with_mask(values, pa.array(mask), found.rows[name])
        at = messages.schema.get_field_index(name)
        known = pc.coalesce(values, messages[name])
        messages = messages.set_column(at, messages.schema.field(at), known)
    return messages


@dataclass
class Replay(Verb):
    """Makes rows from dead letters that hold the rejected row or message.

    Args:
      payload: How payloads are read; JSON for rows that a verb rejected.
      schema: The columns of a payload.
      dead_letters: Takes the letters that still can't be read.

    Returns: Rows of schema `payload.schema(schema)`, one for each letter that has its payload.
    """

    payload: Payload
    schema: pa.Schema
    dead_letters: DeadLetters | None = None

    def expand(self, letters: Batches) -> Batches:
        """Returns the rows that could be read this time."""
        decode = functools.partial(replayed, payload=self.payload, schema=self.schema)
        outcomes = letters | "Decode" >> beam.Map(decode)
        outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        return split_rejects(outcomes, self.dead_letters, "Replay")
