"""Declared steps against tf.Transform on the same rows: figures, vocabularies and features."""

import numpy as np
import pyarrow as pa
import pytest

from tests.support import run_on
from tests.transforms.preprocess.small import schema
from transforms.errors import ConfigError
from transforms.preprocess import (
    Analyze,
    LoadedGraph,
    Steps,
    StepsFunction,
    TransformGraph,
    transform_batch,
)
from transforms.preprocess.columns import RawColumns
from transforms.preprocess.function import trace
from transforms.tensorflow import tensorflow_transform

pytestmark = pytest.mark.integration  # it trains or compiles for many seconds

SCHEMA = """
feature { name: "x" type: FLOAT value_count { min: 0 max: 1 } }
feature { name: "w" type: FLOAT presence { min_fraction: 1 } shape {} }
feature { name: "v" type: FLOAT presence { min_fraction: 1 } shape {} }
feature { name: "n" type: INT presence { min_fraction: 1 } shape {} }
feature { name: "word" type: BYTES value_count { min: 0 max: 1 } }
feature { name: "text" type: BYTES presence { min_fraction: 1 } shape {} }
"""
STEPS = """
features:
  x_01: {column: x, steps: scale_to_0_1}
  x_z: {column: x, steps: scale_to_z_score}
  n_z: {column: n, steps: scale_to_z_score}
  x_log_z: {column: x, steps: [log1p, scale_to_z_score]}
  w_range: {column: w, steps: [scale_by_min_max: {output_min: -1, output_max: 1}]}
  w_bucket: {column: w, steps: [bucketize: 7]}
  x_bucket: {column: x, steps: [bucketize: 4]}
  n_given: {column: n, steps: [apply_buckets: {boundaries: [10, 20, 30]}]}
  word: {steps: [vocabulary: {num_oov_buckets: 2, frequency_threshold: 30}]}
  word_top: {column: word, steps: [vocabulary: {top_k: 5}]}
  n_vocabulary: {column: n, steps: [vocabulary: {top_k: 9, num_oov_buckets: 1}]}
  word_hash: {column: word, steps: [hash_strings: 11]}
  word_strong: {column: word, steps: [hash_strings: {hash_buckets: 11, key: [1, 2]}]}
  grams: {column: text, steps: [split, ngrams: [1, 2], vocabulary]}
  weights: {column: text, steps: [split, vocabulary: {num_oov_buckets: 1}, tfidf]}
  parts: {columns: [w, v, n], steps: [pca: 2]}
"""


def preprocessing_fn(inputs):
    """The same features, written by hand with tf.Transform."""
    import tensorflow as tf

    tft = tensorflow_transform()
    x, w, word = inputs["x"], inputs["w"], inputs["word"]
    log = tf.SparseTensor(x.indices, tf.math.log1p(x.values), x.dense_shape)
    words = tf.strings.split(inputs["text"])
    known = tft.compute_and_apply_vocabulary(
        words.to_sparse(), num_oov_buckets=1, vocab_filename="weights"
    )
    index, weight = tft.tfidf(known, tft.get_num_buckets_for_transformed_feature(known))
    grams = tft.ngrams(words.to_sparse(), (1, 2), " ")
    numbers = tf.stack([w, inputs["v"], tf.cast(inputs["n"], tf.float32)], 1)
    mean = tft.mean(numbers, reduce_instance_dims=False)
    return {
        "x_01": tft.scale_to_0_1(x),
        "x_z": tft.scale_to_z_score(x),
        "n_z": tft.scale_to_z_score(inputs["n"]),
        "x_log_z": tft.scale_to_z_score(log),
        "w_range": tft.scale_by_min_max(w, -1.0, 1.0),
        "w_bucket": tft.bucketize(w, 7),
        "x_bucket": tft.bucketize(x, 4),
        "n_given": tft.apply_buckets(inputs["n"], [[10, 20, 30]]),
        "word": tft.compute_and_apply_vocabulary(
            word, num_oov_buckets=2, frequency_threshold=30, vocab_filename="word"
        ),
        "word_top": tft.compute_and_apply_vocabulary(word, top_k=5, vocab_filename="word_top"),
        "n_vocabulary": tft.compute_and_apply_vocabulary(
            inputs["n"], top_k=9, num_oov_buckets=1, vocab_filename="n_vocabulary"
        ),
        "word_hash": tft.hash_strings(word, 11),
        "word_strong": tft.hash_strings(word, 11, [1, 2]),
        "grams": tft.compute_and_apply_vocabulary(grams, vocab_filename="grams"),
        "weights_index": index,
        "weights_weight": weight,
        "parts": tf.matmul(numbers - mean, tft.pca(numbers, 2, tf.float32)),
    }


