"""Parquet of very many columns: decoded some columns at a time, and put together again by rows."""

import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pyarrow as pa

from transforms.errors import MillraceError

BLOCK_BYTES = 128 << 20
"""About so much of pages is held for the columns that are decoded together."""
_PAGE_BYTES = 1 << 20
"""A page is about as large at most."""


def column_blocks(meta: Any, groups: list[int], names: list[str]) -> list[list[str]]:
    """Cuts columns into blocks that can be decoded together: Arrow holds a page of each.

    Args:
      meta: Of the file.
      groups: The row groups that will be read.
      names: The columns wanted.

    Returns: The columns by block, in their order; one block where they are not very many.
    """
    pages = _page_bytes(meta, groups, set(names))
    blocks: list[list[str]] = [[]]
    size = 0
    for name in names:
        if blocks[-1] and size + pages[name] > BLOCK_BYTES:
            blocks.append([])
            size = 0
        blocks[-1].append(name)
        size += pages[name]
    return blocks


def _page_bytes(meta: Any, groups: list[int], names: set[str]) -> Counter[str]:
    """What the largest pages of columns take, about; those of a struct's fields together."""
    largest: dict[str, int] = {}
    for group in groups:
        columns = meta.row_group(group)
        for column in map(columns.column, range(columns.num_columns)):
            path = column.path_in_schema
            size = min(_PAGE_BYTES, column.total_uncompressed_size)
            largest[path] = max(size, largest.get(path, 0))
    pages: Counter[str] = Counter()
    for path, size in largest.items():
        pages[path if path in names else path.partition(".")[0]] += size
    return pages


def read_blocks(
    source: Any, groups: list[int], blocks: list[list[str]], at_once: int
) -> Iterator[pa.RecordBatch]:
    """Reads row groups block by block; the blocks wait in temporary files for their last column.

    Args:
      source: The open file.
      groups: The row groups.
      blocks: The columns, from `column_blocks`.
      at_once: Most rows of a batch.

    Yields: Rows of all columns. Of a row group that is broken somewhere there are none.

    Raises:
      MillraceError: There is no room for temporary files.
    """
    there = (group for group in groups if source.metadata.row_group(group).num_rows)
    for group in there:
        with ExitStack() as held:
            parts = []
            for names in blocks:
                # As many values at once as of all columns: each column of a batch has its cost.
                more = at_once * len(blocks)
                batches = source.iter_batches(more, row_groups=[group], columns=names)
                # A name with a dot may bring other columns with it.
                kept = (
                    batch.select(names).slice(start, at_once)
                    for batch in batches
                    for start in range(0, batch.num_rows, at_once)
                )
                parts.append(pa.ipc.open_stream(held.enter_context(_spilled(kept))))
            yield from _side_by_side(parts)


def _spilled(batches: Iterator[pa.RecordBatch]) -> pa.NativeFile:
    """Batches, at least one, in a file that goes when it is closed or the process is killed."""
    first = next(batches)
    with _room():
        sink, back = _nameless_file()
        writer = pa.ipc.new_stream(sink, first.schema)
    for batch in itertools.chain([first], batches):
        with _room():
            writer.write_batch(batch)
    with _room():
        writer.close()
        sink.close()
    return back


def _nameless_file() -> tuple[pa.NativeFile, pa.NativeFile]:
    """A temporary file, to be written and to be read."""
    descriptor, path = tempfile.mkstemp(prefix="millrace-")
    os.close(descriptor)
    try:
        return pa.OSFile(path, "wb"), pa.OSFile(path)
    finally:
        os.unlink(path)


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
    """The columns of parts that have the same rows, however these are cut into batches."""
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
