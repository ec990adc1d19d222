"""Odd models, odd graphs, places that can't be written: an export that is right, or none."""

import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.export import main
from inference import export_model, score_table
from inference.export import place as placing
from inference.model.model import Model
from tests.inference.export.networks import save_model, table
from tests.support import run_on
from tests.transforms.preprocess.small import schema
from transforms.errors import ConfigError
from transforms.preprocess import Analyze, Steps, raw_schema


def test_rows_that_can_not_be_scored_are_told(graph, tmp_path, capsys):
    """An embedding for another graph's vocabulary: most rows fail, which must not stay unseen."""
    import keras

    company = keras.Input((), name="company_id", dtype="int64")
    small = keras.Model({"company_id": company}, {"o": keras.layers.Embedding(1, 2)(company)})
    save_model(small, tmp_path / "small.keras")
    made = export_model(f"{tmp_path}/small.keras", graph, f"{tmp_path}/1", rows=table())
    (why,) = made.rejected
    failed = table().num_rows - made.rows
    assert 0 < made.rows < failed
    assert why.startswith(f"{failed}: ")
    assert "embedding" in why
    pq.write_table(table(), tmp_path / "rows.parquet")
    flags = [f"--model={tmp_path}/small.keras", f"--transform_graph={graph}"]
    flags += [f"--rows={tmp_path}/rows.parquet", f"--output={tmp_path}/2"]
    assert main(flags) == 0
    assert f"can't be scored in either way: {failed}: " in capsys.readouterr().err


def test_whole_numbers_feed_an_input_of_32_bits(tmp_path):
    """As Keras has them for embeddings; one that 32 bits can't hold fails, and is not wrapped."""
    import keras

    rows = pa.table({"n": pa.array([1, -2, 2**31 - 1, 2**31, 2**40])})
    steps = Steps.parse("features: {n: {steps: [fill: {value: 0}]}}")
    folder = f"{tmp_path}/graph"
    analyze = Analyze(schema=raw_schema(steps, rows.schema), steps=steps, folder=folder)
    run_on(rows.to_batches(), lambda batches: batches | analyze)
    number = keras.Input((), name="n", dtype="int32")
    same = keras.layers.Lambda(lambda x: x + 0, output_shape=(), dtype="int32")(number)
    made = export_model(keras.Model({"n": number}, {"o": same}), folder, f"{tmp_path}/1", rows=rows)
    assert made.rows == 3
    served, dead = score_table(rows, f"{tmp_path}/1")
    assert served["o"].to_pylist() == [1, -2, 2**31 - 1]
    assert len(dead) == 2


def test_rows_that_lack_a_column(model, graph, tmp_path):
    with pytest.raises(ConfigError, match="'company'"):
        export_model(model, graph, f"{tmp_path}/1", rows=table().drop(["company"]))
    assert list(tmp_path.iterdir()) == []


def test_a_label_that_is_misspelt_is_told(model, graph, tmp_path, caplog):
    export_model(model, graph, f"{tmp_path}/1", label="tipp", rows=table())
    assert "the graph takes no column 'tipp'; did you mean 'tip'" in caplog.text


@pytest.mark.parametrize(("place", "why"), [("file/1", "File exists|Not a dir"), ("", "is empty")])
def test_a_place_that_can_not_be_written(model, graph, tmp_path, place, why):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=why):
        export_model(model, graph, f"{tmp_path}/{place}" if place else "", rows=table())


def test_a_disk_that_fills_while_it_is_put_in_place(model, graph, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(placing, "move_folder", full)
    with pytest.raises(ConfigError, match=r"/1 can't be written: No space left on device"):
        export_model(model, graph, f"{tmp_path}/1", rows=table())
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_random_numbers(graph, tmp_path):
    """Its generator isn't tracked; if it were, no two calls would agree."""
    import keras

    fare = keras.Input((), name="fare_scaled")
    noise = keras.layers.GaussianNoise(1.0)(keras.layers.Reshape((1,))(fare), training=True)
    with pytest.raises(ConfigError, match=r"can't be exported|other bits"):
        export_model(keras.Model({"fare_scaled": fare}, {"o": noise}), graph, f"{tmp_path}/1")
    assert list(tmp_path.iterdir()) == []


def test_a_subclassed_model_by_its_own_export(graph, tmp_path):
    import keras
    import tensorflow as tf

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, features):
            return {
                "o": self.dense(tf.stack([features["fare_scaled"], features["tags_number"]], 1))
            }

    own = Own()
    own({"fare_scaled": tf.zeros(2), "tags_number": tf.zeros(2)})
    own.export(f"{tmp_path}/own", verbose=False)
    assert export_model(f"{tmp_path}/own", graph, f"{tmp_path}/1", rows=table()).rows == 64
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own.save(f"{tmp_path}/own.keras")
    with pytest.raises(ConfigError, match=r"model\.export\(folder\)"):
        export_model(f"{tmp_path}/own.keras", graph, f"{tmp_path}/2")


RAGGED = """
feature { name: "words" type: BYTES }
feature { name: "n" type: INT value_count { min: 0 max: 3 } }
tensor_representation_group { key: "" value { tensor_representation { key: "words" value {
  ragged_tensor { feature_path { step: "words" } } } } } }
"""


def test_a_graph_of_ragged_and_sparse_columns(tmp_path):
    import keras
    import tensorflow as tf

    def lengths(inputs):
        n = inputs["n"]
        ones = tf.SparseTensor(n.indices, tf.ones_like(n.values), n.dense_shape)
        return {
            "words": tf.cast(inputs["words"].row_lengths(), tf.int64),
            "numbers": tf.reshape(tf.sparse.reduce_sum(ones, 1), [-1]),
        }

    rows = pa.record_batch(
        {
            "words": pa.array([["a", "b"], [], None, ["c"]]),
            "n": pa.array([[1], [], [2, 3], None], pa.list_(pa.int64())),
        }
    )
    folder = f"{tmp_path}/graph"
    run_on([rows], lambda batches: batches | Analyze(lengths, schema(RAGGED), folder))
    inputs = {name: keras.Input((), name=name) for name in ("words", "numbers")}
    twice = {f"twice_{n}": keras.layers.Rescaling(2.0)(each) for n, each in inputs.items()}
    given = pa.Table.from_batches([rows])
    assert export_model(keras.Model(inputs, twice), folder, f"{tmp_path}/1", rows=given).rows == 4
    for signature in ("serving_default", "serving_examples"):
        served, dead = score_table(rows, Model.resolve(f"{tmp_path}/1", signature))
        assert served["twice_words"].to_pylist() == [4.0, 0.0, 0.0, 2.0]
        assert served["twice_numbers"].to_pylist() == [2.0, 0.0, 4.0, 0.0]
        assert len(dead) == 0
