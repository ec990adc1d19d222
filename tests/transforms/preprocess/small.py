"""A small schema, rows and preprocessing functions that several tests share."""

import pyarrow as pa
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from transforms.tensorflow import tensorflow_transform

SCHEMA = """
feature { name: "fare" type: FLOAT presence { min_fraction: 1 } shape {} }
feature { name: "miles" type: FLOAT value_count { min: 0 max: 1 } }
feature { name: "company" type: BYTES value_count { min: 0 max: 1 } }
feature { name: "tip" type: FLOAT presence { min_fraction: 1 } shape {} }
feature { name: "hour" type: INT presence { min_fraction: 1 } shape { dim { size: 1 } } }
feature { name: "unused" type: BYTES presence { min_fraction: 1 } shape {} }
feature { name: "old" type: BYTES lifecycle_stage: DEPRECATED }
"""


def schema(text=SCHEMA):
    return text_format.Parse(text, schema_pb2.Schema())


def preprocessing_fn(inputs):
    """Scaled, a vocabulary, a sparse one left sparse, a copy and a label; fails at fare -1."""
    tft = tensorflow_transform()
    import tensorflow as tf

    fine = tf.debugging.assert_none_equal(inputs["fare"], -1.0)
    with tf.control_dependencies([fine]):
        fare = tf.identity(inputs["fare"])
    return {
        "fare_scaled": tft.scale_to_0_1(fare),
        "miles": inputs["miles"],
        "company_id": tft.compute_and_apply_vocabulary(inputs["company"], num_oov_buckets=1),
        "hour": inputs["hour"] + 1,
        "label": tf.cast(inputs["tip"] > 1.0, tf.int64),
    }


ROWS = pa.RecordBatch.from_pydict(
    {
        "fare": pa.array([5.0, 10.0, 15.0, 25.0], pa.float64()),
        "miles": pa.array([1.0, None, 2.0, 3.0], pa.float32()),
        "company": pa.array(["a", "b", None, "a"]),
        "tip": pa.array([0.0, 2.0, 0.0, 5.0]),
        "hour": pa.array([0, 1, 2, 3], pa.int32()),
        "note": pa.array(["n0", "n1", "n2", "n3"]),
    }
)
