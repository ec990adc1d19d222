"""What a user of Dataflow gets wrong, and what is said before anything starts."""

import pytest

from tests.beam_jobs.flags import DATAFLOW, options_of
from transforms.errors import ConfigError

IMAGE = "europe-west1-docker.pkg.dev/p/millrace/score"
DIGEST = "@sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("region=europe-west1-b", "--region: europe-west1-b is a zone, of the region europe-west1"),
        ("region=EU", "--region: 'EU' is no region, such as europe-west1"),
        ("region=europe-west-1", "--region: 'europe-west-1' is no region"),
        ("worker_region=nowhere", "--worker_region: 'nowhere' is no region"),
        ("worker_zone=europe-west1", "--worker_zone: 'europe-west1' is no zone"),
        ("subnetwork=private", "regions/europe-west1/subnetworks/NAME"),
        (
            "subnetwork=regions/us-central1/subnetworks/a",
            "--subnetwork: it is in us-central1, and the workers are in europe-west1",
        ),
        ("machine_type=n1-standrad-4", "--machine_type: 'n1-standrad-4' is no machine type"),
        ("worker_machine_type=big", "--machine_type: 'big' is no machine type"),
        ("machine_type=t2a-standard-4", "t2a-standard-4 has ARM processors"),
        ("num_workers=-1", "--num_workers is at least 1, not -1"),
        ("disk_size_gb=-5", "--disk_size_gb is above 0, not -5"),
        ("job_name=My_Job", "--job_name: 'My_Job' is no job's name.*: my-job, say"),
        ("job_name=2026-scores", "begins with a letter: run-2026-scores, say"),
        ("service_account_email=me", "workers@proj-12345.iam.gserviceaccount.com"),
        ("labels=Team=Ada", "--labels: 'Team=Ada' is not of the form name=value"),
        ("labels=db_password=hush", "--labels=db_password would be stored"),
        ("requirements_file=r.txt", "--requirements_file: every worker would install packages"),
        ("setup_file=./setup.py", "--setup_file: every worker would install packages"),
        ("extra_package=x.whl", "--extra_package: every worker would install packages"),
        (f"sdk_container_image={IMAGE}", "score has no tag of its own.*@sha256:DIGEST"),
        (f"sdk_container_image={IMAGE}:latest", "has no tag of its own"),
        ("sdk_container_image=registry/Score:1", "is no image's name"),
        ("sdk_container_image=registry/score: 1", "is no image's name"),
        ("sdk_container_image=REGION-docker.pkg.dev/p/r/score:1", "is no image's name"),
        (
            "sdk_container_image=apache/beam_python3.9_sdk:2.60.0",
            "Beam's own image, with Beam 2.60.0 and Python 3.9; here are Beam 2.7.*neither Tens",
        ),
    ],
)
def test_each_mistake_names_its_option(flag, told):
    with pytest.raises(ConfigError, match=told) as found:
        options_of(*DATAFLOW, f"--{flag}")
    assert "hush" not in str(found.value)


def test_options_that_exclude_each_other():
    with pytest.raises(ConfigError, match="10 are more than --max_num_workers, 5"):
        options_of(*DATAFLOW, "--num_workers=10", "--max_num_workers=5")
    zone = ["--worker_zone=europe-west1-b", "--worker_region=europe-west1"]
    with pytest.raises(ConfigError, match="--worker_zone and --worker_region exclude each other"):
        options_of(*DATAFLOW, *zone)


def test_all_mistakes_are_named_at_once():
    with pytest.raises(ConfigError) as found:
        options_of(*DATAFLOW, "--region=EU", "--machine_type=big", "--job_name=A")
    assert len(str(found.value).splitlines()) == 3


@pytest.mark.parametrize(
    "flag",
    [
        "region=northamerica-northeast1",
        "region=me-west1",
        "worker_zone=us-central1-a",
        "machine_type=n1-standard-4",
        "machine_type=n2d-highmem-96",
        "machine_type=custom-4-8192",
        "machine_type=n2-custom-4-8192-ext",
        "machine_type=g2-standard-8",
        "machine_type=a2-highgpu-1g",
        "machine_type=a2-ultragpu-2g",
        "machine_type=a3-megagpu-8g",
        "machine_type=c3-standard-4-lssd",
        "machine_type=c4d-standard-8",
        "machine_type=e2-medium",
        "machine_type=m1-ultramem-40",
        "num_workers=3",
        "max_num_workers=5",
        "job_name=trips-2",
        "service_account_email=w@proj-12345.iam.gserviceaccount.com",
        "subnetwork=regions/europe-west1/subnetworks/a",
        "subnetwork=https://www.googleapis.com/projects/p/regions/europe-west1/subnetworks/a",
        "labels=team=ada_1",
        "labels=team=",
        f"sdk_container_image={IMAGE}:0.1.0",
        f"sdk_container_image={IMAGE}{DIGEST}",
        f"sdk_container_image={IMAGE}:latest{DIGEST}",
        "sdk_container_image=localhost:5000/score:1",
        "sdk_container_image=score:1",
    ],
)
def test_what_is_right_passes(flag):
    options_of(*DATAFLOW, f"--{flag}")
