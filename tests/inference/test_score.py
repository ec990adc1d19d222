"""Rows are scored as the model itself does; each that can't be leaves with a reason."""

import threading

import numpy as np
import pyarrow as pa
import pytest

from inference import score_table
from inference.loaded import LoadedModel
from inference.model.model import Model
from inference.score import score_batch
from tests.inference.rows import mixed, rejected
from tests.inference.zoo import DTYPES, FLOATS
from transforms.errors import ConfigError
from transforms.rejects import REJECTS


def test_outputs_are_those_of_the_signature_to_the_bit(load, loaded_zoo):
    batch = mixed(100)
    rows, rejects = score_batch(batch, load())
    assert rejects.num_rows == 0
    last = pa.array(np.minimum(np.arange(128), 99))
    padded = batch.take(last)
    direct = loaded_zoo.signatures["serving_default"](
        x=padded["x"].to_numpy(),
        y=padded["y"].to_numpy().astype(np.float32).reshape(-1, 1),
        name=np.array([name.encode() for name in padded["name"].to_pylist()]),
    )
    assert rows.schema.names[:4] == ["id", "x", "y", "name"]
    assert rows["score"].to_pylist() == direct["score"].numpy()[:100].tolist()
    assert rows["pair"].to_pylist() == direct["pair"].numpy()[:100].tolist()
    assert rows["column"].to_pylist() == direct["column"].numpy()[:100, 0].tolist()
    assert rows["shout"].to_pylist() == [s.decode() for s in direct["shout"].numpy()[:100]]
    assert rows["version"].to_pylist() == [7] * 100
    assert rows["model_version"].to_pylist() == ["7"] * 100


def test_rows_alone_and_in_batches_agree(load):
    batch = mixed(60)
    whole, _ = score_batch(batch, load())
    small, _ = score_table(batch, load().model, batch_rows=8192)
    alone = [score_batch(batch.slice(row, 1), load())[0] for row in range(60)]
    for name in ("score", "column"):
        single = np.concatenate([rows[name].to_numpy() for rows in alone])
        np.testing.assert_allclose(single, whole[name].to_numpy(), rtol=1e-6)
        assert small[name].to_pylist() == whole[name].to_pylist()


def test_batches_are_cut_to_the_batch_size_and_padded(load, monkeypatch):
    model, sizes = load(batch_rows=64), []
    program = model._runs.program
    monkeypatch.setattr(model._runs, "program", Counted(program, sizes))
    rows, _ = score_batch(mixed(150), model)
    assert rows["id"].to_pylist() == list(range(150))
    assert sizes == [64, 64, 32]


class Counted:
    """A program that notes the rows of its calls."""

    def __init__(self, program, sizes):
        self.program, self.sizes = program, sizes
        self.exhausted, self.blame = program.exhausted, program.blame

    def __call__(self, tensors):
        self.sizes.append(len(next(iter(tensors.values()))))
        return self.program(tensors)


def test_slices_and_nothing(load):
    batch = mixed(40)
    full, _ = score_batch(batch, load())
    part, _ = score_batch(batch.slice(7, 5), load())
    assert part["shout"].to_pylist() == full["shout"].to_pylist()[7:12]
    none, rejects = score_batch(batch.slice(0, 0), load())
    assert (none.num_rows, rejects.num_rows) == (0, 0)
    assert none.schema.equals(full.schema)
    table, rejects = score_table(pa.Table.from_batches([], batch.schema), load().model)
    assert table.schema.equals(full.schema)
    assert rejects.schema.equals(REJECTS)


def test_the_input_is_not_touched(load):
    batch = mixed(40)
    before = batch.serialize().to_pybytes()
    score_batch(batch, load())
    assert batch.serialize().to_pybytes() == before


def test_columns_to_keep(load):
    rows, _ = score_batch(mixed(3), load(), ("name", "id"))
    assert rows.schema.names[:3] == ["name", "id", "column"]
    rows, _ = score_batch(mixed(3), load(), ())
    assert rows.schema.names == [f.name for f in load().model.output_fields()]
    renamed = load(output_prefix="a_")
    assert "a_score" in score_batch(mixed(3), renamed)[0].schema.names


def test_batches_of_changing_schemas(load):
    for batch in (mixed(3), mixed(3).drop_columns(["id"]), mixed(3)):
        rows, _ = score_batch(batch, load())
        assert rows.schema.names[: len(batch.schema)] == batch.schema.names


def test_a_model_of_a_fixed_number_of_rows(load):
    batch = pa.record_batch({"x": np.repeat(np.float32([1, 2, 3]), [8, 8, 4])})
    rows, _ = score_batch(batch, load("fixed"))
    assert rows["y"].to_pylist() == [2.0] * 8 + [3.0] * 8 + [4.0] * 4


