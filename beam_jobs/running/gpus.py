"""GPUs of a job's workers: asked for in one form, on machines that can have them."""

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from beam_jobs.running.logs import say
from beam_jobs.running.setting import Setting
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from inference.devices.gpu import Gpu

_SERVICE_OPTION = "worker_accelerator"
_ONE_PROCESS = "no_use_multiple_sdk_containers"


def for_step(gpu: "Gpu | None", setting: Setting) -> "Gpu | None":
    """Returns the GPUs as the step that needs them gets them; None without GPUs."""
    return gpu and dataclasses.replace(gpu, hinted=_is_hinted(setting))


def _is_hinted(setting: Setting) -> bool:
    """Returns whether the step itself asks the runner for GPUs: in batches on Dataflow.

    Elsewhere it only checks that they are there. Streams are given their machines as a whole.
    """
    return not setting.is_local and not setting.unbounded


def set_up(options: object, beam_options: "PipelineOptions", setting: Setting) -> None:
    """Checks that a job's workers can have its GPUs, and asks for them where no step does.

    Args:
      options: The job's options; `gpu` is what it asks for, if it has such an option.
      beam_options: Beam's, which it may add a service option to.
      setting: Where the job runs; on this machine they must be there.

    Raises:
      ConfigError: They are not there, the machine type can't have them, they are asked for twice,
        or another option excludes them.
    """
    given = getattr(options, "gpu", None)
    if not given:
        return
    from inference.devices.gpu import Gpu
    from transforms import wording

    with wording.command_line():
        gpu = Gpu.parse(given)
    if not setting.is_local:
        _ask(gpu, beam_options, setting)
        _lay_out(gpu, beam_options)
        _plan(gpu, options, beam_options)
    elif not getattr(options, "dry_run", False):
        from inference.devices.check import check_devices

        check_devices(gpu)


def _ask(gpu: "Gpu", beam_options: "PipelineOptions", setting: Setting) -> None:
    """Sees to it that Dataflow is asked for GPUs once, on machines that can have them."""
    from apache_beam.options import pipeline_options as beam

    cloud = beam_options.view_as(beam.GoogleCloudOptions)
    services = list(cloud.dataflow_service_options or ())
    _check_alone(services, beam_options)
    if cloud.flexrs_goal:
        raise ConfigError("--flexrs_goal: FlexRS has no machines with GPUs: leave out one of both")
    gpu.check_machine(beam_options.view_as(beam.WorkerOptions).machine_type)
    if not _is_hinted(setting):
        cloud.dataflow_service_options = [*services, f"{_SERVICE_OPTION}={gpu.form}"]


def _lay_out(gpu: "Gpu", beam_options: "PipelineOptions") -> None:
    """Has a machine run as many processes as the topology has."""
    from apache_beam.options import pipeline_options as beam

    from inference.devices.gpu import MPS, SINGLE

    debug = beam_options.view_as(beam.DebugOptions)
    services = beam_options.view_as(beam.GoogleCloudOptions).dataflow_service_options or ()
    if gpu.topology == SINGLE:
        debug.add_experiment(_ONE_PROCESS)
    elif debug.lookup_experiment(_ONE_PROCESS):
        raise ConfigError(
            f"--experiments: {_ONE_PROCESS} leaves one process, and --gpu {gpu} is for several: "
            "leave out one of both"
        )
    if gpu.topology == MPS and "enable_prime" in services:
        raise ConfigError("--dataflow_service_options: enable_prime has no MPS: take :shared")


def _plan(gpu: "Gpu", options: Any, beam_options: "PipelineOptions") -> None:
    """Checks that the model fits into the GPUs, says what it takes, and sets the workers' disk."""
    from apache_beam.options import pipeline_options as beam

    from inference.devices.plan import Plan
    from transforms import wording

    workers = beam_options.view_as(beam.WorkerOptions)
    weights = sum(file.size for file in _files(options.model))
    plan = Plan(gpu, workers.machine_type, weights, options.batch_rows, options.precision)
    with wording.command_line():
        plan.check()
    given = workers.disk_size_gb
    if given and given < plan.disk_gb:
        raise ConfigError(
            f"--disk_size_gb: {given} GB are too few for the image and the model, which take "
            f"{plan.disk_gb} GB: leave it out"
        )
    workers.disk_size_gb = given or plan.disk_gb
    say("gpu", "\n  ".join(["the plan for each worker", *plan.lines()]))


def _files(model: str) -> "list[Any]":
    """Returns a model's files; none where they can't be listed.

    A model that is missing or broken is reported later, in better words.
    """
    from transforms.files import filesystem

    with contextlib.suppress(Exception):
        return list(filesystem.list_files(model))
    return []


def _check_alone(services: list[str], beam_options: "PipelineOptions") -> None:
    """Checks that there is one request for accelerators: Dataflow takes no second."""
    from apache_beam.options import pipeline_options as beam

    experiments = beam_options.view_as(beam.DebugOptions).experiments or []
    hints: Any = beam_options.view_as(beam.StandardOptions).resource_hints or []
    places = {
        "--dataflow_service_options": (services, _SERVICE_OPTION),
        "--experiments": (experiments, _SERVICE_OPTION),
        "--resource_hints": (hints, "accelerator"),
    }
    for flag, (values, name) in places.items():
        if any(str(value).startswith(name) for value in values):
            raise ConfigError(f"{flag}: {name} asks for GPUs a second time: --gpu is enough")
