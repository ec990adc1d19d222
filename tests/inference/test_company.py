"""A model whose rows depend on each other is not padded, and told of; or refused."""

import logging

import numpy as np
import pyarrow as pa
import pytest

from inference.loaded import LoadedModel
from inference.model.model import Model
from inference.score import score_batch
from inference.signature.spec import TensorSpec
from inference.tensors.company import depends_on_company
from inference.tensors.features import Feature
from inference.tensors.predictions import Prediction
from transforms.errors import ConfigError

VALUES = np.float32([3.0, 1.0, 8.0])
WANTED = {
    "mean": (VALUES - VALUES.mean()).tolist(),
    "rank": [1, 0, 2],
    "count": (VALUES * 3).tolist(),
}


@pytest.mark.parametrize("signature", list(WANTED))
def test_rows_that_depend_on_each_other_are_not_padded(zoo, caplog, signature):
    with caplog.at_level(logging.WARNING):
        model = LoadedModel(Model.resolve(zoo, signature))
    assert "depends on the other rows" in caplog.text
    rows, _ = score_batch(pa.record_batch({"x": VALUES}), model)
    assert rows["y"].to_pylist() == pytest.approx(WANTED[signature])


@pytest.mark.parametrize("signature", ["serving_default", "random", "fragile"])
def test_other_models_are_padded(zoo, caplog, signature):
    with caplog.at_level(logging.WARNING):
        model = LoadedModel(Model.resolve(zoo, signature))
    assert model.limit.padded(3) == 16
    assert caplog.text == ""


def test_real_rows_decide_where_the_model_refuses_made_up_ones(zoo):
    model = LoadedModel(Model.resolve(zoo, "ids"))
    assert model.limit.padded(3) == 16
    rows, rejects = score_batch(pa.record_batch({"ids": [1001, 1002, 1006]}), model)
    assert rows["y"].to_pylist() == [-2.0, -1.0, 3.0]
    assert (rejects.num_rows, model.limit.padded(3)) == (0, 3)


def test_a_fixed_number_of_rows_leaves_no_way(zoo):
    with pytest.raises(ConfigError, match=r"exactly 8 rows.*export it for any number of rows"):
        LoadedModel(Model.resolve(zoo, "fixed_mean"))
    assert LoadedModel(Model.resolve(zoo, "fixed")).limit.padded(3) == 8


def _depends(function, values, fixed=False):
    def score(features, rows):
        return [Prediction(pa.array(function(features[0].columns[0].to_numpy())))]

    feature = Feature(TensorSpec("x", "float64", (None,)), (pa.array(values),))
    return depends_on_company(score, [feature], min(4, len(values)), fixed)


def test_the_function():
    values = np.linspace(0.5, 3.0, 12)
    assert _depends(lambda x: x + 1, values) is False
    assert _depends(np.cumsum, values) is True
    assert _depends(lambda x: x * 1.0 + (x == x.max()), values) is True
    assert _depends(lambda x: x * len(x), values) is True
    assert _depends(lambda x: x * len(x), values, fixed=True) is False
    assert _depends(lambda x: x * np.nan, values) is None
    assert _depends(lambda x: [[v, v] for v in x], values) is False
    assert _depends(lambda x: [str(v) for v in x - x.mean()], values) is True
