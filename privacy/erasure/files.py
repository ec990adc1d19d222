"""Erasure file by file: each keeps its folder and name, and is counted apart."""

import functools
import os.path
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import apache_beam as beam
import pyarrow as pa

from privacy.erasure.erase import Erased, Wanted, erase_batch, new_key, wanted_rows
from transforms import progress
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.commit.ledger import Entry, Target
from transforms.commit.stage import write_file
from transforms.errors import ConfigError
from transforms.files.compression import ENDINGS, SUFFIXES, compression_of
from transforms.files.filesystem import fixed_part, list_files
from transforms.files.format import File
from transforms.files.uris import READ_ONLY, Location, parse, suffix_format
from transforms.io.file_read import plan_file, read_split
from transforms.io.file_source import CELLS, Source
from transforms.io.inputs import Input
from transforms.rejects import NO_REJECTS, Outcome, join_rejects, rejected_rows


@dataclass(frozen=True)
class FileErased:
    """What came of one file.

    Attributes:
      file: Its URI.
      output: Its name in the output.
      seen: How many rows were looked at.
      matched: How many of them belong to the subjects.
      rewritten: How many of these stayed, with new tokens.
      unread: How many rows, or files, could not be read, and so are not in the output.
    """

    file: str
    output: str
    seen: int = 0
    matched: int = 0
    rewritten: int = 0
    unread: int = 0

    def told(self) -> dict[str, Any]:
        """Returns what a certificate tells of it."""
        return {
            "file": self.file,
            "output": self.output,
            "rows_seen": self.seen,
            "rows_matched": self.matched,
            "rows_removed": self.matched - self.rewritten,
            "rows_rewritten": self.rewritten,
            "could_not_read": self.unread,
        }


@dataclass(frozen=True)
class Part:
    """One file of an erasure.

    Attributes:
      source: The file, and how it is read.
      name: What it is called in the output: its folders and name.
      format: The format in which it is written.
      compression: One of `compression.ENDINGS`, or "".
      settings: Of the format.
    """

    source: Source
    name: str
    format: str
    compression: str = ""
    settings: tuple[tuple[str, str], ...] = ()


def parts_of(uri: str, output: str, schema: str | None, limit: int | None = None) -> list[Part]:
    """Returns the files of a folder or glob, of any formats, and where each will be.

    Args:
      uri: The files, in folders such as `day=2026-01-01` too.
      output: Where they will be; with `?format=` all are of that format, else each keeps its own.
      schema: A file of their schema; None takes the files' own.
      limit: Most rows to read, of one format.

    Raises:
      ConfigError: There are none, one can't be written, or two would have the same name.
    """
    place, wanted = parse(uri), parse(output)
    kinds: dict[tuple[str | None, str], list[File]] = {}
    for file in list_files(place.path):
        kind = place.format or suffix_format(file.uri), compression_of(file.uri)
        kinds.setdefault(kind, []).append(file)
    if not kinds:
        raise ConfigError(f"--input: no files match {uri!r}")
    odd = [files[0].uri for (format, _), files in kinds.items() if format is None]
    if odd:
        raise ConfigError(f"--input: the format of {odd[0]} isn't known: narrow the pattern")
    base = fixed_part(place.path)
    base = base if base != place.path or len(list_files(base)) > 1 else os.path.dirname(base)
    parts = []
    for (_, compression), files in sorted(kinds.items(), key=str):
        source = _source(uri, files, schema, wanted, limit)
        parts += [
            _part(replace(source, files=(file,)), base, wanted, compression) for file in files
        ]
    names = [part.name for part in parts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"--output: two files would both be {twice[0]}: leave ?format= out")
    return parts


def _source(
    uri: str, files: Sequence[File], schema: str | None, wanted: Location, limit: int | None
) -> Source:
    place = parse(uri)
    found = suffix_format(files[0].uri)
    query = "" if place.format or not found else f"?format={found}"
    # Cells that stay cells are copied as they are, whatever numbers they look like.
    kept = (place.format or found) in CELLS and (wanted.format or place.format or found) in CELLS
    types = {"*": pa.string()} if kept and schema is None else None
    return Source.resolve(f"{uri}{query}", schema, types, limit, files)


def _part(source: Source, base: str, wanted: Location, compression: str) -> Part:
    (file,) = source.files
    name = file.uri.removeprefix(base).lstrip("/")
    format, given = source.format.name, parse(source.uri)
    settings = tuple(each for each in given.settings)
    if wanted.format and (wanted.format, wanted.compression) != (format, compression):
        format, compression, settings = wanted.format, wanted.compression, wanted.settings
        name = f"{_stem(name)}.{format}{ENDINGS.get(compression, '')}"
    if format in READ_ONLY:
        raise ConfigError(f"--input: {READ_ONLY[format]} ({file.uri}) can't be written anew")
    return Part(source, name, format, compression, settings)


