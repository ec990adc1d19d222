"""Jobs on the stand-in of Dataflow: submitted, looked at, updated, drained, by the real client."""

import pytest
from apache_beam.portability.api import beam_runner_api_pb2 as api

from beam_jobs.dataflow import main as dataflow_main
from beam_jobs.updates import service as updates
from tests.integration import dataflow
from tests.integration.dataflow import CANCELLED, DRAINED, FAILED, RUNNING, UPDATED
from transforms.files import filesystem

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
IMAGE = "europe-docker.pkg.dev/proj-12345/millrace/ingest@sha256:" + "1" * 64


@pytest.fixture
def service():
    with dataflow.running() as service:
        yield service


@pytest.fixture
def flags(bucket, service, request):
    """A job of messages, as the service of the test takes it."""
    place = request.node.name.partition("[")[0] + request.node.name[-6:-1].strip("[]")
    schema = f"{bucket}/schemas/trips.json"
    filesystem.write_bytes(schema, b'[{"name": "n", "type": "INTEGER"}]')
    return [
        "--runner=DataflowRunner",
        "--project=proj-12345",
        "--region=europe-west1",
        f"--temp_location={bucket}/tmp",
        f"--staging_location={bucket}/staging",
        f"--sdk_container_image={IMAGE}",
        "--input=pubsub://projects/proj-12345/subscriptions/trips?attributes=time",
        "--event_time_column=time",
        f"--schema={schema}",
        f"--output={bucket}/{place}/out/",
        "--job_name=trips",
        "--run_id=trips",
        f"--dataflow_endpoint={service.endpoint}",
        "--no_auth=true",
    ]


def ingest(*argv):
    from beam_jobs.ingest import main

    return main(list(argv))


def test_a_job_is_submitted_then_replaced_by_the_same_version(flags, service, capsys):
    assert ingest(*flags) == 0
    assert ingest(*flags, "--update=true") == 0
    first, second = service.jobs
    assert second["replaceJobId"] == first["id"]
    assert "transformNameMapping" not in second
    assert list(service.states.values()) == [UPDATED, RUNNING]
    assert "update:" not in capsys.readouterr().err


def test_renamed_steps_are_mapped(flags, service, capsys, monkeypatch):
    """The running job stored a graph in which a step had another name."""
    assert ingest(*flags) == 0
    read = filesystem.read_bytes

    def older(uri):
        content = read(uri)
        return (
            content.replace(b"WindowBatches", b"WindowBatchez") if uri.endswith(".pb") else content
        )

    monkeypatch.setattr(filesystem, "read_bytes", older)
    assert ingest(*flags, "--update=true") == 0
    told = capsys.readouterr().err
    mapping = service.jobs[1]["transformNameMapping"]
    assert mapping
    assert all(old.replace("WindowBatchez", "WindowBatches") == new for old, new in mapping.items())
    assert all(f"update: renamed: {old} -> {new}" in told for old, new in mapping.items())
    assert "--transform_name_mapping=" in told


def test_a_version_that_could_not_read_the_state_is_refused(flags, service, capsys, monkeypatch):
    """The running job groups in other windows than this version would."""
    assert ingest(*flags) == 0
    read = filesystem.read_bytes

    def older(uri):
        content = read(uri)
        if not uri.endswith(".pb"):
            return content
        graph = api.Pipeline.FromString(content)
        for strategy in graph.components.windowing_strategies.values():
            strategy.allowed_lateness += 1000
        return graph.SerializeToString()

    monkeypatch.setattr(filesystem, "read_bytes", older)
    assert ingest(*flags, "--update=true") == 2
    told = capsys.readouterr().err
    assert "has other windows" in told
    assert "--update: trips can't be replaced by this version" in told
    assert len(service.jobs) == 1


def test_a_running_job_is_replaced_under_its_own_run(flags, service, capsys):
    assert ingest(*flags) == 0
    flags = ["--run_id=another" if flag.startswith("--run_id") else flag for flag in flags]
    assert ingest(*flags, "--update=true") == 2
    assert "pass --run_id=trips to go on with it" in capsys.readouterr().err


