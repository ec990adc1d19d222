"""A vocabulary that memory can't hold is told before it is loaded."""

import pathlib
import shutil

import pytest

from transforms import memory
from transforms.errors import ConfigError
from transforms.preprocess import TransformGraph, vocabularies
from transforms.preprocess.vocabularies import check_vocabularies


@pytest.fixture
def large(graph_uri, tmp_path):
    """The small graph, with a vocabulary of a million entries in place of its own."""
    folder = tmp_path / "transform_graph"
    shutil.copytree(graph_uri, folder)
    (folder / "manifest.json").unlink()
    (assets,) = (folder / "transform_fn").glob("assets")
    (vocabulary,) = assets.iterdir()
    vocabulary.write_text("".join(f"company {number:07}\n" for number in range(1_000_000)))
    return str(folder), vocabulary.name


def test_larger_than_memory(large, monkeypatch):
    folder, name = large
    monkeypatch.setattr(vocabularies, "free_memory", lambda: 50_000_000)
    message = rf"about 0.1 GB of memory, and 0.1 GB are free.*'{name}' with 1,000,000 .*top_k="
    with pytest.raises(ConfigError, match=message):
        TransformGraph.read(folder)


@pytest.mark.parametrize("free", [None, 200_000_000])
def test_one_that_fits(large, free, monkeypatch):
    folder, _ = large
    monkeypatch.setattr(vocabularies, "free_memory", lambda: free)
    graph = TransformGraph.read(folder)
    assert "company_id" in graph.outputs


def test_an_entry_takes_its_text_and_a_place_in_the_table(large):
    folder, name = large
    file = pathlib.Path(folder, "transform_fn", "assets", name)
    assert vocabularies._needed(file) == file.stat().st_size + 80 * 1_000_000


def test_without_vocabularies(linear_model, monkeypatch):
    monkeypatch.setattr(vocabularies, "free_memory", lambda: 1)
    check_vocabularies(str(linear_model))


def test_free_memory_of_machine_and_container(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 5000 kB\n")
    (tmp_path / "max").write_text("3000000\n")
    (tmp_path / "current").write_text("1000000\n")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_GROUPS", ())
    assert memory.free_memory() == 5_120_000
    group = (str(tmp_path / "max"), str(tmp_path / "current"))
    monkeypatch.setattr(memory, "_GROUPS", (group,))
    assert memory.free_memory() == 2_000_000
    (tmp_path / "max").write_text("max\n")
    assert memory.free_memory() == 5_120_000
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "none")
    assert memory.free_memory() is None
