"""What is wrong with a job file, the description of a job that a launcher leaves behind."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from beam_jobs.running.dry_run import hinted_steps
from transforms.words import repeated

MOST_BYTES = 10_000_000
"""Dataflow takes no larger description, nor a larger graph (its documented limit is 10 MB)."""
_INFERENCE = "/RunInference"
_ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}|<locals>")
_ACCELERATOR = "worker_accelerator"


@dataclass(frozen=True)
class Expected:
    """What is known of a launch.

    Attributes:
      name: The job's name.
      image: The workers' image.
      gpu: The form of the GPUs that were asked for, or "".
      here: Paths of this machine, which must not be in the file.
      secrets: How the names of options begin or end that hold secrets.
    """

    name: str
    image: str
    gpu: str
    here: Sequence[str]
    secrets: re.Pattern[str]


def options_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options that are stored with a job."""
    found: dict[str, Any] = job["environment"]["sdkPipelineOptions"]["options"]
    return found


def graph_uri(job: Mapping[str, Any]) -> str:
    """Returns where a job's graph is."""
    return str(options_of(job).get("pipelineUrl") or options_of(job).get("pipeline_url") or "")


def faults(content: bytes, graph: bytes, expected: Expected) -> list[str]:
    """Returns what is wrong, in words; an empty list if nothing is.

    Args:
      content: The job file.
      graph: The pipeline's proto.
      expected: What is known of the launch.
    """
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    job, pipeline = json.loads(content), api.Pipeline.FromString(graph)
    return [
        *_of_size(content, graph),
        *_of_job(job, expected),
        *_of_workers(job, pipeline, expected),
        *_of_hints(job, pipeline, expected),
        *_of_names(pipeline),
    ]


def _of_size(content: bytes, graph: bytes) -> Iterator[str]:
    for what, size in (("the job file", len(content)), ("the graph", len(graph))):
        if size > MOST_BYTES:
            yield f"{what} has {size:,} bytes: Dataflow takes {MOST_BYTES:,}"


def _of_job(job: Mapping[str, Any], expected: Expected) -> Iterator[str]:
    if job.get("name") != expected.name:
        yield f"the job is named {job.get('name')!r}: the launcher's name {expected.name!r} is lost"
    options = options_of(job)
    if options.get("save_main_session"):
        yield "the launcher's main session is pickled for the workers"
    for name, value in options.items():
        if value and expected.secrets.search(name):
            yield f"the option {name} is stored with the job, for all to read"
    stored = json.dumps(job)
    for path in expected.here:
        if path in stored:
            yield f"it names {path}, which is on the launcher alone"


def _of_workers(job: Mapping[str, Any], pipeline: Any, expected: Expected) -> Iterator[str]:
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    pools = job["environment"]["workerPools"]
    images = {i["containerImage"] for p in pools for i in p.get("sdkHarnessContainerImages", ())}
    for environment in pipeline.components.environments.values():
        images.add(api.DockerPayload.FromString(environment.payload).container_image)
    for image in sorted(images - {expected.image}):
        yield f"workers would run {image or 'an image without a name'}, not {expected.image}"
    staged = [package["name"] for pool in pools for package in pool.get("packages", ())]
    staged += [
        api.ArtifactStagingToRolePayload.FromString(dependency.role_payload).staged_name
        for environment in pipeline.components.environments.values()
        for dependency in environment.dependencies
    ]
    for name in sorted({name for name in staged if not name.startswith("submission_environment")}):
        yield f"workers would download and install {name} at their start"


def _of_hints(job: Mapping[str, Any], pipeline: Any, expected: Expected) -> Iterator[str]:
    """GPUs are asked for once: by the step that needs them, or for the whole job."""
    hints = hinted_steps(pipeline)
    services = [str(option) for option in job["environment"].get("serviceOptions", ())]
    asked = [option for option in services if option.startswith(_ACCELERATOR)]
    for name, found in hints.items():
        if _INFERENCE not in name or set(found) != {"accelerator"}:
            yield f"step {name} asks for {found}, for no reason"
        elif found["accelerator"] != expected.gpu:
            yield f"step {name} asks for {found['accelerator']}, not {expected.gpu or 'none'}"
    if expected.gpu and not hints and asked != [f"{_ACCELERATOR}={expected.gpu}"]:
        yield f"nothing asks for {expected.gpu}"
    if asked and (hints or not expected.gpu):
        yield f"{asked[0]} is a service option, though no job or only a step needs it"


def _of_names(pipeline: Any) -> Iterator[str]:
    """Names by which running jobs are updated must be the same in each launch."""
    names = [step.unique_name for step in pipeline.components.transforms.values()]
    anew = filter(_ADDRESS.search, names)
    yield from (f"step {name} is named anew at each launch" for name in anew)
    for name in repeated(names):
        yield f"step {name} is there twice"
