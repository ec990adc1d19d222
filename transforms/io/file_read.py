"""Files to batches, each part of a file on its own."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms import progress
from transforms.arrow.casts import checked_cast
from transforms.batches import (
    MAX_BYTES,
    MAX_ROWS,
    row_origin,
    row_positions,
    slice_rows,
    with_source,
)
from transforms.coders import Batches
from transforms.commit.dead_letters import split_rejects
from transforms.commit.ledger import Entry
from transforms.files.ahead import ahead
from transforms.files.filesystem import change_of, is_local, open_read
from transforms.files.format import BrokenFile, Chunk, File, Split
from transforms.files.formats.image.format import reject_file
from transforms.io.file_source import NULL_PARTITION, Source
from transforms.io.passed import Passed
from transforms.reasons import Reason
from transforms.rebatch import Rebatch
from transforms.rejects import NO_REJECTS, Outcome, join_rejects, reject_payloads, rejected_rows

if TYPE_CHECKING:
    from transforms.io.read import Read

SPLIT_BYTES = 4 << 20, 64 << 20
"""The least and most bytes of a split; between them a source is cut into some 16."""


def read_batches(source: Source, max_rows: int = MAX_ROWS) -> Iterator[Outcome]:
    """Reads a source in this process, file after file.

    Args:
      source: What to read, up to its limit.
      max_rows: Most rows of a batch.

    Yields: Rows with the source's schema, and rejects.
    """
    left = source.limit
    for file in source.files:
        for split in plan_file(source, file):
            outcomes = read_split(source, split, max_rows)
            if left is None:
                yield from outcomes
                continue
            for rows, rejects in first_rows(outcomes, left):
                yield rows, rejects
                left -= rows.num_rows + rejected_rows(rejects)
            if left == 0:
                return


def first_rows(outcomes: Iterable[Outcome], number: int) -> Iterator[Outcome]:
    """Yields the first rows of a split in the order of the file, rejected ones among them.

    Args:
      outcomes: Rows and rejects; a reject may come before rows that stand before it.
      number: How many.
    """
    rows, waiting = None, NO_REJECTS
    for rows, rejects in outcomes:
        waiting = join_rejects([waiting, rejects])
        if not rows.num_rows:
            continue
        places, bad = row_positions(rows), _reject_positions(waiting)
        places = np.zeros(rows.num_rows, np.int64) if places is None else places
        ready = bad <= places[-1]
        last = np.sort(np.concatenate([places, bad[ready]]))[:number][-1]
        kept = slice_rows(rows, 0, min(number, int((places <= last).sum())))
        taken = waiting.filter(pa.array(ready & (bad <= last)))
        yield kept, taken
        number -= kept.num_rows + rejected_rows(taken)
        if number <= 0:
            return
        waiting = waiting.filter(pa.array(~ready))
    if rows is not None:
        order = np.argsort(_reject_positions(waiting), kind="stable")
        yield slice_rows(rows, 0, 0), waiting.take(pa.array(order[:number]))


def _reject_positions(rejects: pa.RecordBatch) -> np.ndarray:
    """Returns where rejected rows stood; 0 for what has no place, such as a whole file."""
    texts = [source or "" for source in rejects["source"].to_pylist()]
    ends = [text.rpartition("=")[2] for text in texts]
    return np.array([int(end) if end.isdecimal() else 0 for end in ends], np.int64)


def plan_file(source: Source, file: File) -> list[Split]:
    """Returns the parts in which a file is read; a file that can't be planned is one part."""
    least, most = SPLIT_BYTES
    target_bytes = max(least, min(most, source.bytes // 16))
    if source.compression or not source.format.splittable:
        return list(source.format.plan(None, file, target_bytes))
    try:
        with open_read(file.uri) as stream:
            return list(source.format.plan(stream, file, target_bytes))
    except (BrokenFile, FileNotFoundError, PermissionError):
        return list(source.format.plan(None, file, target_bytes))


def read_split(
    source: Source, split: Split, max_rows: int = MAX_ROWS, passed: Passed | None = None
) -> Iterator[Outcome]:
    """Reads a part of a file.

    Args:
      source: What the file belongs to.
      split: The part.
      max_rows: Most rows of a batch.
      passed: Is given the progress of the reading.

    Yields: Rows and rejects. A file that breaks off ends in one reject that stands for the file.
    """
    try:
        with open_read(split.file.uri, source.compression) as stream:
            chunks = source.format.read(stream, split, source.file_schema, max_rows, MAX_BYTES)
            for chunk in chunks:
                outcome = _finished(source, split.file, chunk)
                if passed is not None:
                    passed.tell(stream, outcome[0].num_rows)
                yield outcome
        _check_unchanged(split.file)
    except BrokenFile as error:
        yield _empty(source), _broken(split.file, *_cause(split.file, error))
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        why = f"the file can't be opened: {error.strerror}"
        if source.format.unit == "file":
            # It is one row, and all that is lost.
            yield _empty(source), reject_file(split.file.uri, Reason.UNPARSABLE, why)
        else:
            yield _empty(source), _broken(split.file, Reason.UNREADABLE_FILE, why)
    except (LookupError, ValueError, OSError, pa.ArrowException):
        # A reader that meets the parts of two files may fail in any way.
        if not split.file.modified or (change := change_of(split.file)) is None:
            raise
        yield _empty(source), _broken(split.file, Reason.CHANGED_FILE, change)


def _cause(file: File, error: BrokenFile) -> tuple[Reason, str]:
    """Returns why a file can't be read: it may be broken only because it changed."""
    change = change_of(file) if is_local(file.uri) and file.modified else None
    return (error.reason, error.message) if change is None else (Reason.CHANGED_FILE, change)


def _check_unchanged(file: File) -> None:
    """Checks that a file is still what it was at launch; of files elsewhere the commit asks.

    Raises:
      BrokenFile: It was written again, or has another size.
    """
    change = change_of(file) if is_local(file.uri) else None
    if change is not None:
        raise BrokenFile(Reason.CHANGED_FILE, change)


def _finished(source: Source, file: File, chunk: Chunk) -> Outcome:
    """Adds the partition columns, and notes where the rows came from."""
    rows = chunk.rows
    if source.partitions:
        known = {key: None if value == NULL_PARTITION else value for key, value in file.partition}
        columns = dict(zip(rows.schema.names, rows.columns, strict=True))
        for field in source.schema:
            if field.name not in columns:
                value = checked_cast(pa.array([known[field.name]], pa.string()), field.type).values[
                    0
                ]
                columns[field.name] = pa.repeat(value, rows.num_rows)
        arrays = [columns[field.name] for field in source.schema]
        rows = pa.RecordBatch.from_arrays(arrays, schema=source.schema)
    note = chunk.rows.schema.metadata
    if chunk.first is None and note:
        return rows.replace_schema_metadata(note), chunk.rejects
    return with_source(rows, file.uri, chunk.first, source.format.unit), chunk.rejects


def _empty(source: Source) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.nulls(0, f.type) for f in source.schema], source.schema.names
    )


