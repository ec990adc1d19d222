"""A resolved input: which files, in which format, with which schema."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import pyarrow as pa

from transforms.arrow.types import MOST_DEEP, is_list, is_time, plain_schema, too_deep
from transforms.arrow.uniting import unite_schemas
from transforms.errors import ConfigError
from transforms.families import FILES, family_of
from transforms.files.compression import compression_of
from transforms.files.filesystem import list_files, open_read
from transforms.files.format import BrokenFile, File, Format
from transforms.files.uris import check_compression, load_format, parse, suffix_format
from transforms.io.inputs import selected
from transforms.words import repeated

_log = logging.getLogger(__name__)
SAMPLED_FILES = 64
INFERRED = ("csv", "jsonl", "tfrecord", "tfsequence", "tsv")
"""Formats whose files hold no schema."""
CELLS = ("csv", "tsv")
"""Those whose values are text."""


@dataclass(frozen=True)
class Source:
    """A bounded input, resolved once in the launcher and shipped to the workers.

    Attributes:
      uri: As the user gave it.
      format: How its files are read.
      compression: One of `compression.ENDINGS`, or "".
      files: Its files, by name.
      schema: The columns that Read emits, partition columns last.
      partitions: Names of the columns that come from the path.
      origin: Where the schema is from: "declared", "file" or "sample".
      limit: Most rows to read, from the first file on; None reads all.
    """

    uri: str
    format: Format
    compression: str
    files: tuple[File, ...]
    schema: pa.Schema
    partitions: tuple[str, ...] = ()
    origin: str = "file"
    limit: int | None = None
    family = FILES
    bounded = True
    guessed = ()

    @classmethod
    def resolve(
        cls,
        uri: str,
        schema: pa.Schema | str | None = None,
        types: Mapping[str, pa.DataType] | None = None,
        limit: int | None = None,
        files: Sequence[File] | None = None,
    ) -> "Source":
        """Lists the files and settles the schema.

        Args:
          uri: A file, folder or glob; see `transforms.files.uris`.
          schema: The schema wanted, or the URI of a schema file. None takes the files' own, or
            infers one from a sample of text.
          types: For inferred schemas, the type of some columns, or of those that match a pattern
            such as `f*`, since the reader knows better: a model's inputs, say. A text that can't be
            read so is then a rejected row.
          limit: Most rows to read.
          files: Those of its files that are read; all by default.

        Raises:
          ConfigError: No files, mixed formats, schemas that can't be united, no readable file.
        """
        family_of(uri).load("resolve", uri)
        place = parse(uri)
        files = tuple(list_files(place.path) if files is None else files)
        if not files:
            raise ConfigError(f"--input: no files match {uri!r}")
        format = load_format(place.format or _common_format(uri, files), place.settings)
        compression = place.compression or _common_compression(uri, files)
        check_compression(uri, format.name, compression)
        source = cls(uri, format, compression, files, pa.schema([]), limit=limit)
        return replace(source, **source._schema(schema, types or {}))

    def _schema(
        self, declared: pa.Schema | str | None, types: Mapping[str, pa.DataType]
    ) -> dict[str, Any]:
        partitions = _partition_fields(self.files)
        if isinstance(declared, str):
            from transforms.schema.arrow_schema import read_schema

            kinds_only = declared.lower().endswith(".pbtxt")
            declared = read_schema(declared)
            declared = self._with_times(declared) if kinds_only else declared
        inferred = False
        if declared is None:
            samples = self._samples()
            inferred = self.format.name in INFERRED
            if inferred:
                samples = [(uri, _as_wanted(schema, types)) for uri, schema in samples]
            fields = list(unite(samples, as_text=self.format.name in CELLS))
            origin = "sample" if inferred else "file"
        else:
            fields, origin = list(plain_schema(declared)), "declared"
        own = {field.name: field.type for field in fields if field.name in partitions}
        rest = [field for field in fields if field.name not in partitions]
        if not fields and not partitions:
            raise ConfigError(self._no_columns())
        if declared is None and inferred:
            self._warn_of_empty_columns(samples)
        if own and declared is None:
            names = ", ".join(sorted(own))
            _log.warning("column %s is in the files and in their path: the path's is read", names)
        typed = [pa.field(name, own.get(name, type)) for name, type in partitions.items()]
        return {
            "schema": pa.schema(rest + typed),
            "partitions": tuple(partitions),
            "origin": origin,
        }

    def _no_columns(self) -> str:
        """Returns the error for files that have no columns."""
        if not any(file.size for file in self.files):
            return f"--input: {self.uri!r} is empty: every file has 0 bytes"
        why = {
            "jsonl": "hold no JSON object with a key: JSON Lines has one object a line, and an "
            "array has objects as its elements",
            "tfrecord": "hold no tf.Example: ?column=NAME reads records as they are, as bytes",
            "tfsequence": "hold no tf.SequenceExample: ?format=tfrecord reads tf.Examples",
        }
        found = why.get(self.format.name, "have no columns")
        return f"--input: the files of {self.uri!r} {found}"

    def _warn_of_empty_columns(self, samples: list[tuple[str, pa.Schema]]) -> None:
        """Warns of columns without a value in the sample, which are read as text."""
        empty = {f.name for _, schema in samples for f in schema if pa.types.is_null(f.type)}
        known = {f.name for _, schema in samples for f in schema if not pa.types.is_null(f.type)}
        if names := sorted(empty - known):
            _log.warning(
                "no value of column %s in the first rows of %s: read as text; pass --schema where "
                "it is something else",
                ", ".join(names),
                self.uri,
            )

    def _with_times(self, declared: pa.Schema) -> pa.Schema:
        """Returns a schema whose integers may be times; a time in the first file stays one."""
        sample = self._sample(self.files[0])
        times = (
            {field.name: field.type for field in sample if is_time(field.type)}
            if isinstance(sample, pa.Schema)
            else {}
        )
        return pa.schema(
            [
                field.with_type(times.get(field.name, field.type))
                if pa.types.is_int64(field.type)
                else field
                for field in declared
            ]
        )

    def _samples(self) -> list[tuple[str, pa.Schema]]:
        """Schemas of the files, or of an even choice among many; Read checks every file again."""
        from concurrent.futures import ThreadPoolExecutor

        step = max(1, -(-len(self.files) // SAMPLED_FILES))
        chosen = list(self.files[::step])
        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(self._sample, chosen))
        good = [(file.uri, found) for file, found in zip(chosen, found, strict=True)]
        schemas = [(uri, schema) for uri, schema in good if isinstance(schema, pa.Schema)]
        if not schemas:
            raise ConfigError(f"--input: no file of {self.uri!r} can be read: {good[0][1]}")
        return schemas

    def _sample(self, file: File) -> pa.Schema | str:
        """Its schema, or what is wrong with it: an unreadable file is Read's to reject."""
        try:
            with open_read(file.uri, self.compression) as stream:
                schema = self.format.sample_schema(stream, file.uri)
                if deep := too_deep(schema):
                    raise ConfigError(
                        f"{file.uri}: column {deep!r} is nested more than {MOST_DEEP} deep"
                    )
                return _distinct(plain_schema(schema), file.uri)
        except RecursionError:
            raise ConfigError(f"{file.uri}: its schema is nested too deeply") from None
        except (BrokenFile, OSError, EOFError) as error:
            return f"{file.uri}: {error}"

    @property
    def content(self) -> pa.Schema:
        """The columns of its rows."""
        return self.schema

    def select(self, columns: Iterable[str]) -> "Source":
        """Reads only some columns, in the order of the files.

        Raises:
          ConfigError: A column that isn't there.
        """
        return replace(self, schema=selected(self.schema, columns))

    def held(self, seconds: float) -> "Source":
        """Returns the source as it is: files have no watermark to hold."""
        return self

    @property
    def file_schema(self) -> pa.Schema:
        """The columns that come from the files themselves."""
        return pa.schema([field for field in self.schema if field.name not in self.partitions])

    @cached_property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.size for file in self.files)


