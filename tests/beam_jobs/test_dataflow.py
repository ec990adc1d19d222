"""Every job as Dataflow would get it: built for its runner, nothing submitted, no network."""

import base64
import bz2
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions

from beam_jobs import launch
from beam_jobs.metadata import jobs
from beam_jobs.options.command_line import parse
from beam_jobs.running import dry_run, gpus, runners
from beam_jobs.running.dataflow_options import SECRET
from beam_jobs.running.setting import Setting
from privacy.erasure.index import INDEX
from tests.beam_jobs.flags import DATAFLOW
from tests.transforms.preprocess.halves import HALVED, graph_of_halves
from transforms.coders import CODER_URN
from transforms.drift.make import build_baseline
from transforms.tensorflow import tensorflow
from transforms.windows.assign import ANY_LATENESS

ROOT = Path(__file__).parents[2]
IMAGE = "europe-docker.pkg.dev/proj-12345/millrace/job@sha256:" + "1" * 64
FLAGS = [*DATAFLOW, f"--sdk_container_image={IMAGE}"]
PARDO = "beam:transform:pardo:v1"


@dataclass(frozen=True)
class Case:
    """What is known of a job.

    Attributes:
      argv: Its command line, given a folder with `in/*.parquet` and a model.
      labels: The steps of its pipeline; changing one breaks updates of running jobs.
      arrow: The steps whose outputs are batches.
      streaming: Whether its input is messages.
      hinted: Whether a step asks for GPUs; `services`, whether the job as a whole does.
    """

    argv: Callable[[Path, Path], list[str]]
    labels: tuple[str, ...]
    arrow: tuple[str, ...]
    streaming: bool = False
    hinted: bool = False
    services: tuple[str, ...] = ()


GPU = "type:nvidia-l4;count:1;install-nvidia-driver"
ON_GPU = ["--gpu=nvidia-l4:1", "--machine_type=g2-standard-8"]

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

READ_MESSAGES = (
    "Read",
    "Read/PubSub",
    "WindowBatches",
    "WindowBatches/Cut",
    "WindowBatches/Door",
    "WindowBatches/Letters",
    "WindowBatches/Settle",
    "WindowBatches/Window",
    "WindowBatches/Windows",
)
"""The steps that every job has whose input is messages."""

MESSAGES = "--input=pubsub://projects/proj-12345/subscriptions/sub?attributes=time,key"

