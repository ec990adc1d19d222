"""A model behind a transform graph: the same bits as one after the other, in one call."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from inference import Score, score_table
from inference.model.model import Model
from tests.support import run_on, shared_data
from tests.transforms.preprocess.halves import HALVED
from tests.transforms.preprocess.small import ROWS, schema
from transforms.errors import ConfigError
from transforms.preprocess import Analyze, LoadedGraph, TransformGraph, transform_batch
from transforms.tensorflow import tensorflow_transform


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Takes a scaled fare, the hour as a float, and the ids of companies as a sparse tensor."""
    import keras

    inputs = {
        "fare_scaled": keras.Input((1,), name="fare_scaled", dtype="float32"),
        "hour": keras.Input((), name="hour", dtype="float32"),
    }
    joined = keras.layers.Concatenate()(
        [inputs["fare_scaled"], keras.ops.expand_dims(inputs["hour"], -1)]
    )
    keras.utils.set_random_seed(3)
    made = keras.Model(inputs, {"guess": keras.layers.Dense(3, activation="tanh")(joined)})
    path = tmp_path_factory.mktemp("models") / "tip.keras"
    with warnings.catch_warnings():
        # Keras 3.15 calls numpy in a way that numpy 2 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        made.save(path)
    return str(path)


def changed(column, values, type=None):
    index = ROWS.schema.get_field_index(column)
    return ROWS.set_column(index, column, pa.array(values, type or ROWS.schema.field(column).type))


def test_it_takes_raw_columns_that_are_needed_and_no_label(model, graph_uri):
    fused = Model.resolve(model, transform_graph=graph_uri)
    assert {spec.name for spec in fused.signature.inputs} == {"fare", "hour"}
    assert fused.input_types() == {"fare": pa.float32(), "hour": pa.int64()}
    assert fused.digest.endswith(TransformGraph.read(graph_uri).version)
    assert fused.version == Model.resolve(model).version


def test_bits_are_those_of_one_after_the_other(model, graph_uri, loaded):
    features, _ = transform_batch(ROWS, loaded)
    apart, _ = score_table(features, model)
    fused, rejects = score_table(ROWS, model, transform_graph=graph_uri)
    assert rejects.num_rows == 0
    assert fused["guess"].combine_chunks().equals(apart["guess"].combine_chunks())
    assert fused.schema.names == [*ROWS.schema.names, "guess", "model_version"]
    assert fused.select(ROWS.schema.names).equals(pa.Table.from_batches([ROWS]))


def test_rows_that_do_not_fit_or_fail_are_rejected(model, graph_uri):
    batch = changed("fare", [5.0, -1.0, None, 25.0])
    fused, rejects = score_table(batch, model, transform_graph=graph_uri)
    assert fused["note"].to_pylist() == ["n0", "n3"]
    reasons, payloads = rejects["reason"].to_pylist(), rejects["payloadString"].to_pylist()
    found = zip(reasons, payloads, strict=True)
    assert {reason: json.loads(row)["note"] for reason, row in found} == {
        "model_error": "n1",
        "missing_value": "n2",
    }
    whole, _ = score_table(ROWS, model, transform_graph=graph_uri)
    assert np.array_equal(
        np.array(fused["guess"].to_pylist()), np.array(whole["guess"].to_pylist())[[0, 3]]
    )


def test_whole_number_that_no_float_holds(model, graph_uri):
    batch = changed("hour", [0, 1, 2**24 + 2, 3], pa.int64())
    fused, rejects = score_table(batch, model, transform_graph=graph_uri)
    assert fused["note"].to_pylist() == ["n0", "n1", "n3"]
    assert rejects["reason"].to_pylist() == ["model_error"]


def test_sparse_features_and_maps_of_both_kinds(tmp_path, graph_uri, loaded):
    import tensorflow as tf

    module = tf.Module()

    def serve(ids, scale):
        dense = tf.sparse.to_dense(ids, default_value=-5)
        return {"sum": tf.reduce_sum(tf.cast(dense, tf.float32), 1) + tf.reduce_sum(scale, 1)}

    module.serve = tf.function(
        serve,
        input_signature=[
            tf.SparseTensorSpec([None, None], tf.int64),
            tf.TensorSpec([None, 2], tf.float32),
        ],
    )
    path = f"{tmp_path}/sparse"
    tf.saved_model.save(module, path, signatures={"serving_default": module.serve})
    mapping = {"ids": "company_id", "scale": "fare_scaled,hour", "fare": "price"}
    rows = ROWS.rename_columns(["price", "miles", "company", "tip", "hour", "note"])
    fused, _ = score_table(rows, path, mapping=mapping, transform_graph=graph_uri)
    features, _ = transform_batch(ROWS, loaded)
    of_features = {"ids": "company_id", "scale": "fare_scaled,hour"}
    hours = features.set_column(2, "hour", features["hour"].cast(pa.float32()))
    apart, _ = score_table(hours, path, mapping=of_features)
    assert fused["sum"].to_pylist() == apart["sum"].to_pylist() == [1.0, 3.25, -1.5, 5.0]


