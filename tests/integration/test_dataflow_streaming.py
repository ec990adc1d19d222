"""Jobs that read messages, handed to Dataflow: submitted, and by a Flex Template's launcher."""

import json

import pytest
from apache_beam.portability.api import beam_runner_api_pb2 as api

from beam_jobs.running import logs
from tests.integration import dataflow
from transforms.files import filesystem

pytestmark = pytest.mark.integration

IMAGE = "europe-docker.pkg.dev/proj-12345/millrace/score@sha256:" + "1" * 64
SUBSCRIPTION = "projects/proj-12345/subscriptions/trips"
STREAMING = (2, "JOB_TYPE_STREAMING")
"""As Beam's client sends it, and as it writes it to a file."""


@pytest.fixture
def service():
    with dataflow.running() as service:
        yield service


@pytest.fixture
def schema(bucket):
    place = f"{bucket}/schemas/trips.json"
    filesystem.write_bytes(place, b'[{"name": "n", "type": "INTEGER"}]')
    return place


@pytest.fixture
def flags(bucket, schema, request):
    """What every launch has; outputs are the test's own."""
    place = f"{bucket}/{request.node.name.replace('[', '-').replace(']', '')}"
    return [
        "--runner=DataflowRunner",
        "--project=proj-12345",
        "--region=europe-west1",
        f"--temp_location={bucket}/tmp",
        f"--staging_location={bucket}/staging",
        f"--sdk_container_image={IMAGE}",
        f"--input=pubsub://{SUBSCRIPTION}?attributes=time",
        "--event_time_column=time",
        f"--schema={schema}",
        f"--output={place}/out/",
    ]


def output(flags):
    return flags[-1].removeprefix("--output=").rstrip("/")


def main(*argv):
    from beam_jobs.ingest import main

    return main(argv)


def submit(service, *argv):
    return main(*argv, f"--dataflow_endpoint={service.endpoint}", "--no_auth")


def graph(job):
    """The pipeline of a job, which lies in the bucket."""
    options = job["environment"]["sdkPipelineOptions"]["options"]
    return api.Pipeline.FromString(filesystem.read_bytes(options["pipelineUrl"]))


def check(pipeline):
    """Messages come by Dataflow's own source, are put into windows, and are committed."""
    steps = {t.unique_name: t for t in pipeline.components.transforms.values()}
    read = steps["Read/PubSub/Subscription/Read"]
    assert read.spec.urn == "beam:transform:pubsub_read:v1"
    payload = api.PubSubReadPayload.FromString(read.spec.payload)
    assert (payload.subscription, payload.timestamp_attribute) == (SUBSCRIPTION, "time")
    assert "Read/PubSub/Pull" not in steps
    assert {"WindowBatches/Cut", "Write/Windows/Log", "Write/Windows/Commit"} <= set(steps)
    assert {"Read/PubSub/Letters", "WindowBatches/Letters"} <= set(steps)


def test_a_job_is_submitted(service, flags, capfd):
    assert submit(service, *flags, "--run_id=trips.1") == 0
    assert "submitted as job 2026-01-01_1" in capfd.readouterr().err
    (job,) = service.jobs
    assert job["name"] == "trips-1"
    assert job["type"] in STREAMING
    assert "enable_streaming_engine" in job["environment"]["experiments"]
    check(graph(job))
    for place in (output(flags), f"{output(flags)}.dead_letters"):
        manifest = json.loads(filesystem.read_bytes(f"{place}/_millrace/run.json"))
        assert (manifest["run_id"], manifest["status"]) == ("trips.1", "running")


def test_an_output_is_of_one_run(service, flags, capfd):
    assert submit(service, *flags, "--run_id=r1") == 0
    assert submit(service, *flags, "--run_id=r2") == 2
    assert "is of run r1: pass --run_id=r1 to go on with it" in capfd.readouterr().err
    assert submit(service, *flags, "--run_id=r1") == 0
    assert [job["name"] for job in service.jobs] == ["r1", "r1"]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("--max_disorder=1", "--max_disorder is for local runs"),
        ("--dedup_key=n", "--dedup_key: Dataflow finds duplicates by an attribute, and 'n'"),
        ("--output=pubsub://projects/proj-12345/topics/out", "--dead_letters is needed"),
        ("--output=out/", "out/ is on this machine, out of reach"),
    ],
)
def test_what_would_not_work_there_is_told_before(service, flags, capfd, more, text):
    assert submit(service, *flags, more) == 2
    assert text in capfd.readouterr().err
    assert service.jobs == []
    assert not filesystem.exists(output(flags))


def test_a_templates_launcher_describes_the_job_and_ends(bucket, flags, monkeypatch, capfd):
    from transforms.io.pubsub.clients import Subscriber

    # It replaces the log's handlers, and the tests' own among them.
    monkeypatch.setattr(logs, "set_up_template", lambda: None)
    monkeypatch.setattr(Subscriber, "pull", lambda *_: pytest.fail("the launcher pulled"))
    place = f"{bucket}/staging/template_launches/2026-01-01_2/job_object"
    assert main(*flags, f"--template_location={place}", "--job_name=nightly", "--dedup_key=") == 0
    assert "submitted" not in capfd.readouterr().err
    job = json.loads(filesystem.read_bytes(place))
    assert job["name"] == "nightly"
    assert job["type"] in STREAMING
    check(graph(job))