def _stem(name: str) -> str:
    stem, ending = os.path.splitext(name)
    if ending in SUFFIXES:
        stem, ending = os.path.splitext(stem)
    return stem if suffix_format(name) else name


@dataclass
class EraseFiles(beam.PTransform):
    """Erases subjects from files, and stages what stays of each under its own name.

    Args:
      parts: The files; see `parts_of`.
      index: The subject index that was written when the rows were de-identified.
      subjects: The hashes of the subjects.
      target: The folder in which the files will be.
      dead_letters: Takes the rows that can't be read.
      row_key: The columns by which rows are known in the index; all of them, if empty.
      retokenise: Columns whose values become tokens of a key that nobody keeps; the rows then stay.
      notes: Is given what came of the rows, of the index, and of each file.
    """

    parts: Sequence[Part]
    index: Input
    subjects: frozenset[bytes]
    target: Target
    dead_letters: DeadLetters
    row_key: tuple[str, ...] = ()
    retokenise: tuple[str, ...] = ()
    notes: Callable[[Any, Any, Any], None] | None = None
    key: bytes = field(default_factory=new_key, repr=False, init=False)

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, root: Any) -> Any:
        """Looks up the subjects' rows, then takes each file by itself; returns ledger entries."""
        progress.expect("read", bytes=sum(part.source.bytes for part in self.parts))
        wanted = wanted_rows(root.pipeline, self.index, self.subjects)
        erase = functools.partial(
            erase_batch, row_key=self.row_key, retokenise=self.retokenise, key=self.key
        )
        parts = root | "Files" >> beam.Create(list(self.parts), reshuffle=False)
        if len(self.parts) > 1:
            parts = parts | "Spread" >> beam.Reshuffle()
        found = parts | "File" >> beam.ParDo(
            _EraseFileFn(self.target, erase), beam.pvalue.AsSingleton(wanted)
        ).with_outputs("outcomes", "erased", "files", main="entries")
        found.entries.element_type = Entry
        found.outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        self.dead_letters.tally(found.entries)
        split_rejects(found.outcomes, self.dead_letters, "Read")
        if self.notes is not None:
            self.notes(found.erased, wanted, found.files)
        return found.entries


class _EraseFileFn(beam.DoFn):
    """Writes a file anew without what is to be erased."""

    def __init__(self, target: Target, erase: Callable[..., tuple[pa.RecordBatch, Erased]]) -> None:
        self.target, self.erase = target, erase

    def process(self, part: Part, wanted: Wanted) -> Iterator[Any]:
        (file,) = part.source.files
        told, rejects = [Erased()], [NO_REJECTS]
        target = replace(
            self.target,
            format=part.format,
            compression=part.compression,
            settings=part.settings,
        )
        path = f"{self.target.staging}/{part.name}"
        schema = part.source.file_schema
        kept = self._kept(part.source, wanted, told, rejects)
        size = write_file(target, path, schema, kept)
        whole, bad = told[0], join_rejects(rejects)
        unread = rejected_rows(bad)
        stays = whole.seen - whole.matched + whole.rewritten
        root = self.target.root
        yield Entry("read", "Read", rows=whole.seen + unread, inputs=(file,))
        yield Entry("artifact", "Write", root, path, bytes=size)
        yield Entry("published", "Write", root, rows=stays)
        yield beam.pvalue.TaggedOutput("outcomes", _rejected(part.source, bad))
        yield beam.pvalue.TaggedOutput("erased", whole)
        one = FileErased(
            file.uri, part.name, whole.seen, whole.matched, whole.rewritten, bad.num_rows
        )
        yield beam.pvalue.TaggedOutput("files", one)

    def _kept(
        self, source: Source, wanted: Wanted, told: list[Erased], rejects: list[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        """Yields the rows that stay, without the columns of the path; tells what came of all."""
        (file,) = source.files
        names = source.file_schema.names
        for split in plan_file(source, file):
            for rows, bad in read_split(source, split):
                made, erased = self.erase(rows, wanted)
                told[0] = told[0].merge(erased)
                rejects.append(bad)
                progress.add("read", rows=rows.num_rows)
                progress.add("write", rows=made.num_rows)
                if made.num_rows:
                    yield made.select(names).replace_schema_metadata(None)
        progress.add("read", bytes=file.size)


def _rejected(source: Source, rejects: pa.RecordBatch) -> Outcome:
    nothing = [pa.nulls(0, each.type) for each in source.schema]
    return pa.RecordBatch.from_arrays(nothing, schema=source.schema), rejects