def test_lists_of_open_size_are_scored_in_groups_of_one_size(load):
    lists = [[float(i)] * (i % 4) for i in range(50)]
    points = [[[1.0, 2.0]] * (1 + i % 3) for i in range(50)]
    batch = pa.record_batch({"id": pa.array(range(50)), "rows": lists, "points": points})
    rows, rejects = score_batch(batch, load("varied"))
    assert rejects.num_rows == 0
    assert rows["id"].to_pylist() == list(range(50))
    assert rows["copy"].to_pylist() == lists
    assert rows["total"].to_pylist() == [sum(row) for row in lists]
    assert rows["mean"].to_pylist() == [[1.0, 2.0]] * 50


def test_stacked_columns_and_lists_agree(load):
    values = np.random.default_rng(1).standard_normal((40, 3)).astype(np.float32)
    columns = pa.record_batch({f"f{i}": values[:, i] for i in range(3)})
    lists = pa.record_batch({"features": pa.FixedSizeListArray.from_arrays(values.ravel(), 3)})
    stacked, _ = score_batch(columns, load("matrix", mapping=(("features", ("f*",)),)))
    nested, _ = score_batch(lists, load("matrix"))
    assert stacked["sum"].to_pylist() == nested["sum"].to_pylist()
    np.testing.assert_allclose(nested["sum"], values.sum(1), rtol=1e-5)


def test_three_dimensions_and_pairs_of_text(load):
    pixels = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
    rows, _ = score_batch(pa.record_batch({"pixels": pixels.tolist()}), load("image"))
    assert rows["turned"].to_pylist() == pixels.transpose(0, 2, 1).tolist()
    rows, _ = score_batch(
        pa.record_batch({"pair": [["a", "b"], ["c", "\u00e9"]]}), load("dense_text")
    )
    assert rows["joined"].to_pylist() == ["ab", "c\u00e9"]


def test_sparse_inputs_and_outputs(load):
    batch = pa.record_batch(
        {
            "alpha": pa.array([1, 2, 3], pa.int32()),
            "zeta": pa.array([[1.0], None, [2.0, None, 3.0]], pa.list_(pa.float64())),
            "words": pa.array([None, "b", "c"]),
        }
    )
    rows, _ = score_batch(batch, load("sparse", output_prefix="o_"))
    assert rows["o_total"].to_pylist() == [2.0, 2.0, 8.0]
    assert rows["o_twice"].to_pylist() == [[2.0], [], [4.0, 6.0]]
    assert rows["o_words"].to_pylist() == [[""], ["b"], ["c"]]


def test_ragged_inputs_and_outputs(load):
    batch = pa.record_batch(
        {
            "counts": pa.array([[1, 2], None, [3]], pa.list_(pa.int32())),
            "texts": pa.array(
                [[["a"], ["b", "c"]], [], [[], None]], pa.list_(pa.list_(pa.string()))
            ),
            "points": pa.array(
                [[[1, 2]], [], [[3, 4], [5, 6]]], pa.list_(pa.list_(pa.float32(), 2))
            ),
        }
    )
    rows, _ = score_batch(batch, load("ragged", output_prefix="o_"))
    assert rows["o_counts"].to_pylist() == [[2, 4], [], [6]]
    assert rows["o_texts"].to_pylist() == [[["A"], ["B", "C"]], [], [[], []]]
    assert rows["o_points"].to_pylist() == [[[2, 3]], [], [[4, 5], [6, 7]]]
    assert rows["o_sums"].to_pylist() == [3.0, 0.0, 18.0]
    assert rows["o_lengths"].to_pylist() == [2, 0, 1]


def test_every_type_goes_in_and_comes_out(load):
    model = load("echo")
    columns = {name: pa.array([0, 1, 1]).cast(model.model.input_types()[name]) for name in DTYPES}
    columns |= {
        name: np.array([0.5, 1.0, -2.0], np.float32) for name in FLOATS if name != "float16"
    }
    columns["float16"] = np.array([0.5, 1.0, -2.0], np.float16)
    rows, rejects = score_batch(pa.record_batch(columns), model)
    assert rejects.num_rows == 0
    for name in DTYPES + FLOATS:
        assert rows[f"{name}_out"].to_pylist() == rows[name].to_pylist(), name


def _examples(rows):
    import tensorflow as tf

    kinds = {"count": "int64_list", "lengths": "int64_list", "words": "bytes_list"}

    def feature(name, values):
        kind = kinds.get(name, "float_list")
        typed = getattr(tf.train, {"i": "Int64List", "b": "BytesList", "f": "FloatList"}[kind[0]])
        return tf.train.Feature(**{kind: typed(value=values)})

    return [
        tf.train.Example(
            features=tf.train.Features(feature={name: feature(name, v) for name, v in row.items()})
        ).SerializeToString()
        for row in rows
    ]


EXAMPLES = pa.record_batch(
    {
        "id": pa.array([1, 2, 3, 4]),
        "count": pa.array([1.0, 2.0, 3.0, 4.5]),
        "point": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0], [6.0, 7.0]]),
        "weight": pa.array([None, 2.0, 1.0, 1.0]),
        "words": pa.array([["a", "b"], None, [], []]),
        "lengths": pa.array([[], [1, 2], [3], []]),
    }
)


