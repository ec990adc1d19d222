"""How many workers a Dataflow job may get, and how many of them would have something to do."""

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from transforms.families import FILES, family_of

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

BATCH_MACHINE, STREAM_MACHINE = "n1-standard-1", "n1-standard-2"
"""What Dataflow takes where no machine is named."""
_SPLIT_BYTES = 64 << 20


def describe_workers(
    options: Any, beam_options: "PipelineOptions", unbounded: bool
) -> Iterator[str]:
    """Yields lines about a job's workers: machines, processes, bounds.

    Args:
      options: The job's options; `input` tells how much there is to read.
      beam_options: Beam's.
      unbounded: Whether the input has no end.
    """
    from apache_beam.options import pipeline_options as beam

    workers = beam_options.view_as(beam.WorkerOptions)
    default = STREAM_MACHINE if unbounded else BATCH_MACHINE
    machine = workers.machine_type or default
    cpus = cpus_of(machine)
    experiments = beam_options.view_as(beam.DebugOptions).experiments or []
    single = "no_use_multiple_sdk_containers" in experiments
    yield f"machine: {machine}{'' if workers.machine_type else ', by default'}"
    if cpus:
        yield f"processes a worker: {1 if single else cpus}, each with a copy of the model"
    yield f"at start: {workers.num_workers or 1}"
    most = workers.max_num_workers
    yield (
        f"at most: {most}"
        if most
        else "at most: what the quota allows (--max_num_workers bounds it)"
    )
    if not unbounded:
        yield from _useful(getattr(options, "input", None), cpus or 1, most)


def cpus_of(machine: str) -> int | None:
    """Returns the number of vCPUs that a machine's name tells: n1-standard-4, custom-8-16384."""
    found = re.search(r"(?:^|-)custom-(?:[a-z]+-)?(\d+)-\d+|-(\d+)(?:-lssd)?$", machine)
    return int(found[1] or found[2]) if found else None


def useful_workers(total: int, files: int, cpus: int) -> int:
    """Returns how many workers can be busy with reading.

    Args:
      total: The bytes of the input.
      files: The number of its files.
      cpus: The vCPUs of a worker. Each reads one part at a time.
    """
    parts = max(files, math.ceil(total / _SPLIT_BYTES), 1)
    return max(1, math.ceil(parts / cpus))


def _useful(uri: str | None, cpus: int, most: int | None) -> Iterator[str]:
    if uri is None or family_of(uri) is not FILES:
        return
    from transforms.files.filesystem import list_files
    from transforms.files.uris import parse

    files = list_files(parse(uri).path)
    total = sum(file.size for file in files)
    useful = useful_workers(total, len(files), cpus)
    yield f"input: {len(files)} files, {total:,} bytes: {useful} workers can read at once"
    if most and most > useful:
        yield f"  more than {useful} (--max_num_workers={most}) would wait for something to do"
