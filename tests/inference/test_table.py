"""`score_table` takes what a notebook has: DataFrames, dicts, a Keras model in memory."""

import logging

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inference import Model, score_table
from transforms.errors import ConfigError
from transforms.io.file_read import read_batches
from transforms.io.file_source import Source

ROWS = [{"id": n, "x": float(n), "y": 1.0, "name": f"n{n}"} for n in range(3)]
SCORES = [1.0, 3.0, 5.0]


@pytest.mark.parametrize(
    "rows", [ROWS, pd.DataFrame(ROWS), pa.Table.from_pylist(ROWS), pa.RecordBatch.from_pylist(ROWS)]
)
def test_rows_of_any_form(linear_model, rows):
    scored, rejects = score_table(rows, str(linear_model), keep_columns="id")
    assert scored.schema.names == ["id", "score", "shout", "model_version"]
    assert scored["score"].to_pylist() == SCORES
    assert scored["id"].to_pylist() == [0, 1, 2]
    assert rejects.num_rows == 0


@pytest.mark.parametrize("form", [list, pd.DataFrame])
def test_a_value_that_does_not_fit_is_one_rejected_row(linear_model, form):
    rows = form([*ROWS, {"id": 3, "x": "no number", "y": 1.0, "name": "n"}])
    scored, rejects = score_table(rows, str(linear_model))
    assert scored["score"].to_pylist() == SCORES
    (row,) = rejects.to_pylist()
    assert row["column"] == "x"


def test_nothing_and_missing_values(linear_model):
    scored, rejects = score_table([], str(linear_model))
    assert (scored.num_rows, rejects.num_rows) == (0, 0)
    assert scored.schema.names == ["x", "y", "name", "score", "shout", "model_version"]
    _, rejects = score_table([{**ROWS[0], "x": None}], str(linear_model))
    assert rejects["reason"].to_pylist() == ["missing_value"]
    with pytest.raises(ConfigError, match="list of dicts, not a str"):
        score_table("rows.csv", str(linear_model))


@pytest.fixture
def keras():
    import keras

    keras.utils.set_random_seed(1)
    return keras


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_keras_model_in_memory(keras):
    model = keras.Sequential([keras.Input([2], name="x"), keras.layers.Dense(1, name="score")])
    rows = [{"x": [1.0, 2.0]}, {"x": [3.0, 5.0]}]
    wanted = model.predict(np.array([row["x"] for row in rows]), verbose=0).ravel()
    scored, _ = score_table(rows, model)
    assert scored["score"].to_pylist() == pytest.approx(wanted.tolist(), rel=1e-5)
    version = scored["model_version"][0]
    assert score_table(rows, model)[0]["model_version"][0] == version
    model.layers[0].set_weights([np.float32([[1], [2]]), np.float32([0.5])])
    scored, _ = score_table(rows, model)
    assert scored["score"].to_pylist() == [5.5, 13.5]
    assert scored["model_version"][0] != version


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_keras_model_of_own_code(keras):
    class Twice(keras.Model):
        def call(self, inputs):
            return inputs * 2.0

    model = Twice()
    with pytest.raises(ConfigError, match="not built"):
        score_table([{"x": 1.0}], model)
    model(np.float32([[1.0]]))
    scored, _ = score_table(pd.DataFrame({"x": [1.0, 4.0]}), model)
    assert scored["output_0"].to_pylist() == [2.0, 8.0]
    with pytest.raises(ConfigError, match=r"a Keras model, not a builtins\.dict"):
        score_table(ROWS, {})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_inputs_without_names_are_fed_by_position(keras, tmp_path, caplog):
    a, b = keras.Input([2]), keras.Input([1])
    joined = keras.layers.Concatenate()([a, b])
    model = keras.Model([a, b], keras.layers.Dense(1, name="sum")(joined))
    model.layers[-1].set_weights([np.float32([[1], [10], [100]]), np.float32([0])])
    model.save(tmp_path / "m.keras")
    rows = pd.DataFrame({"p": [1.0], "q": [2.0], "r": [3.0]})
    with caplog.at_level(logging.WARNING):
        scored, _ = score_table(rows, str(tmp_path / "m.keras"))
    assert scored["sum"].to_pylist() == [321.0]
    assert "fed by position, from p, q; mapping=" in caplog.text
    with pytest.raises(ConfigError, match="needs column 'input_layer'"):
        score_table(rows.assign(s=1.0), str(tmp_path / "m.keras"))
    name = Model.resolve(str(tmp_path / "m.keras")).signature.inputs[0].name
    mapping = {name: "q,p"}
    scored, _ = score_table(rows, str(tmp_path / "m.keras"), mapping=mapping)
    assert scored["sum"].to_pylist() == [312.0]


def test_bytes_of_fixed_size_and_uuids_are_texts(zoo):
    raw = pa.array([b"abcd", b"\xc3\xa9ef"], pa.binary(4))
    scored, _ = score_table(pa.table({"raw": raw}), zoo, signature="bytes", output_prefix="p_")
    assert scored["p_raw"].to_pylist() == ["abcd", "éef"]
    ids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"x" * 16], pa.binary(16)))
    scored, _ = score_table(pa.table({"raw": ids}), zoo, signature="bytes", output_prefix="p_")
    assert scored["p_raw"].to_pylist() == ["x" * 16]


def test_a_uuid_in_a_file_is_its_bytes_unless_the_schema_wants_text(zoo, tmp_path):
    ids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"x" * 16], pa.binary(16)))
    pq.write_table(pa.table({"raw": ids}), tmp_path / "in.parquet")
    text = "78787878-7878-7878-7878-787878787878"
    for schema, value in ((None, "x" * 16), (pa.schema([("raw", pa.string())]), text)):
        ((rows, _),) = read_batches(Source.resolve(f"{tmp_path}/in.parquet", schema))
        scored, _ = score_table(rows, zoo, signature="bytes", output_prefix="p_")
        assert scored["p_raw"].to_pylist() == [value]


def test_a_column_of_texts_where_numbers_are_needed_names_the_way_out(linear_model):
    rows = pd.DataFrame(ROWS).assign(x=["0", "1", "many"])
    with pytest.raises(ConfigError) as error:
        score_table(rows, str(linear_model))
    assert "pandas.to_numeric(rows['x'], errors=\"coerce\")" in str(error.value)
    assert "Read(" not in str(error.value)
