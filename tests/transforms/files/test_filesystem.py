import gzip
import os

import pytest

from transforms.files import filesystem


def _tree(tmp_path, *names):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_listing_leaves_out_what_is_no_data(tmp_path):
    _tree(tmp_path, "a.csv", "_millrace/run.json", ".a.csv.tmp", "d/b.csv", "d/_SUCCESS")
    found = [os.path.relpath(f.uri, tmp_path) for f in filesystem.list_files(str(tmp_path))]
    assert found == ["a.csv", "d/b.csv"]
    assert [os.path.basename(f.uri) for f in filesystem.list_files(f"{tmp_path}/*.csv")] == [
        "a.csv"
    ]


def test_a_name_with_brackets_is_no_pattern(tmp_path):
    _tree(tmp_path, "rows [1].csv")
    (found,) = filesystem.list_files(f"{tmp_path}/rows [1].csv")
    assert found.size == 1


def test_hidden_folders_above_the_pattern_do_not_matter(tmp_path):
    _tree(tmp_path, "_private/a.csv")
    assert len(filesystem.list_files(f"{tmp_path}/_private/*.csv")) == 1


def test_hive_partitions(tmp_path):
    _tree(tmp_path, "dt=2026-01-01/city=S%20F/a.csv")
    assert filesystem.list_files(str(tmp_path))[0].partition == (
        ("dt", "2026-01-01"),
        ("city", "S F"),
    )


def test_gzip_both_ways(tmp_path):
    path = str(tmp_path / "deep" / "a.gz")
    with filesystem.open_write(path, "gzip") as stream:
        stream.write(b"hello")
    assert gzip.decompress((tmp_path / "deep" / "a.gz").read_bytes()) == b"hello"
    with filesystem.open_read(path, "gzip") as stream:
        assert stream.read(100) == b"hello"


def test_move_twice_is_once(tmp_path):
    _tree(tmp_path, "a")
    pair = (str(tmp_path / "a"), str(tmp_path / "new" / "b"))
    filesystem.move([pair])
    filesystem.move([pair])
    assert (tmp_path / "new" / "b").exists()
    with pytest.raises(OSError, match="nothing"):
        filesystem.move([(str(tmp_path / "nothing"), str(tmp_path / "c"))])


def test_swap_in_replaces_a_folder_at_once(tmp_path):
    _tree(tmp_path, "out/old", "staged/new")
    with pytest.raises(FileExistsError):
        filesystem.swap_in(str(tmp_path / "staged"), str(tmp_path / "out"), None)
    filesystem.swap_in(str(tmp_path / "staged"), str(tmp_path / "out"), str(tmp_path / "old"))
    assert os.listdir(tmp_path / "out") == ["new"]
    assert os.listdir(tmp_path / "old") == ["old"]
    assert sorted(os.listdir(tmp_path)) == ["old", "out"]


def test_swap_in_where_nothing_was(tmp_path):
    _tree(tmp_path, "staged/new")
    filesystem.swap_in(str(tmp_path / "staged"), str(tmp_path / "deep" / "out"), None)
    assert os.listdir(tmp_path / "deep" / "out") == ["new"]


def test_delete_anything(tmp_path):
    _tree(tmp_path, "d/a", "f")
    for name in ("d", "f", "absent"):
        filesystem.delete(str(tmp_path / name))
    assert os.listdir(tmp_path) == []


def test_a_small_file_is_whole(tmp_path):
    filesystem.write_bytes(str(tmp_path / "m" / "run.json"), b"{}")
    assert filesystem.read_bytes(str(tmp_path / "m" / "run.json")) == b"{}"
    assert os.listdir(tmp_path / "m") == ["run.json"]
