"""Every job as Dataflow would get it: built for its runner, nothing submitted, no network."""

import base64
import bz2
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs import launch, runners
from beam_jobs.command_line import parse
from beam_jobs.metadata import jobs
from tests.beam_jobs.flags import DATAFLOW
from transforms.batches import CODER_URN

ROOT = Path(__file__).parents[2]
IMAGE = "europe-docker.pkg.dev/proj-12345/millrace/job@sha256:1"
FLAGS = [*DATAFLOW, f"--sdk_container_image={IMAGE}", "--dry_run=True"]
PARDO = "beam:transform:pardo:v1"


@dataclass(frozen=True)
class Case:
    """What is known of a job.

    Attributes:
      argv: Its command line, given a folder with `in/*.parquet` and a model.
      labels: The steps of its pipeline; changing one breaks updates of running jobs.
      arrow: The steps whose outputs are batches.
    """

    argv: Callable[[Path, Path], list[str]]
    labels: tuple[str, ...]
    arrow: tuple[str, ...]


COMMIT_AND_READ = (
    "Commit",
    "Commit/Ledger",
    "Commit/Once",
    "Commit/Publish",
    "Read",
    "Read/DeadLetters",
    "Read/Door",
    "Read/Files",
    "Read/Letters",
    "Read/Plan",
    "Read/Split",
    "Read/Spread",
    "Read/SpreadFiles",
)
"""The steps that every job has whose input is files."""

CASES = {
    "ingest": Case(
        lambda folder, model: [f"--input={folder}/in", "--output=gs://bucket/out/"],
        labels=(
            *COMMIT_AND_READ,
            "Write",
            "Write/Stage",
        ),
        arrow=("Read/Door", "Read/Letters"),
    ),
    "score": Case(
        lambda folder, model: [
            f"--input={folder}/in",
            f"--model={model}",
            "--output=gs://bucket/out/",
        ],
        labels=(
            *COMMIT_AND_READ,
            "Score",
            "Score/DeadLetters",
            "Score/Door",
            "Score/Letters",
            "Score/RunInference",
            "Write",
            "Write/Stage",
        ),
        arrow=(
            "Read/Door",
            "Read/Letters",
            "Score/Door",
            "Score/Letters",
            "Score/RunInference",
        ),
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("dataflow")
    (path / "in").mkdir()
    for part in range(2):
        table = pa.table({"x": [1.0], "y": [1.0], "name": ["a"]})
        pq.write_table(table, path / f"in/{part}.parquet")
    return path


@pytest.fixture(scope="module", params=sorted(CASES))
def built(request, folder, linear_model):
    """A job's case and what Dataflow would be sent."""
    case = CASES[request.param]
    module = importlib.import_module(f"beam_jobs.{request.param}")
    options, rest = parse(module.Options, [*case.argv(folder, linear_model), *FLAGS])
    beam_options = runners.pipeline_options(rest, request.param)
    root, run = launch.construct(request.param, options, beam_options, module.resolve, module.build)
    run.commit.close()
    return case, root.run().job.proto_pipeline, beam_options


def payloads(pipeline):
    """The pickled code of each step, by label."""
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    for transform in pipeline.components.transforms.values():
        if transform.spec.urn == PARDO:
            parsed = api.ParDoPayload.FromString(transform.spec.payload)
            yield transform.unique_name, parsed.do_fn.payload


def test_every_job_is_tested_here():
    assert set(CASES) == set(jobs())


def test_workers_run_our_image_and_nothing_is_staged_for_them(built):
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    _, pipeline, _ = built
    for environment in pipeline.components.environments.values():
        payload = api.DockerPayload.FromString(environment.payload)
        assert payload.container_image == IMAGE
        staged = [dependency.role_payload.decode() for dependency in environment.dependencies]
        assert not [text for text in staged if "main_session" in text or ".tar.gz" in text]


def test_the_labels_are_those_that_running_jobs_have(built):
    case, pipeline, _ = built
    names = {t.unique_name for t in pipeline.components.transforms.values()}
    # Beam's own are named by a reference, where a pipeline's root is.
    ours = {"/".join(name.split("/")[:2]) for name in names if not name.startswith("ref_")}
    assert sorted(ours) == list(case.labels)


def test_no_label_holds_what_may_change(built):
    """Lambdas put a line number in the label; Beam's own `Create` has one, ours have none."""
    _, pipeline, _ = built
    names = [t.unique_name for t in pipeline.components.transforms.values()]
    assert not [n for n in names if "lambda" in n and not n.startswith("Read/Files/")]


def shipped_by_value(pipeline, monkeypatch):
    """The source files of functions whose code is in the pipeline itself; Beam's own may be."""
    from apache_beam.internal import pickler
    from apache_beam.internal.cloudpickle import cloudpickle

    found: list[str] = []
    make = cloudpickle._make_function

    def record(code: Any, *rest: Any) -> Any:
        found.append(code.co_filename)
        return make(code, *rest)

    monkeypatch.setattr(cloudpickle, "_make_function", record)
    for _, payload in payloads(pipeline):
        pickler.loads(payload)
    return [path for path in found if "apache_beam" not in path]


def test_code_is_pickled_by_reference(built, monkeypatch):
    _, pipeline, _ = built
    assert len(dict(payloads(pipeline))) > 5
    assert shipped_by_value(pipeline, monkeypatch) == []


def test_a_lambda_of_ours_would_be_found(monkeypatch):
    import apache_beam as beam

    root = runners.pipeline(runners.pipeline_options(FLAGS, "score"))
    _ = root | beam.Create([1]) | "Ours" >> beam.Map(lambda number: number + 1)
    found = shipped_by_value(root.run().job.proto_pipeline, monkeypatch)
    assert [Path(path).name for path in found] == ["test_dataflow.py"]


def test_workers_never_import_the_job(built):
    _, pipeline, _ = built
    for label, payload in payloads(pipeline):
        content = bz2.decompress(base64.b64decode(payload))
        assert b"beam_jobs" not in content, label
        assert b"__main__" not in content, label


def test_batches_go_between_stages_as_arrow(built):
    case, pipeline, _ = built
    parts = pipeline.components
    found = {}
    for transform in parts.transforms.values():
        step = "/".join(transform.unique_name.split("/")[:2])
        if transform.spec.urn == PARDO and step in case.arrow:
            for collection in transform.outputs.values():
                found.setdefault(step, set()).update(
                    leaves(parts, parts.pcollections[collection].coder_id)
                )
    assert found == {step: {CODER_URN} for step in case.arrow}


def leaves(components, coder_id):
    """The URNs of the coders that a coder is composed of."""
    coder = components.coders[coder_id]
    if not coder.component_coder_ids:
        return {coder.spec.urn}
    return set().union(*(leaves(components, part) for part in coder.component_coder_ids))


def test_the_pipeline_is_bounded(built):
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    _, pipeline, _ = built
    collections = pipeline.components.pcollections.values()
    assert {c.is_bounded for c in collections} == {api.IsBounded.BOUNDED}


def test_the_options_that_are_stored_hold_no_secret(built):
    _, _, options = built
    stored = options.get_all_options(drop_default=True, retain_unknown_options=True)
    assert stored["save_main_session"] is False
    assert stored["sdk_location"] == "container"
    assert not [name for name in stored if runners._SECRET.search(name)]