def test_verb_in_batches_of_any_size(model, graph_uri):
    whole, _ = score_table(ROWS, model, transform_graph=graph_uri)
    parts = [ROWS.slice(0, 1), ROWS.slice(1, 0), ROWS.slice(1, 3)]
    found = run_on(parts, lambda rows: rows | Score(model, transform_graph=graph_uri))
    table = pa.Table.from_batches(found)
    assert np.allclose(np.array(table["guess"].to_pylist()), np.array(whole["guess"].to_pylist()))


def test_graph_that_does_not_make_what_the_model_takes(tmp_path, graph_uri):
    import keras

    wrong = keras.Input((), name="fare_scale", dtype="float32")
    path = f"{tmp_path}/wrong.keras"
    keras.Model({"fare_scale": wrong}, keras.ops.expand_dims(wrong, -1)).save(path)
    with pytest.raises(ConfigError, match=r"makes no 'fare_scale'; did you mean 'fare_scaled'"):
        Model.resolve(path, transform_graph=graph_uri)
    with pytest.raises(ConfigError, match=r"'company_id' .* takes dense tensors"):
        Model.resolve(path, mapping={"fare_scale": "company_id"}, transform_graph=graph_uri)


def test_column_that_is_missing(model, graph_uri):
    with pytest.raises(ConfigError, match="needs column 'fare', which is missing"):
        score_table(ROWS.select(["hour"]), model, transform_graph=graph_uri)


def test_loaded_graph_is_shared(graph_uri):
    first, second = (TransformGraph.read(graph_uri) for _ in range(2))
    assert first == second
    assert first.function() is second.function()
    assert LoadedGraph(first).schema.equals(LoadedGraph(second).schema)


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """Graphs whose functions read a file, and run Python code."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_text("1")
    functions = {
        "reads": lambda x: tf.strings.to_number(tf.io.read_file(str(folder / "secret"))) + x,
        "python": lambda x: tensorflow_transform().apply_pyfunc(_twice, tf.float32, True, "t", x),
    }
    rows = pa.RecordBatch.from_pydict({"x": pa.array([1.0, 2.0], pa.float32())})
    import tensorflow as tf

    for name, function in functions.items():

        def made(inputs, function=function):
            return {"x": tf.reshape(function(inputs["x"]), [-1])}

        analyze = Analyze(made, schema(HALVED), str(folder / name))
        run_on([rows], lambda batches, analyze=analyze: batches | analyze)
    return folder


def _twice(values):
    return values * 2


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A model that gives what it takes."""
    import tensorflow as tf

    path = str(tmp_path_factory.mktemp("models") / "plain")
    module = tf.Module()
    spec = tf.TensorSpec([None], tf.float32, "x")
    module.serve = tf.function(lambda x: {"y": tf.identity(x)}, input_signature=[spec])
    tf.saved_model.save(module, path, signatures={"serving_default": module.serve})
    return path


@pytest.mark.parametrize(
    ("name", "deed"),
    [
        ("reads", r"it reads or writes files \(ReadFile\)"),
        ("python", r"it runs Python code \((EagerPyFunc|PyFunc)"),
    ],
)
def test_graph_that_reaches_outside_is_refused_unless_trusted(outside, plain, name, deed):
    graph = str(outside / name)
    with pytest.raises(ConfigError, match=rf"transform graph {graph}: {deed}.*trust_model=True"):
        Model.resolve(plain, transform_graph=graph)
    model = Model.resolve(plain, transform_graph=graph, trust_model=True)
    graph = replace(model.transformed.graph, trusted=False)
    with pytest.raises(ConfigError, match=rf"{deed}.*trust_model=True"):
        replace(model, transformed=replace(model.transformed, graph=graph)).load()


def test_graph_that_is_trusted_runs(outside, plain):
    rows = pa.table({"x": pa.array([1.0, 2.0], pa.float32())})
    graph = str(outside / "reads")
    scored, _ = score_table(rows, plain, transform_graph=graph, trust_model=True)
    assert scored["y"].to_pylist() == [2.0, 3.0]


def test_public_graphs_need_no_trust():
    for parts in (("taxi_bench_models", "tft_tf2_saved_model"),):
        assert not TransformGraph.read(str(shared_data(*parts))).trusted


def test_a_wider_float_is_fed_by_a_narrower_one(tmp_path, graph_uri, loaded):
    """Keras infers float64 from arrays of NumPy; no value changes on the way, NaN included."""
    import tensorflow as tf

    module = tf.Module()
    wide = tf.TensorSpec([None], tf.float64, "fare_scaled")
    module.serve = tf.function(lambda fare_scaled: {"twice": fare_scaled * 2}, [wide])
    tf.saved_model.save(module, str(tmp_path / "wide"), {"serving_default": module.serve})
    batch = changed("fare", [5.0, float("nan"), 2.0, 25.0])
    fused, rejects = score_table(batch, tmp_path / "wide", transform_graph=graph_uri)
    features, _ = transform_batch(batch, loaded)
    assert rejects.num_rows == 0
    expected = features["fare_scaled"].to_numpy(zero_copy_only=False).astype("float64") * 2
    assert np.array_equal(fused["twice"].to_numpy(), expected, equal_nan=True)
