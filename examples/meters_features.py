"""Features of meters for a network: loads as parts of the last one, and the label likewise."""

import tensorflow as tf
import tensorflow_transform as tft

LOADS = ("load_2", "load_day", "load_day_before", "load_week", "day_mean", "day_std", "hours_max")


def _one(value):
    """Each row's value, or 0 where it has none: [n]."""
    if isinstance(value, tf.SparseTensor):
        rows = [value.dense_shape[0], 1]
        value = tf.sparse.to_dense(tf.SparseTensor(value.indices, value.values, rows))
    return tf.reshape(tf.cast(value, tf.float32), [-1])


def preprocessing_fn(inputs):
    """Makes features of windowed ones, and the label: by which part the load grows in an hour."""
    last = tf.maximum(_one(inputs["load_1"]), 0.1)
    parts = {name: _one(inputs[name]) / last - 1 for name in LOADS}
    outputs = {f"{name}_scaled": tft.scale_to_z_score(part) for name, part in parts.items()}
    outputs["hours_read_scaled"] = tft.scale_to_0_1(_one(inputs["hours_read"]))
    outputs["load"] = _one(inputs["load"]) / last - 1
    return outputs
