"""A TensorFlow model on one device: tensors go there, it runs there, outputs come back."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from inference.handlers.tensorflow import TensorFlowProgram, first_line
from inference.tensors.predictions import Output
from transforms.errors import ConfigError
from transforms.tensorflow import tensorflow
from transforms.wording import switched_on

_MOST = 300
"""Signs of an error of XLA, which may list every op of the graph."""


class PlacedTensorFlow:
    """A TensorFlow program in the memory of one device.

    Args:
      load: Loads the program; its variables go to the device.
      device: TensorFlow's name of the device, "GPU:0".
    """

    def __init__(self, load: Callable[[], TensorFlowProgram], device: str) -> None:
        self._tf, self.device = tensorflow(), device
        with self._on_device():
            self._program = load()
        self.exhausted, self.blame = self._program.exhausted, self._program.blame

    def __call__(self, tensors: Mapping[str, np.ndarray]) -> dict[str, Output]:
        """Makes a whole call on the thread that asks."""
        return self.fetched(self.run(self.placed(tensors)))

    def placed(self, tensors: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Returns the tensors, copied to the device."""
        given = {name: self._program.tensor(array) for name, array in tensors.items()}
        with self._on_device():
            # Texts stay on the host, which alone has ops for them.
            return {
                name: value if value.dtype == self._tf.string else self._tf.identity(value)
                for name, value in given.items()
            }

    def run(self, placed: dict[str, Any]) -> dict[str, Any]:
        """Returns the outputs, when the device has made them.

        TensorFlow only queues the work of a GPU. The least of the outputs is waited for: so the
        caller's clock tells how long the device worked.
        """
        with self._on_device():
            made = dict(self._program.function(**placed))
        dense = [value for value in made.values() if self._tf.is_tensor(value)]
        sized = [value for value in dense if hasattr(value, "numpy")]
        if sized:
            min(sized, key=lambda value: value.shape.num_elements() or 0).numpy()
        return made

    def fetched(self, made: dict[str, Any]) -> dict[str, Output]:
        """Returns the outputs in the host's memory."""
        return {name: self._program.output(value) for name, value in made.items()}

    def memory(self) -> tuple[int, int, int] | None:
        """Returns bytes in use, their peak since this was asked last, and the device's most."""
        if not self.device.startswith("GPU"):
            return None
        experimental = self._tf.config.experimental
        info = experimental.get_memory_info(self.device)
        experimental.reset_memory_stats(self.device)
        return int(info["current"]), int(info["peak"]), self._most()

    def _most(self) -> int:
        from tensorflow.python.client import device_lib

        devices = {each.name: each.memory_limit for each in device_lib.list_local_devices()}
        return int(devices[f"/device:{self.device}"])

    def _on_device(self) -> Any:
        return self._tf.device(f"/device:{self.device}")


def compiled(program: TensorFlowProgram, uri: str) -> TensorFlowProgram:
    """Returns a program that XLA compiles, once for each size that rows are padded to.

    Args:
      program: The model.
      uri: Its place, for errors.
    """
    tf = tensorflow()
    names: list[str] = []

    def flat(*tensors: Any) -> Any:
        return program.function(**dict(zip(names, tensors, strict=True)))

    function = tf.function(flat, jit_compile=True, autograph=False)

    def call(**tensors: Any) -> Any:
        names[:] = names or tensors
        try:
            return function(*(tensors[name] for name in names))
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            if _not_compiled(error):
                raise ConfigError(
                    f"{switched_on('jit')}: XLA can't compile model {uri}: "
                    f"{first_line(error)[:_MOST]}. Leave it out"
                ) from None
            raise

    return TensorFlowProgram(call, program.nodes, owner=program)


def _not_compiled(error: Exception) -> bool:
    text = str(error)
    return "not compilable" in text or "unsupported operations" in text or "XLA" in text
