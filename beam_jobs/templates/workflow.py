"""A workflow of GitHub Actions: the same steps as cloudbuild.yaml, on GitHub's machines."""

from collections.abc import Sequence
from typing import Any

from beam_jobs.templates.yaml_text import yaml_text

_ABOUT = """\
# Copy to .github/workflows/. Variables of the repository: REGION, PROJECT, REPOSITORY (in Artifact
# Registry), BUCKET, IDENTITY_PROVIDER (of Workload Identity Federation), SERVICE_ACCOUNT. No secret
# is stored: GitHub's token is exchanged for one of the service account's.
"""
_CHECKOUT = {"uses": "actions/checkout@v4"}
_IMAGE = (
    "${{ vars.REGION }}-docker.pkg.dev/${{ vars.PROJECT }}/${{ vars.REPOSITORY }}"
    "/${{ matrix.job }}-${{ matrix.device }}:${{ github.sha }}"
)
# A template names its image by digest: a tag that moves would change jobs that are launched later.
_STORE = """\
image="${IMAGE%:*}@${DIGEST}"
docker run --rm --entrypoint=python "$image" \\
    -m beam_jobs.metadata "$JOB" --image="$image" > "$JOB.json"
gcloud storage cp "$JOB.json" "gs://$BUCKET/templates/$VERSION/$DEVICE/"
"""
_LOGIN = """\
gcloud auth configure-docker "$REGION-docker.pkg.dev" --quiet
"""


def workflow(jobs: Sequence[str]) -> str:
    """Returns the workflow.

    Args:
      jobs: The names of all jobs.
    """
    content = {
        "name": "millrace",
        "on": {"push": {"branches": ["main"]}, "pull_request": None},
        "permissions": {"contents": "read"},
        "concurrency": {"group": "${{ github.workflow }}-${{ github.ref }}"},
        "jobs": {"test": _test(), "image": _image(jobs)},
    }
    return yaml_text(content, _ABOUT)


def _test() -> dict[str, Any]:
    return {
        "runs-on": "ubuntu-24.04",
        "timeout-minutes": 60,
        "steps": [
            _CHECKOUT,
            {"uses": "actions/setup-python@v5", "with": {"python-version": "3.11"}},
            {"run": "make PYTHON=python lint test"},
        ],
    }


def _image(jobs: Sequence[str]) -> dict[str, Any]:
    return {
        "needs": "test",
        "if": "github.event_name == 'push'",
        "runs-on": "ubuntu-24.04",
        "timeout-minutes": 60,
        "permissions": {"contents": "read", "id-token": "write"},
        "strategy": {"fail-fast": False, "matrix": {"job": list(jobs), "device": ["cpu"]}},
        "env": {"IMAGE": _IMAGE},
        "steps": [_CHECKOUT, *_signed_in(), _built(), _stored()],
    }


def _signed_in() -> list[dict[str, Any]]:
    identity = {
        "workload_identity_provider": "${{ vars.IDENTITY_PROVIDER }}",
        "service_account": "${{ vars.SERVICE_ACCOUNT }}",
    }
    return [
        {"uses": "google-github-actions/auth@v2", "with": identity},
        {"uses": "google-github-actions/setup-gcloud@v2"},
        {"run": _LOGIN, "env": {"REGION": "${{ vars.REGION }}"}},
        {"uses": "docker/setup-buildx-action@v3"},
    ]


def _built() -> dict[str, Any]:
    arguments = "DEVICE=${{ matrix.device }}\nJOB=${{ matrix.job }}\nIMAGE=${{ env.IMAGE }}\n"
    return {
        "id": "build",
        "uses": "docker/build-push-action@v6",
        "with": {
            "context": ".",
            "file": "templates/Dockerfile",
            "build-args": arguments,
            "tags": "${{ env.IMAGE }}",
            "push": True,
            "cache-from": "type=gha",
            "cache-to": "type=gha,mode=max",
        },
    }


def _stored() -> dict[str, Any]:
    return {
        "run": _STORE,
        "env": {
            "DIGEST": "${{ steps.build.outputs.digest }}",
            "JOB": "${{ matrix.job }}",
            "DEVICE": "${{ matrix.device }}",
            "BUCKET": "${{ vars.BUCKET }}",
            "VERSION": "${{ github.sha }}",
        },
    }
