"""How a model is run: compiled or not, in which precision, on which devices, how far ahead."""

from dataclasses import dataclass
from typing import Final

from transforms.errors import ConfigError
from transforms.wording import setting

FLOAT32: Final = "float32"
PRECISIONS: Final = (FLOAT32, "bfloat16", "float16")
"""In which numbers a model multiplies matrices; what it adds up, takes and gives is unchanged."""
AHEAD: Final = 2
"""Calls that are ready while a device works on one: more takes memory, and gains nothing."""


@dataclass(frozen=True)
class Execution:
    """How a model is run.

    Attributes:
      jit: Whether XLA compiles it, once for each size that rows are padded to.
      precision: One of `PRECISIONS`: in which numbers matrices are multiplied.
      calls_ahead: How many calls for each device may wait, decoded and copied to its memory.
      devices: TensorFlow's names, "GPU:0"; none for the GPUs that there are, or else the CPU.
      calls_beside: On the CPU: how many calls are made side by side, if that is found to be faster.
      memory_mib: The most of each GPU's memory that this process takes; None as it needs it.
    """

    jit: bool = False
    precision: str = FLOAT32
    calls_ahead: int = AHEAD
    devices: tuple[str, ...] = ()
    calls_beside: int = 1
    memory_mib: int | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ConfigError(
                f"{setting('precision')} is one of {', '.join(PRECISIONS)}, not {self.precision!r}"
            )
        if self.calls_ahead < 1:
            raise ConfigError(f"{setting('calls_ahead')} is at least 1, not {self.calls_ahead}")
