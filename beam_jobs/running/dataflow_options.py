"""What Dataflow would refuse minutes after the launch, or replace by a default: checked before.

Only forms are checked, for regions and machines come and go. A form that is wrong is refused; what
only the service knows (quotas, stock, permissions) is left to it.
"""

import os
import platform
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlparse

import apache_beam
from apache_beam.options import pipeline_options as beam_options
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.templates.image import image_of
from transforms.errors import ConfigError

_BUCKET = re.compile(r"gs://(?P<bucket>[a-z0-9][-_a-z0-9.]{1,220}[a-z0-9])/.*", re.S)
_PROJECT = re.compile(r"(?:[a-z][-a-z0-9.]*:)?[a-z][-a-z0-9]{4,28}[a-z0-9]")
_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_ZONE = re.compile(r"(?P<region>[a-z]+-[a-z]+\d+)-[a-z]")
_JOB = re.compile(r"[a-z]([-a-z0-9]{0,1022}[a-z0-9])?")
_MACHINE = re.compile(
    r"(f1-micro|g1-small|([a-z]\d[a-z]{0,2}-)?custom-\d+-\d+(-ext)?|"
    r"[a-z]\d[a-z]{0,2}-(standard|highmem|highcpu|(mega|ultra|hyper)mem|(mega|ultra|high|edge)gpu|"
    r"micro|small|medium)(-\d+g?)?(-lssd|-metal|-\w*lssd)?)"
)
_ARM = re.compile("(t2a|c4a|n4a)-")
_ACCOUNT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SUBNETWORK = re.compile(
    r"(https://.+/)?(projects/[^/]+/)?regions/(?P<region>[^/]+)/subnetworks/.+"
)
_LABEL = re.compile(r"[a-z][-_a-z0-9]{0,62}=[-_a-z0-9]{0,63}")
_PART = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?P<name>(?:[\w.-]+(?::\d+)?/)?{_PART}(?:/{_PART})*)"
    r"(?P<tag>:[\w][\w.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?"
)
_STOCK = re.compile(r"(?:^|/)beam_python(?P<python>\d\.\d+)_sdk$")
_AT_START = ("requirements_file", "setup_file", "extra_packages")
SECRET = re.compile(r"secret|password|passwd|token|credential|connection_string|access_key")
"""How options are named that hold what nobody may read."""


def check(options: PipelineOptions, job: str) -> None:
    """Checks Beam's options for Dataflow, and completes them from the environment.

    Args:
      options: Beam's options; the image, the project and the region may be set by it.
      job: The job's name.

    Raises:
      ConfigError: Something is missing or malformed; the text names the option.
    """
    cloud = options.view_as(beam_options.GoogleCloudOptions)
    workers = options.view_as(beam_options.WorkerOptions)
    cloud.project = cloud.project or os.environ.get("GOOGLE_CLOUD_PROJECT")
    cloud.region = cloud.region or os.environ.get("CLOUDSDK_COMPUTE_REGION")
    workers.sdk_container_image = workers.sdk_container_image or os.environ.get("MILLRACE_IMAGE")
    if not cloud.template_location or not workers.sdk_container_image:
        # A template's launcher runs in that image already.
        _check_image(workers.sdk_container_image, job)
    if not cloud.project or not _PROJECT.fullmatch(cloud.project):
        given = f"; {cloud.project!r} is not a project's id" if cloud.project else ""
        raise ConfigError(f"--project is needed: the id of a Google Cloud project{given}")
    if not cloud.region:
        raise ConfigError("--region is needed by DataflowRunner: europe-west1, say")
    if urlparse(cloud.dataflow_endpoint or "").hostname != "localhost":
        _check_locations(cloud)
    _check_secrets(options)
    problems = [*_places(cloud, workers), *_machines(workers), *_names(cloud), *_staged(options)]
    if problems:
        raise ConfigError("\n".join(problems))


def _check_image(image: str | None, job: str) -> None:
    ours = f"Pass --sdk_container_image={image_of(job)}, which templates/Dockerfile builds"
    if not image:
        raise ConfigError(
            "--sdk_container_image is needed: workers of Dataflow's stock image would install "
            f"TensorFlow for minutes. {ours}"
        )
    found = _IMAGE.fullmatch(image)
    if not found or "REGION-" in image:
        raise ConfigError(
            f"--sdk_container_image: {image!r} is no image's name, which is of the form "
            "europe-west1-docker.pkg.dev/my-project/millrace/score:0.1.0, of lower case"
        )
    stock = _STOCK.search(found["name"])
    if stock:
        here = f"Beam {apache_beam.__version__} and Python {platform.python_version()}"
        its = f"Beam {(found['tag'] or ':of its latest version')[1:]} and Python {stock['python']}"
        raise ConfigError(
            f"--sdk_container_image: {image} is Beam's own image, with {its}; here are {here}, "
            f"and neither TensorFlow nor Millrace is in it. {ours}"
        )
    if found["tag"] in (None, ":latest") and not found["digest"]:
        raise ConfigError(
            f"--sdk_container_image: {image} has no tag of its own, so each worker would take what "
            "is latest when it starts: give :TAG or, better, @sha256:DIGEST"
        )


