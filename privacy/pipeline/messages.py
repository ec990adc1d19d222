"""Findings in messages: each knows its message, so that one delivered twice counts once."""

import pyarrow as pa
import pyarrow.compute as pc

from transforms import progress
from transforms.batches import MESSAGE

MESSAGE_ID = "message_id"
_OF_SOURCE = f"#{MESSAGE}=(?P<{MESSAGE_ID}>.*)$"


def of_messages(findings: pa.RecordBatch) -> pa.RecordBatch:
    """Returns findings with the ids of their messages in a column more; and counts them.

    Args:
      findings: n rows, of schema `FINDINGS`, in rows of messages.

    Returns: n rows; an id is null where the message is not known.
    """
    for kind in findings.column("info_type").value_counts().to_pylist():
        progress.add(f"{progress.FOUND}{kind['values']}", rows=kind["counts"])
    found = pc.extract_regex(findings.column("source"), _OF_SOURCE)
    return findings.append_column(MESSAGE_ID, pc.struct_field(found, MESSAGE_ID))
