"""FromRows and ToRows: the bridge between batches and pipelines of rows.

For example, to score the dicts of a pipeline of one's own:

    scored = rows | FromRows() | Score(model) | ToRows()
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.utils.windowed_value import WindowedValue

from transforms.arrow.types import plain_schema
from transforms.batches import MAX_ROWS, cut
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.errors import ConfigError
from transforms.rejects import NO_REJECTS, Outcome
from transforms.rows.batches import FRAME, batch_of, infer_schema, record_of
from transforms.rows.types import hinted_schema, row_hint
from transforms.verb import Verb


class _FromRowsFn(beam.DoFn):
    """Buffers the rows of a bundle, apart by window and kind, and makes batches of them."""

    def __init__(self, schema: pa.Schema | None, max_rows: int) -> None:
        self.schema, self.max_rows = schema, max_rows

    def start_bundle(self) -> None:
        self._known = self.schema
        self._held: dict[tuple[Any, str], tuple[Any, list[Any]]] = {}

    def process(
        self,
        row: Any,
        window: Any = beam.DoFn.WindowParam,
        timestamp: Any = beam.DoFn.TimestampParam,
    ) -> Iterator[WindowedValue]:
        kind, record = record_of(row)
        latest, records = self._held.get((window, kind), (timestamp, []))
        records.append(record)
        self._held[window, kind] = max(latest, timestamp), records
        if kind == FRAME or len(records) >= self.max_rows:
            yield from self._flush(window, kind)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for window, kind in list(self._held):
            yield from self._flush(window, kind)

    def _flush(self, window: Any, kind: str) -> Iterator[WindowedValue]:
        timestamp, records = self._held.pop((window, kind))
        if self._known is None:
            self._known = infer_schema(kind, records)
        rows, rejects = batch_of(kind, records, self._known)
        for piece in cut(rows, self.max_rows, rows.nbytes + 1):
            yield WindowedValue((piece, rejects), timestamp, (window,))
            rejects = NO_REJECTS


@dataclass
class FromRows(Verb):
    """Gathers rows into batches: dicts, Beam Rows, NamedTuples, tf.Examples, DataFrames.

    The rows of a batch are of one bundle and one window; its timestamp is the latest of theirs.
    Without state a batch is at most what a bundle brings: in streaming, often a few rows.

    Args:
      schema: The columns. Without it they are those of the rows' type hint, where that is a Beam
        schema; else they are inferred from the first rows of each bundle, so that bundles may
        differ, and a column that begins with nulls is text: pass a schema in production.
      max_rows: Most rows of a batch.
      dead_letters: Takes the rows that don't fit the schema; without it they are errors.

    Returns: Batches. Keys that the schema lacks are left out, and keys that a row lacks are null.
    """

    schema: pa.Schema | None = None
    max_rows: int = MAX_ROWS
    dead_letters: DeadLetters | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_rows < 1:
            raise ConfigError("FromRows: max_rows is at least 1")
        if self.schema is not None:
            self.schema = plain_schema(self.schema)

    def expand(self, rows: beam.PCollection[Any]) -> Batches:
        """Returns the rows as batches."""
        schema = self.schema if self.schema is not None else hinted_schema(rows.element_type)
        step = beam.ParDo(_FromRowsFn(schema, self.max_rows)).with_output_types(Outcome)
        return split_rejects(rows | "Gather" >> step, self.dead_letters, "FromRows")


def to_dicts(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Returns the rows of a batch as dicts of Python values, made one by one."""
    return list(batch.to_pylist())


def to_beam_rows(batch: pa.RecordBatch) -> list[beam.Row]:
    """Returns the rows of a batch as Beam Rows, made one by one."""
    return [beam.Row(**row) for row in batch.to_pylist()]


def to_frame(batch: pa.RecordBatch) -> Any:
    """Returns a batch as a pandas DataFrame."""
    return batch.to_pandas()


def to_examples(batch: pa.RecordBatch) -> Outcome:
    """Returns a batch's rows as a column of serialized tf.Examples, and rows that can't be."""
    from transforms.conform import described_faults
    from transforms.examples.convert import encode_examples
    from transforms.rejects import split_by_faults

    examples, casts = encode_examples(batch)
    note = batch.schema.metadata
    fitted = pa.RecordBatch.from_arrays([examples], ["example"]).replace_schema_metadata(note)
    return split_by_faults(batch, described_faults(casts), good=fitted)


def first_column(batch: pa.RecordBatch) -> list[Any]:
    """Returns the values of a batch's first column."""
    return list(batch.column(0).to_pylist())


@dataclass
class ToRows(Verb):
    """Parts batches into rows.

    Args:
      kind: "dict", "row" (Beam Rows), "example" (serialized tf.Examples, as bytes) or "pandas"
        (a DataFrame for each batch).
      schema: The columns, if known: Beam Rows then have a type that SQL and other languages read.
      dead_letters: Takes the rows that a tf.Example can't hold; without it they are errors.

    Returns: The rows, in the order of each batch, with its timestamp and window.
    """

    kind: str = "dict"
    schema: pa.Schema | None = None
    dead_letters: DeadLetters | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in ("dict", "row", "example", "pandas"):
            raise ConfigError(f"ToRows: kind is dict, row, example or pandas, not {self.kind!r}")

    def expand(self, batches: Batches) -> beam.PCollection[Any]:
        """Returns the rows one by one."""
        if self.kind == "example":
            encoded = batches | "Encode" >> beam.Map(to_examples).with_output_types(Outcome)
            examples = split_rejects(encoded, self.dead_letters, "ToRows")
            return examples | "Rows" >> beam.FlatMap(first_column).with_output_types(bytes)
        if self.kind == "pandas":
            return batches | "Frames" >> beam.Map(to_frame)
        if self.kind == "row":
            rows = beam.FlatMap(to_beam_rows).with_output_types(row_hint(self.schema))
            return batches | "Rows" >> rows
        return batches | "Rows" >> beam.FlatMap(to_dicts).with_output_types(dict[str, Any])
