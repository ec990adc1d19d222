"""What is wrong with a job file: each fault made, and found."""

import copy
import json

import pytest
from apache_beam.portability.api import beam_runner_api_pb2 as api

from beam_jobs.rehearsal import job_file
from beam_jobs.rehearsal.job_file import Expected, faults
from beam_jobs.running.dataflow_options import SECRET

IMAGE = "registry/score@sha256:1"
GPU = "type:nvidia-l4;count:1;install-nvidia-driver"
EXPECTED = Expected("rehearsal-score", IMAGE, GPU, ("/checkout",), SECRET)
JOB = {
    "name": "rehearsal-score",
    "environment": {
        "workerPools": [
            {
                "packages": [{"name": "submission_environment_dependencies.txt"}],
                "sdkHarnessContainerImages": [{"containerImage": IMAGE}],
            }
        ],
        "sdkPipelineOptions": {
            "options": {"save_main_session": False, "pipelineUrl": "gs://b/p.pb"}
        },
    },
}
ACCELERATOR = "beam:resources:accelerator:v1"


def graph():
    """Two steps, of which inference has a GPU."""
    made = api.Pipeline()
    payload = api.DockerPayload(container_image=IMAGE).SerializeToString()
    for name in ("plain", "gpu"):
        made.components.environments[name].payload = payload
    made.components.environments["gpu"].resource_hints[ACCELERATOR] = GPU.encode()
    for number, (label, environment) in enumerate(
        [("Read/Files", "plain"), ("Score/RunInference/Beam", "gpu")]
    ):
        step = made.components.transforms[f"t{number}"]
        step.unique_name, step.environment_id = label, environment
    return made


def judged(change_job=None, change_graph=None, expected=EXPECTED):
    job, pipeline = copy.deepcopy(JOB), graph()
    if change_job:
        change_job(job)
    if change_graph:
        change_graph(pipeline)
    return faults(json.dumps(job).encode(), pipeline.SerializeToString(), expected)


def test_a_sound_one_has_none():
    assert judged() == []
    assert job_file.graph_uri(JOB) == "gs://b/p.pb"


def _options(**given):
    return lambda job: job["environment"]["sdkPipelineOptions"]["options"].update(given)


def _pool(**given):
    return lambda job: job["environment"]["workerPools"][0].update(given)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda job: job.update(name="mine"), "the launcher's name 'rehearsal-score' is lost"),
        (_options(save_main_session=True), "main session is pickled"),
        (_options(api_token="x"), "the option api_token is stored with the job"),
        (_options(setup_file="/checkout/setup.py"), "it names /checkout"),
        (_pool(packages=[{"name": "workflow.tar.gz"}]), "install workflow.tar.gz at their start"),
        (
            _pool(sdkHarnessContainerImages=[{"containerImage": "apache/beam"}]),
            "workers would run apache/beam, not",
        ),
        (
            lambda job: job["environment"].update(serviceOptions=[f"worker_accelerator={GPU}"]),
            "is a service option, though",
        ),
    ],
)
def test_faults_of_the_job(change, told):
    (fault,) = judged(change)
    assert told in fault


def _hint_everywhere(pipeline):
    pipeline.components.transforms["t0"].environment_id = "gpu"


def _no_hint(pipeline):
    pipeline.components.transforms["t1"].environment_id = "plain"


def _other_hint(pipeline):
    pipeline.components.environments["gpu"].resource_hints[ACCELERATOR] = b"type:nvidia-l4;count:1"


def _ram(pipeline):
    pipeline.components.environments["gpu"].resource_hints["beam:resources:min_ram_bytes:v1"] = b"1"


def _address(pipeline):
    pipeline.components.transforms["t0"].unique_name = "Read/<function f at 0x7fb8ab9f4720>"


def _twice(pipeline):
    pipeline.components.transforms["t2"].unique_name = "Read/Files"


def _stock_image(pipeline):
    payload = api.DockerPayload(container_image="apache/beam").SerializeToString()
    pipeline.components.environments["plain"].payload = payload


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_hint_everywhere, "step Read/Files asks for {'accelerator'"),
        (_no_hint, f"nothing asks for {GPU}"),
        (_other_hint, "asks for type:nvidia-l4;count:1, not"),
        (_ram, "'min_ram_bytes': '1'}, for no reason"),
        (_address, "is named anew at each launch"),
        (_twice, "step Read/Files is there twice"),
        (_stock_image, "workers would run apache/beam, not"),
    ],
)
def test_faults_of_the_graph(change, told):
    (fault,) = judged(change_graph=change)
    assert told in fault


def test_a_job_without_gpus_asks_for_none():
    expected = Expected("rehearsal-score", IMAGE, "", (), SECRET)
    (fault,) = judged(expected=expected)
    assert f"asks for {GPU}, not none" in fault


def test_a_graph_that_is_too_large(monkeypatch):
    monkeypatch.setattr(job_file, "MOST_BYTES", 100)
    assert [fault.partition(" has ")[0] for fault in judged()] == ["the job file", "the graph"]
