"""A transform graph and a model that was trained behind it."""

import pyarrow as pa
import pytest

from tests.inference.export.networks import TEXT, network, preprocessing_fn, save_model, table
from tests.support import run_on
from tests.transforms.preprocess.small import schema
from transforms.preprocess import Analyze


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("graphs") / "transform_graph")
    (batch,) = table().to_batches()
    batch = batch.set_column(1, "company", pa.array(["a", "b"] * 32))
    (made,) = run_on([batch], lambda rows: rows | Analyze(preprocessing_fn, schema(TEXT), folder))
    return made


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("models") / "net.keras")
    save_model(network(), path)
    return path
