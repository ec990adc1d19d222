"""Measures the rehearsal of each job: python -m benchmarks.rehearsals [CASE ...].

The environment is made before, once. CPU time is that of all processes, and the load says how many
others wanted the cores: on an idle machine a rehearsal takes little more than its CPU time.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from beam_jobs.rehearsal.environment import environment
from beam_jobs.rehearsal.rehearsal import rehearse
from benchmarks.launch_graphs import cpu_seconds, small_model
from tests.integration.launches import CASES, make_files

MOST_SECONDS = 300.0


def main(names: Sequence[str]) -> None:
    """Prints the seconds of each rehearsal."""
    with tempfile.TemporaryDirectory() as place:
        folder, made = Path(place) / "given", Path(place) / "environment"
        make_files(folder, small_model(Path(place) / "linear"))
        begun = time.perf_counter()
        environment(made)
        print(f"{'the environment':28}{time.perf_counter() - begun:8.1f}")
        print(f"{'rehearsal':28}{'seconds':>8}{'CPU':>8}{'load':>8}")
        for name in names or CASES:
            begun, used = time.perf_counter(), cpu_seconds()
            case = CASES[name]
            found = rehearse(case.job, case.given(folder), made, MOST_SECONDS, lambda _: None)
            took, used = time.perf_counter() - begun, cpu_seconds() - used
            print(f"{name:28}{took:8.1f}{used:8.1f}{os.getloadavg()[0]:8.1f}", *found.faults)


if __name__ == "__main__":
    main(sys.argv[1:])
