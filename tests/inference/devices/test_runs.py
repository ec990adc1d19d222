"""Models compiled, in 16 bits, on devices in turn: what comes out, and where it was made."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.score import main
from inference.devices.execution import Execution
from inference.loaded import LoadedModel
from inference.model.model import Model
from inference.runs.runs import DeviceRuns
from inference.score import score_batch
from tests.support import ROOT
from transforms.errors import ConfigError
from transforms.half_ops import halve

ROWS = 200


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """A SavedModel of two dense layers with a softmax, and the weights of the first."""
    import tensorflow as tf

    draw = np.random.default_rng(0)
    first, second = (
        tf.Variable(draw.standard_normal(shape), dtype=tf.float32) for shape in ((8, 16), (16, 3))
    )

    def serve(x):
        return {"odds": tf.nn.softmax(tf.nn.relu(x @ first) @ second)}

    module = tf.Module()
    module.first, module.second = first, second
    module.serve = tf.function(serve, input_signature=[tf.TensorSpec([None, 8], tf.float32)])
    path = str(tmp_path_factory.mktemp("dense") / "1")
    tf.saved_model.save(module, path, signatures={"serving_default": module.serve})
    return path


@pytest.fixture(scope="module")
def batch():
    draw = np.random.default_rng(1)
    values = pa.array(draw.standard_normal(ROWS * 8), pa.float32())
    return pa.RecordBatch.from_pydict({"x": pa.FixedSizeListArray.from_arrays(values, 8)})


def odds(path, batch, **how):
    loaded = LoadedModel(Model.resolve(path, batch_rows=64), Execution(**how))
    scored, rejects = score_batch(batch, loaded)
    assert rejects.num_rows == 0
    return np.stack(scored["odds"].to_numpy(zero_copy_only=False)), loaded


def test_compiled_it_gives_the_same(dense, batch):
    plain, _ = odds(dense, batch)
    compiled, loaded = odds(dense, batch, jit=True)
    np.testing.assert_allclose(compiled, plain, rtol=1e-5)
    graph = loaded._runs.program.function
    assert graph is not None


@pytest.mark.parametrize(("precision", "within"), [("bfloat16", 0.05), ("float16", 0.005)])
def test_in_sixteen_bits_it_gives_nearly_the_same(dense, batch, precision, within):
    plain, _ = odds(dense, batch)
    half, _ = odds(dense, batch, precision=precision)
    np.testing.assert_allclose(half, plain, atol=within)
    assert (half != plain).any(), "nothing was multiplied in 16 bits"
    np.testing.assert_allclose(half.sum(axis=1), 1.0, rtol=1e-6, err_msg="the softmax is of 32")


def test_both_at_once(dense, batch):
    plain, _ = odds(dense, batch)
    half, _ = odds(dense, batch, precision="bfloat16", jit=True)
    np.testing.assert_allclose(half, plain, atol=0.05)


def test_a_model_without_products_has_nothing_to_gain(linear_model):
    with pytest.raises(ConfigError, match="multiplies no matrices of float32, so bfloat16 would"):
        LoadedModel(Model.resolve(str(linear_model)), Execution(precision="bfloat16"))


def test_a_keras_file_has_to_be_exported(keras_files):
    path = keras_files / "sequential.keras"
    with pytest.raises(ConfigError, match="float16 is for SavedModels, and"):
        LoadedModel(Model.resolve(str(path)), Execution(precision="float16"))


def test_what_xla_cannot_compile_is_named(linear_model):
    with pytest.raises(ConfigError, match=r"jit=True: XLA can't compile model .*Leave it out"):
        LoadedModel(Model.resolve(str(linear_model)), Execution(jit=True))


def test_ops_in_functions_and_outputs_that_are_returned_at_once():
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([2, 2]), tf.TensorSpec([2, 2])])
    def product(a, b):
        return tf.matmul(a, b, transpose_b=True)

    graph = product.get_concrete_function().graph.as_graph_def()
    inner = product.get_concrete_function().function_def
    graph.library.function.append(inner)
    assert halve(graph, "float16") == 2
    bodies = [graph.node, graph.library.function[0].node_def]
    for body in bodies:
        assert [n.op for n in body if n.op in ("MatMul", "PartitionedCall")] == ["PartitionedCall"]
    assert all(":output:0" in s or "Identity" in s for s in graph.library.function[0].ret.values())


@pytest.mark.integration
def test_two_devices_take_turns(linear_model):
    """Rows are whole and in order; the one that the model refuses is found on either device."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.inference.devices.two", str(linear_model)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["scores"]
    assert found["x"] == [float(x) for x in range(1000) if x != 13]
    assert found["rejected"] == 1
    assert [name.rpartition("/")[2] for name in found["devices"]] == [
        "device:CPU:0",
        "device:CPU:1",
    ]
    assert found["usage"] >= 1000 / 32
    assert 0 < found["occupancy"] <= 1


def test_a_device_that_is_not_there(dense):
    with pytest.raises(ConfigError, match="device GPU:7 isn't there: TensorFlow sees CPU:0"):
        LoadedModel(Model.resolve(dense), Execution(devices=("GPU:7",)))


class Tight:
    """A device that tells of its memory, and takes a thousand bytes for each row."""

    device, most = "GPU:0", 100_000

    def __init__(self, program):
        self.program, self.peak, self.sizes = program, 0, []
        self.blame = program.blame

    def exhausted(self, error):
        return isinstance(error, MemoryError)

    def placed(self, tensors):
        return tensors

    def run(self, tensors):
        rows = len(next(iter(tensors.values())))
        self.sizes.append(rows)
        if rows * 1000 > self.most:
            raise MemoryError
        self.peak = max(self.peak, rows * 1000)
        return self.program(tensors)

    def fetched(self, made):
        return made

    def memory(self):
        peak, self.peak = self.peak, 0
        return 0, peak, self.most


def test_a_batch_that_would_not_fit_is_never_tried(dense, batch, monkeypatch):
    model = Model.resolve(dense, batch_rows=256)
    tight = Tight(model.load())
    runs = DeviceRuns([tight], Execution(), timeout=None)
    monkeypatch.setattr("inference.loaded.runs_of", lambda *_: runs)
    loaded = LoadedModel(model)
    assert loaded.limit.rows == 64
    assert max(tight.sizes) == 64
    assert score_batch(batch, loaded)[0].num_rows == ROWS
    runs.close()


def test_a_job_runs_a_model_as_it_is_told(dense, batch, tmp_path):
    pq.write_table(pa.Table.from_batches([batch]), tmp_path / "in.parquet")
    flags = {"input": f"{tmp_path}/in.parquet", "model": dense, "output": f"{tmp_path}/out.parquet"}
    argv = [f"--{name}={value}" for name, value in flags.items()]
    assert main([*argv, "--precision=bfloat16", "--jit"]) == 0
    written = np.stack(pq.read_table(tmp_path / "out.parquet")["odds"].to_numpy())
    expected, _ = odds(dense, batch, precision="bfloat16", jit=True)
    np.testing.assert_allclose(written, expected, rtol=1e-6)
