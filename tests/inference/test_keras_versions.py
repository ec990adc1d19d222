"""Models of Keras 2 where Keras 3 is used: told, with the way that works."""

import numpy as np
import pyarrow as pa
import pytest

from inference import export_model, score_table
from transforms.errors import ConfigError

ROWS = pa.table({"x": pa.array([1.0, 2.0], pa.float32())})


@pytest.fixture(scope="module")
def old():
    """A Keras 2 model with an operation that Keras 3 has no layer for."""
    keras_2 = pytest.importorskip("tf_keras")
    given = keras_2.Input((), name="x")
    return keras_2.Model({"x": given}, {"y": given * 2.0 + 1.0})


def test_file_of_keras_2(old, tmp_path):
    path = str(tmp_path / "old.keras")
    old.save(path)
    with pytest.raises(ConfigError, match=r"saved by Keras 2\..*model.export\(folder\)"):
        score_table(ROWS, path)


def test_model_of_keras_2_in_memory(old, graph_uri, tmp_path):
    for attempt in (
        lambda: score_table(ROWS, old),
        lambda: export_model(old, graph_uri, str(tmp_path / "out")),
    ):
        with pytest.raises(ConfigError, match=r"Keras 2 \(tf_keras\).*model.export\(folder\)"):
            attempt()


def test_the_way_that_is_told(old, tmp_path):
    old.export(str(tmp_path / "folder"))
    scored, _ = score_table(ROWS, str(tmp_path / "folder"))
    (made,) = [name for name in scored.column_names if name not in ("x", "model_version")]
    assert np.array(scored[made].to_pylist()).ravel().tolist() == [3.0, 5.0]
