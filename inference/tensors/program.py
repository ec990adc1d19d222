"""What a loaded model is to the rest: a call from tensors to outputs."""

from collections.abc import Mapping
from typing import Protocol

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
