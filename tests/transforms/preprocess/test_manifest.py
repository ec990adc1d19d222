"""A transform graph whose files are not those that were written is refused."""

import json
import pathlib
import shutil

import pyarrow as pa
import pytest

from tests.support import run_on
from transforms.errors import ConfigError
from transforms.preprocess import (
    Analyze,
    LoadedGraph,
    Steps,
    TransformGraph,
    raw_schema,
    transform_batch,
)

ROWS = pa.record_batch({"city": [f"city {number:03}" for number in range(200)]})
STEPS = "features: {place: {column: city, steps: [vocabulary: {num_oov_buckets: 1}]}}"


@pytest.fixture(scope="module")
def by_steps(tmp_path_factory):
    """A graph of declared steps."""
    folder, steps = f"{tmp_path_factory.mktemp('steps')}/graph", Steps.parse(STEPS)
    analyze = Analyze(schema=raw_schema(steps, ROWS.schema), steps=steps, folder=folder)
    run_on([ROWS], lambda rows: rows | analyze)
    return folder


@pytest.fixture(params=["steps", "function"])
def graph(request, by_steps, graph_uri, tmp_path):
    """A copy of a graph, and its vocabulary."""
    folder = tmp_path / "graph"
    shutil.copytree(by_steps if request.param == "steps" else graph_uri, folder)
    (vocabulary,) = (folder / "transform_fn" / "assets").iterdir()
    return folder, vocabulary


def test_what_it_holds(graph):
    folder, vocabulary = graph
    told = json.loads((folder / "manifest.json").read_text())
    assert told["folder"] == "transform_fn"
    written = [path for path in (folder / "transform_fn").rglob("*") if path.is_file()]
    names = {str(path.relative_to(folder / "transform_fn")) for path in written}
    assert told["files"].keys() == names
    assert told["files"][f"assets/{vocabulary.name}"][0] == vocabulary.stat().st_size
    assert TransformGraph.read(str(folder)).outputs


def test_a_vocabulary_that_was_cut_short(graph):
    folder, vocabulary = graph
    content = vocabulary.read_bytes()
    vocabulary.write_bytes(content[: len(content) // 2])
    with pytest.raises(ConfigError, match=r"assets/\w+ has \d+ bytes, .* were written: copy the"):
        TransformGraph.read(str(folder))


def test_a_vocabulary_of_other_words(graph):
    folder, vocabulary = graph
    vocabulary.write_bytes(vocabulary.read_bytes().upper())
    with pytest.raises(ConfigError, match=r"was changed since it was written.*manifest\.json if"):
        TransformGraph.read(str(folder))
    (folder / "manifest.json").unlink()
    assert TransformGraph.read(str(folder)).outputs


def test_a_missing_file(graph):
    folder, _ = graph
    (folder / "transform_fn" / "variables" / "variables.index").unlink()
    with pytest.raises(ConfigError, match=r"variables/variables\.index is missing: copy the graph"):
        TransformGraph.read(str(folder))


NONE = ["", "[]", '{"folder": "transform_fn"}', '{"folder": "transform_fn", "files": {"a": 1}}']


@pytest.mark.parametrize("text", NONE)
def test_a_manifest_that_is_none(by_steps, tmp_path, text):
    shutil.copytree(by_steps, tmp_path / "graph")
    (tmp_path / "graph" / "manifest.json").write_text(text)
    with pytest.raises(ConfigError, match=r"manifest\.json can't be read"):
        TransformGraph.read(str(tmp_path / "graph"))


def test_the_worker_looks_again(graph):
    """What is cut short after the launch is found where it is loaded."""
    folder, vocabulary = graph
    read = TransformGraph.read(str(folder))
    vocabulary.write_bytes(vocabulary.read_bytes()[:-3])
    with pytest.raises(ConfigError, match="were written"):
        LoadedGraph(read)


def test_the_graph_of_steps_is_as_it_was(by_steps):
    made, _ = transform_batch(ROWS.slice(0, 2), LoadedGraph(TransformGraph.read(by_steps)))
    # Of equally frequent ones the last is the first.
    assert made["place"].to_pylist() == [[199], [198]]
    assert pathlib.Path(by_steps, "manifest.json").is_file()
