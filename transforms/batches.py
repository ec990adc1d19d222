"""What flows: `pyarrow.RecordBatch`, its size, and where its rows came from."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.views import has_view, without_views

MAX_ROWS = 8192
MAX_BYTES = 32 << 20

MESSAGE = "message"
"""The unit of rows that came as messages; the column `message_id` names each."""

_SOURCE, _UNIT = b"millrace:source", b"millrace:unit"
_FIRST, _GAPS = b"millrace:first", b"millrace:gaps"


def with_source(
    batch: pa.RecordBatch, source: str, first: int | np.ndarray | None, unit: str = "row"
) -> pa.RecordBatch:
    """Notes in a batch's schema metadata where its rows came from.

    The note costs no column. It follows the rows through `slice_rows` and `select_rows`.

    Args:
      batch: n rows of a file.
      source: The file's URI.
      first: Position of the first row, where the rows are consecutive; else the positions of all
        n rows, ascending. None where they are unknown.
      unit: What a position counts: "line", "row" or "record"; or `MESSAGE`.

    Returns: The same rows; no buffer is copied.
    """
    note = {_SOURCE: source.encode(), _UNIT: unit.encode()}
    if isinstance(first, np.ndarray):
        note |= _runs(first)
    elif first is not None:
        note[_FIRST] = str(first).encode()
    return batch.replace_schema_metadata(note)


def _runs(positions: np.ndarray) -> dict[bytes, bytes]:
    """Returns the note of ascending positions: the first, and the rows before each gap."""
    if not len(positions):
        return {}
    note = {_FIRST: str(positions[0]).encode()}
    starts = np.flatnonzero(np.diff(positions) != 1) + 1
    if len(starts):
        note[_GAPS] = np.stack([starts, positions[starts]]).astype(np.int64).tobytes()
    return note


def row_positions(batch: pa.RecordBatch) -> np.ndarray | None:
    """Returns the positions of a batch's n rows in their file, or None where they are unknown."""
    note = batch.schema.metadata or {}
    if _FIRST not in note:
        return None
    positions = np.arange(batch.num_rows) + int(note[_FIRST])
    if _GAPS in note:
        starts, firsts = np.frombuffer(note[_GAPS], np.int64).reshape(2, -1)
        ends = np.append(starts[1:], batch.num_rows)
        shift = firsts - starts - int(note[_FIRST])
        positions[starts[0] :] += np.repeat(shift, ends - starts)
    return positions


def row_sources(batch: pa.RecordBatch, indices: np.ndarray) -> pa.Array:
    """Returns the origin of some rows of a batch, as `file#row=12`.

    Args:
      batch: n rows, perhaps with a note by `with_source`.
      indices: Row numbers within the batch.

    Returns: Strings as many as indices, of messages `subscription#message=ID`: the source alone
      where the position is unknown, and null where the source is.
    """
    note = batch.schema.metadata or {}
    if _SOURCE not in note:
        return pa.nulls(len(indices), pa.string())
    source, positions = note[_SOURCE].decode(), row_positions(batch)
    if positions is None and note[_UNIT].decode() == MESSAGE and "message_id" in batch.schema.names:
        ids = batch.column("message_id").take(pa.array(indices, pa.int64()))
        return pc.binary_join_element_wise(f"{source}#{MESSAGE}=", ids, "").fill_null(source)
    if positions is None:
        return pa.repeat(source, len(indices))
    prefix = f"{source}#{note[_UNIT].decode()}="
    return pa.array([f"{prefix}{position}" for position in positions[indices]], pa.string())


def row_origin(batch: pa.RecordBatch) -> tuple[str, int]:
    """Returns the origin of a batch's first row, to sort by; ("", 0) if it is unknown."""
    note = batch.schema.metadata or {}
    return note.get(_SOURCE, b"").decode(), int(note.get(_FIRST, 0))


def _moved(part: pa.RecordBatch, batch: pa.RecordBatch, rows: slice | np.ndarray) -> pa.RecordBatch:
    """Returns some rows of a batch, with its note made to fit them."""
    positions = row_positions(batch)
    if positions is None:
        return part
    note = {k: v for k, v in batch.schema.metadata.items() if k not in (_FIRST, _GAPS)}
    return part.replace_schema_metadata({**note, **_runs(positions[rows])})


def select_rows(batch: pa.RecordBatch, mask: np.ndarray) -> pa.RecordBatch:
    """Keeps the rows where the mask is true, and the note of where they came from.

    Args:
      batch: n rows.
      mask: n booleans.
    """
    if mask.all():
        return batch
    part = _sound(batch).filter(pa.array(mask))
    return _moved(_as_before(part, batch.schema), batch, mask)


