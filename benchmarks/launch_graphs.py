"""Measures the launch of each job over its imports: python -m benchmarks.launch_graphs.

Looks at inputs, model and policy, and makes the graph that Dataflow would get, as a template's
launcher does. The first time in a process includes all imports; the others are the launch itself.
CPU time counts the processes that Beam starts, too.
"""

import importlib
import os
import statistics
import tempfile
import time
from pathlib import Path
from unittest import mock

from beam_jobs import launch
from beam_jobs.options.command_line import parse
from beam_jobs.running import dry_run, gpus, runners
from beam_jobs.running.setting import Setting
from tests.beam_jobs.flags import DATAFLOW
from tests.integration.launches import CASES, Case, make_files
from transforms.tensorflow import tensorflow

TIMES = 5


def main() -> None:
    """Prints the first and the median times of each launch, in seconds."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "given"
        make_files(folder, small_model(Path(place) / "linear"))
        print(f"{'launch':28}{'first':>8}{'median':>8}{'CPU':>8}{'steps':>8}")
        for name, case in CASES.items():
            first, *rest = (_launched(case, folder) for _ in range(TIMES + 1))
            wall, cpu = (statistics.median(times) for times in list(zip(*rest, strict=True))[:2])
            print(f"{name:28}{first[0]:8.2f}{wall:8.2f}{cpu:8.2f}{first[2]:8}", flush=True)


def _launched(case: Case, folder: Path) -> tuple[float, float, int]:
    """Returns the seconds, those of CPU time, and the number of steps of the graph."""
    begun, used = time.perf_counter(), cpu_seconds()
    module = importlib.import_module(f"beam_jobs.{case.job}")
    given = {**case.given(folder), "output": case.given(folder)["output"]}
    for name in ("output", "dead_letters"):
        if name in given and ":" not in given[name]:
            given[name] = f"gs://bucket/{given[name]}"
    argv = [f"--{name}={value}" for name, value in given.items()]
    options, rest = parse(module.Options, [*argv, *DATAFLOW])
    beam_options = runners.pipeline_options(rest, case.job)
    setting = Setting.of(options, beam_options)
    if setting.unbounded:
        runners.configure_streaming(beam_options)
    gpus.set_up(options, beam_options, setting)
    dry_run.set_up(beam_options)
    # tf.Transform looks for the bucket, and there is none here.
    with mock.patch.object(tensorflow().io.gfile, "makedirs"):
        root, run = launch.construct(
            case.job, options, beam_options, setting, module.resolve, module.build
        )
    run.commit.close()
    graph = dry_run.graph(root, beam_options)
    steps = len(graph.components.transforms)
    return time.perf_counter() - begun, cpu_seconds() - used, steps


def cpu_seconds() -> float:
    """Returns the CPU seconds of this process and of those that it has waited for."""
    return sum(os.times()[:4])


def small_model(folder: Path) -> Path:
    """Writes a SavedModel of numbers and texts; returns the folder."""
    tf = tensorflow()
    module = tf.Module()
    numbers, texts = tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.string)

    def serve(x, y, name):
        return {"score": 2.0 * x + y, "shout": tf.strings.upper(name)}

    module.serve = tf.function(serve, input_signature=[numbers, numbers, texts])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return folder


if __name__ == "__main__":
    main()
