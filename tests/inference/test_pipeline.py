"""Score in a pipeline."""

import pickle

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from inference import Model, Score, score_table
from inference.score import ScoreHandler
from tests.support import run_on
from transforms.coders import CODER_URN
from transforms.errors import ConfigError, RejectedRows


def rows(start, count):
    xs = [float(i) for i in range(start, start + count)]
    names = [f"n{i}" for i in range(start, start + count)]
    return pa.record_batch({"x": pa.array(xs, pa.float32()), "y": xs, "name": names})


def test_every_batch_is_scored(zoo):
    batches = [rows(start, 50) for start in range(0, 500, 50)]
    found = run_on(batches, lambda given: given | Score(zoo, keep_columns=["x"], batch_rows=32))
    scored = pa.Table.from_batches(found).sort_by("x")
    twin, _ = score_table(pa.Table.from_batches(batches), zoo, keep_columns=["x"], batch_rows=32)
    assert scored.to_pylist() == twin.to_pylist()


def test_two_models_in_a_row(zoo):
    model = Model.resolve(zoo, mapping={"y": "score"}, output_prefix="again_")

    def both(given):
        return given | "First" >> Score(zoo) | "Second" >> Score(model)

    (found,) = run_on([rows(0, 3)], both)
    assert found["again_score"].to_pylist() == [0.0, 5.0, 10.0]


def test_a_reject_without_dead_letters_fails(zoo):
    bad = pa.record_batch({"x": pa.array([None], pa.float32()), "y": [1.0], "name": ["secret"]})
    with pytest.raises(RejectedRows, match="missing_value") as error:
        run_on([bad], lambda given: given | Score(zoo))
    assert "secret" not in str(error.value)


def test_wrong_configuration_fails_before_the_pipeline_runs(zoo):
    with pytest.raises(ConfigError, match="does not exist"):
        beam.Pipeline() | beam.Create([rows(0, 1)]) | Score("nowhere")
    with pytest.raises(ConfigError, match=r"Model\.resolve"):
        beam.Pipeline() | beam.Create([rows(0, 1)]) | Score(Model.resolve(zoo), signature="fragile")


def test_batches_are_never_pickled(zoo):
    pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([]))
    given = pipeline | beam.Create([rows(0, 1)], reshuffle=False)
    given.element_type = pa.RecordBatch
    assert (given | Score(zoo)).element_type is pa.RecordBatch
    components = pipeline.to_runner_api().components
    (inference,) = (
        transform
        for transform in components.transforms.values()
        if transform.unique_name.endswith("Score/RunInference/BeamML_RunInference")
    )
    (outcomes,) = inference.outputs.values()
    coder = components.coders[components.pcollections[outcomes].coder_id]
    parts = [components.coders[part].spec.urn for part in coder.component_coder_ids]
    assert parts == [CODER_URN, CODER_URN]


def test_labels_are_stable(zoo):
    pipeline = beam.Pipeline()
    _ = pipeline | beam.Create([rows(0, 1)]) | Score(zoo)
    names = {t.unique_name for t in pipeline.to_runner_api().components.transforms.values()}
    assert {name for name in names if name.startswith("Score")} == {
        "Score",
        "Score/RunInference",
        "Score/RunInference/BeamML_RunInference",
        "Score/Door",
    }


def test_the_handler_holds_configuration_only(zoo):
    handler = ScoreHandler(Model.resolve(zoo), ("x",))
    assert repr(handler).startswith(f"Score({zoo!r}, 'serving_default', ")
    content = pickle.dumps(handler)
    assert len(content) < 5_000
    copy = pickle.loads(content)
    assert copy.should_skip_batching()
    assert copy.get_num_bytes(rows(0, 8)) == rows(0, 8).nbytes
    (outcome,) = copy.run_inference(rows(0, 8), copy.load_model())
    assert outcome[0].schema.names[0] == "x"
    assert outcome[0].num_rows == 8
