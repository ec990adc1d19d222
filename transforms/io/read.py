"""Read: any input as batches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.batches import MAX_ROWS
from transforms.coders import Batches, with_columns
from transforms.commit.dead_letters import DeadLetters
from transforms.errors import ConfigError
from transforms.io.inputs import Input, resolve_input
from transforms.verb import Verb


@dataclass
class Read(Verb):
    """Reads files, messages or a table as batches, all with one schema.

    Args:
      source: A resolved input, or the URI of a file, folder or glob.
      max_rows: Most rows of a batch.
      dead_letters: Takes the rows and files that can't be read; without it they are errors.
      schema: The columns, or the URI of a schema file; by default the files' own.
      types: The types of some columns where files of text have none: the types that the next
        verb needs, `model.input_types()` say. A cell that is not of its type is a rejected row.
      native: Messages are read by the runner's own source: for Dataflow; see `ReadNative`.
      after: A collection that must be complete before the first row is read: what the rows will
        need by then. Only the list of files waits for it, no row does.

    Returns: Batches of at most `max_rows` rows and about 32 MiB, each from one file; images of many
      files come in one.

    Raises:
      ConfigError: When constructed with a URI that can't be resolved.
    """

    source: Input | str
    max_rows: int = MAX_ROWS
    dead_letters: DeadLetters | None = None
    native: bool = False
    schema: pa.Schema | str | None = None
    types: Mapping[str, pa.DataType] | None = None
    after: "beam.PCollection[Any] | None" = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_rows < 1:
            raise ValueError("Read: max_rows is at least 1")

    def expand(self, root: Any) -> Batches:
        """Reads the source as its family does."""
        source = self.source
        if isinstance(source, str):
            source = resolve_input(source, self.schema, self.types)
        elif self.schema is not None or self.types is not None:
            raise ConfigError("Read: schema and types belong to a URI, not to a resolved source")
        batches: Batches = source.family.load("read", source.uri)(root, source, self)
        return with_columns(batches, source.schema)
