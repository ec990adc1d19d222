"""Stage: batches to files that wait for the commit."""

import contextlib
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.transforms.window import GlobalWindows

from transforms import progress
from transforms.batches import row_origin, row_positions
from transforms.coders import Batches
from transforms.commit.ledger import Entry, Target
from transforms.errors import MillraceError
from transforms.files.filesystem import open_read, open_write
from transforms.files.uris import load_format
from transforms.verb import Verb


def write_file(
    target: Target, path: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> int:
    """Writes batches to one new file in the format of a target.

    Returns: The file's size in bytes.
    """
    output = _Output(target, path, schema)
    for batch in batches:
        output.write(batch)
    return output.close()


def staged_rows(path: str) -> Iterator[pa.RecordBatch]:
    """Yields the batches of a file staged as Arrow."""
    with open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)


class _Output:
    """A file being written."""

    def __init__(self, target: Target, path: str, schema: pa.Schema) -> None:
        self.path, self.schema = path, schema.remove_metadata()
        self.rows = 0
        self._stream: BinaryIO = open_write(path, target.compression)
        format = load_format(target.format, target.settings)
        self._writer = format.writer(self._stream, self.schema)

    def write(self, batch: pa.RecordBatch) -> None:
        if not batch.schema.equals(self.schema):
            raise MillraceError(_differ(batch.schema, self.schema))
        self._writer.write(batch.replace_schema_metadata(None))
        self.rows += batch.num_rows

    @property
    def bytes(self) -> int:
        return self._stream.tell()

    def close(self) -> int:
        self._writer.close()
        size = self.bytes
        self._stream.close()
        return size

    def discard(self) -> None:
        """Lets go of a file that will not be staged; what it holds is deleted with the staging."""
        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            self._writer.close()
        with contextlib.suppress(OSError, ValueError):
            self._stream.close()


def _after(batch: pa.RecordBatch) -> tuple[str, int]:
    """Returns where a batch begins that follows on this one."""
    positions = row_positions(batch)
    return row_origin(batch)[0], 0 if positions is None else int(positions[-1]) + 1


def _differ(schema: pa.Schema, first: pa.Schema) -> str:
    odd = ", ".join(f"{f.name}: {f.type}" for f in schema if f not in list(first))
    return (
        f"Write was given batches of two schemas; against the first, {odd or 'the order'} differs. "
        "One output has one schema: cast the batches before"
    )


class _StageFn(beam.DoFn):
    """Writes the batches of a bundle to files that wait for the commit."""

    def __init__(
        self,
        target: Target,
        step: str,
        count: str | None,
        target_bytes: int,
        in_order: bool,
        folder: str,
    ) -> None:
        self.target, self.step, self.count = target, step, count
        self.target_bytes, self.in_order, self.folder = target_bytes, in_order, folder

    def start_bundle(self) -> None:
        self._next = ("", 0)
        self._output: _Output | None = None
        self._schema: pa.Schema | None = None
        self._reset()

    def _reset(self) -> None:
        self._order: tuple[str, int] | None = None
        self._counts: Counter[str] = Counter()

    def process(self, batch: pa.RecordBatch) -> Iterator[Entry]:
        self._schema = self._schema or batch.schema.remove_metadata()
        if not batch.num_rows:
            return
        if self._output is not None and self.in_order and row_origin(batch) != self._next:
            yield self._staged()
        self._next = _after(batch)
        if self._output is None:
            name = f"{self.step}-{uuid.uuid4().hex}{self.target.suffix}"
            self._output = _Output(self.target, f"{self.target.staging}/{name}", batch.schema)
            self._order = row_origin(batch)
        self._output.write(batch)
        if self.count:
            values = pc.value_counts(batch.column(self.count)).to_pylist()
            self._counts.update({value["values"]: value["counts"] for value in values})
        progress.add("dead" if self.target.dead_letters else "write", rows=batch.num_rows)
        if self._output.bytes >= self.target_bytes:
            yield self._staged()

    def finish_bundle(self) -> Iterator[Any]:
        entry = None
        if self._output is not None:
            entry = self._staged()
        elif self._schema is not None:
            schema = self._schema.serialize().to_pybytes()
            entry = Entry("schema", self.step, self.target.root, schema=schema, folder=self.folder)
        if entry is not None:
            yield GlobalWindows.windowed_value(entry)

    def _staged(self) -> Entry:
        assert self._output is not None
        output, self._output = self._output, None
        entry = Entry(
            "staged",
            self.step,
            self.target.root,
            output.path,
            output.rows,
            output.close(),
            self._order or ("", 0),
            tuple(sorted(self._counts.items())),
            output.schema.serialize().to_pybytes(),
            folder=self.folder,
        )
        self._reset()
        return entry

    def teardown(self) -> None:
        output = getattr(self, "_output", None)
        if output is not None:
            output.discard()


@dataclass
class Stage(Verb):
    """Writes batches to files that wait for the commit; it stays fused to what makes them.

    Args:
      target: Where they go.
      step: The label under which they are counted.
      count: A column whose values are counted, such as a reject's reason.
      target_bytes: A file is ended at about this size.
      in_order: End a file, too, where the next batch does not follow on the last one in the input,
        so that files can be put in its order.
      folder: The folder within the target in which the files will be.

    Returns: One ledger entry a file.
    """

    target: Target
    step: str
    count: str | None = None
    target_bytes: int = 256 << 20
    in_order: bool = False
    folder: str = ""

    def expand(self, batches: Batches) -> "beam.PCollection[Entry]":
        """Returns one ledger entry for each file."""
        stage = _StageFn(
            self.target, self.step, self.count, self.target_bytes, self.in_order, self.folder
        )
        return batches | "Stage" >> beam.ParDo(stage).with_output_types(Entry)
