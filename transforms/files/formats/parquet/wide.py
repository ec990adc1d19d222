"""Parquet of very many columns: decoded some columns at a time, and put together again by rows."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from transforms.arrow.types import is_list
from transforms.errors import MillraceError

HELD_BYTES = 128 << 20
"""About so much of pages may be held; where it were more, a quarter of it for each block."""
_PAGE_BYTES = 1 << 20
"""A page is about as large at most."""
_MORE_ROWS = 4
"""So many batches' rows of a block are decoded at once: each column of a batch has its cost."""


def column_blocks(
    meta: Any, schema: pa.Schema, groups: list[int], names: list[str]
) -> list[list[str]]:
    """Cuts columns into blocks that can be decoded together: Arrow holds a page of each.

    Args:
      meta: Of the file.
      schema: The file's own.
      groups: The row groups that will be read.
      names: The columns wanted, each of another name.

    Returns: The columns by block, in their order; one block where they are not very many.
    """
    # Of single columns it is not asked: Arrow ends the process where one is encrypted.
    described = [meta.row_group(group) for group in groups]
    page = max((_page_bytes(group) for group in described), default=1)
    numbers = {field.name: leaves(field.type) for field in schema}
    sizes = {name: numbers[name] * page for name in names}
    if sum(sizes.values()) <= HELD_BYTES:
        return [names]
    blocks: list[list[str]] = [[]]
    held = 0
    for name, size in sizes.items():
        if blocks[-1] and held + size > HELD_BYTES // 4:
            blocks.append([])
            held = 0
        blocks[-1].append(name)
        held += size
    return blocks


def _page_bytes(group: Any) -> int:
    """Returns the average size of pages of columns, or more."""
    mean = group.total_byte_size // max(1, group.num_columns)
    return max(1, min(_PAGE_BYTES, int(mean)))


def leaves(type: pa.DataType) -> int:
    """Returns how many columns of Parquet a column is."""
    if isinstance(type, pa.BaseExtensionType):
        return leaves(type.storage_type)
    if pa.types.is_struct(type):
        return sum(leaves(field.type) for field in type)
    if pa.types.is_map(type):
        return leaves(type.key_type) + leaves(type.item_type)
    return leaves(type.value_type) if is_list(type) else 1


def read_blocks(
    source: Any, groups: list[int], blocks: list[list[str]], at_once: int
) -> Iterator[pa.RecordBatch]:
    """Reads row groups block by block; blocks wait in a temporary file for the last one.

    Args:
      source: The open file.
      groups: The row groups.
      blocks: The columns, from `column_blocks`.
      at_once: Most rows of a batch.

    Yields: Rows of all columns. Of a row group that is broken somewhere there are none.

    Raises:
      ArrowInvalid: A block has not as many rows as its row group.
      MillraceError: There is no room for temporary files.
    """
    for group in groups:
        expected = source.metadata.row_group(group).num_rows
        with _nameless_file() as (sink, back):
            parts = []
            for names in blocks:
                more = at_once * _MORE_ROWS
                batches = source.iter_batches(more, row_groups=[group], columns=names)
                # A name with a dot may bring other columns with it.
                kept = (
                    batch.select(names).slice(start, at_once)
                    for batch in batches
                    for start in range(0, batch.num_rows, at_once)
                )
                start = sink.tell()
                if _spill(kept, sink) != expected:
                    raise pa.ArrowInvalid("some columns have not as many rows as others")
                parts.append((start, sink.tell() - start))
            if expected:
                yield from _side_by_side([pa.ipc.open_stream(back.get_stream(*p)) for p in parts])


def _spill(batches: Iterable[pa.RecordBatch], sink: pa.NativeFile) -> int:
    """Writes batches to a file; returns how many rows there were."""
    writer, rows = None, 0
    for batch in batches:
        with _room():
            writer = writer or pa.ipc.new_stream(sink, batch.schema)
            writer.write_batch(batch)
        rows += batch.num_rows
    if writer is not None:
        with _room():
            writer.close()
    return rows


@contextmanager
def _nameless_file() -> Iterator[tuple[pa.NativeFile, pa.NativeFile]]:
    """Opens a file to write and read that vanishes when it is closed or the process is killed."""
    with _room():
        descriptor, path = tempfile.mkstemp(prefix="millrace-")
        os.close(descriptor)
        try:
            sink, back = pa.OSFile(path, "wb"), pa.OSFile(path)
        finally:
            os.unlink(path)
    with sink, back:
        yield sink, back


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MillraceError(
            f"a Parquet file of many columns is put together in {tempfile.gettempdir()}, which "
            f"can't be ({error}): name a folder with room by TMPDIR"
        ) from None


def _side_by_side(parts: Sequence[Iterable[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
    """Yields the columns of parts with the same rows, however these are cut into batches."""
    rests = [iter(part) for part in parts]
    heads = [next(rest) for rest in rests]
    schema = pa.schema([field for head in heads for field in head.schema])
    while all(heads):
        rows = min(head.num_rows for head in heads)
        arrays = [column for head in heads for column in head.slice(0, rows).columns]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        heads = [
            head.slice(rows) if head.num_rows > rows else next(rest, None)
            for head, rest in zip(heads, rests, strict=True)
        ]
