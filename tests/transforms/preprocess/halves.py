"""A preprocessing function of one column, and its graph."""

import functools
import tempfile

import pyarrow as pa

from tests.support import run_on
from tests.transforms.preprocess.small import schema
from transforms.preprocess import Analyze

HALVED = 'feature { name: "x" type: FLOAT presence { min_fraction: 1 } shape {} }'


def preprocessing_fn(inputs):
    """Halves x."""
    return {"half": inputs["x"] / 2}


@functools.cache
def graph_of_halves():
    """The folder of the graph, made once."""
    folder = tempfile.mkdtemp() + "/transform_graph"
    rows = pa.RecordBatch.from_pydict({"x": pa.array([1.0, 2.0], pa.float32())})
    analyze = Analyze(preprocessing_fn, schema(HALVED), folder)
    run_on([rows], lambda batches: batches | analyze)
    return folder