def resolve_files(
    uri: str,
    schema: str | None,
    types: Mapping[str, pa.DataType] | None,
    limit: int | None,
    settings: Mapping[str, Any],
) -> Source:
    """Lists files and settles their schema; see `Source.resolve`. Settings are for messages."""
    return Source.resolve(uri, schema, types=types, limit=limit)


def _distinct(schema: pa.Schema, uri: str) -> pa.Schema:
    """Refuses what could not be addressed by name."""
    if twice := repeated(schema.names):
        raise ConfigError(f"{uri} has more than one column {', '.join(twice)}")
    return schema


def unite(schemas: list[tuple[str, pa.Schema]], as_text: bool = False) -> pa.Schema:
    """Returns one schema for several files: missing columns are added, types widen without loss.

    Args:
      schemas: The files' URIs and schemas.
      as_text: Columns whose types have nothing in common are text, as in the files they are.

    Raises:
      ConfigError: A column whose types have nothing in common; the text names a file of each.
    """
    first, united = schemas[0]
    for uri, schema in schemas[1:]:
        if schema.equals(united):
            continue
        try:
            united = unite_schemas(united, schema)
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            if not as_text:
                raise ConfigError(_clash(first, united, uri, schema)) from None
            united = unite_schemas(*_clashing_as_text(united, schema))
    return pa.schema([_known(field) for field in united])


