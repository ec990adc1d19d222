"""A folder of images is scored by a model that decodes them."""

import apache_beam as beam
import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from inference import Model, Score
from tests.support import local_pipeline
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters
from transforms.errors import ConfigError
from transforms.io.read import Read
from transforms.io.write import Write

_IMAGE = tf.TensorSpec([None], tf.string, "image")


class _Brightness(tf.Module):
    @tf.function(input_signature=[_IMAGE])
    def __call__(self, image):
        def decoded(data):
            return tf.cast(tf.io.decode_image(data, 3, expand_animations=False), tf.float32)

        means = tf.map_fn(lambda data: tf.reduce_mean(decoded(data)), image, tf.float32)
        return {"brightness": means}


@pytest.fixture(scope="module")
def brightness(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("brightness"))
    tf.saved_model.save(_Brightness(), path)
    return path


def _gray(value, encode):
    return encode(np.full((4, 6, 3), value, np.uint8)).numpy()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    files = {
        "a.png": _gray(10, tf.io.encode_png),
        "b.jpg": _gray(200, tf.io.encode_jpeg),
        "c.PNG": _gray(30, tf.io.encode_png),
        "cut.png": _gray(50, tf.io.encode_png)[:40],
        "empty.png": b"",
        "not.png": b"<html>no image</html>",
    }
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
    return tmp_path


def _scored(model, uri, out):
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{out}/dead/?format=parquet", commit)
        rows = root | Read(uri, types=model.input_types(), dead_letters=dead)
        scored = rows | Score(model, keep_columns="path", dead_letters=dead)
        _ = scored | Write(f"{out}/out/", commit=commit)
    return commit.outcome()["counts"]


def test_a_folder_of_images_is_scored(brightness, folder):
    model = Model.resolve(brightness, mapping={"image": "bytes"})
    counts = _scored(model, f"{folder}/in/", folder)
    assert (counts["rows_in"], counts["rows_out"], counts["unreadable_files"]) == (6, 3, 0)
    assert counts["dead_by_reason"] == {"model_error": 1, "unparsable": 2}
    found = pq.read_table(folder / "out").to_pydict()
    values = dict(zip(found["path"], found["brightness"], strict=True))
    assert values == {
        f"{folder}/in/{name}": pytest.approx(value, abs=2)
        for name, value in (("a.png", 10), ("b.jpg", 200), ("c.PNG", 30))
    }
    dead = pq.read_table(folder / "dead").to_pylist()
    sources = {row["source"]: row["errorMessage"] for row in dead if row["reason"] == "unparsable"}
    assert sources == {
        f"{folder}/in/empty.png": "the file is empty",
        f"{folder}/in/not.png": "the file is no BMP, GIF, JPEG, PNG or WebP",
    }
    (undecoded,) = [row["payloadString"] for row in dead if row["reason"] == "model_error"]
    assert f'"path":"{folder}/in/cut.png"' in undecoded


def test_images_are_not_written(folder):
    rows = beam.Pipeline() | Read(f"{folder}/in/*.png")
    with pytest.raises(ConfigError, match="images can be read but not written"):
        _ = rows | Write(f"{folder}/out.png", commit=Commit())
