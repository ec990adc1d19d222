"""Each row that can't be scored leaves with a reason, and without touching the others."""

import json

import numpy as np
import pyarrow as pa
import pytest

from inference.loaded import LoadedModel
from inference.model.model import Model
from inference.score import score_batch
from tests.inference.rows import mixed, rejected
from tests.inference.zoo import MANY
from transforms.batches import with_source
from transforms.errors import ConfigError


def test_faulty_rows_leave_with_a_reason(load):
    batch = mixed(6).set_column(1, "x", pa.array([1.0, None, 2.0, 1e300, 3.0, None]))
    batch = batch.set_column(3, "name", pa.array(["a", None, "b", "c", None, "d"]))
    batch = with_source(batch, "in.csv", 10, "line")
    rows, rejects = score_batch(batch, load())
    assert rows["id"].to_pylist() == [0, 2]
    found = {row["source"]: (row["reason"], row["column"]) for row in rejects.to_pylist()}
    assert found == {
        "in.csv#line=11": ("missing_value", "x"),
        "in.csv#line=13": ("overflow", "x"),
        "in.csv#line=14": ("missing_value", "name"),
        "in.csv#line=15": ("missing_value", "x"),
    }
    assert json.loads(rejects["payloadString"][0].as_py())["id"] == 3
    assert set(rejects["version"].to_pylist()) == {"7"}


def test_columns_that_do_not_fit_are_an_error_of_configuration(load):
    with pytest.raises(ConfigError, match=r"'x'.*missing"):
        score_batch(mixed(3).drop_columns(["x"]), load())


def test_rows_that_make_the_model_raise(load, capfd):
    batch = pa.record_batch(
        {"x": pa.array([13.0 if i in (3, 77, 78) else i + 100.0 for i in range(99)])}
    )
    rows, rejects = score_batch(batch, load("fragile"))
    assert rows["y"].to_pylist() == [200.0 + i * 2 for i in range(99) if i not in (3, 77, 78)]
    assert rejected(rejects) == [("model_error", None, {"x": 13})] * 3
    (message,) = set(rejects["errorMessage"].to_pylist())
    assert message.startswith("InvalidArgumentError at node ")
    assert "no_thirteen" in message
    assert "13" not in message + capfd.readouterr().err


def test_a_model_that_raises_on_every_row(load):
    batch = pa.record_batch({"x": pa.array([13.0] * 200)})
    rows, rejects = score_batch(batch, load("fragile"))
    assert (rows.num_rows, rejects.num_rows) == (0, 200)
    assert rows.schema.names == ["x", "y", "model_version"]


def test_a_value_that_looks_like_a_node_is_not_told(load):
    program = load("fragile")._runs.program
    error = ValueError("[{{node alice@example.com}}] {{node no_such_node}}")
    assert program.blame(error) == "ValueError in the model"


def test_fewer_rows_when_memory_runs_out(zoo):
    model = LoadedModel(Model.resolve(zoo, "hungry", trust_model=True))
    assert model.limit.rows == 64
    batch = pa.record_batch({"x": np.arange(1000, dtype=np.float32)})
    rows, rejects = score_batch(batch, model)
    assert rows["y"].to_pylist() == list(range(1000))
    assert rejects.num_rows == 0
    assert model.limit.rows <= MANY


def test_a_row_that_takes_all_memory_leaves_alone(load):
    batch = pa.record_batch({"x": pa.array([float(i) for i in range(999)] + [1e6])})
    rows, rejects = score_batch(batch, load("greedy"))
    assert rows["y"].to_pylist() == [float(i) for i in range(999)]
    assert rejected(rejects) == [("model_error", None, {"x": 1000000})]
    assert rejects["errorMessage"][0].as_py().startswith("ResourceExhaustedError")
    assert load("greedy").limit.rows == 8192


def test_output_that_is_no_text(load):
    raw = pa.array([b"fine", b"\xff", b"\xc3\xa9"], pa.binary())
    rows, rejects = score_batch(pa.record_batch({"id": [1, 2, 3], "raw": raw}), load("bytes", output_prefix="p_"))  # noqa: E501  # fmt: skip
    assert rows["p_raw"].to_pylist() == ["fine", "\u00e9"]
    (row,) = rejects.to_pylist()
    assert (row["reason"], row["column"]) == ("output_error", "p_raw")
    assert json.loads(row["payloadString"])["id"] == 2


def test_an_output_that_is_not_one_for_each_row_is_an_error_of_configuration(zoo):
    with pytest.raises(ConfigError, match="'y' of the model has 1 rows"):
        LoadedModel(Model.resolve(zoo, "unique"))
