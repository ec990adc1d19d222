"""A graph's function, its rows, and a small network of what it makes."""

import warnings

import numpy as np
import pyarrow as pa

from transforms.tensorflow import tensorflow_transform

TEXT = """
feature { name: "fare" type: FLOAT presence { min_fraction: 1 } shape {} }
feature { name: "company" type: BYTES value_count { min: 0 max: 1 } }
feature { name: "tags" type: BYTES value_count { min: 0 max: 9 } }
feature { name: "place" type: FLOAT presence { min_fraction: 1 } shape { dim { size: 2 } } }
feature { name: "tip" type: FLOAT presence { min_fraction: 1 } shape {} }
"""


def preprocessing_fn(inputs):
    """A scaled number, a vocabulary of one that may be missing, a count of texts, a label."""
    tft = tensorflow_transform()
    import tensorflow as tf

    company = inputs["company"]
    rows = tf.stack([company.dense_shape[0], 1])
    company = tf.sparse.to_dense(tf.SparseTensor(company.indices, company.values, rows), "")
    fine = tf.debugging.assert_none_equal(inputs["fare"], -1.0)
    with tf.control_dependencies([fine]):
        fare = tf.identity(inputs["fare"])
    ones = tf.SparseTensor(
        inputs["tags"].indices,
        tf.ones_like(inputs["tags"].values, tf.float32),
        inputs["tags"].dense_shape,
    )
    return {
        "fare_scaled": tft.scale_to_z_score(fare),
        "company_id": tft.compute_and_apply_vocabulary(
            tf.reshape(company, [-1]), num_oov_buckets=1
        ),
        "tags_number": tf.reshape(tf.sparse.reduce_sum(ones, 1), [-1]),
        "place": inputs["place"],
        "tipped": tf.cast(inputs["tip"] > 1.0, tf.int64),
    }


def table(rows=64, seed=0):
    draw = np.random.default_rng(seed)
    tags = [
        list("abcd"[: draw.integers(0, 4)]) if draw.random() < 0.8 else None for _ in range(rows)
    ]
    companies = [draw.choice(["a", "b", "never seen", None]) for _ in range(rows)]
    places = pa.array(draw.normal(size=2 * rows), pa.float32())
    return pa.table(
        {
            "fare": pa.array(draw.normal(20, 9, rows)),
            "company": pa.array(companies, pa.string()),
            "tags": pa.array(tags, pa.list_(pa.string())),
            "place": pa.FixedSizeListArray.from_arrays(places, 2),
            "tip": pa.array(draw.uniform(0, 3, rows)),
        }
    )


def network(names=("fare_scaled", "company_id", "tags_number", "place")):
    """A small network of features."""
    import keras

    keras.utils.set_random_seed(5)
    kinds = {"company_id": "int64", "tipped": "int64"}
    inputs = {
        name: keras.Input(
            (2,) if name == "place" else (), name=name, dtype=kinds.get(name, "float32")
        )
        for name in names
    }
    parts = [
        keras.layers.Embedding(8, 3)(each)
        if each.dtype == "int64"
        else keras.layers.Reshape([-1])(each)
        for each in inputs.values()
    ]
    hidden = keras.layers.Dense(8, activation="tanh")(keras.layers.Concatenate()(parts))
    return keras.Model(inputs, {"guess": keras.layers.Dense(2)(hidden)})


def save_model(made, path):
    with warnings.catch_warnings():
        # Keras 3.15 calls numpy in a way that numpy 2 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        made.save(path)
