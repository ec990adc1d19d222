import pytest

from transforms.errors import ConfigError
from transforms.files.uris import FORMATS, load_format, parse


@pytest.mark.parametrize(
    ("uri", "path", "format", "compression", "folder"),
    [
        ("data/*.csv", "data/*.csv", "csv", "", False),
        ("gs://b/x/part-?.csv.gz", "gs://b/x/part-?.csv.gz", "csv", "gzip", False),
        ("gs://b/out/?format=jsonl", "gs://b/out/", "jsonl", "", True),
        ("out", "out", None, "", True),
        ("out.d/", "out.d/", None, "", True),
        ("file:///tmp/a.parquet", "/tmp/a.parquet", "parquet", "", False),
        ("x/data_tfrecord-00000-of-00002.gz", "x/data_tfrecord-00000-of-00002.gz", "tfrecord",
         "gzip", False),
        ("x/Split-train/?format=tfrecord&compression=gzip", "x/Split-train/", "tfrecord", "gzip",
         True),
        ("stdout:", "stdout:", None, "", False),
        ("stdout:?format=csv", "stdout:", "csv", "", False),
    ],
)  # fmt: skip
def test_parse(uri, path, format, compression, folder):
    place = parse(uri)
    assert (place.path, place.format, place.compression, place.folder) == (
        path,
        format,
        compression,
        folder,
    )


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("ftp://x/y.csv", "unknown scheme 'ftp'; known: .*gs"),
        ("x/?format=xls", "unknown format 'xls'; known: .*parquet"),
        ("x.csv?compression=zip", "unknown compression 'zip'"),
        ("gs://", "names no file"),
    ],
)
def test_parse_says_what_is_wrong(uri, text):
    with pytest.raises(ConfigError, match=text):
        parse(uri)


def test_settings_reach_the_format():
    place = parse("x.tfrecord?column=examples")
    assert place.settings == (("column", "examples"),)
    with pytest.raises(ConfigError, match=r"parquet does not know the setting.* color"):
        load_format("parquet", (("color", "red"),))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_loads(name):
    format = load_format(name)
    assert format.name == name
    assert format.unit in ("line", "row", "record", "file")