CASES = {
    "ingest messages": Case(
        lambda folder, model: [
            MESSAGES,
            f"--schema={folder}/messages.json",
            "--event_time_column=time",
            "--dedup_key=key",
            "--output=gs://bucket/out/",
        ],
        labels=(*READ_MESSAGES, "Write", "Write/Windows"),
        arrow=(
            "Read/PubSub/Gather",
            "Read/PubSub/Door",
            "Read/PubSub/Letters",
            "WindowBatches/Letters",
            "WindowBatches/Settle",
        ),
        streaming=True,
    ),
    "score messages": Case(
        lambda folder, model: [
            MESSAGES,
            f"--model={model}",
            "--output=pubsub://projects/proj-12345/topics/scores",
            "--dead_letters=gs://bucket/dead/",
        ],
        labels=(
            *READ_MESSAGES[:2],
            "Score",
            "Score/Door",
            "Score/Letters",
            "Score/RunInference",
            "Score/Windows",
            *READ_MESSAGES[2:],
            "Write",
            "Write/PubSub",
        ),
        arrow=("Read/PubSub/Gather", "Score/Door", "Write/PubSub/Publish"),
        streaming=True,
    ),
    "score messages watched": Case(
        lambda folder, model: [
            MESSAGES,
            f"--model={model}",
            f"--baseline={folder}/baseline.json",
            "--drift_output=gs://bucket/drift/",
            "--output=pubsub://projects/proj-12345/topics/scores",
            "--dead_letters=gs://bucket/dead/",
        ],
        labels=(
            "DetectDrift",
            "DetectDrift/CompareWindows",
            "DetectDrift/ProfileWindows",
            *READ_MESSAGES[:2],
            "Score",
            "Score/Door",
            "Score/Letters",
            "Score/RunInference",
            "Score/Windows",
            *READ_MESSAGES[2:],
            "Write",
            "Write/PubSub",
            "WriteDrift",
            "WriteDrift/Windows",
        ),
        arrow=("Read/PubSub/Gather", "Score/Door", "Write/PubSub/Publish"),
        streaming=True,
    ),
    "ingest": Case(
        lambda folder, model: [f"--input={folder}/in", "--output=gs://bucket/out/"],
        labels=(
            *COMMIT_AND_READ,
            "Write",
            "Write/Stage",
        ),
        arrow=("Read/Door", "Read/Letters"),
    ),
    "score behind a gate": Case(
        lambda folder, model: [
            f"--input={folder}/in",
            f"--model={model}",
            f"--rules={folder}/rules.yaml",
            "--gate=true",
            "--output=gs://bucket/out/",
        ],
        labels=(
            "Artifacts",
            *COMMIT_AND_READ[:4],
            "Files",
            "Findings",
            "Gate",
            "Gate/Columns",
            "Gate/Judge",
            "Gate/Rows",
            "Gate/Statistics",
            *COMMIT_AND_READ[4:],
            "Score",
            "Score/DeadLetters",
            "Score/Door",
            "Score/Letters",
            "Score/RunInference",
            "Validate",
            "Validate/Check",
            "Validate/DeadLetters",
            "Validate/Door",
            "Validate/Letters",
            "Verdict",
            "Write",
            "Write/Stage",
        ),
        arrow=("Read/Door", "Validate/Door", "Score/RunInference"),
    ),
    "erase": Case(
        lambda folder, model: [
            f"--input={folder}/in",
            f"--subject_index={folder}/index.parquet",
            f"--subjects={folder}/subjects.csv",
            f"--subject_key=file:{folder}/index.key",
            "--who=ada",
            "--reason=asked",
            "--output=gs://bucket/out/",
        ],
        labels=(
            *COMMIT_AND_READ[:4],
            "Erase",
            "Erase/AllErased",
            "Erase/Artifacts",
            "Erase/Certificate",
            "Erase/DeadLetters",
            "Erase/Door",
            "Erase/File",
            "Erase/Files",
            "Erase/IndexRead",
            "Erase/Letters",
            "Erase/Removed",
            "Erase/Spread",
            "Erase/Wanted",
        ),
        arrow=("Erase/Door", "Erase/Letters"),
    ),
    "redact": Case(
        lambda folder, model: [
            f"--input={folder}/in",
            f"--policy={folder}/policy.yaml",
            "--output=gs://bucket/out/",
        ],
        labels=(
            *COMMIT_AND_READ,
            "Redact",
            "Redact/AllNotes",
            "Redact/Artifacts",
            "Redact/DeadLetters",
            "Redact/Door",
            "Redact/Letters",
            "Redact/Notes",
            "Redact/Redact",
            "Redact/Report",
            "Write",
            "Write/Stage",
        ),
        arrow=("Read/Door", "Read/Letters", "Redact/Door", "Redact/Letters"),
    ),
    "preprocess": Case(
        lambda folder, model: [
            f"--input={folder}/in",
            f"--schema={folder}/schema.pbtxt",
            "--preprocessing_fn=tests.transforms.preprocess.halves",
            "--output=gs://bucket/out/",
        ],
        labels=(
            "Analyze",
            "Analyze/Analyze",
            "Analyze/Feed",
            "Analyze/WriteGraph",
            "Analyze/WriteSchema",
            *COMMIT_AND_READ[:4],
            "Preprocess eval",
            "Preprocess eval/DeadLetters",
            "Preprocess eval/Door",
            "Preprocess eval/Letters",
            "Preprocess eval/Transform",
            "Preprocess train",
            "Preprocess train/DeadLetters",
            "Preprocess train/Door",
            "Preprocess train/Letters",
            "Preprocess train/Transform",
            *COMMIT_AND_READ[4:],
            "Read/Wait",
            "ReadToAnalyze",
            "ReadToAnalyze/Door",
            "ReadToAnalyze/Files",
            "ReadToAnalyze/Plan",
            "ReadToAnalyze/Split",
            "ReadToAnalyze/Spread",
            "ReadToAnalyze/SpreadFiles",
            "Split",
            "Split/Part",
            "SplitToAnalyze",
            "SplitToAnalyze/Part",
            "Write eval",
            "Write eval/Stage",
            "Write train",
            "Write train/Stage",
            "Written",
        ),
        arrow=("Read/Door", "Split", "Preprocess train/Transform", "Preprocess eval/Door"),
    ),
    "preprocess by a graph": Case(
        lambda folder, model: [
            f"--input={folder}/in",
            f"--transform_graph={graph_of_halves()}",
            "--output=gs://bucket/out/",
        ],
        labels=(
            *COMMIT_AND_READ[:4],
            "Preprocess eval",
            "Preprocess eval/DeadLetters",
            "Preprocess eval/Door",
            "Preprocess eval/Letters",
            "Preprocess eval/Transform",
            "Preprocess train",
            "Preprocess train/DeadLetters",
            "Preprocess train/Door",
            "Preprocess train/Letters",
            "Preprocess train/Transform",
            *COMMIT_AND_READ[4:],
            "Split",
            "Split/Part",
            "Write eval",
            "Write eval/Stage",
            "Write train",
            "Write train/Stage",
        ),
        arrow=("Read/Door", "Split", "Preprocess train/Transform", "Preprocess eval/Door"),
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
    "baseline": Case(
        lambda folder, model: [
            f"--input={folder}/in",
            "--event_time_column=time",
            "--window=60",
            "--output=gs://bucket/out/",
        ],
        labels=(
            "Artifacts",
            "BuildBaseline",
            "BuildBaseline/Cells",
            "BuildBaseline/Count",
            "BuildBaseline/Join",
            "BuildBaseline/Learn",
            "BuildBaseline/Make",
            "BuildBaseline/One",
            "BuildBaseline/Sum",
            "BuildBaseline/Timed",
            *COMMIT_AND_READ[:4],
            "File",
            *COMMIT_AND_READ[4:],
            "Tally",
            "TimedRows",
            "TimedRows/DeadLetters",
            "TimedRows/Door",
            "TimedRows/Letters",
            "TimedRows/Split",
        ),
        arrow=("Read/Door", "Read/Letters", "TimedRows/Door", "TimedRows/Letters"),
    ),
    "drift": Case(
        lambda folder, model: [
            f"--input={folder}/in",
            "--event_time_column=time",
            "--window=60",
            f"--baseline={folder}/baseline.json",
            "--output=gs://bucket/out/",
        ],
        labels=(
            *COMMIT_AND_READ[:4],
            "JudgeWindows",
            "JudgeWindows/AllWindows",
            "JudgeWindows/Judge",
            "JudgeWindows/One",
            "ProfileWindows",
            "ProfileWindows/Count",
            "ProfileWindows/Open",
            "ProfileWindows/Profile",
            "ProfileWindows/Sum",
            "ProfileWindows/Timed",
            "ProfileWindows/Window",
            *COMMIT_AND_READ[4:],
            "StoreOutcome",
            "StoreOutcome/Artifacts",
            "StoreOutcome/Events",
            "StoreOutcome/Files",
            "StoreOutcome/Findings",
            "StoreOutcome/Verdict",
            "Tally",
            "TimedRows",
            "TimedRows/DeadLetters",
            "TimedRows/Door",
            "TimedRows/Letters",
            "TimedRows/Split",
        ),
        arrow=("Read/Door", "Read/Letters", "TimedRows/Door", "TimedRows/Letters"),
    ),
    "drift messages": Case(
        lambda folder, model: [
            MESSAGES,
            "--event_time_column=time",
            "--dedup_key=key",
            f"--baseline={folder}/baseline.json",
            "--output=gs://bucket/out/",
            "--alerts=gs://bucket/alerts/",
        ],
        labels=(
            "Alerts",
            "Alerts/Windows",
            "ConfirmDrift",
            "ConfirmDrift/AllWindows",
            "ConfirmDrift/Follow",
            "ConfirmDrift/Key",
            "DetectDrift",
            "DetectDrift/CompareWindows",
            "DetectDrift/ProfileWindows",
            "FillWindows",
            "FillWindows/AllWindows",
            "FillWindows/Fill",
            "FillWindows/Key",
            "Log",
            *READ_MESSAGES,
            "Write",
            "Write/Windows",
        ),
        arrow=(
            "Read/PubSub/Gather",
            "WindowBatches/Settle",
            "ConfirmDrift/Follow",
            "DetectDrift/CompareWindows/Compare",
        ),
        streaming=True,
    ),
    "validate": Case(
        lambda folder, model: [
            f"--input={folder}/in",
            "--infer_schema=true",
            f"--rules={folder}/rules.yaml",
            "--output=gs://bucket/out/",
        ],
        labels=(
            "Artifacts",
            "CheckData",
            "CheckData/Columns",
            "CheckData/Counts",
            "CheckData/Judge",
            "CheckData/Number",
            "CheckData/Of Read",
            "CheckData/Rows",
            "CheckData/Statistics",
            *COMMIT_AND_READ[:4],
            "Files",
            "Findings",
            *COMMIT_AND_READ[4:],
            "Tally",
            "Verdict",
        ),
        arrow=("Read/Door", "Read/Letters"),
    ),
}


CASES["score on a GPU"] = replace(
    CASES["score"],
    argv=lambda folder, model: [*CASES["score"].argv(folder, model), *ON_GPU],
    hinted=True,
)
CASES["score messages on a GPU"] = replace(
    CASES["score messages"],
    argv=lambda folder, model: [*CASES["score messages"].argv(folder, model), *ON_GPU],
    services=(f"worker_accelerator={GPU}",),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("dataflow")
    (path / "in").mkdir()
    for part in range(2):
        table = pa.table({"x": [1.0], "y": [1.0], "name": ["a"]})
        time = pa.array([part], pa.timestamp("us"))
        pq.write_table(table.append_column("time", time), path / f"in/{part}.parquet")
    made = build_baseline(table.to_batches())
    (path / "baseline.json").write_bytes(made.to_bytes())
    (path / "rules.yaml").write_text("- row: x >= 0\n- column: mean(x) > 0\n")
    (path / "index.key").write_text(base64.b64encode(bytes(16)).decode())
    (path / "subjects.csv").write_text("x\n1\n")
    pq.write_table(pa.Table.from_batches([], INDEX), path / "index.parquet")
    (path / "policy.yaml").write_text("inspect_config: {info_types: [{name: EMAIL_ADDRESS}]}")
    (path / "schema.pbtxt").write_text(HALVED)
    (path / "messages.json").write_text('[{"name": "n", "type": "INTEGER"}]')
    return path


@pytest.fixture(scope="module", params=sorted(CASES))
def built(request, folder, linear_model):
    """A job's case and what Dataflow would be sent."""
    case, job = CASES[request.param], request.param.split()[0]
    module = importlib.import_module(f"beam_jobs.{job}")
    options, rest = parse(module.Options, [*case.argv(folder, linear_model), *FLAGS])
    beam_options = runners.pipeline_options(rest, job)
    setting = Setting.of(options, beam_options)
    assert (setting.unbounded, setting.native) == (case.streaming, case.streaming)
    if case.streaming:
        runners.configure_streaming(beam_options)
    gpus.set_up(options, beam_options, setting)
    dry_run.set_up(beam_options)
    with pytest.MonkeyPatch.context() as patch:
        # tf.Transform looks for the bucket at launch, and there is none here.
        patch.setattr(tensorflow().io.gfile, "makedirs", lambda path: None)
        root, run = launch.construct(
            job, options, beam_options, setting, module.resolve, module.build
        )
    run.commit.close()
    return case, dry_run.graph(root, beam_options), beam_options


def payloads(pipeline):
    """The pickled code of each step, by label."""
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    for transform in pipeline.components.transforms.values():
        if transform.spec.urn == PARDO:
            parsed = api.ParDoPayload.FromString(transform.spec.payload)
            if parsed.do_fn.payload:
                # Some of Beam's own steps are known by their names.
                yield transform.unique_name, parsed.do_fn.payload


def test_every_job_is_tested_here():
    assert {case.split()[0] for case in CASES if not CASES[case].streaming} == set(jobs())


def test_workers_run_our_image_and_nothing_is_staged_for_them(built):
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    _, pipeline, _ = built
    for environment in pipeline.components.environments.values():
        payload = api.DockerPayload.FromString(environment.payload)
        assert payload.container_image == IMAGE
        staged = [dependency.role_payload.decode() for dependency in environment.dependencies]
        assert not [text for text in staged if "main_session" in text or ".tar.gz" in text]


def test_gpus_are_asked_for_in_one_form_and_by_nothing_but_inference(built):
    case, pipeline, options = built
    found = dry_run.hinted_steps(pipeline)
    steps = {"Score/RunInference/BeamML_RunInference"} if case.hinted else set()
    assert found == {step: {"accelerator": GPU} for step in steps}
    services = options.view_as(GoogleCloudOptions).dataflow_service_options
    assert tuple(services or ()) == case.services


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
    creates = (
        "Read/Files",
        "ReadToAnalyze/Files",
        "Erase/Files",
        "Windows/Start",
        "Merge/DoOnce",
        "Faults/DoOnce",
    )
    creates += ("Combine/DoOnce", "Number/DoOnce", "Join/DoOnce")
    # Those of tf.Transform; a graph is analyzed in batch, and nothing that runs is updated.
    creates += ("/CreateSole", "/CreateSoleAPIUse", "/PrepareToClearSharedKeepAlives")
    creates += ("/CreateAnalyzeInputTensorRepresentations",)
    found = [n.rpartition("/")[0] for n in names if "lambda" in n]
    assert not [name for name in found if not name.endswith(creates)]


def shipped_by_value(pipeline, monkeypatch):
    """The source files of our functions whose code is in the pipeline itself."""
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
    theirs = ("apache_beam", "tensorflow_transform", "tfx_bsl")
    return [path for path in found if not any(name in path for name in theirs)]


def test_code_is_pickled_by_reference(built, monkeypatch):
    _, pipeline, _ = built
    assert len(dict(payloads(pipeline))) > 5
    assert shipped_by_value(pipeline, monkeypatch) == []


def test_a_lambda_of_ours_would_be_found(monkeypatch):
    import apache_beam as beam

    options = runners.pipeline_options(FLAGS, "score")
    dry_run.set_up(options)
    root = runners.pipeline(options)
    _ = root | beam.Create([1]) | "Ours" >> beam.Map(lambda number: number + 1)
    found = shipped_by_value(dry_run.graph(root, options), monkeypatch)
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
        name = f"{transform.unique_name}/"
        step = next((step for step in case.arrow if name.startswith(f"{step}/")), None)
        if transform.spec.urn == PARDO and step:
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


def test_only_messages_have_no_end(built):
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    case, pipeline, _ = built
    parts = pipeline.components
    endless = {
        t.unique_name.split("/")[0]
        for t in parts.transforms.values()
        for c in t.outputs.values()
        if parts.pcollections[c].is_bounded == api.IsBounded.UNBOUNDED
    }
    assert ({"Read", "WindowBatches"} <= endless) if case.streaming else not endless


def test_messages_are_read_by_dataflow_itself(built):
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    case, pipeline, _ = built
    transforms = pipeline.components.transforms.values()
    found = [t for t in transforms if t.spec.urn == "beam:transform:pubsub_read:v1"]
    assert len(found) == case.streaming
    for read in found:
        payload = api.PubSubReadPayload.FromString(read.spec.payload)
        assert payload.subscription == "projects/proj-12345/subscriptions/sub"
        assert payload.with_attributes
        given = "Write/Windows" in case.labels
        assert payload.timestamp_attribute == ("time" if given else "")
        assert payload.id_attribute == ("key" if given else "")
    assert not [t for t in transforms if t.unique_name.endswith("/Pull")]


def test_no_row_is_too_late_for_any_step(built):
    case, pipeline, _ = built
    parts = pipeline.components
    for transform in parts.transforms.values():
        if case.streaming and transform.spec.urn == "beam:transform:group_by_key:v1":
            (collection,) = transform.inputs.values()
            strategy = parts.pcollections[collection].windowing_strategy_id
            allowed = parts.windowing_strategies[strategy].allowed_lateness / 1000
            assert allowed >= ANY_LATENESS


def test_the_options_that_are_stored_hold_no_secret(built):
    _, _, options = built
    stored = options.get_all_options(drop_default=True, retain_unknown_options=True)
    assert stored["save_main_session"] is False
    assert stored["sdk_location"] == "container"
    assert not [name for name in stored if SECRET.search(name)]
