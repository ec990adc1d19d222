"""A model that reaches outside of TensorFlow is refused unless trusted; what prints is silent."""

import pathlib
import shutil

import pyarrow as pa
import pytest

from inference import Model, score_table
from tests.support import shared_data
from transforms.errors import ConfigError
from transforms.saved_models.outside_ops import is_outside

NUMBERS = pa.table({"x": [1.0, 2.0]})
WORDS = pa.table({"x": ["b", "nowhere"]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Small models, by what they do."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("trust")
    (folder / "secret").write_text("secret\nb\n")
    number, text = (tf.TensorSpec([None], kind, "x") for kind in (tf.float32, tf.string))
    secret = str(folder / "secret")

    def each(x, value):
        return {"y": tf.repeat(value, tf.size(x))}

    def prints(x):
        tf.print("the row is", x)
        return {"y": x * 2.0}

    def writes(x):
        with tf.control_dependencies([tf.io.write_file(f"{folder}/written", "x")]):
            return {"y": x + 1.0}

    models = {
        "reads": (lambda x: each(x, tf.io.read_file(secret)), number),
        "globs": (lambda x: each(x, tf.io.matching_files(secret)[0]), number),
        "writes": (writes, number),
        "python": (lambda x: {"y": tf.py_function(lambda v: v, [x], tf.float32)}, number),
        "numpy": (
            lambda x: {"y": tf.numpy_function(lambda v: v, [x], tf.float32, stateful=False)},
            number,
        ),
        "lines": (
            lambda x: each(x, tf.data.TextLineDataset(secret).take(1).get_single_element()),
            number,
        ),
        "loops": (lambda x: {"y": tf.map_fn(tf.io.read_file, x)}, text),
        "prints": (prints, number),
    }
    for name, (function, spec) in models.items():
        module = tf.Module()
        module.serve = tf.function(function, input_signature=[spec])
        tf.saved_model.save(module, str(folder / name), signatures=module.serve)
    _save_tables(folder, text)
    _save_old(folder)
    return folder


def _save_tables(folder, text):
    """Tables that are filled from an asset, and from any file there is."""
    import tensorflow as tf

    whole, line = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    secret = str(folder / "secret")
    own = tf.Module()
    filled = tf.lookup.TextFileInitializer(secret, tf.string, whole, tf.int64, line)
    own.table = tf.lookup.StaticHashTable(filled, -1)
    own.serve = tf.function(lambda x: {"y": own.table.lookup(x)}, input_signature=[text])
    tf.saved_model.save(own, str(folder / "own_table"), signatures=own.serve)

    def foreign(x):
        handle = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
        fill = tf.raw_ops.InitializeTableFromTextFileV2(
            table_handle=handle, filename=secret, key_index=-2, value_index=-1
        )
        with tf.control_dependencies([fill]):
            return {"y": tf.raw_ops.LookupTableFindV2(
                table_handle=handle, keys=x, default_value=tf.constant(-1, tf.int64)
            )}  # fmt: skip

    other = tf.Module()
    other.serve = tf.function(foreign, input_signature=[text])
    tf.saved_model.save(other, str(folder / "foreign_table"), signatures=other.serve)


def _save_old(folder):
    """Exports as TensorFlow 1 made them, whose initialiser or outputs do something."""
    import tensorflow as tf

    v1 = tf.compat.v1

    def save(name, output, main_op):
        with v1.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None], "x")
            info = v1.saved_model.build_tensor_info
            y = output(x)
            signature = v1.saved_model.build_signature_def(
                {"x": info(x)}, {"y": info(y)}, "tensorflow/serving/predict"
            )
            builder = v1.saved_model.Builder(str(folder / name))
            builder.add_meta_graph_and_variables(
                session, ["serve"], {"serving_default": signature}, main_op=main_op()
            )
            builder.save()

    save("old_prints", lambda x: v1.Print(x, [x], "the row is") * 2.0, lambda: None)
    save("old_writes", lambda x: x + 1.0, lambda: tf.io.write_file(f"{folder}/written", "x"))


@pytest.mark.parametrize(
    ("name", "deed", "op"),
    [
        ("reads", "reads or writes files", "ReadFile"),
        ("globs", "reads or writes files", "MatchingFiles"),
        ("writes", "reads or writes files", "WriteFile"),
        ("python", "runs Python code", "EagerPyFunc"),
        ("numpy", "runs Python code", "PyFuncStateless"),
        ("lines", "reads or writes files", "TextLineDataset"),
        ("loops", "reads or writes files", "ReadFile"),
        ("foreign_table", "reads or writes files", "InitializeTableFromTextFileV2"),
        ("old_writes", "reads or writes files", "WriteFile"),
    ],
)
def test_what_reaches_outside_is_refused_by_name(folder, name, deed, op):
    with pytest.raises(ConfigError) as error:
        Model.resolve(str(folder / name))
    for text in (f"it {deed} ({op})", "trust_model=True"):
        assert text in str(error.value)
    assert not (folder / "written").exists()


