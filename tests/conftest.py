"""Fixtures that several tests share."""

import os
import pathlib

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
