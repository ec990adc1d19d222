"""A Flex Template's launcher, as Dataflow starts it, on an emulated Cloud Storage."""

import json
import sys

import pytest

from beam_jobs.running import logs
from transforms.files import filesystem

pytestmark = pytest.mark.integration

IMAGE = "europe-docker.pkg.dev/proj-12345/millrace/score@sha256:1"


@pytest.fixture
def launched(bucket, linear_model, monkeypatch, capfd):
    """The arguments that the service passes on, and what the launcher makes of them."""
    from beam_jobs.score import main

    # It replaces the log's handlers, and the tests' own among them.
    monkeypatch.setattr(logs, "set_up_template", lambda: None)
    for path in linear_model.rglob("*"):
        if path.is_file():
            with filesystem.open_write(
                f"{bucket}/flex/m/4/{path.relative_to(linear_model)}"
            ) as stream:
                stream.write(path.read_bytes())
    with filesystem.open_write(f"{bucket}/flex/in.csv") as stream:
        stream.write(b"x,y,name\n1,1,a\n")
    place = f"{bucket}/staging/template_launches/2026-01-01_1/job_object"
    argv = [
        "--runner=DataflowRunner",
        "--job_name=nightly-score",
        "--project=proj-12345",
        "--region=europe-west1",
        f"--temp_location={bucket}/tmp",
        f"--staging_location={bucket}/staging",
        "--service_account_email=worker@proj-12345.iam.gserviceaccount.com",
        "--machine_type=n1-standard-4",
        f"--sdk_container_image={IMAGE}",
        f"--template_location={place}",
        f"--input={bucket}/flex/in.csv",
        f"--model={bucket}/flex/m/4",
        f"--output={bucket}/flex/out/",
        "--overwrite=false",
        "--no_use_public_ips=true",
        "--schema=",
        "--batch_rows=64",
    ]
    assert main(argv) == 0
    return json.loads(filesystem.read_bytes(place)), capfd.readouterr().err


def test_the_launcher_writes_the_job_and_ends(launched):
    job, told = launched
    assert job["name"] == "nightly-score"
    (pool,) = job["environment"]["workerPools"]
    assert pool["machineType"] == "n1-standard-4"
    assert pool["ipConfiguration"] == "WORKER_IP_PRIVATE"
    images = {image["containerImage"] for image in pool["sdkHarnessContainerImages"]}
    assert images == {IMAGE}
    assert "submitted" not in told
    assert "rows in" not in told


def test_nothing_of_the_launchers_machine_goes_along(launched):
    job, _ = launched
    stored = json.dumps(job)
    assert "pickled_main_session" not in stored
    assert sys.prefix not in stored
    options = job["environment"]["sdkPipelineOptions"]["options"]
    assert options["save_main_session"] is False
    assert options["template_location"].endswith("/job_object")
