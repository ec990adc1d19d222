"""A GPU as it is asked for: its type and count, the machines that can have it, how it is spelt."""

import re
from dataclasses import dataclass
from typing import Final

from transforms.errors import ConfigError
from transforms.nearest import nearest
from transforms.wording import setting

SINGLE: Final = "single"
SHARED: Final = "shared"
MPS: Final = "mps"
TOPOLOGIES: Final = (SINGLE, SHARED, MPS)
"""Who has the model: the one process of a machine, one of several, or each by NVIDIA's MPS."""
_TEXT = re.compile(r"(?P<type>[a-z0-9-]+):(?P<count>[0-9]+)(?::(?P<topology>[a-z]+))?")
_BEFORE_VOLTA: Final = ("nvidia-tesla-p4", "nvidia-tesla-p100")
_N1 = re.compile(
    r"(?:n1-(?:standard|highmem|highcpu)-|(?:n1-)?custom-)(?P<cpus>[0-9]+)(?:-[0-9]+)?"
)


def _sized(prefix: str, suffix: str, *counts: int) -> dict[int, tuple[str, ...]]:
    """Returns machine types whose name includes the number of GPUs."""
    return {count: (f"{prefix}-{count}{suffix}",) for count in counts}


# Machines that are made with their GPUs, by type and count.
_BUILT_IN: Final = {
    "nvidia-l4": {
        1: tuple(f"g2-standard-{cpus}" for cpus in (4, 8, 12, 16, 32)),
        2: ("g2-standard-24",),
        4: ("g2-standard-48",),
        8: ("g2-standard-96",),
    },
    "nvidia-tesla-a100": {
        **_sized("a2-highgpu", "g", 1, 2, 4, 8),
        **_sized("a2-megagpu", "g", 16),
    },
    "nvidia-a100-80gb": _sized("a2-ultragpu", "g", 1, 2, 4, 8),
    "nvidia-h100-80gb": _sized("a3-highgpu", "g", 1, 2, 4, 8),
    "nvidia-h100-mega-80gb": _sized("a3-megagpu", "g", 8),
}
# The most vCPUs of an N1 machine that so many GPUs are attached to.
_ATTACHED: Final = {
    "nvidia-tesla-t4": {1: 48, 2: 48, 4: 96},
    "nvidia-tesla-p4": {1: 24, 2: 48, 4: 96},
    "nvidia-tesla-p100": {1: 16, 2: 32, 4: 64},
    "nvidia-tesla-v100": {1: 12, 2: 24, 4: 48, 8: 96},
}
TYPES: Final = (*_BUILT_IN, *_ATTACHED)
"""The GPUs that Dataflow's workers can have."""


@dataclass(frozen=True)
class Gpu:
    """A number of GPUs of a type, for each worker machine.

    Attributes:
      type: Google's name of the type: nvidia-l4, say.
      count: How many a machine has.
      hinted: Whether the step that needs them asks for them by a resource hint. If not, whoever
        starts the job gives its machines the GPUs.
      topology: One of `TOPOLOGIES`.
    """

    type: str
    count: int = 1
    hinted: bool = True
    topology: str = SINGLE

    @classmethod
    def parse(cls, text: str) -> "Gpu":
        """Reads `nvidia-l4:1` or, with a topology, `nvidia-l4:1:shared`.

        Raises:
          ConfigError: There is no such type or topology, no machine has that many, or they don't
            go together.
        """
        match, flag = _TEXT.fullmatch(text), setting("gpu")
        if match is None:
            raise ConfigError(
                f"{flag} is TYPE:COUNT, such as nvidia-l4:1, not {text!r}; "
                f"and :{', :'.join(TOPOLOGIES)} may follow"
            )
        kind, count = match["type"], int(match["count"])
        if kind not in TYPES:
            raise ConfigError(
                f"{flag}: Dataflow has no {kind}{nearest(kind, TYPES)}; it has {', '.join(TYPES)}"
            )
        counts = _BUILT_IN.get(kind, _ATTACHED.get(kind, {}))
        if count not in counts:
            few = ", ".join(map(str, counts))
            raise ConfigError(f"{flag}: a machine has {few} of {kind}, not {count}")
        topology = match["topology"] or SINGLE
        if topology not in TOPOLOGIES:
            raise ConfigError(
                f"{flag}: {topology} is no topology{nearest(topology, TOPOLOGIES)}: "
                f"{', '.join(TOPOLOGIES)} are"
            )
        if topology == MPS and count > 1:
            raise ConfigError(f"{flag}: Dataflow's MPS goes with one GPU of a machine, not {count}")
        if topology == MPS and kind in _BEFORE_VOLTA:
            raise ConfigError(
                f"{flag}: processes that share a {kind} by MPS are not kept from each other's "
                f"memory, which is so from Volta on: take {SHARED}"
            )
        return cls(kind, count, topology=topology)

    @property
    def form(self) -> str:
        """As Dataflow reads it, with the driver's installation."""
        mps = ";use_nvidia_mps" if self.topology == MPS else ""
        return f"type:{self.type};count:{self.count};install-nvidia-driver{mps}"

    def check_machine(self, machine: str | None) -> None:
        """Checks that a machine type can have these GPUs.

        Raises:
          ConfigError: It can't, or it is left to Dataflow, whose choice has none.
        """
        if machine is None:
            raise ConfigError(f"--machine_type is needed by --gpu {self}: {self._machines()}")
        if not self._fits(machine):
            raise ConfigError(
                f"--machine_type: {machine} can't have --gpu {self}: {self._machines()}"
            )

    def _fits(self, machine: str) -> bool:
        if self.type in _BUILT_IN:
            return machine in _BUILT_IN[self.type][self.count]
        match = _N1.fullmatch(machine)
        return match is not None and int(match["cpus"]) <= _ATTACHED[self.type][self.count]

    def _machines(self) -> str:
        """Returns what to pass instead."""
        if self.type in _BUILT_IN:
            names = _BUILT_IN[self.type][self.count]
            return f"{'one of ' if len(names) > 1 else ''}{', '.join(names)} has it"
        most = _ATTACHED[self.type][self.count]
        return f"it goes with n1-standard-N, n1-highmem-N and custom ones of at most {most} vCPUs"

    def __str__(self) -> str:
        """As it is typed."""
        topology = "" if self.topology == SINGLE else f":{self.topology}"
        return f"{self.type}:{self.count}{topology}"
