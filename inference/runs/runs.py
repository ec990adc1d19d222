"""Where a loaded model's calls are made: on the thread that asks, or on devices' owners."""

import itertools
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from inference.devices.execution import Execution
from inference.devices.owner import DeviceOwner, Usage
from inference.tensors.predictions import Output
from inference.tensors.program import PlacedProgram, Program
from inference.time_limit import TimeLimit
from transforms.calls import Ahead

Tensors = Mapping[str, np.ndarray]


class Runs(Protocol):
    """Makes a model's calls. Threads share it."""

    @property
    def ahead(self) -> Ahead | None:
        """Makes several calls at a time; None where one after the other is as good."""

    @property
    def program(self) -> Program:
        """The model, on the first device."""

    def call(self, tensors: Tensors, rows: int) -> dict[str, Output]:
        """Calls the model with so many rows."""

    def taken(self) -> Usage | None:
        """Returns what the devices did since this was asked last; None where that isn't known."""

    def memory(self) -> "tuple[int, int, int] | None":
        """Returns the bytes in use, the peak since last asked, and the most; None if unknown."""


class HereRuns:
    """Makes calls on the CPU, as many at a time as there are threads that ask.

    Args:
      program: The model.
      timeout: The most seconds of a call; None for any number.
    """

    ahead = None

    def __init__(self, program: Program, timeout: float | None) -> None:
        self.program, self._time = program, TimeLimit(timeout)

    def call(self, tensors: Tensors, rows: int) -> dict[str, Output]:
        """Calls the model."""
        return self._time.call(lambda: self.program(tensors), rows)

    def taken(self) -> None:
        """Returns None: nobody waits for the CPU in a queue."""

    def memory(self) -> None:
        """Returns None: the host's memory is shared with everything else."""


class DeviceRuns:
    """Makes calls on devices in turn; each device has the model and one thread of its own.

    Args:
      programs: The model, once on each device.
      execution: How far ahead calls are prepared.
      timeout: The most seconds of a call; None for any number.
    """

    def __init__(
        self, programs: list[PlacedProgram], execution: Execution, timeout: float | None
    ) -> None:
        self._programs, self.program = programs, programs[0]
        ahead = execution.calls_ahead
        self._owners = [DeviceOwner(each.device, ahead, timeout) for each in programs]
        self._next, self._lock = itertools.count(), threading.Lock()
        # One call on each device, those that wait for it, and one whose results are read back.
        calls = len(programs) * (ahead + 2)
        self.ahead = Ahead(ThreadPoolExecutor(calls, thread_name_prefix="prepare"), calls)

    def call(self, tensors: Tensors, rows: int) -> dict[str, Output]:
        """Copies the tensors to the next device, has it run, and reads the outputs back."""
        with self._lock:
            turn = next(self._next) % len(self._programs)
        program = self._programs[turn]
        placed: Any = program.placed(tensors)
        made = self._owners[turn].call(lambda: program.run(placed), rows)
        return program.fetched(made)

    def taken(self) -> Usage:
        """Returns what the devices did since this was asked last, all together."""
        return sum((owner.taken() for owner in self._owners), Usage())

    def memory(self) -> tuple[int, int, int] | None:
        """Returns the memory of the first device."""
        return self.program.memory()

    def close(self) -> None:
        """Ends the threads, after the calls that wait."""
        for owner in self._owners:
            owner.close()
        self.ahead.pool.shutdown(wait=False)