def rows(number=4000):
    draw = np.random.default_rng(5)
    x = draw.lognormal(2, 1, number).astype(np.float32)
    words = np.array([f"w{n}" for n in range(60)])[draw.geometric(0.06, number) % 60]
    missing = draw.random(number) < 0.1
    texts = [" ".join(draw.choice(words[:30], n)) for n in draw.integers(0, 6, number)]
    w = draw.normal(0, 3, number).astype(np.float32)
    return pa.RecordBatch.from_pydict(
        {
            "x": pa.array(x, mask=missing),
            "w": w,
            "v": (w * 0.5 + draw.normal(0, 1, number)).astype(np.float32),
            "n": draw.integers(0, 40, number),
            "word": pa.array(words, mask=draw.random(number) < 0.2),
            "text": texts,
        }
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The rows by our steps and by tf.Transform, and their graphs' folders."""
    place, batch = tmp_path_factory.mktemp("graphs"), rows()
    parts = [batch.slice(start, 700) for start in range(0, batch.num_rows, 700)]
    ours = Analyze(schema=schema(SCHEMA), folder=f"{place}/ours", steps=Steps.parse(STEPS))
    theirs = Analyze(preprocessing_fn, schema(SCHEMA), f"{place}/theirs")
    made = {}
    for name, analyze in (("ours", ours), ("theirs", theirs)):
        run_on(parts, lambda given, analyze=analyze: given | analyze)
        loaded = LoadedGraph(TransformGraph.read(f"{place}/{name}"))
        made[name], rejects = transform_batch(batch, loaded)
        assert rejects.num_rows == 0
    return made["ours"], made["theirs"], place


def test_the_same_columns(both):
    ours, theirs, _ = both
    assert ours.schema.equals(theirs.schema)


@pytest.mark.parametrize("name", ["x_01", "x_z", "n_z", "x_log_z", "w_range", "weights_weight"])
def test_numbers(both, name):
    ours, theirs, _ = both
    one, other = ours[name], theirs[name]
    if pa.types.is_list(one.type):
        assert one.is_null().equals(other.is_null())
        one, other = one.flatten(), other.flatten()
    np.testing.assert_allclose(one.to_numpy(), other.to_numpy(), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    "word word_top n_vocabulary word_hash word_strong grams weights_index n_given".split(),
)
def test_categories_are_the_same_exactly(both, name):
    ours, theirs, _ = both
    if name == "grams":
        # In another order within a row: tft.ngrams goes by word, ours by length.
        for one, other in zip(ours[name].to_pylist(), theirs[name].to_pylist(), strict=True):
            assert sorted(one) == sorted(other)
        return
    assert ours[name].equals(theirs[name])


@pytest.mark.parametrize("name", ["word", "word_top", "n_vocabulary", "grams", "weights"])
def test_vocabularies_and_their_order_are_the_same_exactly(both, name):
    tft = tensorflow_transform()
    _, _, place = both
    ours, theirs = (
        tft.TFTransformOutput(f"{place}/{each}").vocabulary_by_name(name)
        for each in ("ours", "theirs")
    )
    assert ours == theirs
    assert ours


@pytest.mark.parametrize(
    ("name", "column", "buckets"), [("w_bucket", "w", 7), ("x_bucket", "x", 4)]
)
def test_buckets_within_the_error_of_both(both, name, column, buckets):
    """The shares of rows below each boundary: ours are exact here, theirs within 0.01."""
    ours, theirs, _ = both
    for made, error in ((ours, 0.001), (theirs, 0.01)):
        found = made[name]
        found = found.flatten() if pa.types.is_list(found.type) else found
        shares = np.cumsum(np.bincount(found.to_numpy(), minlength=buckets))[:-1] / len(found)
        assert np.abs(shares - np.arange(1, buckets) / buckets).max() <= error


def test_directions_up_to_their_sign(both):
    ours, theirs, _ = both
    one = np.array(ours["parts"].to_pylist())
    other = np.array(theirs["parts"].to_pylist())
    other *= np.sign((one * other).sum(axis=0))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_domains_are_the_same(both):
    tft = tensorflow_transform()
    _, _, place = both
    ours, theirs = (tft.TFTransformOutput(f"{place}/{each}") for each in ("ours", "theirs"))
    for name in ("word", "word_top", "grams", "n_given", "w_bucket", "n_vocabulary"):
        assert ours.transformed_domains().get(name) == theirs.transformed_domains().get(name), name
    assert ours.num_buckets_for_transformed_feature("word_hash") == 11


COMPILED = """
features:
  x_01: {column: x, steps: scale_to_0_1}
  w_z: {column: w, steps: [clip: {min: -4, max: 4}, scale_to_z_score]}
  x_filled: {column: x, steps: [fill: mean]}
  w_bucket: {column: w, steps: [bucketize: 7]}
  word: {steps: [vocabulary: {top_k: 20, num_oov_buckets: 1}]}
"""


def test_steps_as_a_function_of_tf_transform(tmp_path):
    batch, steps = rows(), Steps.parse(COMPILED)
    function = StepsFunction.of(steps, schema(SCHEMA))
    ways = {
        "steps": Analyze(schema=schema(SCHEMA), folder=f"{tmp_path}/steps", steps=steps),
        "function": Analyze(function, schema(SCHEMA), f"{tmp_path}/function"),
    }
    made = {}
    for name, analyze in ways.items():
        run_on([batch], lambda given, analyze=analyze: given | analyze)
        loaded = LoadedGraph(TransformGraph.read(f"{tmp_path}/{name}"))
        made[name], _ = transform_batch(batch, loaded)
    one, other = made["steps"], made["function"]
    assert one.schema.equals(other.schema)
    assert one["word"].equals(other["word"])
    for name in ("x_01", "w_z", "x_filled"):
        left, right = one[name], other[name]
        left, right = (
            each.flatten() if pa.types.is_list(each.type) else each for each in (left, right)
        )
        np.testing.assert_allclose(left.to_numpy(), right.to_numpy(), rtol=2e-6, atol=1e-6)


def test_steps_that_tf_transform_has_no_analyzer_for():
    steps = Steps.parse("features: {w: {steps: robust_scale}}")
    with pytest.raises(ConfigError, match=r"no analyzer for robust_scale: use Analyze\(steps"):
        trace(StepsFunction.of(steps, schema(SCHEMA)), RawColumns.of_schema(schema(SCHEMA)))