def _check_locations(cloud: Any) -> None:
    """Checks locations: if they are malformed, Beam would create a bucket of its own."""
    if not (cloud.temp_location or cloud.staging_location):
        raise ConfigError("--temp_location is needed by DataflowRunner: gs://bucket/folder, say")
    for name in ("temp_location", "staging_location"):
        location = getattr(cloud, name)
        if location and not _BUCKET.fullmatch(location):
            raise ConfigError(f"--{name}: {location!r} is not of the form gs://bucket/folder")


def _check_secrets(options: PipelineOptions) -> None:
    """Checks options for secrets: whoever may see the stored job can read them."""
    given = options.get_all_options(drop_default=True, retain_unknown_options=True)
    labels = given.get("labels") or []
    names = [
        *(name for name, value in given.items() if value),
        *(f"labels={label.partition('=')[0]}" for label in labels),
    ]
    for name in names:
        if SECRET.search(name):
            raise ConfigError(
                f"--{name} would be stored in the job's description, for all to read: give the "
                "worker service account access instead"
            )


def _places(cloud: Any, workers: Any) -> Iterator[str]:
    for name, region in (("region", cloud.region), ("worker_region", workers.worker_region)):
        if region and (zone := _ZONE.fullmatch(region)):
            yield f"--{name}: {region} is a zone, of the region {zone['region']}: name the region"
        elif region and not _REGION.fullmatch(region):
            yield f"--{name}: {region!r} is no region, such as europe-west1 or us-central1"
    if workers.worker_zone and not _ZONE.fullmatch(workers.worker_zone):
        yield f"--worker_zone: {workers.worker_zone!r} is no zone, such as europe-west1-b"
    if workers.worker_zone and workers.worker_region:
        yield "--worker_zone and --worker_region exclude each other: leave one out"
    where = workers.worker_region or cloud.region
    if workers.subnetwork:
        found = _SUBNETWORK.fullmatch(workers.subnetwork)
        if not found:
            yield (
                f"--subnetwork: {workers.subnetwork!r} is not of the form "
                f"regions/{where}/subnetworks/NAME"
            )
        elif found["region"] != where and not workers.worker_zone:
            yield f"--subnetwork: it is in {found['region']}, and the workers are in {where}"


def _machines(workers: Any) -> Iterator[str]:
    machine = workers.machine_type
    if machine and not _MACHINE.fullmatch(machine):
        yield f"--machine_type: {machine!r} is no machine type, such as n1-standard-4"
    elif machine and _ARM.match(machine):
        yield f"--machine_type: {machine} has ARM processors, and the image is for x86-64"
    least, most = workers.num_workers, workers.max_num_workers
    for name, number in (("num_workers", least), ("max_num_workers", most)):
        if number is not None and number < 0:
            yield f"--{name} is at least 1, not {number}"
    if least and most and 0 < most < least:
        yield f"--num_workers: {least} are more than --max_num_workers, {most}"
    if workers.disk_size_gb is not None and workers.disk_size_gb < 0:
        yield f"--disk_size_gb is above 0, not {workers.disk_size_gb}"


def _names(cloud: Any) -> Iterator[str]:
    if cloud.job_name and not _JOB.fullmatch(cloud.job_name):
        fit = re.sub("[^a-z0-9]+", "-", cloud.job_name.lower()).strip("-") or "trips"
        fit = fit if fit[0].isalpha() else f"run-{fit}"
        yield (
            f"--job_name: {cloud.job_name!r} is no job's name, which has lower-case letters, "
            f"digits and dashes, and begins with a letter: {fit}, say"
        )
    account = cloud.service_account_email
    if account and not _ACCOUNT.fullmatch(account):
        yield (
            f"--service_account_email: {account!r} is no address of an account, such as "
            f"workers@{cloud.project}.iam.gserviceaccount.com"
        )
    for label in cloud.labels or ():
        if not _LABEL.fullmatch(label):
            yield (
                f"--labels: {label!r} is not of the form name=value, of lower-case letters, "
                "digits, dashes and underscores"
            )


def _staged(options: PipelineOptions) -> Iterator[str]:
    setup = options.view_as(beam_options.SetupOptions)
    for name in _AT_START:
        if getattr(setup, name):
            yield (
                f"--{name.removesuffix('s')}: every worker would install packages at its start. "
                "They belong into the image: add them in a Dockerfile, FROM the image of this job"
            )
