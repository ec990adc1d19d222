"""Erase: the rows of some subjects go, or lose what could lead back to them."""

import functools
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.crypto.hmac import digest
from privacy.erasure.hash_set import hash_set
from privacy.erasure.index import row_hashes
from transforms.batches import select_rows
from transforms.coders import Batches
from transforms.commit.ledger import Entry
from transforms.errors import ConfigError
from transforms.io.inputs import Input
from transforms.io.read import Read
from transforms.merging import MergedFn, MergeFn
from transforms.nearest import nearest_column
from transforms.verb import Verb


@dataclass(frozen=True)
class Erased:
    """What came of an erasure.

    Attributes:
      seen: How many rows were looked at.
      matched: How many of them belong to the subjects.
      rewritten: How many of these stayed, with new tokens; the others are gone.
      rows: The hashes of the matched rows, each once.
    """

    seen: int = 0
    matched: int = 0
    rewritten: int = 0
    rows: frozenset[bytes] = frozenset()

    def merge(self, other: "Erased") -> "Erased":
        """Returns what came of both."""
        return Erased(
            self.seen + other.seen,
            self.matched + other.matched,
            self.rewritten + other.rewritten,
            self.rows | other.rows,
        )


@dataclass(frozen=True)
class Wanted:
    """The rows of the subjects, as the index tells them.

    Attributes:
      entries: How many entries the index has for them.
      subjects: The hashes of the subjects that have any.
      rows: The hashes of their rows.
    """

    entries: int = 0
    subjects: frozenset[bytes] = frozenset()
    rows: frozenset[bytes] = frozenset()

    def merge(self, other: "Wanted") -> "Wanted":
        """Returns the rows of both."""
        return Wanted(
            self.entries + other.entries, self.subjects | other.subjects, self.rows | other.rows
        )


def wanted_of(index: pa.RecordBatch, subjects: Collection[bytes]) -> Wanted:
    """Returns the rows of subjects in a part of an index.

    Args:
      index: Of schema `INDEX`.
      subjects: The hashes of the subjects.
    """
    chosen = hash_set(frozenset(subjects)).holds(index.column("subject"))
    found = index.filter(pa.array(chosen))
    return Wanted(
        found.num_rows,
        frozenset(found.column("subject").to_pylist()),
        frozenset(found.column("row").to_pylist()),
    )


def erase_batch(
    batch: pa.RecordBatch,
    wanted: Wanted,
    row_key: Sequence[str] = (),
    retokenise: Sequence[str] = (),
    key: bytes = b"",
) -> tuple[pa.RecordBatch, Erased]:
    """Takes the rows of subjects out of a batch, or gives them new tokens.

    Args:
      batch: n rows, as they were stored.
      wanted: The rows of the subjects.
      row_key: The columns by which rows are known in the index; all of them, if empty.
      retokenise: Columns whose values become tokens that nobody can take back; the rows stay. If
        empty, the rows go.
      key: Makes the new tokens: of one value one. Nobody keeps it.

    Returns: The rows, in order, and what came of the erasure.

    Raises:
      ConfigError: A column isn't there.
    """
    hashes = row_hashes(batch, row_key)
    mask = hash_set(wanted.rows).holds(hashes)
    matched = int(mask.sum())
    rewritten = matched if retokenise else 0
    told = Erased(
        batch.num_rows, matched, rewritten, frozenset(hashes.filter(pa.array(mask)).to_pylist())
    )
    if not matched:
        return batch, told
    if not retokenise:
        return select_rows(batch, ~mask), told
    return _retokenised(batch, mask, retokenise, key), told


def _retokenised(
    batch: pa.RecordBatch, mask: np.ndarray, columns: Sequence[str], key: bytes
) -> pa.RecordBatch:
    for name in columns:
        place = batch.schema.get_field_index(name)
        column = batch.column(place)
        tokens = digest(column.filter(pa.array(mask)).cast(pa.string()), key).cast(column.type)
        made = pc.replace_with_mask(column, pa.array(mask), tokens)
        batch = batch.set_column(place, batch.schema.field(place), made)
    return batch


