"""Writes new texts into a column in the places of old ones, all at once."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.local.texts import Texts
from privacy.spans import Spans, pieces, text_bytes, text_offsets


def splice(texts: Texts, spans: Spans, new: pa.Array) -> pa.Array:
    """Returns a column with new texts in the places of spans.

    Args:
      texts: n texts.
      spans: m stretches, ordered; no two overlap.
      new: m texts without null.

    Returns: n texts; null where the column is.
    """
    column, offsets = texts.column, texts.offsets
    if not len(spans):
        return column
    starts, ends = spans.starts - offsets[0], spans.ends - offsets[0]
    part = texts.data[offsets[0] : offsets[-1]]
    parts = pieces(
        np.append(part, np.uint8(0)), np.append(starts, len(part)), np.append(ends, len(part))
    )
    count = len(spans)
    # Even pieces stay; in the place of each odd one comes a new text.
    order = np.arange(2 * count + 1)
    order[1::2] = len(parts) + np.arange(count)
    made = pa.concat_arrays([parts, new.cast(pa.string())]).take(pa.array(order))
    growth = np.asarray(pc.binary_length(new)).astype(np.int64) - (ends - starts)
    moved = np.concatenate([[0], np.cumsum(growth)])
    rows = offsets - offsets[0] + moved[np.searchsorted(spans.rows, np.arange(len(column) + 1))]
    return pa.Array.from_buffers(
        pa.string(),
        len(column),
        [_validity(column), pa.py_buffer(rows.astype(np.int32)), _bytes(made)],
    )


def _bytes(made: pa.Array) -> pa.Buffer:
    """Returns the bytes of all texts of an array."""
    offsets = text_offsets(made)
    return pa.py_buffer(text_bytes(made)[offsets[0] : offsets[-1]])


def _validity(column: pa.Array) -> pa.Buffer | None:
    if not column.null_count:
        return None
    return pa.array(np.asarray(column.is_valid())).buffers()[1]
