"""A model of a newer TensorFlow or Keras: a warning at launch, and the reason where it fails."""

import json
import shutil
import zipfile

import pyarrow as pa
import pytest

from inference import score_table
from inference.handlers.saved_by import advice, newer
from transforms.errors import ConfigError
from transforms.saved_models.read import GRAPH

ROWS = pa.table({"x": [1.0, 2.0], "y": [1.0, 1.0], "name": ["a", "b"]})


@pytest.mark.parametrize(
    ("made", "here", "is_newer"),
    [
        ("2.22.0", "2.21.0", True),
        ("2.21.3", "2.21.0", False),
        ("2.9.1", "2.21.0", False),
        ("3.0.0-rc1", "2.21.0", True),
        ("1.15.2", "2.21.0", False),
        ("", "2.21.0", False),
        ("unknown", "2.21.0", False),
    ],
)
def test_versions_are_compared_by_numbers(made, here, is_newer):
    assert newer(made, here) is is_newer
    assert bool(advice("TensorFlow", made, here)) is is_newer


@pytest.fixture
def of_the_future(linear_model, tmp_path):
    """A SavedModel that says that TensorFlow 99.1 saved it; with an op that is not here, or not."""
    from tensorflow.core.protobuf import saved_model_pb2

    def made(op=None):
        folder = shutil.copytree(linear_model, tmp_path / "model", dirs_exist_ok=True)
        stored = saved_model_pb2.SavedModel.FromString((folder / GRAPH).read_bytes())
        graph = stored.meta_graphs[0]
        graph.meta_info_def.tensorflow_version = "99.1.0"
        if op:
            changed = [n for f in graph.graph_def.library.function for n in f.node_def]
            for node in changed:
                node.op = op if node.op == "StringUpper" else node.op
        (folder / GRAPH).write_bytes(stored.SerializeToString())
        return str(folder)

    return made


def test_a_newer_model_that_works_is_warned_of(of_the_future, caplog):
    scored, _ = score_table(ROWS, of_the_future())
    assert scored["shout"].to_pylist() == ["A", "B"]
    assert "was saved by TensorFlow 99.1.0, which is newer than TensorFlow 2." in caplog.text


def test_an_op_that_is_not_here_yet(of_the_future):
    with pytest.raises(ConfigError, match=r"ops FutureUpper.*TensorFlow 99.1.0 saved it, which is"):
        score_table(ROWS, of_the_future("FutureUpper"))


def test_a_model_of_today_is_not_warned_of(linear_model, caplog):
    score_table(ROWS, str(linear_model))
    assert "newer" not in caplog.text


def test_a_keras_file_of_the_future(tmp_path, caplog):
    import keras

    path, later = tmp_path / "m.keras", tmp_path / "later.keras"
    given = keras.Input((1,), name="x")
    keras.Model(given, keras.layers.Rescaling(2.0)(given)).save(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(later, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            if part == "metadata.json":
                content = json.dumps(json.loads(content) | {"keras_version": "99.0"}).encode()
            if part == "config.json":
                content = content.replace(b'"Rescaling"', b'"RescalingOfTomorrow"')
            new.writestr(part, content)
    with pytest.raises(ConfigError, match=r"Keras 99.0 saved it, which is newer than Keras 3"):
        score_table(ROWS.select(["x"]), str(later))
    assert "was saved by Keras 99.0" in caplog.text
