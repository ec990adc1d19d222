"""In a pipeline: what devices did is counted, and a model may be another process's."""

import multiprocessing

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.ml.inference.base import RunInference
from apache_beam.utils.multi_process_shared import MultiProcessShared

from inference.devices.execution import Execution
from inference.devices.gpu import Gpu
from inference.loaded import LoadedModel
from inference.model.model import Model
from inference.score import ScoreHandler, score_batch
from inference.sharing import SharedModel, score_shared
from tests.support import Collect, local_pipeline


@pytest.fixture(scope="module")
def model(linear_model):
    return Model.resolve(str(linear_model), batch_rows=64)


@pytest.fixture(scope="module")
def batch():
    numbers = pa.array(np.arange(300), pa.float32())
    columns = {"x": numbers, "y": numbers, "name": ["n"] * 300, "note": ["kept"] * 300}
    return pa.RecordBatch.from_pydict(columns)


def test_devices_are_counted_in_the_metrics_of_the_step(model, batch):
    collect = Collect()
    with local_pipeline() as root:
        given = root | beam.Create([batch], reshuffle=False)
        given.element_type = pa.RecordBatch
        handler = ScoreHandler(model, None, None, Execution(devices=("CPU:0",)))
        typed = RunInference(handler).with_output_types(tuple[pa.RecordBatch, pa.RecordBatch])
        _ = given | typed | collect
    (outcome,) = collect.found
    expected = score_batch(batch, LoadedModel(model))
    assert [part.to_pydict() for part in outcome] == [part.to_pydict() for part in expected]
    found = root.result.metrics().query()
    counters = {each.key.metric.name: each.result for each in found["counters"]}
    assert counters["device_calls"] >= 300 / 64
    assert counters["device_elapsed_ms"] >= counters["device_busy_ms"] >= 0
    (occupancy,) = [
        each.result for each in found["distributions"]
        if each.key.metric.name == "device_occupancy_percent"
    ]  # fmt: skip
    assert 0 <= occupancy.min <= occupancy.max <= 100


def test_the_topology_says_who_has_the_model(model):
    assert not ScoreHandler(model).share_model_across_processes()
    assert not ScoreHandler(model, gpu=Gpu("nvidia-l4")).share_model_across_processes()
    shared = Gpu("nvidia-l4", topology="shared")
    assert ScoreHandler(model, gpu=shared).share_model_across_processes()


def _score_there(tag, batch, answers):
    """What another process of the machine does: it finds the model by its tag."""
    there = MultiProcessShared(lambda: None, tag=tag, always_proxy=True).acquire()
    scored, rejects = score_shared(batch, there, ("x", "note"))
    answers.put((scored.to_pydict(), rejects.num_rows))


@pytest.mark.integration
def test_a_process_asks_the_one_that_has_the_model(model, batch, tmp_path):
    tag = f"model-{tmp_path.name}"
    owner = MultiProcessShared(
        lambda: SharedModel(LoadedModel(model), score_batch), tag=tag, always_proxy=True
    )
    held = owner.acquire()
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    other = context.Process(target=_score_there, args=(tag, batch.slice(5, 20), answers))
    other.start()
    scored, rejected = answers.get(timeout=100)
    other.join()
    expected, rejects = score_batch(batch.slice(5, 20), LoadedModel(model), ("x", "note"))
    assert scored == expected.to_pydict()
    assert rejected == rejects.num_rows == 1
    owner.release(held)
