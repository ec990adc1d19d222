"""Where a job runs: in this process, on a service, or through a Flex Template's launcher."""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import urlparse

import apache_beam as beam
from apache_beam.options import pipeline_options as beam_options
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineRunner, create_runner

from beam_jobs.running import beam_memos, flink
from beam_jobs.running.prism import built, find, running
from beam_jobs.templates.image import image_of
from transforms.errors import ConfigError
from transforms.nearest import nearest

_IN_PROCESS = ("directrunner", "switchingdirectrunner", "fnapirunner")
_BUCKET = re.compile(r"gs://(?P<bucket>[a-z0-9][-_a-z0-9.]{1,220}[a-z0-9])/.*", re.S)
_PROJECT = re.compile(r"(?:[a-z][-a-z0-9.]*:)?[a-z][-a-z0-9]{4,28}[a-z0-9]")
_TEN_YEARS = 10 * 365 * 86_400
SECRET = re.compile(r"secret|password|passwd|token|credential|connection_string|access_key")
"""How options are named that hold what nobody may read."""


class Place(StrEnum):
    """Where a job runs.

    LOCAL is this process, and waited for. SERVICE is a service that goes on by itself. TEMPLATE
    is the launcher of a Flex Template, which must only describe the job and end.
    """

    LOCAL = "local"
    SERVICE = "service"
    TEMPLATE = "template"


def pipeline_options(argv: Sequence[str], job: str) -> PipelineOptions:
    """Beam's options from its part of the command line, with our defaults.

    Args:
      argv: Arguments that are Beam's own, checked.
      job: The job's name.

    Raises:
      ConfigError: Something that Dataflow needs is missing or malformed.
    """
    beam_memos.install()
    options = beam_memos.RememberedOptions(list(argv))
    # The code is in the image or on the path; the session would drag in what the launcher holds.
    options.view_as(beam_options.SetupOptions).save_main_session = False
    if runner_name(options) == "dataflowrunner":
        _check_dataflow(options, job)
    elif place_of(options) is Place.LOCAL:
        _use_all_cores(options, argv)
        if runner_name(options) == flink.NAME:
            flink.set_up(options)
        if runner_name(options) == "prismrunner":
            prism = options.view_as(beam_options.PrismRunnerOptions)
            # Where there is none Beam fetches it from the network.
            prism.prism_location = prism.prism_location or built()
    return options


def runner_name(options: PipelineOptions) -> str:
    """Returns the runner's class name in lower case.

    Raises:
      ConfigError: There is no such runner.
    """
    given = options.view_as(beam_options.StandardOptions).runner or "DirectRunner"
    name = given.rpartition(".")[2].lower()
    known = beam_options.StandardOptions.KNOWN_RUNNER_NAMES
    if "." not in given and f"{name.removesuffix('runner')}runner" not in map(str.lower, known):
        raise ConfigError(f"--runner: {given} is not known{nearest(given, known)}")
    return f"{name.removesuffix('runner')}runner"


def place_of(options: PipelineOptions) -> Place:
    """Returns where a job with these options runs."""
    if options.view_as(beam_options.GoogleCloudOptions).template_location:
        return Place.TEMPLATE
    return Place.SERVICE if runner_name(options) == "dataflowrunner" else Place.LOCAL


def in_process(options: PipelineOptions) -> bool:
    """Returns whether the workers are threads of this process."""
    return runner_name(options) in _IN_PROCESS


def retries(options: PipelineOptions) -> bool:
    """Returns whether the runner does again what failed, whatever the error is."""
    return runner_name(options) == flink.NAME


def configure_streaming(options: PipelineOptions) -> None:
    """Sets Beam's options for an input without end.

    Raises:
      ConfigError: The runner can't do that, or isn't there.
    """
    standard = options.view_as(beam_options.StandardOptions)
    name = runner_name(options)
    if reads_natively(options):
        standard.streaming = True
        return
    if name == flink.NAME:
        raise ConfigError(flink.STREAMS_REFUSED)
    if name not in (*_IN_PROCESS, "prismrunner"):
        raise ConfigError(f"--runner: {standard.runner} does not run unbounded input here")
    standard.streaming, standard.runner = True, "DirectRunner"
    prism = options.view_as(beam_options.PrismRunnerOptions)
    prism.prism_location = find(prism.prism_location)
    portable = options.view_as(beam_options.PortableOptions)
    portable.environment_type = "LOOPBACK"
    # Beam's client ends its wait for the job after so many seconds, five minutes by default.
    portable.job_server_timeout = _TEN_YEARS


