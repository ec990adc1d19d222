"""Models are found, described without their weights, and checked in the launcher."""

import pathlib
import pickle
import shutil

import pyarrow as pa
import pytest
from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.localfilesystem import LocalFileSystem

from inference.model.model import Model
from inference.signature.spec import Layout
from transforms.errors import ConfigError


def specs(model):
    return {spec.name: (spec.dtype, spec.shape, spec.layout) for spec in model.signature.inputs}


def outputs(model):
    return {field.name: field.type for field in model.output_fields()}


def test_the_default_signature(zoo):
    model = Model.resolve(zoo)
    assert (model.kind, model.version, model.signature.name) == (
        "saved_model",
        "7",
        "serving_default",
    )
    assert list(specs(model)) == ["x", "y", "name"]
    assert specs(model)["y"] == ("float32", (None, 1), Layout.DENSE)
    assert outputs(model) == {
        "column": pa.float32(),
        "pair": pa.list_(pa.float32(), 2),
        "score": pa.float32(),
        "shout": pa.string(),
        "version": pa.int64(),
        "model_version": pa.string(),
    }


def test_the_names_of_features_in_a_dict_are_recovered(zoo):
    model = Model.resolve(zoo, "sparse")
    assert specs(model) == {
        "alpha": ("float32", (None,), Layout.DENSE),
        "words": ("string", (None, None), Layout.SPARSE),
        "zeta": ("float32", (None, None), Layout.SPARSE),
    }
    assert model.signature.inputs[0].parts == ("inputs",)
    assert Model.resolve(zoo, "sparse", {"inputs": "a"}).mapping == (("inputs", ("a",)),)


def test_ragged_inputs_are_recovered(zoo):
    inputs = Model.resolve(zoo, "ragged").signature.inputs
    assert [(spec.name, spec.parts, spec.splits) for spec in inputs] == [
        ("counts", ("counts", "counts_1"), 1),
        ("texts", ("texts", "texts_1", "texts_2"), 2),
        ("points", ("points", "points_1"), 1),
    ]


def test_features_of_examples_are_recovered(zoo):
    model = Model.resolve(zoo, "examples")
    assert [(f.name, f.dtype, f.row_shape, f.required) for f in model.signature.features] == [
        ("count", "int64", (), True),
        ("lengths", "int64", (None,), False),
        ("point", "float32", (2,), True),
        ("weight", "float32", (), False),
        ("words", "string", (None,), False),
    ]
    assert Model.resolve(zoo, "text").signature.features is None


def test_a_tf1_export_takes_its_only_signature(tf1_zoo):
    model = Model.resolve(tf1_zoo)
    assert model.signature.name == "predict"
    assert model.signature.inputs[3].parts == tuple(
        f"sparse_{part}" for part in ("indices", "values", "dense_shape")
    )
    assert outputs(model)["doubled"] == pa.list_(pa.int64())


def test_a_hidden_rank_is_observed(zoo):
    model = Model.resolve(zoo, "sparse")
    assert outputs(model)["total"] == pa.float32()


def test_keras_files(keras_files):
    model = Model.resolve(str(keras_files / "dicts.keras"))
    assert (model.kind, model.signature.name) == ("keras", "call")
    assert specs(model)["word"] == ("string", (None, 1), Layout.DENSE)
    assert outputs(model)["pair"] == pa.list_(pa.float32(), 2)
    model = Model.resolve(str(keras_files / "lists.keras"))
    assert list(outputs(model)) == ["two", "one", "model_version"]
    model = Model.resolve(str(keras_files / "sequential.keras"))
    assert outputs(model)["score"] == pa.float32()
    assert len(model.version) == 12


def test_a_version_changes_with_the_model(zoo, tmp_path):
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    shutil.copytree(zoo, tmp_path / "model")
    before = Model.resolve(str(tmp_path / "model"))
    assert before.version == before.digest
    assert before.digest == Model.resolve(zoo).digest
    graph = tmp_path / "model/saved_model.pb"
    saved = SavedModel.FromString(graph.read_bytes())
    saved.meta_graphs[0].meta_info_def.meta_graph_version = "changed"
    graph.write_bytes(saved.SerializeToString())
    assert Model.resolve(str(tmp_path / "model")).version != before.version


@pytest.mark.parametrize(
    ("signature", "texts"),
    [
        ("predictt", ["'predictt'", "signature=", "fragile", "serving_default"]),
        ("constant", ["'y'", "2 rows"]),
        ("scalar", ["'rate'", "one value for all rows"]),
        ("complex", ["'y'", "complex64"]),
    ],
)
def test_signatures_that_can_not_be_used(zoo, signature, texts):
    with pytest.raises(ConfigError) as error:
        Model.resolve(zoo, signature)
    for text in texts:
        assert text in str(error.value)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("nowhere", ["nowhere", "does not exist", "--model"]),
        ("models", ["holds no saved_model.pb", "did you mean", "models/10"]),
        ("models/10/variables", ["holds no saved_model.pb"]),
        ("file", ["is no model"]),
        ("nowhere.keras", ["does not exist"]),
    ],
)
def test_a_missing_model_is_told_before_tensorflow_is_imported(
    zoo, tmp_path, monkeypatch, name, texts
):
    (tmp_path / "models").mkdir()
    (tmp_path / "file").touch()
    for version in ("9", "10"):
        shutil.copytree(zoo, tmp_path / "models" / version)
    monkeypatch.setattr("inference.handlers.saved_model.tensorflow", None)
    monkeypatch.setattr("inference.handlers.keras.tensorflow", None)
    with pytest.raises(ConfigError) as error:
        Model.resolve(str(tmp_path / name))
    for text in texts:
        assert text in str(error.value)


