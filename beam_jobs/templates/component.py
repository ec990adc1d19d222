"""A job as a component of Kubeflow Pipelines and Vertex AI Pipelines."""

from typing import Any

from beam_jobs.options.command_line import describe, job_of
from beam_jobs.options.declare import Declared, JobOptions
from beam_jobs.templates.image import image_of
from beam_jobs.templates.spec import default_text, required_first
from beam_jobs.templates.yaml_text import yaml_text

RUNNER_INPUTS = {
    "runner": "Where the job runs: DataflowRunner, or DirectRunner for small data in this step.",
    "project": "The project of a Dataflow job.",
    "region": "The region of a Dataflow job.",
    "temp_location": "Where a Dataflow job keeps temporary files: gs://bucket/folder.",
    "staging_location": "Where a Dataflow job's graph is stored: gs://bucket/folder.",
    "job_name": "The name of a Dataflow job; by default its run's.",
    "service_account_email": "The service account of Dataflow's workers.",
    "subnetwork": "The subnetwork of Dataflow's workers.",
    "machine_type": "The machine of Dataflow's workers; GPUs need one that can have them.",
    "num_workers": "The number of Dataflow's workers at the start.",
    "max_num_workers": "The most workers of Dataflow, which bounds the costs.",
    "disk_size_gb": "The disk of each of Dataflow's workers.",
}
"""Inputs of every component, besides the job's own."""
_TYPES = {bool: "Boolean", int: "Integer", float: "Float"}
# The job itself, and then its output's URI as an output of the step, so that a later step that
# takes it waits for this one. A job that fails ends the step, with the job's exit code.
_SCRIPT = """\
output=$1 place=$2
shift 2
python -m beam_jobs.{job} "$@"
mkdir -p "$(dirname "$place")"
printf %s "$output" > "$place"
"""


def component(kind: type[JobOptions], image: str = "") -> str:
    """Returns a job's component as YAML, for `kfp.components.load_component_from_file`.

    Args:
      kind: The job's options.
      image: The image of the step, and of Dataflow's workers.
    """
    job = job_of(kind)
    image = image or image_of(job)
    options = [option for option in required_first(kind) if option.in_template]
    content = {
        "name": f"Millrace {job}",
        "description": describe(kind)[0],
        "inputs": [*map(_input, options), *map(_runner_input, RUNNER_INPUTS)],
        "outputs": [
            {
                "name": "output_uri",
                "type": "String",
                "description": "The output, as it was given; a step that takes it waits for this.",
            }
        ],
        "implementation": {"container": _container(job, image, options)},
    }
    return yaml_text(content)


def _input(option: Declared) -> dict[str, Any]:
    about, shown = option.help, default_text(option)
    if shown is not None:
        about = f"{about} (default: {shown})"
    made: dict[str, Any] = {"name": option.name, "type": _TYPES.get(option.type, "String")}
    made["description"] = about
    return made if option.required else {**made, "optional": True}


def _runner_input(name: str) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "type": "String", "description": RUNNER_INPUTS[name]}
    if name == "runner":
        return {**made, "default": "DataflowRunner", "optional": True}
    return {**made, "optional": True}


def _container(job: str, image: str, options: list[Declared]) -> dict[str, Any]:
    arguments: list[Any] = [{"inputValue": "output"}, {"outputPath": "output_uri"}]
    for option in options:
        arguments += _given(option.name) if option.required else [_present(option.name)]
    arguments += _given("runner")
    arguments += [_present(name) for name in RUNNER_INPUTS if name != "runner"]
    return {
        "image": image,
        "command": ["sh", "-euc", _SCRIPT.format(job=job), "sh"],
        "args": [*arguments, f"--sdk_container_image={image}", "--wait=true"],
    }


def _given(name: str) -> list[Any]:
    return [f"--{name}", {"inputValue": name}]


def _present(name: str) -> dict[str, Any]:
    return {"if": {"cond": {"isPresent": name}, "then": _given(name)}}
