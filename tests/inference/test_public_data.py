"""Public models over public examples give what calling their signatures directly gives."""

import functools

import numpy as np
import pyarrow as pa
import pytest

from inference import Model, score_table
from tests.support import shared_data
from transforms.examples.convert import decode_examples
from transforms.examples.schema import infer_example_schema
from transforms.replaced_ops import runnable


@functools.cache
def records(*parts):
    """The serialized examples of gzipped shards."""
    import tensorflow as tf

    *folder, pattern = parts
    shards = sorted(str(path) for path in shared_data(*folder).glob(pattern))
    return [record.numpy() for record in tf.data.TFRecordDataset(shards, "GZIP")]


def decoded(serialized):
    """The examples as a table."""
    batch = pa.record_batch({"record": pa.array(serialized, pa.binary())})
    rows, rejects = decode_examples(batch, infer_example_schema(serialized))
    assert rejects.num_rows == 0
    return rows


@functools.cache
def signatures(path):
    """The signatures, and what keeps them alive."""
    import tensorflow as tf

    with runnable(path) as folder:
        loaded = tf.saved_model.load(folder)
    return loaded.signatures, loaded


def direct(function, serialized, call):
    """The outputs of direct calls on the batches that Score makes, padding included."""
    parts = []
    for start in range(0, len(serialized), 8192):
        part = serialized[start : start + 8192]
        size = 1 << (len(part) - 1).bit_length()
        outputs = call(function, part + part[-1:] * (size - len(part)))
        parts.append({name: value.numpy()[: len(part)] for name, value in outputs.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def assert_bits(rows, expected, prefix=""):
    for name, value in expected.items():
        flat = value.reshape(len(value)) if value[0].size == 1 else value
        if flat.dtype == object:
            flat = np.vectorize(bytes.decode)(flat)
        assert rows[prefix + name].to_pylist() == flat.tolist(), name


def test_penguins():
    model = str(shared_data("tfx_artifacts", "trainer", "keras", "Format-Serving"))
    given = records("tfx_artifacts", "penguin", "data", "Split-*/*.gz")
    rows, rejects = score_table(decoded(given), model)
    assert (rows.num_rows, rejects.num_rows) == (334, 0)
    function = signatures(model)[0]["serving_default"]
    assert_bits(rows, direct(function, given, lambda f, part: f(examples=part)))
    found = np.argmax(np.array(rows["output_0"].to_pylist()), axis=1)
    assert (found == rows["species"].to_numpy()).mean() > 0.9


@pytest.mark.integration
@pytest.mark.parametrize("name", ["predict", "classification"])
def test_the_taxi_estimator(name):
    """Its ops include one that TensorFlow lost, so even a direct call needs the replacement."""
    path = str(shared_data("taxi_bench_models", "trained_saved_model"))
    given = records("tfx_artifacts", "csv_example_gen", "Split-*/*.gz")
    rows, rejects = score_table(decoded(given), path, signature=name, output_prefix="m_")
    assert (rows.num_rows, rejects.num_rows) == (15_000, 0)
    key = Model.resolve(path, name).signature.inputs[0].name
    function = signatures(path)[0][name]
    expected = direct(function, given, lambda f, part: f(**{key: part}))
    assert_bits(rows, expected, "m_")


def test_the_taxi_transform_graph():
    """Its sparse inputs are saved as inputs, inputs_1, ...; columns match by their true names."""
    import tensorflow as tf

    path = str(shared_data("taxi_bench_models", "tft_tf2_saved_model"))
    given = records("tfx_artifacts", "csv_example_gen", "Split-*/*.gz")
    model = Model.resolve(path)
    rows, rejects = score_table(decoded(given), model)
    assert (rows.num_rows, rejects.num_rows) == (15_000, 0)
    specs = model.signature.inputs
    parser = {spec.name: tf.io.VarLenFeature(spec.dtype) for spec in specs}

    def call(function, part):
        parsed = tf.io.parse_example(part, parser)
        parts = {}
        for spec in specs:
            value = parsed[spec.name]
            parts |= zip(spec.parts, (value.indices, value.values, value.dense_shape), strict=True)
        return function(**parts)

    assert {spec.name for spec in specs} >= {"company", "fare", "tips"}
    function = signatures(path)[0]["serving_default"]
    assert_bits(rows, direct(function, given, call))


def test_kinds_that_differ_from_the_model_are_cast():
    """These examples hold whole floats where the estimator parses integers: a direct call fails."""
    path = str(shared_data("taxi_bench_models", "trained_saved_model"))
    given = records("taxi_formats", "tfrecord", "*.gz")
    rows, rejects = score_table(
        decoded(given), path, signature="classification", output_prefix="m_"
    )
    assert (rows.num_rows, rejects.num_rows) == (15_000, 0)
    assert rows["m_scores"].type == pa.list_(pa.float32(), 2)
