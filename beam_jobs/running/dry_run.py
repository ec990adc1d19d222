"""What a job would be, shown instead of run: its steps, what they need of workers, its options."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from beam_jobs.options.declare import JobOptions, declared
from beam_jobs.running.workers import describe_workers

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

_STEP_DEPTH = 2
"""Deeper steps are Beam's own, or inside our verbs."""
_HINT_URN = "beam:resources:"


def set_up(options: "PipelineOptions") -> None:
    """Keeps the runner from asking Google for anything, as soon as the pipeline is made."""
    from apache_beam.options.pipeline_options import TestOptions

    options.view_as(TestOptions).dry_run = True


def graph(root: "beam.Pipeline", options: "PipelineOptions") -> Any:
    """Returns a pipeline's proto as its runner gets it; nothing is started.

    Args:
      root: The pipeline, complete.
      options: Its options, on which `set_up` was called before it was made.
    """
    from beam_jobs.running import runners

    if runners.runner_name(options) != "dataflowrunner":
        return root.to_runner_api()
    set_up(root.options)
    return root.run().job.proto_pipeline


def hints_of(environment: Any) -> dict[str, str]:
    """Returns what an environment asks of its workers, by the names that Beam gives it."""
    return {
        urn.removeprefix(_HINT_URN).rpartition(":")[0]: value.decode()
        for urn, value in sorted(environment.resource_hints.items())
    }


def hinted_steps(pipeline: Any) -> dict[str, dict[str, str]]:
    """Returns the steps whose code runs on workers that something is asked of.

    Args:
      pipeline: A pipeline's proto.

    Returns: Their hints, by the unique name of the step. Composite steps are left out: what
      they ask for counts in those that they consist of.
    """
    environments = pipeline.components.environments
    found = {}
    for step in pipeline.components.transforms.values():
        if not step.subtransforms and step.environment_id:
            hints = hints_of(environments[step.environment_id])
            if hints:
                found[step.unique_name] = hints
    return found


def describe(
    root: "beam.Pipeline",
    options: JobOptions,
    beam_options: "PipelineOptions",
    reads: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Returns the steps, environments, options and workers of a job, to be read, as whole lines.

    Args:
      root: The pipeline.
      options: The job's.
      beam_options: Beam's.
      reads: The tables and queries that it reads, as the manifest tells of them.
    """
    from apache_beam.options.pipeline_options import StandardOptions

    from beam_jobs.running import runners

    pipeline = graph(root, beam_options)
    numbers = {name: at for at, name in enumerate(sorted(pipeline.components.environments), 1)}
    parts = {
        "steps": _steps(pipeline, numbers),
        "environments": _environments(pipeline, numbers),
        "options": _options(options),
        "options of Beam": _beam_options(beam_options),
    }
    if reads:
        parts["BigQuery"] = iter([_bytes_read(read) for read in reads])
    if runners.runner_name(beam_options) == "dataflowrunner":
        unbounded = beam_options.view_as(StandardOptions).streaming
        parts["workers"] = describe_workers(options, beam_options, bool(unbounded))
    lines = [[f"{title}:", *(f"  {line}" for line in body)] for title, body in parts.items()]
    return "\n".join("\n".join(part) for part in lines) + "\n"


def _bytes_read(read: Mapping[str, Any]) -> str:
    """Returns the bytes that reading costs, as BigQuery tells them before."""
    size = f"{read['bytes']:,} bytes"
    if "job" in read:
        return f"a query that bills {size} (10 MB at least for each table): {read['uri']}"
    return f"{size} at most, all columns: {read['uri']}"


def _steps(pipeline: Any, numbers: Mapping[str, int]) -> Iterator[str]:
    """Steps as they nest, with the environments of the code in them."""
    steps = pipeline.components.transforms

    def environments(name: str) -> set[int]:
        step = steps[name]
        inner = [environments(part) for part in step.subtransforms]
        own = {numbers[step.environment_id]} if step.environment_id in numbers else set()
        return set().union(*inner) if inner else own

    def shown(name: str, depth: int) -> Iterator[str]:
        label = steps[name].unique_name.rpartition("/")[2]
        used = ", ".join(map(str, sorted(environments(name))))
        yield f"{'  ' * depth}{label:{40 - 2 * depth}} {used}".rstrip()
        if depth + 1 < _STEP_DEPTH:
            for part in steps[name].subtransforms:
                yield from shown(part, depth + 1)

    for root in pipeline.root_transform_ids:
        # The outermost step is the pipeline itself.
        for name in steps[root].subtransforms:
            yield from shown(name, 0)


def _environments(pipeline: Any, numbers: Mapping[str, int]) -> Iterator[str]:
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    for name, number in numbers.items():
        environment = pipeline.components.environments[name]
        what = environment.urn.removeprefix("beam:env:").rpartition(":")[0]
        if what == "docker":
            what = api.DockerPayload.FromString(environment.payload).container_image
        hints = "".join(f" {hint}={value}" for hint, value in hints_of(environment).items())
        yield f"{number} {what}{hints}"


def _options(options: JobOptions) -> Iterator[str]:
    for option in declared(type(options)):
        value = getattr(options, option.name)
        if value != option.default:
            yield f"{option.flag}={value}"


def _beam_options(options: "PipelineOptions") -> Iterator[str]:
    for name, value in sorted(options.get_all_options(drop_default=True).items()):
        yield f"--{name}={value}"
