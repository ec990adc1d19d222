"""Messages as they are pulled, one row each: their schema, their attributes, their rejects."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, REJECTS, reject_payloads

MESSAGES = pa.schema(
    [
        ("data", pa.binary()),
        ("attributes", REJECTS.field("attributes").type),
        ("message_id", pa.string()),
        ("publish_time", pa.timestamp("us", "UTC")),
        ("ordering_key", pa.string()),
    ]
)
"""A raw message: names as in Pub/Sub, and attributes of the type that dead letters have."""


def attribute(messages: pa.RecordBatch, name: str) -> pa.Array:
    """Returns the values of one attribute.

    Args:
      messages: n messages, of schema `MESSAGES`.
      name: The attribute's key.

    Returns: n strings, null where a message lacks it; of a key that occurs twice, the last.
    """
    pairs = messages.column("attributes")
    entries = pc.list_flatten(pairs)
    named = pc.fill_null(pc.equal(pc.struct_field(entries, "key"), name), False)
    found = np.flatnonzero(named.to_numpy(zero_copy_only=False))
    places = np.full(len(pairs), -1)
    places[pc.list_parent_indices(pairs).to_numpy()[found]] = found
    return pc.struct_field(entries, "value").take(pa.array(places, mask=places < 0))


def reject_messages(
    messages: pa.RecordBatch,
    reason: Reason,
    message: str,
    column: str | None = None,
    *,
    uri: str,
) -> pa.RecordBatch:
    """Rejects messages as they came: their bytes and attributes are kept.

    Args:
      messages: The n rejected messages, of schema `MESSAGES`.
      reason: Why.
      message: Why, for a person. It must not hold a value of a message.
      column: The column at fault.
      uri: Where they were pulled from; each reject names it and the message's id.

    Returns: n rejects, of schema `REJECTS`.
    """
    if not messages.num_rows:
        return NO_REJECTS
    sources = pc.binary_join_element_wise(f"{uri}#message=", messages.column("message_id"), "")
    rejects = reject_payloads(
        messages.column("data"), reason, message, column=column, sources=sources.fill_null(uri)
    )
    place = REJECTS.get_field_index("attributes")
    return rejects.set_column(place, REJECTS.field(place), messages.column("attributes"))
