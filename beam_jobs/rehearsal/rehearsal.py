"""A rehearsal from the environment to the job file, told step by step."""

import importlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beam_jobs.options.declare import declared
from beam_jobs.rehearsal import job_file, launcher, parameters
from beam_jobs.rehearsal.environment import ROOT, Environment, environment
from beam_jobs.rehearsal.machine import metadata_server
from beam_jobs.rehearsal.parameters import Request
from beam_jobs.rehearsal.proxy import way_out
from beam_jobs.rehearsal.storage import Storage, emulated
from beam_jobs.templates.lint import lint
from transforms.errors import ConfigError, MillraceError
from transforms.nearest import nearest

_GENERATED = "`python -m beam_jobs.metadata` writes it anew, of the job's options"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Rehearsed:
    """What came of a rehearsal.

    Attributes:
      faults: What is wrong, in words; empty if nothing is.
      job: The job file; None where the launch did not get that far.
      graph: The pipeline's proto; None likewise.
    """

    faults: Sequence[str]
    job: Mapping[str, Any] | None = None
    graph: bytes | None = None


def template(job: str, root: Path = ROOT) -> dict[str, Any]:
    """Returns a job's template, as the checkout has it.

    Raises:
      ConfigError: There is none, or it was edited so that Dataflow would not take it.
    """
    folder = root / "templates"
    known = sorted(path.stem for path in folder.glob("*.json"))
    if job not in known:
        raise ConfigError(f"there is no template of {job!r}{nearest(job, known)}: {folder}")
    path = folder / f"{job}.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise ConfigError(f"{path} is no JSON: {error}; {_GENERATED}") from None
    if wrong := lint(found):
        raise ConfigError("\n".join([f"{path} was edited, and is faulty: {_GENERATED}", *wrong]))
    return found


def rehearse(
    job: str, given: Mapping[str, str], folder: Path, seconds: float, tell: Tell, root: Path = ROOT
) -> Rehearsed:
    """Launches a job's template here, up to the description that Dataflow would start it from.

    Args:
      job: The job.
      given: The template's parameters and options of the machines, by name. Files of this machine
        are put into the emulated bucket.
      folder: Where the environment is made, or is from an earlier rehearsal.
      seconds: How long the launcher may take.
      tell: Takes lines for the user as things happen.
      root: The checkout.

    Returns: What is wrong, and the job file.

    Raises:
      ConfigError: There is no such job, or an input that is named is not there.
      MillraceError: There is no environment to launch it in.
    """
    spec, asked = template(job, root), Request.of(given)
    begun = time.monotonic()
    made = environment(folder, root)
    tell(f"wheel: in an environment without the checkout, {time.monotonic() - begun:.1f} s")
    options = declared(importlib.import_module(f"beam_jobs.{job}").Options)
    with emulated() as storage:
        request = parameters.uploaded(asked, options, storage)
        wrong = parameters.faults(request, spec)
        if wrong:
            return Rehearsed([f"Dataflow refuses the launch: {fault}" for fault in wrong])
        tell(f"parameters: {len(request.parameters)} fit the template; launched by\n")
        tell(f"{parameters.command(job, asked)}\n")
        return _launch(job, spec["image"], request, made, storage, seconds, tell, root)


def _launch(
    job: str,
    image: str,
    request: Request,
    made: Environment,
    storage: Storage,
    seconds: float,
    tell: Tell,
    root: Path,
) -> Rehearsed:
    name = f"gs://{storage.bucket}/staging/template_launches/{time.time_ns()}/job_object"
    launch = launcher.Launch(job, image, name, request)
    with (
        metadata_server(launcher.PROJECT, launcher.ACCOUNT) as host,
        way_out(storage.url, made.folder) as proxy,
    ):
        machine = launcher.Machine(host, proxy)
        ended = launcher.start(launch, made, storage, machine, seconds, root)
    tell(f"launcher: exit code {ended.code} after {ended.seconds:.1f} s of {seconds:g}")
    if proxy.refused:
        tell(f"out of reach, but asked for: {', '.join(sorted(proxy.refused))}")
    if ended.late or ended.code:
        return Rehearsed([_failure(ended, seconds)])
    content = storage.read(name)
    if content is None:
        return Rehearsed(["the launcher wrote no job file, and gave no error", *ended.told()])
    return _judge(launch, content, made, storage, tell, root)


def _failure(ended: launcher.Ended, seconds: float) -> str:
    """Returns what went wrong, which Dataflow hides behind "Timeout in polling result file"."""
    what = (
        f"the launcher was not done after {seconds:g} s; what its threads did:"
        if ended.late
        else f"the launcher failed with exit code {ended.code}:"
    )
    return "\n    ".join([what, *ended.told()])


def _judge(
    launch: launcher.Launch,
    content: bytes,
    made: Environment,
    storage: Storage,
    tell: Tell,
    root: Path,
) -> Rehearsed:
    from beam_jobs.running.dataflow_options import SECRET

    job = json.loads(content)
    graph = storage.read(job_file.graph_uri(job))
    if graph is None:
        raise MillraceError("the job file names no graph that is in the bucket")
    tell(f"job file: {len(content):,} bytes, its graph {len(graph):,}")
    expected = job_file.Expected(
        f"rehearsal-{launch.job}",
        launch.image,
        _gpu_form(launch.request),
        (str(made.folder), str(root)),
        SECRET,
    )
    return Rehearsed(job_file.faults(content, graph, expected), job, graph)


def _gpu_form(request: Request) -> str:
    from inference.devices.gpu import Gpu

    given = request.parameters.get("gpu")
    return Gpu.parse(given).form if given else ""