def reads_natively(options: PipelineOptions) -> bool:
    """Returns whether the runner has its own source of messages, in place of Beam's."""
    return runner_name(options) == "dataflowrunner"


@contextlib.contextmanager
def prism(options: PipelineOptions) -> Iterator[None]:
    """Has Prism at hand for a pipeline of these options."""
    location = options.view_as(beam_options.PrismRunnerOptions).prism_location
    with running(location) as endpoint:
        options.view_as(beam_options.PortableOptions).job_endpoint = endpoint
        yield


def create(options: PipelineOptions) -> PipelineRunner:
    """Creates the runner; the direct one is Beam's in-process one, for unbounded input Prism."""
    if in_process(options) and options.view_as(beam_options.StandardOptions).streaming:
        from apache_beam.runners.portability.prism_runner import PrismRunner

        return PrismRunner()
    if in_process(options):
        from apache_beam.runners.portability.fn_api_runner import FnApiRunner

        return FnApiRunner()
    return create_runner(options.view_as(beam_options.StandardOptions).runner)


def _use_all_cores(options: PipelineOptions, argv: Sequence[str]) -> None:
    """Sets a worker for two cores, unless the user sets it: another thread reads ahead for it."""
    given = {argument.partition("=")[0] for argument in argv}
    direct = options.view_as(beam_options.DirectOptions)
    if not given & {"--direct_num_workers", "--direct_running_mode"}:
        direct.direct_num_workers = max(1, len(os.sched_getaffinity(0)) // 2)
    if "--direct_running_mode" not in given and direct.direct_num_workers != 1:
        direct.direct_running_mode = "multi_threading"


def _check_dataflow(options: PipelineOptions, job: str) -> None:
    """Checks what Dataflow would miss only later, or replace by a default of its own."""
    cloud = options.view_as(beam_options.GoogleCloudOptions)
    workers = options.view_as(beam_options.WorkerOptions)
    cloud.project = cloud.project or os.environ.get("GOOGLE_CLOUD_PROJECT")
    cloud.region = cloud.region or os.environ.get("CLOUDSDK_COMPUTE_REGION")
    workers.sdk_container_image = workers.sdk_container_image or os.environ.get("MILLRACE_IMAGE")
    if not workers.sdk_container_image:
        raise ConfigError(
            "--sdk_container_image is needed: workers of Dataflow's stock image would install "
            f"TensorFlow for minutes. Pass --sdk_container_image={image_of(job)}, "
            "which templates/Dockerfile builds"
        )
    if not cloud.project or not _PROJECT.fullmatch(cloud.project):
        given = f"; {cloud.project!r} is not a project's id" if cloud.project else ""
        raise ConfigError(f"--project is needed: the id of a Google Cloud project{given}")
    if not cloud.region:
        raise ConfigError("--region is needed by DataflowRunner: europe-west1, say")
    if urlparse(cloud.dataflow_endpoint or "").hostname != "localhost":
        _check_locations(cloud)
    _check_secrets(options)
    setup = options.view_as(beam_options.SetupOptions)
    if setup.sdk_location == "default":
        # The SDK is in the image; nothing has to be uploaded for the workers.
        setup.sdk_location = "container"


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
    for name, value in given.items():
        if value and SECRET.search(name):
            raise ConfigError(
                f"--{name} would be stored in the job's description, for all to read: give the "
                "worker service account access instead"
            )


def name_job(options: PipelineOptions, run_id: str) -> None:
    """Names a job after its run, unless the user or a template's launcher named it."""
    cloud = options.view_as(beam_options.GoogleCloudOptions)
    if runner_name(options) == flink.NAME:
        flink.name_job(options, run_id)
    if place_of(options) is Place.SERVICE and not cloud.job_name:
        name = re.sub("[^a-z0-9]+", "-", run_id.lower()).strip("-")
        cloud.job_name = name if name[:1].isalpha() else f"run-{name}"


def console_link(options: PipelineOptions, job_id: str) -> str:
    """Returns the link to a Dataflow job in Google's console."""
    cloud = options.view_as(beam_options.GoogleCloudOptions)
    return (
        f"https://console.cloud.google.com/dataflow/jobs/{cloud.region}/{job_id}"
        f"?project={cloud.project}"
    )


def pipeline(options: PipelineOptions) -> beam.Pipeline:
    """Returns an empty pipeline for these options."""
    return beam.Pipeline(runner=create(options), options=options)