def check_retokenised(schema: pa.Schema, columns: Sequence[str]) -> None:
    """Checks that columns can hold new tokens.

    Raises:
      ConfigError: One isn't there, or holds no texts.
    """
    for name in columns:
        if name not in schema.names:
            near = nearest_column(name, schema.names)
            raise ConfigError(f"retokenise: there is no column {name!r}{near}")
        kind = schema.field(name).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise ConfigError(f"retokenise: column {name!r} is {kind}, and tokens are texts")


def new_key() -> bytes:
    """Returns a key that nobody keeps."""
    return secrets.token_bytes(32)


def wanted_rows(
    pipeline: Any, index: Input, subjects: frozenset[bytes]
) -> "beam.PCollection[Wanted]":
    """Returns the rows of subjects, as an index tells them: one element."""
    entries = pipeline | "IndexRead" >> Read(index)
    of_batch = functools.partial(wanted_of, subjects=subjects)
    merged = beam.CombineGlobally(MergeFn(Wanted, of_batch)).without_defaults()
    wanted: beam.PCollection[Wanted] = entries | "Wanted" >> merged
    return wanted


@dataclass
class Erase(Verb):
    """Erases subjects from rows: theirs go, or lose what could lead back to them.

    Args:
      index: The subject index that was written when the rows were de-identified.
      subjects: The hashes of the subjects; see `subject_hashes`.
      row_key: The columns by which rows are known in the index; all of them, if empty.
      retokenise: Columns whose values become tokens of a key that nobody keeps; the rows then
        stay.
      notes: Is given what came of each batch, and of the index; None lets both go.

    Returns: The rows that stay, in order.

    Raises:
      ConfigError: From the workers, if a batch lacks a column.
    """

    index: Input
    subjects: frozenset[bytes]
    row_key: tuple[str, ...] = ()
    retokenise: tuple[str, ...] = ()
    notes: "Callable[[Any, Any], None] | None" = None
    key: bytes = field(default_factory=new_key, repr=False, init=False)

    def expand(self, batches: Batches) -> Batches:
        """Looks up the subjects' rows, and then takes them out of each batch by itself."""
        wanted = wanted_rows(batches.pipeline, self.index, self.subjects)
        erase = beam.ParDo(
            _EraseFn(self.row_key, self.retokenise, self.key), beam.pvalue.AsSingleton(wanted)
        )
        split = batches | "Erase" >> erase.with_outputs("erased", main="rows")
        split.rows.element_type = pa.RecordBatch
        if self.notes is not None:
            self.notes(split.erased, wanted)
        rows: Batches = split.rows
        return rows


class _EraseFn(beam.DoFn):
    """Erases from batches, and tells beside what came of it."""

    def __init__(self, row_key: tuple[str, ...], retokenise: tuple[str, ...], key: bytes) -> None:
        self._row_key, self._retokenise, self._key = row_key, retokenise, key

    def process(self, batch: pa.RecordBatch, wanted: Wanted) -> Iterator[Any]:
        rows, erased = erase_batch(batch, wanted, self._row_key, self._retokenise, self._key)
        yield rows
        yield beam.pvalue.TaggedOutput("erased", erased)


def removed(erased: Erased) -> Entry:
    """Returns the line of a run's ledger about rows that are gone."""
    return Entry("suppressed", "Erase", rows=erased.matched - erased.rewritten)


def all_erased(erased: "beam.PCollection[Erased]") -> "beam.PCollection[Erased]":
    """Returns what came of all batches as one."""
    merged = beam.CombineGlobally(MergedFn(Erased)).without_defaults()
    whole: beam.PCollection[Erased] = erased | "AllErased" >> merged
    return whole
