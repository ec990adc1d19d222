"""What is checked before a running job is replaced: its name, its state, and both graphs."""

import json
from typing import TYPE_CHECKING, Any

from beam_jobs.running.logs import say
from beam_jobs.updates.compare import Comparison, compare
from beam_jobs.updates.service import Jobs, graph_of
from beam_jobs.updates.steps import steps_of
from transforms.errors import ConfigError, MillraceError

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

_RUNNING = "JOB_STATE_RUNNING"


def job_to_update(options: "PipelineOptions", streaming: bool) -> Any:
    """Returns the job that would be replaced.

    Args:
      options: Beam's, with `update`.
      streaming: Whether the new job reads messages.

    Raises:
      ConfigError: No such job runs, or it can't be updated.
    """
    from apache_beam.options.pipeline_options import GoogleCloudOptions

    name = options.view_as(GoogleCloudOptions).job_name
    if not name:
        raise ConfigError("--update needs --job_name: the name of the job that is replaced")
    if not streaming:
        raise ConfigError("--update: a job of files ends by itself, so there is none to update")
    try:
        job = Jobs(options).named(name)
    except ConfigError as error:
        raise ConfigError(f"--update: {error}. Leave out --update to start it") from None
    if job.current_state.name != _RUNNING:
        state = job.current_state.name.removeprefix("JOB_STATE_").lower()
        raise ConfigError(f"--update: {name} is {state}; only a running job can be updated")
    return job


def check_update(job: str, running: Any, graph: Any, options: "PipelineOptions") -> None:
    """Compares the graph of a running job with the new one, and completes the mapping of names.

    Args:
      job: The job, for what is said.
      running: The running job.
      graph: The new graph.
      options: Beam's; renamed steps are added to `transform_name_mapping`.

    Raises:
      ConfigError: The new job could not take over what the running one keeps.
    """
    from apache_beam.options.pipeline_options import GoogleCloudOptions

    cloud = options.view_as(GoogleCloudOptions)
    try:
        old = steps_of(graph_of(Jobs(options).whole(running.id)))
    except MillraceError as error:
        say(job, f"the graphs are not compared: {error}")
        return
    found = compare(old, steps_of(graph), _mapping(cloud.transform_name_mapping))
    for line in found.lines():
        say(job, f"update: {line}")
    _refuse(found, running.name)
    if found.mapping:
        cloud.transform_name_mapping = dict(found.mapping)


def _mapping(given: Any) -> dict[str, str]:
    if not given:
        return {}
    try:
        found = json.loads(given) if isinstance(given, str) else dict(given)
    except ValueError as error:
        raise ConfigError(f"--transform_name_mapping is no JSON: {error}") from None
    return {str(old): str(new) for old, new in found.items()}


def _refuse(found: Comparison, name: str) -> None:
    if found.faults:
        raise ConfigError(
            f"--update: {name} can't be replaced by this version: {found.faults[0]}. Drain it, and "
            "start this version as a job of its own: see docs/updates.md"
        )
