"""Ops that TensorFlow no longer runs are replaced by functions that do the same."""

import pytest

from inference import Model, score_table
from transforms.errors import ConfigError
from transforms.replaced_ops import missing_ops, runnable

BOUNDARIES = [-1.0, 0.0, 2.5]
VALUES = [-5.0, -1.0, -0.5, 0.0, 1.0, 2.5, 3.0, float("nan"), float("inf")]
BUCKETS = [0, 0, 1, 1, 2, 2, 2, 0, 2]
"""The first boundary that is not below the value, else the last: as the lost kernel did."""


@pytest.fixture(scope="module")
def old_models(tmp_path_factory):
    """A TF2 and a TF1 SavedModel with BoostedTreesBucketize, which TensorFlow 2.21 can't run."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("old")

    def bucketize(x):
        (found,) = tf.raw_ops.BoostedTreesBucketize(
            float_values=[x], bucket_boundaries=[tf.constant(BOUNDARIES)]
        )
        return {"bucket": found + 0}

    module = tf.Module()
    module.serve = tf.function(bucketize, input_signature=[tf.TensorSpec([None], tf.float32)])
    tf.saved_model.save(module, str(folder / "tf2"), signatures=module.serve)
    v1 = tf.compat.v1
    info = v1.saved_model.build_tensor_info
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None], "x")
        signature = v1.saved_model.build_signature_def(
            {"x": info(x)}, {"bucket": info(bucketize(x)["bucket"])}, "tensorflow/serving/predict"
        )
        builder = v1.saved_model.Builder(str(folder / "tf1"))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
    return folder


@pytest.mark.parametrize("name", ["tf1", "tf2"])
def test_an_old_model_scores(old_models, name):
    import pyarrow as pa

    rows, rejects = score_table(pa.table({"x": VALUES}), str(old_models / name))
    assert rejects.num_rows == 0
    assert rows["bucket"].to_pylist() == BUCKETS


def test_no_boundaries_give_one_bucket():
    import tensorflow as tf

    from transforms.replaced_ops import _buckets

    assert _buckets(tf.constant([1.0, 2.0]), tf.constant([], tf.float32)).numpy().tolist() == [0, 0]


def test_a_model_without_such_ops_is_taken_as_it_is(zoo):
    with runnable(zoo) as path:
        assert path == zoo


def test_an_op_without_a_kernel_is_told_before_a_row_moves(old_models, monkeypatch):
    monkeypatch.setattr("transforms.replaced_ops._REPLACEMENTS", {})
    with pytest.raises(ConfigError, match=r"can't run its ops BoostedTreesBucketize"):
        Model.resolve(str(old_models / "tf2"))


def test_functions_are_no_ops():
    from tensorflow.core.framework import function_pb2, node_def_pb2

    function = function_pb2.FunctionDef()
    function.signature.name = "mine"
    nodes = [node_def_pb2.NodeDef(op=op) for op in ("mine", "MatMul", "NoSuchOp")]
    assert missing_ops(nodes, [function]) == ["NoSuchOp"]
    assert missing_ops(nodes[:2], [function]) == []
