"""URIs: the scheme gives the family, the suffix or `?format=` the format."""

import posixpath
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl

from transforms.errors import ConfigError
from transforms.families import FILES, STDOUT, Family, family_of, scheme_of
from transforms.files.compression import ENDINGS, compression_of
from transforms.files.compression import SUFFIXES as COMPRESSION_SUFFIXES
from transforms.files.format import Format
from transforms.lazy import Registry

FORMATS = Registry(
    "format",
    {
        "arrow": "transforms.files.formats.arrow:Arrow",
        "avro": "transforms.files.formats.avro.format:Avro",
        "csv": "transforms.files.formats.csv.format:Csv",
        "image": "transforms.files.formats.image.format:Images",
        "jsonl": "transforms.files.formats.json.format:JsonLines",
        "parquet": "transforms.files.formats.parquet.format:Parquet",
        "tfrecord": "transforms.files.formats.tfrecord:TfRecord",
        "tfsequence": "transforms.files.formats.tfrecord:TfSequence",
        "tsv": "transforms.files.formats.csv.format:Tsv",
    },
)

SUFFIXES = {
    ".arrow": "arrow",
    ".avro": "avro",
    ".bmp": "image",
    ".csv": "csv",
    ".feather": "arrow",
    ".gif": "image",
    ".jpeg": "image",
    ".jpg": "image",
    ".json": "jsonl",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".png": "image",
    ".pq": "parquet",
    ".tfrec": "tfrecord",
    ".tfrecord": "tfrecord",
    ".tfrecords": "tfrecord",
    ".tsv": "tsv",
    ".webp": "image",
}

READ_ONLY = {"image": "images", "tfsequence": "tf.SequenceExamples"}
"""Formats that are read but not written, and what their files hold."""


@dataclass(frozen=True)
class Location:
    """A parsed URI.

    Attributes:
      path: The URI without its query: a file, a folder or a glob.
      family: Its family: files or stdout.
      format: The format's name, or None where nothing says it.
      compression: One of `compression.ENDINGS`, or "".
      settings: What else the query says, for the format.
    """

    path: str
    family: Family
    format: str | None
    compression: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> bool:
        """Whether it names a folder (a trailing slash, or no known suffix)."""
        named = self.path.endswith("/") or suffix_format(self.path) is None
        return named and self.family is FILES

    @property
    def root(self) -> str:
        """The path without a trailing slash."""
        return self.path.rstrip("/")


def parse(uri: str) -> Location:
    """Parses a URI such as `gs://bucket/in/*.csv.gz`, `data/?format=parquet` or `stdout:`.

    Raises:
      ConfigError: A scheme, format or setting that isn't known; the text lists those that are.
    """
    if uri == "-":
        raise ConfigError("'-' is no URI: stdout: writes to the terminal, or into a pipe")
    path, _, query = uri.partition("?")
    # A question mark is a wildcard too: only what looks like settings is a query.
    if query and "=" not in query:
        path, query = uri, ""
    scheme, family = scheme_of(uri), family_of(uri)
    if family not in (FILES, STDOUT):
        raise ConfigError(f"{uri!r} names no file or folder")
    if family is FILES and not path[len(scheme) :].strip(":/"):
        raise ConfigError(f"{uri!r} names no file or folder")
    settings = dict(parse_qsl(query, keep_blank_values=True))
    format = settings.pop("format", None) or suffix_format(path)
    if format is not None:
        FORMATS.check(format, repr(uri))
    compression = settings.pop("compression", compression_of(path))
    if compression and compression not in ENDINGS:
        raise ConfigError(
            f"{uri!r}: unknown compression {compression!r}; known: {', '.join(ENDINGS)}"
        )
    check_compression(uri, format, compression)
    path = path.removeprefix("file://") if scheme == "file" else path
    return Location(path, family, format, compression, tuple(sorted(settings.items())))


def check_compression(uri: str, format: str | None, compression: str) -> None:
    """Refuses to compress as a whole what is read from its end.

    Raises:
      ConfigError: Parquet or Arrow in zstd, bzip2 or xz.
    """
    if format in ("parquet", "arrow") and compression not in ("", "gzip"):
        raise ConfigError(
            f"{uri!r}: {format} compresses its columns by itself, and is read from its end, which "
            f"a file in {compression} does not allow: leave {ENDINGS[compression]} out, or "
            "decompress the file"
        )


def suffix_format(path: str) -> str | None:
    """Returns the format that a file's name shows, gzip or not; TFX's shards show it by a word."""
    name = posixpath.basename(path).lower()
    stem, ending = posixpath.splitext(name)
    if ending in COMPRESSION_SUFFIXES:
        stem, ending = posixpath.splitext(stem)
    return SUFFIXES.get(ending) or ("tfrecord" if "tfrecord" in name else None)


def load_format(name: str, settings: tuple[tuple[str, str], ...] = ()) -> Format:
    """Returns the format of a name, and imports its module only now.

    Raises:
      ConfigError: A setting that the format doesn't know.
    """
    try:
        return cast(Format, FORMATS.load(name)(**dict(settings)))
    except TypeError:
        unknown = ", ".join(key for key, _ in settings)
        raise ConfigError(f"format {name} does not know the setting(s) {unknown}") from None
