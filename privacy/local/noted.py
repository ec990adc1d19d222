"""Redacts a batch, and tells what was found in it."""

import pyarrow as pa

from privacy.local.notes import NoteBook, Notes, noting
from privacy.local.plan import compile_plan
from privacy.local.redact import redact_batch
from privacy.policy.policy import Policy
from transforms.rejects import Outcome


def redact_noted(batch: pa.RecordBatch, policy: Policy) -> tuple[Outcome, Notes]:
    """Returns what `redact_batch` returns, and notes of what was found."""
    with noting() as book:
        rows, rejects = redact_batch(batch, policy)
    whole = [name for name in compile_plan(policy).fields if name in batch.schema.names]
    note_cells(book, batch, whole)
    gone = batch.num_rows - rows.num_rows - rejects.num_rows
    return (rows, rejects), book.notes(batch.num_rows, rejects.num_rows, gone)


def note_cells(book: NoteBook, batch: pa.RecordBatch, columns: list[str]) -> None:
    """Notes how many cells of columns have a value, where each is transformed whole."""
    for name in columns:
        book.cells(name, batch.num_rows - batch.column(name).null_count)