def test_what_is_trusted_runs(folder):
    rows, _ = score_table(NUMBERS, str(folder / "reads"), trust_model=True)
    assert rows["y"].to_pylist() == ["secret\nb\n"] * 2
    rows, _ = score_table(NUMBERS, str(folder / "numpy"), trust_model=True)
    assert rows["y"].to_pylist() == [1.0, 2.0]


def test_a_vocabulary_of_its_own_is_fine(folder):
    rows, _ = score_table(WORDS, str(folder / "own_table"))
    assert rows["y"].to_pylist() == [1, -1]


@pytest.mark.parametrize("name", ["../../secret", "/etc/hostname"])
def test_an_asset_that_lies_elsewhere_is_refused(folder, tmp_path, name):
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    shutil.copytree(folder / "own_table", tmp_path / "model")
    graph = tmp_path / "model/saved_model.pb"
    saved = SavedModel.FromString(graph.read_bytes())
    saved.meta_graphs[0].asset_file_def[0].filename = name
    graph.write_bytes(saved.SerializeToString())
    with pytest.raises(ConfigError, match="InitializeTableFromTextFileV2"):
        Model.resolve(str(tmp_path / "model"))


def test_the_objects_are_looked_at_too_for_they_are_what_runs(folder, tmp_path):
    """A graph that is harmless, with objects whose signature is not."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    shutil.copytree(folder / "writes", tmp_path / "model")
    graph = tmp_path / "model/saved_model.pb"
    saved = SavedModel.FromString(graph.read_bytes())
    for node in saved.meta_graphs[0].graph_def.node:
        if node.op == "StatefulPartitionedCall":
            shown = [source for source in node.input if not source.startswith("^")][:1]
            node.ClearField("attr")
            node.op = "Identity"
            del node.input[:]
            node.input.extend(shown)
            node.attr["T"].type = 1
    graph.write_bytes(saved.SerializeToString())
    with pytest.raises(ConfigError, match="WriteFile"):
        Model.resolve(str(tmp_path / "model"))


@pytest.mark.parametrize("name", ["prints", "old_prints"])
def test_prints_are_silenced(folder, capfd, name):
    rows, _ = score_table(NUMBERS, str(folder / name))
    assert rows["y"].to_pylist() == [2.0, 4.0]
    assert "the row is" not in "".join(capfd.readouterr())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_python_code_of_keras_files(tmp_path, keras_files):
    import keras

    x = keras.Input([1], name="x")
    path = str(tmp_path / "lambda.keras")
    keras.Model(x, keras.layers.Lambda(lambda v: v * 3.0, name="y")(x)).save(path)
    with pytest.raises(ConfigError, match=r"Lambda layer.*trust_model=True"):
        Model.resolve(path)
    rows, _ = score_table(NUMBERS, path, trust_model=True)
    assert rows["y"].to_pylist() == [3.0, 6.0]
    assert Model.resolve(str(keras_files / "lists.keras")).trusted is False


def test_ops_that_a_model_may_use_and_those_that_it_may_not():
    from tensorflow.core.framework.node_def_pb2 import NodeDef

    fine = ("VarHandleOp", "HashTableV2", "While", "RandomUniform", "StatefulPartitionedCall")
    assert [op for op in fine if is_outside(NodeDef(op=op))] == []
    bad = ("SaveV2", "RestoreV2", "DebugIdentity", "CacheDatasetV2", "RpcCall", "WorkerHeartbeat")
    assert [op for op in bad if not is_outside(NodeDef(op=op))] == []
    file = NodeDef(op="DecodeProtoV2")
    file.attr["descriptor_source"].s = b"/etc/hostname"
    assert is_outside(file)
    file.attr["descriptor_source"].s = b"local://"
    assert not is_outside(file)


@pytest.mark.parametrize(
    "parts",
    [
        ("taxi_bench_models", "tft_tf2_saved_model"),
        ("taxi_bench_models", "trained_saved_model"),
        ("tfx_artifacts", "trainer", "keras", "Format-Serving"),
    ],
)
def test_public_models_need_no_trust(parts):
    path: pathlib.Path = shared_data(*parts)
    assert Model.resolve(str(path)).trusted is False
