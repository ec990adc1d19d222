"""Image files as rows: the path of a file and its bytes, which a model decodes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import pyarrow as pa

from transforms.arrow.json_text import json_rows
from transforms.batches import with_source
from transforms.conform import conform
from transforms.errors import ConfigError
from transforms.files.format import Chunk, File, Split, Writer, whole
from transforms.files.formats.image.header import HEAD_BYTES, image_size
from transforms.reasons import Reason
from transforms.rejects import reject_payloads

MAX_IMAGE_BYTES = 256 << 20
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
_SCHEMA = pa.schema([("path", pa.string()), ("bytes", pa.binary())])


@dataclass(frozen=True)
class Images:
    """Files that hold one image each: BMP, GIF, JPEG, PNG or WebP, recognised by their first bytes.

    A row has the columns `path` (text) and `bytes` (binary, the file as it is). A file that is no
    image, or that holds more than 256 MiB, is a dead letter. Nothing is decoded: a file that is
    damaged further on is a row.
    """

    name: str = field(default="image", init=False)
    suffixes: tuple[str, ...] = field(default=SUFFIXES, init=False)
    unit: str = field(default="file", init=False)
    splittable: bool = field(default=False, init=False)

    def sample_schema(self, stream: BinaryIO, uri: str) -> pa.Schema:
        """Returns the columns `path` and `bytes`, whatever the files hold."""
        return _SCHEMA

    def plan(self, stream: BinaryIO | None, file: File, target_bytes: int) -> Iterator[Split]:
        """Yields the whole file."""
        yield whole(file)

    def read(
        self, stream: BinaryIO, split: Split, schema: pa.Schema, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """Yields the one row of a file, or why it is none."""
        uri = split.file.uri
        data = stream.read(MAX_IMAGE_BYTES + 1)
        if fault := _fault(data):
            nothing = pa.RecordBatch.from_pylist([], schema)
            yield Chunk(nothing, reject_file(uri, *fault))
            return
        row = pa.RecordBatch.from_pydict({"path": [uri], "bytes": [data]}, _SCHEMA)
        yield Chunk(*conform(with_source(row, uri, None), schema))

    def writer(self, stream: BinaryIO, schema: pa.Schema) -> Writer:
        """Refuses to write.

        Raises:
          ConfigError: Always.
        """
        raise ConfigError("images can be read but not written: write Parquet, or tfrecord")


def _fault(data: bytes) -> tuple[Reason, str] | None:
    if len(data) > MAX_IMAGE_BYTES:
        return Reason.OVERSIZED, f"the file is larger than {MAX_IMAGE_BYTES:,} bytes"
    if not data:
        return Reason.UNPARSABLE, "the file is empty"
    if image_size(data[:HEAD_BYTES]) is None:
        return Reason.UNPARSABLE, "the file is no BMP, GIF, JPEG, PNG or WebP"
    return None


def reject_file(uri: str, reason: Reason, message: str) -> pa.RecordBatch:
    """Rejects the row that a file is; its payload is the path alone.

    Args:
      uri: The file.
      reason: Why.
      message: The same for a person.
    """
    path = pa.array([uri], pa.string())
    payload = json_rows(pa.RecordBatch.from_arrays([path], ["path"]))
    return reject_payloads(payload, reason, message, sources=path)
