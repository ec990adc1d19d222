"""What of a GPU's memory and a worker's disk a model takes: reckoned before the job is launched."""

import math
import re
from dataclasses import dataclass
from typing import Final

from inference.devices.execution import FLOAT32
from inference.devices.gpu import MPS, Gpu
from transforms.errors import ConfigError
from transforms.wording import setting

GIB: Final = 1 << 30
MEMORY_GIB: Final = {
    "nvidia-l4": 24,
    "nvidia-tesla-t4": 16,
    "nvidia-tesla-p4": 8,
    "nvidia-tesla-p100": 16,
    "nvidia-tesla-v100": 16,
    "nvidia-tesla-a100": 40,
    "nvidia-a100-80gb": 80,
    "nvidia-h100-80gb": 80,
    "nvidia-h100-mega-80gb": 80,
}
"""The memory of a GPU, by its type, as its maker states it."""
PROCESS_GIB: Final = 0.6
"""What CUDA and its libraries take for each process before there is a model."""
IMAGE_GB: Final = 12.0
"""The GPU image, unpacked: CUDA's libraries and TensorFlow are most of it."""
_LEAST_DISK_GB, _SYSTEM_GB = 50, 20
_USABLE = 0.95
"""The driver keeps some of a GPU's memory."""

_SLOW: Final = {
    "bfloat16": ("nvidia-tesla-t4", "nvidia-tesla-p4", "nvidia-tesla-p100", "nvidia-tesla-v100"),
    "float16": ("nvidia-tesla-p4",),
}
"""Precisions that a type has no units for: it would work more slowly than in float32."""
_CPUS_BY_GPUS: Final = {"a2-highgpu": 12, "a2-ultragpu": 12, "a2-megagpu": 6, "a3-highgpu": 26}
_A3_MEGA_CPUS = 208
_SIZED = re.compile(r"(?P<family>a[23]-[a-z]+gpu)-(?P<gpus>[0-9]+)g")
_NUMBERED = re.compile(r".*?-(?P<cpus>[0-9]+)(?:-[0-9]+)?")


@dataclass(frozen=True)
class Plan:
    """What a model needs of each worker machine.

    Attributes:
      gpu: Its GPUs.
      machine: Its type.
      weights: The bytes of the model's files; in memory its variables take about as much.
      batch_rows: The most rows of a call.
      precision: In which numbers matrices are multiplied.
    """

    gpu: Gpu
    machine: str
    weights: int
    batch_rows: int
    precision: str = FLOAT32

    @property
    def processes(self) -> int:
        """How many processes of a machine have the model on each GPU."""
        return cpus_of(self.machine) if self.gpu.topology == MPS else 1

    @property
    def memory(self) -> int:
        """The bytes of a GPU's memory."""
        return MEMORY_GIB[self.gpu.type] * GIB

    @property
    def left(self) -> int:
        """The bytes of a GPU that are left for the rows of all its processes."""
        return self.memory - self.processes * (self.weights + int(PROCESS_GIB * GIB))

    @property
    def disk_gb(self) -> int:
        """The disk of a worker in GB: image and model are there twice, packed and unpacked."""
        needed = 2 * (IMAGE_GB + self.weights / 1e9) + _SYSTEM_GB
        return max(_LEAST_DISK_GB, math.ceil(needed / 10) * 10)

    def check(self) -> None:
        """Checks that the model can run so.

        Raises:
          ConfigError: The copies of the model don't fit, or the type has no such precision.
        """
        slow = _SLOW.get(self.precision, ())
        if self.gpu.type in slow:
            raise ConfigError(
                f"{setting('precision')}: {self.gpu.type} has no units for {self.precision}, and "
                f"would be slower than with {FLOAT32}"
                + (": float16 suits it" if self.gpu.type not in _SLOW["float16"] else "")
            )
        if self.left > 0:
            return
        copies = "once" if self.processes == 1 else f"{self.processes} times"
        other = "" if self.processes == 1 else f" --gpu {self.gpu.type}:{self.gpu.count}:shared has"
        raise ConfigError(
            f"{setting('gpu')}: the model's {_gib(self.weights)} and CUDA's {PROCESS_GIB:g} GiB, "
            f"{copies}, don't fit into the {_gib(self.memory)} of {self.gpu.type}: take a larger "
            f"type{', or fewer processes:' + other + ' it once' if other else ''}"
        )

    def lines(self) -> list[str]:
        """Returns the plan, to be read."""
        own = self.processes * self.weights
        row = self.left / self.processes / self.batch_rows
        return [
            f"{self.gpu.count} x {self.gpu.type} of {_gib(self.memory)} on {self.machine}, "
            f"{self.gpu.topology}: {self.processes} process{'es' * (self.processes > 1)} with the "
            "model on each",
            f"model {_gib(own)}, CUDA {_gib(int(self.processes * PROCESS_GIB * GIB))}, left for "
            f"rows {_gib(self.left)}: {row / 1024:,.0f} KiB for each of {self.batch_rows:,} rows "
            "of a call",
            f"disk {self.disk_gb} GB for the image and the model",
        ]


def share_mib(gpu: Gpu, processes: int) -> int:
    """Returns the MiB of a GPU that one of several processes may take for its model and rows."""
    return int(1024 * (MEMORY_GIB[gpu.type] * _USABLE / processes - PROCESS_GIB))


def cpus_of(machine: str) -> int:
    """Returns the vCPUs of a machine type, from its name: Dataflow runs a process for each."""
    if machine == "a3-megagpu-8g":
        return _A3_MEGA_CPUS
    if sized := _SIZED.fullmatch(machine):
        return _CPUS_BY_GPUS[sized["family"]] * int(sized["gpus"])
    match = _NUMBERED.fullmatch(machine)
    return int(match["cpus"]) if match else 1


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
