"""The devices on which this process runs a model."""

import functools

from inference.devices.execution import Execution
from inference.handlers.placed import PlacedTensorFlow
from inference.model.model import Model
from inference.runs.runs import DeviceRuns, HereRuns, Runs
from transforms.errors import ConfigError
from transforms.tensorflow import tensorflow


def runs_of(model: Model, execution: Execution) -> Runs:
    """Loads a model where it is to run: on each GPU that there is, or on the CPU.

    Args:
      model: The model.
      execution: How it is run, and on which devices.

    Raises:
      ConfigError: The model can't be loaded or compiled, or a device isn't there.
    """
    names = execution.devices or visible_gpus()
    if not names:
        return HereRuns(model.load(execution), model.timeout)
    take_memory(execution.memory_mib)
    _check_there(names)
    placed = [PlacedTensorFlow(lambda: model.load(execution), name) for name in names]
    return DeviceRuns(list(placed), execution, model.timeout)


def visible_gpus() -> tuple[str, ...]:
    """Returns TensorFlow's names of the GPUs of this machine."""
    number = len(tensorflow().config.list_physical_devices("GPU"))
    return tuple(f"GPU:{index}" for index in range(number))


@functools.cache
def take_memory(most_mib: int | None) -> None:
    """Has TensorFlow leave memory of a GPU to other processes, where it would take all.

    Args:
      most_mib: The most that this process takes; None as much as it needs, when it needs it.
    """
    config = tensorflow().config
    for gpu in config.list_physical_devices("GPU"):
        try:
            if most_mib is None:
                config.experimental.set_memory_growth(gpu, True)
            else:
                part = config.LogicalDeviceConfiguration(memory_limit=most_mib)
                config.set_logical_device_configuration(gpu, [part])
        except RuntimeError:
            # Another library of this process has begun to use it, and has decided.
            return


def _check_there(names: tuple[str, ...]) -> None:
    there = [each.name for each in tensorflow().config.list_logical_devices()]
    for name in names:
        if f"/device:{name}" not in there:
            raise ConfigError(
                f"device {name} isn't there: TensorFlow sees {', '.join(n[8:] for n in there)}"
            )
