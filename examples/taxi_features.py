"""Features of Chicago taxi trips, as tf.Transform makes them: one pass over the training rows."""

import tensorflow as tf
import tensorflow_transform as tft

SCALED = ("trip_miles", "trip_seconds", "trip_start_timestamp")
BUCKETS = ("pickup_latitude", "pickup_longitude", "dropoff_latitude", "dropoff_longitude")
VOCABULARIES = ("payment_type", "company")
WHOLE = ("trip_start_hour", "trip_start_day", "trip_start_month")
TOP = 50
"""The size of the vocabulary: the most frequent texts; one more number stands for all others."""


def _one(value, default):
    """Each row's value, or a default where it has none: [n]."""
    if isinstance(value, tf.SparseTensor):
        rows = [value.dense_shape[0], 1]
        value = tf.sparse.to_dense(tf.SparseTensor(value.indices, value.values, rows), default)
    return tf.reshape(value, [-1])


def preprocessing_fn(inputs):
    """Makes features of raw columns, and the label: is the tip above a fifth of the fare?"""
    outputs = {}
    for name in SCALED:
        value = tf.cast(_one(inputs[name], 0), tf.float32)
        outputs[f"{name}_scaled"] = tft.scale_to_z_score(value)
    for name in BUCKETS:
        outputs[f"{name}_bucket"] = tft.bucketize(_one(inputs[name], 0.0), 10)
    for name in VOCABULARIES:
        outputs[f"{name}_id"] = tft.compute_and_apply_vocabulary(
            _one(inputs[name], ""), top_k=TOP, num_oov_buckets=1, vocab_filename=name
        )
    for name in WHOLE:
        outputs[name] = _one(inputs[name], 0)
    fare = _one(inputs["fare"], 0.0)
    outputs["fare_log"] = tf.math.log1p(tf.maximum(fare, 0.0))
    outputs["big_tip"] = tf.cast(_one(inputs["tips"], 0.0) > 0.2 * fare, tf.int64)
    return outputs
