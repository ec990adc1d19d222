"""Models that the tests of this folder share, saved once."""

import os
import pathlib
import warnings

import pytest

os.environ["TF_USE_LEGACY_KERAS"] = "0"


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SavedModel with many signatures."""
    from tests.inference.zoo import save

    path = tmp_path_factory.mktemp("zoo") / "7"
    save(path)
    return str(path)


@pytest.fixture(scope="session")
def tf1_zoo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SavedModel as TensorFlow 1 wrote it."""
    from tests.inference.zoo import save_tf1

    path = tmp_path_factory.mktemp("zoo") / "tf1"
    save_tf1(path)
    return str(path)


@pytest.fixture(scope="session")
def keras_files(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with `.keras` files: sequential, functional (lists and dicts), sparse, subclass."""
    folder = tmp_path_factory.mktemp("keras")
    with warnings.catch_warnings():
        # Keras 3.15 calls numpy in a way that numpy 2 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        _save_keras(folder)
    return folder


def _save_keras(folder: pathlib.Path) -> None:
    import keras

    keras.utils.set_random_seed(1)
    dense = keras.layers.Dense
    sequential = keras.Sequential([keras.Input([3], name="features"), dense(1, name="score")])
    sequential.save(folder / "sequential.keras")
    a, b = keras.Input([3], name="a"), keras.Input([], name="b")
    word = keras.Input([1], name="word", dtype="string")
    known = keras.layers.StringLookup(vocabulary=["x", "y"], output_mode="one_hot")(word)
    joined = keras.layers.Concatenate()([a, keras.layers.Reshape([1])(b), known])
    two, one = dense(2, name="two")(joined), dense(1, name="one")(joined)
    keras.Model([a, b, word], [two, one]).save(folder / "lists.keras")
    named = {"a": a, "b": b, "word": word}
    keras.Model(named, {"pair": two, "single": one}).save(folder / "dicts.keras")
    sparse = keras.Input([4], name="sparse", sparse=True)
    keras.Model(sparse, dense(1, name="out")(sparse)).save(folder / "sparse.keras")

    @keras.saving.register_keras_serializable("tests")
    class Custom(keras.Model):
        """A model that only its code can describe."""

        def __init__(self, **options):
            super().__init__(**options)
            self.layer = dense(1)

        def call(self, inputs):
            return self.layer(inputs)

    custom = Custom()
    custom(keras.ops.zeros([1, 2]))
    custom.save(folder / "custom.keras")


@pytest.fixture(scope="session")
def loaded_zoo(zoo):
    """The zoo as TensorFlow loads it."""
    import tensorflow as tf

    return tf.saved_model.load(zoo)


@pytest.fixture(scope="session")
def load(zoo):
    """Loads a signature of the zoo, once."""
    from inference.loaded import LoadedModel
    from inference.model.model import Model

    kept = {}

    def loaded(signature=None, **options):
        key = (signature, *sorted(options.items()))
        if key not in kept:
            trusted = {"trust_model": signature in ("hungry", "greedy")}
            kept[key] = LoadedModel(Model.resolve(zoo, signature, **trusted, **options))
        return kept[key]

    return loaded
