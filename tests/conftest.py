"""Fixtures that several tests share."""

import os
import pathlib
from typing import Any

import hypothesis
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Machines are shared: no test fails for it took long.
hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.load_profile("shared")


@pytest.fixture(scope="session")
def linear_model(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A SavedModel: score = 2x + y, and name in upper case; it raises where x is 13."""
    import tensorflow as tf

    def serve(x, y, name):
        fine = tf.debugging.assert_none_equal(x, 13.0)
        with tf.control_dependencies([fine]):
            return {"score": 2.0 * x + y, "shout": tf.strings.upper(name)}

    numbers = tf.TensorSpec([None], tf.float32)
    texts = tf.TensorSpec([None], tf.string)
    module = tf.Module()
    module.serve = tf.function(serve, input_signature=[numbers, numbers, texts])
    path = tmp_path_factory.mktemp("models") / "linear" / "4"
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
    return path


@pytest.fixture(scope="session")
def graph_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A transform graph of `tests.transforms.preprocess.small`; it fails where fare is -1."""
    from tests.support import run_on
    from tests.transforms.preprocess.small import ROWS, preprocessing_fn, schema
    from transforms.preprocess import Analyze

    folder = str(tmp_path_factory.mktemp("graphs") / "transform_graph")
    analyze = Analyze(preprocessing_fn, schema(), folder)
    assert run_on([ROWS], lambda rows: rows | analyze) == [folder]
    return folder


@pytest.fixture(scope="session")
def graph(graph_uri: str) -> Any:
    """The same graph, read."""
    from transforms.preprocess import TransformGraph

    return TransformGraph.read(graph_uri)


@pytest.fixture(scope="session")
def loaded(graph: Any) -> Any:
    """The same graph, loaded."""
    from transforms.preprocess import LoadedGraph

    return LoadedGraph(graph)
