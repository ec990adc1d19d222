"""Variables that are cut short, or missing, are told before a row moves."""

import shutil

import pytest

from inference.model.checkpoint import shard_sizes
from inference.model.model import Model
from tests.support import shared_data
from transforms.errors import ConfigError

DATA = "variables/variables.data-00000-of-00001"


@pytest.fixture
def model(zoo, tmp_path):
    """A copy of the zoo, to be damaged."""
    shutil.copytree(zoo, tmp_path / "model")
    return tmp_path / "model"


def test_the_sizes_are_those_of_the_files(zoo, model):
    sizes = shard_sizes(model / "variables/variables.index")
    assert sizes == {"variables.data-00000-of-00001": (model / DATA).stat().st_size}


def test_compressed_and_large_indexes():
    path = shared_data("taxi_bench_models", "trained_saved_model", "variables")
    for name, least in shard_sizes(path / "variables.index").items():
        assert least == (path / name).stat().st_size


def test_many_variables(tmp_path):
    import tensorflow as tf

    module = tf.Module()
    module.all = [tf.Variable([float(i)] * (1 + i % 7), name=f"v{i}") for i in range(700)]
    tf.saved_model.save(module, str(tmp_path))
    (size,) = shard_sizes(tmp_path / "variables/variables.index").values()
    assert size == (tmp_path / DATA).stat().st_size


def test_variables_that_are_cut_short(model):
    size = (model / DATA).stat().st_size
    with (model / DATA).open("r+b") as file:
        file.truncate(size - 1)
    with pytest.raises(ConfigError, match=f"has {size - 1:,} bytes instead of {size:,}"):
        Model.resolve(str(model))
    (model / DATA).unlink()
    with pytest.raises(ConfigError, match="is missing"):
        Model.resolve(str(model))


@pytest.mark.parametrize("left", [0, 10, 60, -1])
def test_an_index_that_is_cut_short(model, left):
    index = model / "variables/variables.index"
    index.write_bytes(index.read_bytes()[:left])
    with pytest.raises(ConfigError, match=r"variables\.index is damaged or cut short"):
        Model.resolve(str(model))