def test_a_name_that_nothing_runs_by_ends_at_once(flags, service, capsys):
    """Beam asks for the next page for ever."""
    assert ingest(*flags) == 0
    for name in ("other", "more", "last"):
        service.create({"name": name})
    named = [flag.replace("=trips", "=trip") if "job_name" in flag else flag for flag in flags]
    assert ingest(*named, "--update=true") == 2
    told = capsys.readouterr().err
    assert "--update: no job named 'trip' runs in proj-12345, europe-west1; did you mean" in told
    pages = [given.get("pageToken") for path, given in service.requests if path.endswith("/jobs")]
    assert pages == [None, "2"]
    assert ingest(*[f for f in named if "job_name" not in f], "--update=true") == 2
    assert "--update needs --job_name" in capsys.readouterr().err


def test_batches_are_not_updated(tmp_path, bucket, flags, service, capsys):
    filesystem.write_bytes(f"{bucket}/batch/in.csv", b"a\n1\n")
    kept = [flag for flag in flags if not flag.startswith(("--input", "--event_time", "--schema"))]
    assert ingest(*kept, f"--input={bucket}/batch/in.csv", "--update=true") == 2
    assert "a job of files ends by itself" in capsys.readouterr().err
    assert service.jobs == []


def test_a_batch_is_waited_for(bucket, flags, service, capsys):
    filesystem.write_bytes(f"{bucket}/batch2/in.csv", b"a\n1\n")
    kept = [flag for flag in flags if not flag.startswith(("--input", "--event_time", "--schema"))]
    service.lasts = 1
    assert ingest(*kept, f"--input={bucket}/batch2/in.csv", "--wait=true") == 0
    assert "ingest: done" in capsys.readouterr().err


@pytest.mark.parametrize(("what", "end"), [("drain", DRAINED), ("cancel", CANCELLED)])
def test_a_job_is_ended_and_waited_for(flags, service, capsys, monkeypatch, what, end):
    monkeypatch.setattr(updates.Jobs.wait, "__defaults__", (0.01,))
    assert ingest(*flags) == 0
    reached = [flag for flag in flags if flag.startswith(("--project", "--region", "--no_auth"))]
    reached.append(f"--dataflow_endpoint={service.endpoint}")
    assert dataflow_main(["status", "trips", *reached]) == 0
    assert capsys.readouterr().out == "trips 2026-01-01_1 JOB_STATE_RUNNING\n"
    assert dataflow_main([what, "trips", "--wait", *reached]) == 0
    assert list(service.states.values()) == [end]
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == {DRAINED: "JOB_STATE_DRAINED", CANCELLED: "JOB_STATE_CANCELLED"}[end]
    assert dataflow_main(["status", "trips", *reached]) == 2
    assert "no job named 'trips' runs" in capsys.readouterr().err


def test_what_is_submitted_names_its_graph(flags, service):
    assert ingest(*flags) == 0
    options = service.jobs[0]["environment"]["sdkPipelineOptions"]["options"]
    assert options["pipelineUrl"].endswith("/pipeline.pb")
    assert options["save_main_session"] is False


STOCKOUT = "Startup of the worker pool in zone europe-west1-b failed: ZONE_RESOURCE_POOL_EXHAUSTED"
FULL = "Error syncing pod: failed to pull image: no space left on device"


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (STOCKOUT, "leave out --worker_zone, name another --worker_region"),
        (FULL, "raise --disk_size_gb, take the image without CUDA"),
        ("Quota 'GPUS_ALL_REGIONS' exceeded", "lower --max_num_workers"),
        ("ErrImagePull: manifest unknown", "see that the tag is there"),
    ],
)
def test_what_the_service_says_is_shown_with_a_way_out(flags, service, capsys, error, advice):
    service.errors = [error]
    assert ingest(*flags) == 0
    where = ["--project=proj-12345", "--region=europe-west1", "--no_auth=true"]
    where.append(f"--dataflow_endpoint={service.endpoint}")
    capsys.readouterr()
    assert dataflow_main(["status", "trips", *where]) == 0
    told = capsys.readouterr().out
    assert f"  {error} -> " in told
    assert advice in told


def test_a_job_that_is_waited_for_tells_why_it_failed(flags, service, capsys):
    service.lasts, service.ends_as, service.errors = 0, FAILED, [STOCKOUT]
    assert ingest(*flags, "--wait=true") == 1
    told = capsys.readouterr().err
    assert "ended as FAILED: see https://console.cloud.google.com" in told
    assert f"{STOCKOUT} -> the zone has no such machines or GPUs now" in told
