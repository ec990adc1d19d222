"""Where a job runs: in this process, on a service, or through a Flex Template's launcher."""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

import apache_beam as beam
from apache_beam.options import pipeline_options as beam_options
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineRunner, create_runner

from beam_jobs.running import beam_memos, dataflow_options, flink
from beam_jobs.running.prism import built, find, running
from transforms.errors import ConfigError
from transforms.files.filesystem import list_files
from transforms.nearest import nearest

_IN_PROCESS = ("directrunner", "switchingdirectrunner", "fnapirunner")
_TEN_YEARS = 10 * 365 * 86_400


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
        dataflow_options.check(options, job)
        _use_container_sdk(options)
    elif place_of(options) is Place.LOCAL:
        _use_all_cores(options, argv)
        if runner_name(options) == flink.NAME:
            flink.set_up(options)
        if runner_name(options) == "prismrunner":
            prism = options.view_as(beam_options.PrismRunnerOptions)
            # Where there is none Beam fetches it from the network.
            _check_prism(prism.prism_location)
            prism.prism_location = prism.prism_location or built()
        if runner_name(options) in ("portablerunner", "sparkrunner"):
            _check_portable(options)
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


def check_bounded(options: PipelineOptions) -> None:
    """Checks that nobody asks for a stream where the input has an end.

    Raises:
      ConfigError: Somebody does; the input alone decides.
    """
    if options.view_as(beam_options.StandardOptions).streaming:
        raise ConfigError(
            "--streaming: the input alone decides, and this one has an end: leave it out, or read "
            "messages, --input=pubsub://projects/PROJECT/subscriptions/NAME"
        )


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


def check_reach(options: PipelineOptions) -> None:
    """Checks that what the launch needs elsewhere is there, just before it starts.

    Raises:
      ConfigError: No job server answers, or a bucket isn't there or is closed to this account.
    """
    if place_of(options) is Place.LOCAL:
        endpoint = options.view_as(beam_options.PortableOptions).job_endpoint
        if endpoint and runner_name(options) in (flink.NAME, "portablerunner", "sparkrunner"):
            flink.check_endpoint(endpoint)
        return
    if place_of(options) is Place.SERVICE:
        cloud = options.view_as(beam_options.GoogleCloudOptions)
        for name in ("temp_location", "staging_location"):
            if location := getattr(cloud, name):
                _check_bucket(name, location)


def _check_bucket(name: str, location: str) -> None:
    """Checks a bucket by listing next to nothing: Beam asks for a minute for one that is not."""
    try:
        list_files(f"{location.rstrip('/')}/millrace-is-it-there")
    except ConfigError as error:
        raise ConfigError(f"--{name}: {location}: {str(error).partition(': ')[2]}") from None


def _check_prism(location: str | None) -> None:
    if location and "://" not in location and not os.path.isfile(location):
        raise ConfigError(
            f"--prism_location: there is no file {location}; `make prism` in a checkout builds one"
        )


def _check_portable(options: PipelineOptions) -> None:
    if not options.view_as(beam_options.PortableOptions).job_endpoint:
        name = options.view_as(beam_options.StandardOptions).runner
        raise ConfigError(
            f"--job_endpoint is needed by {name}: the address of a job server of Beam. Jobs are "
            "tried on DirectRunner, PrismRunner, FlinkRunner and DataflowRunner"
        )


def _use_container_sdk(options: PipelineOptions) -> None:
    setup = options.view_as(beam_options.SetupOptions)
    if setup.sdk_location == "default":
        # The SDK is in the image; nothing has to be uploaded for the workers.
        setup.sdk_location = "container"


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
