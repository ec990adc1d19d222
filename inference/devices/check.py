"""The devices that this process sees."""

from inference.devices.gpu import Gpu
from transforms.errors import ConfigError


def check_devices(gpu: Gpu, seen: int | None = None) -> None:
    """Checks that the GPUs which were asked for are there, for TensorFlow would use the CPU.

    Args:
      gpu: What was asked for.
      seen: How many there are; by default TensorFlow is asked.

    Raises:
      ConfigError: It sees fewer.
    """
    found = count_gpus() if seen is None else seen
    if found < gpu.count:
        raise ConfigError(
            f"GPU {gpu}: TensorFlow sees {found} GPUs on this machine, so it would run on the "
            "CPU. Leave the setting out where there is none; else look for the driver "
            "(`nvidia-smi`) and for CUDA's libraries, which the image or environment must hold"
        )


def count_gpus() -> int:
    """Returns how many GPUs TensorFlow sees; none is initialised by it."""
    from transforms.tensorflow import tensorflow

    return len(tensorflow().config.list_physical_devices("GPU"))