def test_rows_as_examples(load, loaded_zoo):
    rows, rejects = score_batch(EXAMPLES, load("examples", output_prefix="o_"))
    assert rows["id"].to_pylist() == [1, 2]
    assert [entry[:2] for entry in rejected(rejects)] == [
        ("lossy_cast", "count"),
        ("wrong_shape", "point"),
    ]
    serialized = _examples(
        [
            {"count": [1], "point": [1, 2], "words": [b"a", b"b"]},
            {"count": [2], "point": [3, 4], "weight": [2.0], "lengths": [1, 2]},
        ]
    )
    direct = loaded_zoo.signatures["examples"](serialized=serialized + serialized[-1:] * 14)
    assert rows["o_sum"].to_pylist() == direct["sum"].numpy()[:2].tolist() == [15.0, 14.0]
    assert rows["o_count"].to_pylist() == [1, 2]
    assert rows["o_lengths"].to_pylist() == [[], [1, 2]]


def test_ready_made_examples(load):
    good, bad = _examples([{"count": [1], "point": [1, 2]}, {"count": [1]}])
    batch = pa.record_batch({"serialized": pa.array([good, bad, b"no example"], pa.binary())})
    rows, rejects = score_batch(batch, load("examples"))
    assert rows["sum"].to_pylist() == [15.0]
    assert rejects["reason"].to_pylist() == ["model_error"] * 2


def test_an_optional_feature_can_be_left_out(load):
    batch = EXAMPLES.slice(0, 2).drop_columns(["words"])
    with pytest.raises(ConfigError, match=r"mapping=\{\"words\": \"\"\}"):
        score_batch(batch, load("examples", output_prefix="o_"))
    rows, _ = score_batch(batch, load("examples", output_prefix="o_", mapping=(("words", ""),)))
    assert rows["o_sum"].to_pylist() == [15.0, 14.0]


def test_stacked_columns_as_a_feature(load):
    batch = EXAMPLES.slice(0, 2).drop_columns(["point"])
    batch = batch.append_column("a", pa.array([1.0, 2.0])).append_column("b", pa.array([3, 4]))
    model = load("examples", output_prefix="o_", mapping=(("point", ("a", "b")),))
    assert score_batch(batch, model)[0]["o_sum"].to_pylist() == [20.0, 12.0]


def test_text_is_fed_as_it_is(load):
    rows, _ = score_batch(pa.record_batch({"text": ["a", "\u00e9"]}), load("text"))
    assert rows["size"].to_pylist() == [1, 2]


def test_a_tf1_export(tf1_zoo):
    table = pa.table(
        {
            "number": [1.0, 2.0],
            "sparse": [[1.0], [2.0, 3.0]],
            "ragged": [[1], [2, 3]],
            "a word": ["b", "?"],
        }
    )
    rows, _ = score_table(table, tf1_zoo)
    assert rows["total"].to_pylist() == [4.0, 11.0]
    assert rows["id"].to_pylist() == [2, -1]
    assert rows["doubled"].to_pylist() == [[2], [4, 6]]


def test_keras_files(keras_files):
    import keras

    table = pa.table({"a": [[1.0, 2.0, 3.0]] * 3, "b": [0.5, 1.5, 2.5], "word": ["x", "y", "?"]})
    given = [
        np.float32(table["a"].to_pylist()),
        np.float32(table["b"]),
        np.array([["x"], ["y"], ["?"]]),
    ]
    padded = [np.concatenate([values] + [values[-1:]] * 13) for values in given]
    lists = keras.models.load_model(keras_files / "lists.keras", compile=False)
    direct = [
        value.numpy()[:3] for value in lists([keras.ops.convert_to_tensor(p) for p in padded])
    ]
    rows, _ = score_table(table, str(keras_files / "lists.keras"))
    np.testing.assert_allclose(rows["two"].to_pylist(), direct[0], rtol=1e-6)
    np.testing.assert_allclose(rows["one"], direct[1][:, 0], rtol=1e-6)
    again, _ = score_table(table, str(keras_files / "dicts.keras"))
    assert again["pair"].to_pylist() == rows["two"].to_pylist()
    features = pa.table({"f0": [1.0], "f1": [2.0], "f2": [3.0]})
    rows, _ = score_table(
        features, str(keras_files / "sequential.keras"), mapping={"features": "f*"}
    )
    assert rows["score"].type == pa.float32()
    rows, _ = score_table(
        pa.table({"sparse": [[1.0, None, 0.0, 2.0]]}), str(keras_files / "sparse.keras")
    )
    assert len(rows) == 1


def test_threads_share_a_model(zoo):
    model = LoadedModel(Model.resolve(zoo, "hungry", trust_model=True))
    found = {}

    def run(seed):
        x = np.random.default_rng(seed).standard_normal(500).astype(np.float32)
        rows, _ = score_batch(pa.record_batch({"x": x}), model)
        found[seed] = np.array_equal(rows["y"].to_numpy(), x)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(6), True)


def test_options_of_a_model_that_is_resolved_already(load):
    with pytest.raises(ConfigError, match=r"Model\.resolve"):
        score_table(mixed(1), load().model, output_prefix="x")
