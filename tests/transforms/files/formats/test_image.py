import io

import pyarrow as pa
import pytest

from transforms.errors import ConfigError
from transforms.files.filesystem import list_files
from transforms.files.format import File, whole
from transforms.files.formats.image import format as image_format
from transforms.files.formats.image.format import Images
from transforms.io.file_read import read_batches, read_split
from transforms.io.file_source import Source

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
GIF = b"GIF89a" + bytes(10)


def test_a_file_is_a_row_of_path_and_bytes(tmp_path):
    (tmp_path / "day=3").mkdir()
    (tmp_path / "day=3" / "b.gif").write_bytes(GIF)
    (tmp_path / "day=3" / "a.png").write_bytes(PNG)
    source = Source.resolve(f"{tmp_path}/")
    assert source.schema == pa.schema(
        [("path", pa.string()), ("bytes", pa.binary()), ("day", pa.int64())]
    )
    rows = [row for batch, _ in read_batches(source) for row in batch.to_pylist()]
    assert rows == [
        {"path": f"{tmp_path}/day=3/a.png", "bytes": PNG, "day": 3},
        {"path": f"{tmp_path}/day=3/b.gif", "bytes": GIF, "day": 3},
    ]
    (paths, _), *_ = read_batches(source.select(["path"]))
    assert paths.to_pylist() == [{"path": f"{tmp_path}/day=3/a.png"}]


def test_what_is_no_image_is_a_dead_letter_that_names_the_file(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "notes.txt").write_text("private")
    with pytest.raises(ConfigError, match=r"format image, unknown.*\?format="):
        Source.resolve(f"{tmp_path}/")
    (one, none), (nothing, rejects) = read_batches(Source.resolve(f"{tmp_path}/?format=image"))
    assert (one.num_rows, none.num_rows, nothing.num_rows) == (1, 0, 0)
    (reject,) = rejects.to_pylist()
    assert reject["source"] == f"{tmp_path}/notes.txt"
    assert (reject["reason"], reject["payloadBytes"]) == ("unparsable", None)
    assert reject["payloadString"] == f'{{"path":"{tmp_path}/notes.txt"}}'


def test_a_file_that_is_gone_costs_its_row_alone(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    source = Source.resolve(f"{tmp_path}/*.png")
    (file,) = list_files(f"{tmp_path}/*.png")
    (tmp_path / "a.png").unlink()
    ((rows, rejects),) = read_split(source, whole(file))
    assert rows.num_rows == 0
    (reject,) = rejects.to_pylist()
    assert (reject["reason"], reject["source"]) == ("unparsable", file.uri)
    assert reject["errorMessage"].startswith("the file can't be opened: ")


def test_a_file_that_is_too_large_is_not_held(monkeypatch):
    monkeypatch.setattr(image_format, "MAX_IMAGE_BYTES", 20)
    schema = Images().sample_schema(io.BytesIO(), "f")
    for data, wanted in ((PNG[:20], []), (PNG, ["oversized"])):
        split = whole(File("f", len(data)))
        (chunk,) = Images().read(io.BytesIO(data), split, schema, 10, 10)
        assert chunk.rejects["reason"].to_pylist() == wanted
        assert chunk.rows.num_rows == 1 - len(wanted)
