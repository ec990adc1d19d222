"""The worked example on real data: from raw rows to scores, by jobs."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from examples import taxi
from inference import score_table
from tests.support import shared_data
from transforms.examples.convert import encode_examples
from transforms.preprocess import LoadedGraph, TransformGraph, transform_batch

pytestmark = pytest.mark.integration  # it trains or compiles for many seconds


@pytest.mark.timeout(600)
def test_from_raw_rows_to_scores(tmp_path, capsys):
    data = shared_data("taxi_split")
    with warnings.catch_warnings():
        # Keras 3.15 calls numpy in a way that numpy 2 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        taxi.run(data, tmp_path)
    told = capsys.readouterr().out
    accuracy = float(told.partition("accuracy ")[2].split()[0])
    labels = pq.read_table(tmp_path / "prepared" / "Split-eval")["big_tip"].to_numpy()
    assert accuracy > max(labels.mean(), 1 - labels.mean()) + 0.02, "better than a constant guess"
    scores = pq.read_table(tmp_path / "scores")
    raw = pa.csv.read_csv(
        data / "serving.csv",
        convert_options=pa.csv.ConvertOptions(strings_can_be_null=True),
    )
    assert "tips" not in raw.column_names
    assert scores["trip_seconds"].to_pylist() == raw["trip_seconds"].to_pylist()
    apart = _one_after_the_other(raw, tmp_path)
    assert np.array_equal(scores["tip_is_big"].to_numpy(), apart)
    served = pq.read_table(tmp_path / "served_scores")
    assert served["tip_is_big"].equals(scores["tip_is_big"]), "raw rows by the export alone"
    _three_ways(_many(data), tmp_path)
    cash = np.array(raw["payment_type"].to_pylist()) == "Cash"
    assert apart[cash].mean() < 0.1 < apart[~cash].mean(), "cash is paid without a tip on record"


ROWS, CALL = 5000, 1000


def _many(data):
    """Rows with all that a server meets: missing values, companies that are in no vocabulary."""
    options = pa.csv.ConvertOptions(strings_can_be_null=True)
    parts = [pa.csv.read_csv(data / f"{n}.csv", convert_options=options) for n in ("train", "eval")]
    rows = pa.concat_tables(parts, promote_options="permissive").slice(8000, ROWS)
    companies = rows["company"].to_pylist()
    companies[::7] = ["no such company"] * len(companies[::7])
    rows = rows.set_column(rows.column_names.index("company"), "company", pa.array(companies))
    missing = [name for name in rows.column_names if rows[name].null_count]
    assert {"company", "dropoff_latitude"} <= set(missing)
    return rows


def _three_ways(rows, folder):
    """The bits of the pipeline, the exported model, and Keras behind tf.Transform's own layer."""
    graph = f"{folder}/prepared/transform_graph"
    settings = {"batch_rows": CALL, "keep_columns": ["trip_seconds"]}
    keras_file = str(folder / "model.keras")
    pipeline, rejects = score_table(rows, keras_file, transform_graph=graph, **settings)
    assert (pipeline.num_rows, rejects.num_rows) == (ROWS, 0)
    for signature in ("serving_default", "serving_examples"):
        served, _ = score_table(rows, str(folder / "served" / "1"), signature, **settings)
        assert served["tip_is_big"].equals(pipeline["tip_is_big"])
    by_layer = _by_layer(rows, graph, keras_file)
    assert np.array_equal(by_layer, pipeline["tip_is_big"].to_numpy())


def _by_layer(rows, graph, keras_file):
    import keras
    import tensorflow as tf

    from transforms.tensorflow import tensorflow_transform

    output = tensorflow_transform().TFTransformOutput(graph)
    layer, model = output.transform_features_layer(), keras.models.load_model(keras_file)
    spec = {name: each for name, each in output.raw_feature_spec().items() if name != "tips"}
    examples, _ = encode_examples(rows.combine_chunks().to_batches()[0])

    @tf.function(input_signature=[tf.TensorSpec([CALL], tf.string)])
    def call(serialized):
        return model(layer(tf.io.parse_example(serialized, spec)), training=False)["tip_is_big"]

    texts = examples.to_numpy(zero_copy_only=False)
    parts = [call(tf.constant(texts[at : at + CALL])) for at in range(0, ROWS, CALL)]
    return np.concatenate(parts).ravel()


def _one_after_the_other(raw, folder):
    """The scores of rows that were transformed first; the label is any."""
    graph = TransformGraph.read(f"{folder}/prepared/transform_graph")
    rows = raw.append_column("tips", pa.array(np.zeros(raw.num_rows)))
    (batch,) = rows.combine_chunks().to_batches()
    made, rejects = transform_batch(batch, LoadedGraph(graph))
    assert rejects.num_rows == 0
    scored, _ = score_table(made, str(folder / "model.keras"))
    return scored["tip_is_big"].to_numpy()