def _broken(file: File, reason: Reason, message: str) -> pa.RecordBatch:
    """Returns the dead letter that stands for a file: which rows it lost is unknown."""
    return reject_payloads(
        pa.nulls(1, pa.string()), reason, message, sources=pa.array([file.uri], pa.string())
    )


def _when_ready(split: Split | None, _: Iterable[Any]) -> Split | None:
    return split


class _PlanFn(beam.DoFn):
    """Files to splits."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def process(self, file: File) -> Iterator[Split]:
        with progress.phase("cutting files into parts"):
            splits = plan_file(self.source, file)
        yield from splits


class _ReadFn(beam.DoFn):
    """Splits to batches, with a tally of the rows at the end of each."""

    def __init__(self, source: Source, max_rows: int) -> None:
        self.source, self.max_rows = source, max_rows
        self.rows = beam.metrics.Metrics.counter("Read", "rows_in")

    def process(self, split: Split | None) -> Iterator[Any]:
        """Reads a split; None stands for the whole source in order, up to its limit."""
        passed = Passed(split) if split is not None else None
        outcomes = (
            read_batches(self.source, self.max_rows)
            if split is None
            else read_split(self.source, split, self.max_rows, passed)
        )
        total, yielded, touched = 0, False, set[str]()
        for rows, rejects in ahead(outcomes):
            found = rows.num_rows + rejected_rows(rejects)
            total += found
            touched.add(row_origin(rows)[0])
            self.rows.inc(found)
            progress.add("read", rows=found, bytes=0 if passed is None else passed.more())
            yield rows, rejects
            yielded = True
        if not yielded:
            yield _empty(self.source), NO_REJECTS
        progress.add("read", bytes=self.source.bytes if passed is None else passed.rest())
        known = self.source.files if split is None else ()
        inputs = (split.file,) if split else tuple(f for f in known if f.uri in touched)
        entry = Entry("read", "Read", rows=total, inputs=inputs)
        yield beam.pvalue.TaggedOutput("tally", entry)


def read_files(root: Any, source: Source, verb: "Read") -> Batches:
    """Reads the files of a source, in parts side by side; in order where it has a limit.

    Args:
      root: The pipeline.
      source: What to read.
      verb: How it is read, and who takes the rejects.
    """
    if source.limit is None:
        progress.expect("read", bytes=source.bytes)
        files = root | "Files" >> beam.Create(source.files, reshuffle=False)
        if len(source.files) > 1:
            files = files | "SpreadFiles" >> beam.Reshuffle()
        splits = files | "Plan" >> beam.ParDo(_PlanFn(source)).with_output_types(Split)
        splits = splits | "Spread" >> beam.Reshuffle()
    else:
        splits = root | "InOrder" >> beam.Create([None], reshuffle=False)
    if verb.after is not None:
        waiting = beam.Map(_when_ready, beam.pvalue.AsIter(verb.after))
        splits = splits | "Wait" >> waiting.with_output_types(Split | None)
    read = splits | "Split" >> beam.ParDo(_ReadFn(source, verb.max_rows)).with_outputs(
        "tally", main="outcomes"
    )
    # A builtin tuple's hint would be taken for Any, and batches pickled.
    read.outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
    if verb.dead_letters is not None:
        verb.dead_letters.tally(read.tally)
    batches = split_rejects(read.outcomes, verb.dead_letters, "Read")
    if source.format.unit == "file":
        return batches | "Join" >> Rebatch(verb.max_rows)
    return batches