def _clashing_as_text(*pair: pa.Schema) -> list[pa.Schema]:
    first, second = pair
    shared = [name for name in first.names if name in second.names]
    texts = {name for name in shared if not _alike(first.field(name), second.field(name))}
    return [
        pa.schema([f.with_type(pa.string()) if f.name in texts else f for f in schema])
        for schema in pair
    ]


def _alike(first: pa.Field, second: pa.Field) -> bool:
    try:
        unite_schemas(pa.schema([first]), pa.schema([second]))
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return False
    return True


def _as_wanted(schema: pa.Schema, types: Mapping[str, pa.DataType]) -> pa.Schema:
    """Returns an inferred schema, with the types that the reader knows better."""
    return pa.schema([pa.field(f.name, _wanted(_type_of(f.name, types), f.type)) for f in schema])


def _type_of(name: str, types: Mapping[str, pa.DataType]) -> pa.DataType | None:
    """Returns the type given for a column, or for the first pattern that it matches."""
    if name in types:
        return types[name]
    return next((type for pattern, type in types.items() if fnmatchcase(name, pattern)), None)


def _wanted(type: pa.DataType | None, inferred: pa.DataType) -> pa.DataType:
    """Returns the type that a reader wants of a column; lists stay lists, and bytes stay bytes.

    Floats are read in full, so that what is kept of the input is what stood there.
    """
    if type is None:
        return inferred
    if is_list(type):
        return pa.list_(_wanted(type.value_type, pa.null()))
    full = pa.float64() if pa.types.is_floating(type) else type
    leaf = inferred.value_type if is_list(inferred) else inferred
    if pa.types.is_string(full) and pa.types.is_binary(leaf):
        # Images in tf.Examples are no text, and a model takes bytes as well.
        full = leaf
    return pa.list_(full) if is_list(inferred) else full


def _known(field: pa.Field) -> pa.Field:
    """Returns text as the type of a column that is null in every sample."""
    return pa.field(field.name, pa.string()) if pa.types.is_null(field.type) else field


def _clash(first: str, united: pa.Schema, uri: str, schema: pa.Schema) -> str:
    for field in schema:
        if field.name not in united.names:
            continue
        other = united.field(field.name)
        try:
            unite_schemas(pa.schema([field]), pa.schema([other]))
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            return (
                f"column {field.name!r} is {field.type} in {uri} but {other.type} in {first} and "
                "others: read them apart, or pass --schema to say which it is"
            )
    return f"the schema of {uri} can't be united with the schema of {first}"


def _common_format(uri: str, files: tuple[File, ...]) -> str:
    found = {suffix_format(file.uri) for file in files}
    if len(found) == 1 and (format := found.pop()):
        return format
    names = ", ".join(sorted(str(format or "unknown") for format in found)) or "unknown"
    raise ConfigError(
        f"the files of {uri!r} are of format {names}: narrow the pattern, or add ?format=parquet"
    )


def _common_compression(uri: str, files: tuple[File, ...]) -> str:
    found = sorted({compression_of(file.uri) for file in files})
    if len(found) == 1:
        return found[0]
    kinds = ", ".join(kind or "not compressed" for kind in found)
    raise ConfigError(f"the files of {uri!r} are {kinds}: narrow the pattern to files of one kind")


def _partition_fields(files: tuple[File, ...]) -> dict[str, pa.DataType]:
    """Returns columns from `key=value` folders: int64 if all values are integers, else text."""
    keys = [tuple(key for key, _ in file.partition) for file in files]
    if len(set(keys)) > 1:
        other = next(file.uri for file, key in zip(files, keys, strict=True) if key != keys[0])
        raise ConfigError(f"{other} lies in other key=value folders than {files[0].uri}")
    values: dict[str, set[str]] = {}
    for file in files:
        for key, value in file.partition:
            values.setdefault(key, set()).add(value)
    return {key: _partition_type(found) for key, found in values.items()}


def _partition_type(values: set[str]) -> pa.DataType:
    whole = all(v == NULL_PARTITION or (v.isdecimal() and str(int(v)) == v) for v in values)
    return pa.int64() if whole else pa.string()


NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
