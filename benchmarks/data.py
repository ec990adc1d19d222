"""The benchmark's rows and models: 28 float32 features and an id, a 64-64-1 network."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FEATURES = [f"f{i:02d}" for i in range(28)]
ROW_GROUP = 131_072


def rows(path: Path, number: int, reject: bool = False) -> Path:
    """A Parquet file of standard normal features; with `reject`, one is null in every row."""
    if path.exists():
        return path
    draw = np.random.default_rng(0)
    schema = pa.schema([("id", pa.int64()), *((name, pa.float32()) for name in FEATURES)])
    waiting = path.with_suffix(".tmp")
    with pq.ParquetWriter(waiting, schema, use_dictionary=False) as writer:
        for start in range(0, number, ROW_GROUP):
            size = min(ROW_GROUP, number - start)
            columns = [pa.array(draw.standard_normal(size, np.float32)) for _ in FEATURES]
            if reject:
                columns[3] = pa.nulls(size, pa.float32())
            ids = pa.array(np.arange(start, start + size))
            writer.write_table(pa.table([ids, *columns], schema=schema))
    waiting.rename(path)
    return path


def examples(path: Path, number: int) -> Path:
    """A TFRecord file of tf.Examples with 10 float features."""
    if path.exists():
        return path
    import tensorflow as tf

    draw = np.random.default_rng(0)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in draw.standard_normal((number, 10)):
            lists = {f"f{i}": tf.train.FloatList(value=[value]) for i, value in enumerate(row)}
            features = {name: tf.train.Feature(float_list=value) for name, value in lists.items()}
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    return path


def dense_model(path: Path) -> Path:
    """A SavedModel whose one input, `x`, takes all features of a row."""
    import tensorflow as tf

    spec = tf.TensorSpec([None, len(FEATURES)], tf.float32, name="x")
    return _saved(path, len(FEATURES), spec, lambda x: x)


def example_model(path: Path) -> Path:
    """A SavedModel that takes serialized tf.Examples."""
    import tensorflow as tf

    names = [f"f{i}" for i in range(10)]
    parsed = {name: tf.io.FixedLenFeature([], tf.float32) for name in names}

    def vectors(examples: Any) -> Any:
        columns = tf.io.parse_example(examples, parsed)
        return tf.stack([columns[name] for name in names], 1)

    return _saved(path, len(names), tf.TensorSpec([None], tf.string, name="examples"), vectors)


def _saved(path: Path, width: int, spec: Any, vectors: Callable[[Any], Any]) -> Path:
    """A 64-64-1 network behind what makes vectors of its one input."""
    import tensorflow as tf

    if path.exists():
        return path
    draw = np.random.default_rng(0)
    sizes = [width, 64, 64, 1]
    module = tf.Module()
    # Plain variables: tfx_bsl, the rival, does not find those of a Keras 3 model.
    module.layers = [
        (tf.Variable(draw.normal(0, n**-0.5, (n, m)), dtype=tf.float32), tf.Variable(tf.zeros(m)))
        for n, m in itertools.pairwise(sizes)
    ]

    def serve(x: Any) -> Any:
        values = vectors(x)
        for weights, bias in module.layers[:-1]:
            values = tf.nn.relu(tf.matmul(values, weights) + bias)
        weights, bias = module.layers[-1]
        return {"score": (tf.matmul(values, weights) + bias)[:, 0]}

    module.serve = tf.function(serve, input_signature=[spec])
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
    return path
