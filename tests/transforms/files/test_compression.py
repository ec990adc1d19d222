"""Compressed files: what is written is read, in pieces, and what is broken is told."""

import bz2
import gzip
import io
import lzma

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from transforms.errors import ConfigError
from transforms.files import filesystem
from transforms.files.compression import ENDINGS, compression_of, decompressing
from transforms.files.uris import parse
from transforms.io.file_read import read_batches
from transforms.io.file_source import Source

KINDS = sorted(ENDINGS)
DATA = b"n,t\n" + b"".join(b"%d,text %d\n" % (n, n * n) for n in range(5000))
OTHERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


def compressed(kind, tmp_path, data=DATA):
    """The bytes of a file that was written so."""
    path = tmp_path / f"x.csv{ENDINGS[kind]}"
    with filesystem.open_write(str(path), kind) as stream:
        stream.write(data)
        assert stream.tell() == len(data)
    return path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read(kind, tmp_path):
    content = compressed(kind, tmp_path)
    assert len(content) < len(DATA) // 2
    with decompressing(io.BytesIO(content), kind) as stream:
        parts = [stream.read(7), stream.read1(11), *iter(lambda: stream.read1(4096), b"")]
    assert b"".join(parts) == DATA


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_write_is_read_and_several_streams_in_a_row(kind):
    content = OTHERS[kind](DATA[:100]) + OTHERS[kind](DATA[100:])
    with decompressing(io.BytesIO(content), kind) as stream:
        assert stream.read() == DATA


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_broken_file_is_told_after_its_rows(kind, damage, tmp_path):
    content = bytearray(compressed(kind, tmp_path))
    half = len(content) // 2
    broken = content[:half] if damage == "cut" else content[:half] + b"\xff" * 20 + content[half:]
    path = tmp_path / f"x.csv{ENDINGS[kind]}"
    path.write_bytes(broken)
    source = Source.resolve(str(path), pa.schema([("n", pa.int64())]))
    found = list(read_batches(source))
    rejects = [row for _, part in found for row in part.to_pylist()]
    assert [row["reason"] for row in rejects][-1:] == ["truncated_file"]
    assert sum(rows.num_rows for rows, _ in found) < 5000


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_the_disk_is_no_corrupt_data(kind):
    class Failing(io.RawIOBase):
        def readable(self):
            return True

        def read(self, size=-1):
            raise ConnectionError(104, "reset")

    with pytest.raises(ConnectionError, match="reset"):
        decompressing(Failing(), kind).read(10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_knows_it_by_its_suffix(kind, tmp_path):
    compressed(kind, tmp_path)
    source = Source.resolve(str(tmp_path))
    assert source.compression == kind
    (found,) = [rows for rows, _ in read_batches(source)]
    assert found["n"].to_pylist() == list(range(5000))


def test_files_of_two_compressions_are_refused(tmp_path):
    compressed("zstd", tmp_path)
    pa_csv.write_csv(pa.table({"n": [1]}), tmp_path / "y.csv")
    with pytest.raises(ConfigError, match="not compressed, zstd: narrow the pattern"):
        Source.resolve(str(tmp_path))


def test_what_is_read_from_its_end_is_not_compressed_as_a_whole():
    with pytest.raises(ConfigError, match=r"leave \.zst out"):
        parse("out/x.parquet.zst")


def test_names():
    assert compression_of("gs://b/A.CSV.XZ") == "xz"
    assert compression_of("a.csv") == ""
    assert parse("x/*.jsonl.bz2").format == "jsonl"