def test_damaged_models(zoo, tmp_path, keras_files):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff not a protobuf")
    with pytest.raises(ConfigError, match="damaged"):
        Model.resolve(str(tmp_path))
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ConfigError, match="no graph"):
        Model.resolve(str(tmp_path))
    shutil.copytree(zoo, tmp_path / "half", ignore=shutil.ignore_patterns("*.data*"))
    with pytest.raises(ConfigError, match="data-00000-of-00001 of its variables is missing"):
        Model.resolve(str(tmp_path / "half"))
    (tmp_path / "m.keras").write_bytes(b"no zip")
    with pytest.raises(ConfigError, match="Keras"):
        Model.resolve(str(tmp_path / "m.keras"))
    with pytest.raises(ConfigError, match=r"model\.export"):
        Model.resolve(str(keras_files / "custom.keras"))
    with pytest.raises(ConfigError, match="only 'call'"):
        Model.resolve(str(keras_files / "dicts.keras"), "predict")


def test_mappings(zoo):
    model = Model.resolve(zoo, mapping={"x": "a,b", "y": ["c,d"], "name": ""})
    assert model.mapping == (("x", ("a", "b")), ("y", ("c,d",)), ("name", ()))
    pairs = (("x", ("a", "b")), ("y", ("c,d",)), ("name", ()))
    assert Model.resolve(zoo, mapping=pairs) == model
    with pytest.raises(ConfigError) as error:
        Model.resolve(zoo, mapping={"nme": "a"})
    for text in ('mapping={"nme": "..."}', "did you mean 'name'?", "x, y, name"):
        assert text in str(error.value)
    with pytest.raises(ConfigError, match="batch_rows"):
        Model.resolve(zoo, batch_rows=0)


SCHEMA = pa.schema({"x": pa.float32(), "y": pa.float32(), "name": pa.string(), "id": pa.int64()})


def test_what_the_launcher_asks(zoo):
    model = Model.resolve(zoo, mapping={"x": "id"})
    model.check(SCHEMA)
    assert model.input_columns(SCHEMA) == ["id", "y", "name"]
    assert model.input_types() == {"id": pa.float32(), "y": pa.float32(), "name": pa.string()}
    model = Model.resolve(zoo, "matrix", {"features": "x,y,id"})
    assert model.input_columns(SCHEMA) == ["x", "y", "id"]
    assert model.input_types() == dict.fromkeys(("x", "y", "id"), pa.float32())
    assert Model.resolve(zoo, "matrix").input_types() == {"features": pa.list_(pa.float32())}
    assert Model.resolve(zoo, "examples").input_types() == {
        "count": pa.int64(),
        "lengths": pa.list_(pa.int64()),
        "point": pa.list_(pa.float32()),
        "weight": pa.float32(),
        "words": pa.string(),
    }


def test_columns_that_would_occur_twice(zoo):
    model = Model.resolve(zoo)
    taken = SCHEMA.append(pa.field("score", pa.int8()))
    with pytest.raises(ConfigError, match=r"'score'.*output_prefix="):
        model.check(taken)
    model.check(taken, ["id"])
    Model.resolve(zoo, output_prefix="new_").check(taken)


def test_columns_to_keep_that_are_not_there(zoo):
    with pytest.raises(ConfigError) as error:
        Model.resolve(zoo).check(SCHEMA.remove(0), ["idd", "x"])
    assert "'idd' (did you mean 'id'?)" in str(error.value)
    assert len(str(error.value).splitlines()) == 4


def test_a_model_is_small_and_pickles(zoo):
    model = Model.resolve(zoo, "examples")
    content = pickle.dumps(model)
    assert len(content) < 5_000
    assert pickle.loads(content) == model
    assert hash(pickle.loads(content)) == hash(model)


class Relay(LocalFileSystem):
    """The local files under another scheme: a remote file system as far as Beam is concerned."""

    opened: list[str] = []  # noqa: RUF012

    @classmethod
    def scheme(cls):
        return "relay"

    def _list(self, dir_or_prefix):
        for found in super()._list(_local(dir_or_prefix)):
            found.path = f"relay://{found.path}"
            yield found

    def exists(self, path):
        return super().exists(_local(path))

    def has_dirs(self):
        return False

    def size(self, path):
        return super().size(_local(path))

    def last_updated(self, path):
        return super().last_updated(_local(path))

    def metadata(self, path):
        found = super().metadata(_local(path))
        return FileMetadata(path, found.size_in_bytes, found.last_updated_in_seconds)

    def open(self, path, *args, **options):
        self.opened.append(path)
        return super().open(_local(path), *args, **options)


def _local(path):
    return path.removeprefix("relay://")


def test_a_remote_model_is_copied_once(zoo, keras_files, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Relay.opened.clear()
    model = Model.resolve(f"relay://{zoo}/")
    names = sorted(pathlib.Path(path).name for path in Relay.opened)
    assert names == ["saved_model.pb", "variables.index"]
    assert (model.uri, model.version) == (f"relay://{zoo}", "7")
    model.load()
    assert len(Relay.opened) == sum(path.is_file() for path in pathlib.Path(zoo).rglob("*"))
    model.load()
    assert len(Relay.opened) == len(set(Relay.opened))
    Model.resolve(f"relay://{keras_files}/lists.keras").load()


def test_a_remote_model_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ConfigError, match="does not exist"):
        Model.resolve(f"relay://{tmp_path}/nothing")
    with pytest.raises(ConfigError, match="can't be listed"):
        Model.resolve("nofs://bucket/model")
