"""cloudbuild.yaml: tests, and for each job an image, pushed, and its template, stored."""

from collections.abc import Sequence
from typing import Any

from beam_jobs.templates.yaml_text import yaml_text

_DOCKER = "gcr.io/cloud-builders/docker"
_IMAGE = "$_REGION-docker.pkg.dev/$PROJECT_ID/$_REPOSITORY/{job}-$_DEVICE:$_VERSION"
_ABOUT = """\
# gcloud builds submit --config=templates/ci/cloudbuild.yaml \\
#     --substitutions=_BUCKET=my-bucket,_REGION=europe-west1,_VERSION=$(git rev-parse --short HEAD)
# The account of the build needs roles/artifactregistry.writer, and roles/storage.objectAdmin on the
# bucket.
"""
_TEST = """\
apt-get update -qq && apt-get install -y -qq --no-install-recommends make git
make PYTHON=python3.11 lint test
"""
# A template names its image by digest: a tag that moves would change jobs that are launched later.
_STORE = """\
docker push "$$image"
digest=$$(docker inspect --format='{{{{index .RepoDigests 0}}}}' "$$image")
mkdir -p specs
docker run --rm --entrypoint=python "$$digest" \\
    -m beam_jobs.metadata {job} --image="$$digest" > specs/{job}.json
"""
_PUBLISH = 'gcloud storage cp specs/*.json "gs://$_BUCKET/templates/$_VERSION/"\n'


def cloud_build(jobs: Sequence[str]) -> str:
    """Returns the build's configuration, in the form of Cloud Build's API.

    Args:
      jobs: The names of all jobs.
    """
    steps = [_test()]
    for job in jobs:
        # One after the other: all but their last layers are the same, and built once.
        steps += [_build(job), _store(job)]
    steps.append(
        {
            "id": "publish",
            "name": "gcr.io/google.com/cloudsdktool/google-cloud-cli:slim",
            "entrypoint": "bash",
            "args": ["-euc", _PUBLISH],
        }
    )
    return yaml_text({"steps": steps, **_settings()}, _ABOUT)


def _settings() -> dict[str, Any]:
    return {
        "substitutions": {
            "_BUCKET": "",
            "_DEVICE": "cpu",
            "_REGION": "europe-west1",
            "_REPOSITORY": "millrace",
            "_VERSION": "latest",
        },
        "timeout": "7200s",
        "options": {
            "logging": "CLOUD_LOGGING_ONLY",
            "machineType": "E2_HIGHCPU_8",
            "diskSizeGb": "200",
        },
    }


def _test() -> dict[str, Any]:
    check = 'test -n "$_BUCKET" || { echo "name a bucket: --substitutions=_BUCKET=..."; exit 1; }\n'
    return {
        "id": "test",
        "name": "python:3.11-bookworm",
        "entrypoint": "bash",
        "args": ["-euc", check + _TEST],
    }


def _build(job: str) -> dict[str, Any]:
    image = _IMAGE.format(job=job)
    arguments = {"DEVICE": "$_DEVICE", "JOB": job, "IMAGE": image}
    given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    return {
        "id": f"build-{job}",
        "name": _DOCKER,
        "args": ["build", "--file=templates/Dockerfile", *given, f"--tag={image}", "."],
        "env": ["DOCKER_BUILDKIT=1"],
    }


def _store(job: str) -> dict[str, Any]:
    return {
        "id": f"store-{job}",
        "name": _DOCKER,
        "entrypoint": "bash",
        "args": ["-euc", f"image={_IMAGE.format(job=job)}\n{_STORE.format(job=job)}"],
    }