def take_rows(batch: pa.RecordBatch, indices: np.ndarray) -> pa.RecordBatch:
    """Returns rows of a batch by their ascending numbers, and the note of their origin."""
    part = _sound(batch).take(pa.array(indices))
    return _moved(_as_before(part, batch.schema), batch, indices)


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Returns the rows in a form from which Arrow takes the right ones.

    Of a slice of lists of fixed size in lists of fixed size Arrow 25.0 gives other values, also
    such as were never there: these columns are copied. Of views it takes none: they are made plain.
    """
    if not any(_is_grid(type) or has_view(type) for type in batch.schema.types):
        return batch
    columns = [
        pa.concat_arrays([each]) if _is_grid(each.type) else without_views(each)
        for each in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _as_before(part: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Returns rows that were made plain in their former types."""
    if part.schema.equals(schema, check_metadata=True):
        return part
    columns = [
        each if each.type.equals(field.type) else pa.array(each.to_pylist(), field.type)
        for each, field in zip(part.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _is_grid(type: pa.DataType) -> bool:
    if not pa.types.is_nested(type):
        return False
    fixed = pa.types.is_fixed_size_list
    inner = [type.field(place).type for place in range(type.num_fields)]
    return (fixed(type) and fixed(type.value_type)) or any(map(_is_grid, inner))


def slice_rows(batch: pa.RecordBatch, start: int, length: int) -> pa.RecordBatch:
    """Returns consecutive rows of a batch, and the note of their origin. Copies nothing."""
    if start == 0 and length >= batch.num_rows:
        return batch
    return _moved(batch.slice(start, length), batch, slice(start, start + length))


def cut(batch: pa.RecordBatch, max_rows: int, max_bytes: int) -> Iterator[pa.RecordBatch]:
    """Cuts a batch into slices of at most `max_rows` rows and about `max_bytes` bytes each."""
    rows = batch.num_rows
    if batch.get_total_buffer_size() <= max_bytes:
        step = max_rows
    else:
        size = batch.nbytes
        step = max(1, min(max_rows, rows if size <= max_bytes else rows * max_bytes // size))
    if rows <= step:
        yield batch
        return
    for start in range(0, rows, step):
        yield slice_rows(batch, start, step)


def rebatch(
    batches: Iterable[pa.RecordBatch], max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES
) -> Iterator[pa.RecordBatch]:
    """Cuts large batches and joins small ones, in order.

    Only neighbours of the same schema are joined; what is joined from several sources loses the
    note of where it came from. Empty batches are dropped unless all are.

    Args:
      batches: Any batches.
      max_rows: Most rows of a batch.
      max_bytes: About the most bytes of a batch.
    """
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    empty = None
    emitted = False
    for batch in batches:
        if batch.num_rows == 0:
            empty = batch
            continue
        for piece in cut(batch, max_rows, max_bytes):
            bytes = _size(piece, max_bytes * piece.num_rows // max_rows)
            full = rows + piece.num_rows > max_rows or size + bytes > max_bytes
            if waiting and (full or not piece.schema.equals(waiting[0].schema)):
                yield _joined(waiting)
                emitted, waiting, rows, size = True, [], 0, 0
            waiting.append(piece)
            rows, size = rows + piece.num_rows, size + bytes
    if waiting:
        yield _joined(waiting)
    elif empty is not None and not emitted:
        yield empty


def rough_size(batch: pa.RecordBatch) -> int:
    """Returns about the bytes of a batch, or of its part of larger buffers if it is a slice.

    `nbytes` is exact, and takes 90 us for ten columns; this takes three.
    """
    whole: int = batch.get_total_buffer_size()
    held = next(filter(None, map(_rows_in_buffers, batch.columns)), 0)
    return whole * batch.num_rows // max(held, batch.num_rows) if held else int(batch.nbytes)


def _rows_in_buffers(column: pa.Array) -> int:
    """Returns how many rows the buffers of a column have room for; 0 where that isn't plain."""
    buffers = column.buffers()
    if len(buffers) < 2 or buffers[1] is None:
        return 0
    width = 32 if pa.types.is_string(column.type) or pa.types.is_binary(column.type) else 0
    if pa.types.is_primitive(column.type):
        width = column.type.bit_width
    return int(buffers[1].size) * 8 // width if width else 0


def _size(batch: pa.RecordBatch, share: int) -> int:
    """Returns the size of a batch, or where even its whole buffers are small, the buffers' size.

    The size of a slice takes Arrow about 90 us, its buffers' size less than one.

    Args:
      batch: Perhaps a slice.
      share: So many bytes of a joined batch fall to as many rows.
    """
    whole: int = batch.get_total_buffer_size()
    return whole if whole <= share else batch.nbytes


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    rows = pa.concat_batches([batch.replace_schema_metadata(None) for batch in batches])
    return rows.replace_schema_metadata(_shared_note(batches))


def _shared_note(batches: list[pa.RecordBatch]) -> dict[bytes, bytes] | None:
    """Returns the note of joined batches: of one source, or none; positions if they ascend."""
    notes = [batch.schema.metadata or {} for batch in batches]
    source, unit = notes[0].get(_SOURCE), notes[0].get(_UNIT)
    if source is None or any((n.get(_SOURCE), n.get(_UNIT)) != (source, unit) for n in notes):
        return None
    note = {_SOURCE: source, _UNIT: unit}
    known = [positions for batch in batches if (positions := row_positions(batch)) is not None]
    if len(known) < len(batches):
        return note
    positions = np.concatenate(known)
    return note | _runs(positions) if (np.diff(positions) > 0).all() else note
