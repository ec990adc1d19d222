"""What a loaded model is to the rest: a call from tensors to outputs."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from inference.tensors.predictions import Output


class Program(Protocol):
    """A model in memory. Threads share it."""

    def __call__(self, tensors: Mapping[str, np.ndarray]) -> dict[str, Output]:
        """Calls the model.

        Args:
          tensors: Values by the names of the signature's parts; byte strings as objects.

        Returns: The outputs by name, in the memory of this machine.
        """

    def exhausted(self, error: Exception) -> bool:
        """Returns whether a call failed for want of memory, so that fewer rows may succeed."""

    def blame(self, error: Exception) -> str:
        """Returns what failed, without the error's own text, which may hold values of rows."""


class PlacedProgram(Program, Protocol):
    """A model in the memory of one device, whose call is made in three steps."""

    device: str

    def placed(self, tensors: Mapping[str, np.ndarray]) -> Any:
        """Returns tensors in the device's memory, ready for `run`."""

    def run(self, placed: Any) -> Any:
        """Returns the outputs in the device's memory, once it has made them."""

    def fetched(self, made: Any) -> dict[str, Output]:
        """Returns the outputs by name, in the memory of this machine."""

    def memory(self) -> tuple[int, int, int] | None:
        """Returns bytes in use, their peak since this was asked last, and the most there can be.

        None where the device doesn't tell.
        """
