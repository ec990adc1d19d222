"""The one place where TensorFlow and tf.Transform are imported, late, and Keras 3 is kept."""

import contextlib
import functools
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

from transforms.errors import ConfigError

_NODE = re.compile(r"\{\{(?:function_)?node ([^{}\s]+)\}\}|Detected at node (\S+) defined at")
_lock = threading.RLock()


@functools.cache
def tensorflow() -> Any:
    """Imports TensorFlow, quietly, and lets it take a GPU's memory as it needs it.

    Its C++ warnings are off unless the environment says otherwise: they quote an error's text,
    and with it values of rows. tf.Transform turns Keras 3 off on import, which is undone.
    """
    with _lock:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ["TF_USE_LEGACY_KERAS"] = "0"
        import tensorflow as tf

        for gpu in tf.config.list_physical_devices("GPU"):
            # Only before first use; a process that has used it keeps its own setting.
            _unless_started(functools.partial(tf.config.experimental.set_memory_growth, gpu, True))
    return tf


@functools.cache
def tensorflow_transform() -> Any:
    """Imports tf.Transform after TensorFlow, so that `tf.keras` stays Keras 3.

    tf.Transform wants Keras 2, and sets TF_USE_LEGACY_KERAS=1 where nothing else is set; which
    Keras a process has is then decided by what it imports first. It works with either.

    Raises:
      ConfigError: The process has imported tf.Transform first, so that its `tf.keras` is Keras 2.
    """
    tf = tensorflow()
    with _lock, _without_its_warning():
        import tensorflow_transform as tft
    if not _is_keras_3(tf.keras):
        raise ConfigError(
            "tf.keras is Keras 2 in this process, since tensorflow_transform was imported before "
            "Keras 3 was asked for: set TF_USE_LEGACY_KERAS=0 in the environment, or import "
            "transforms first"
        )
    return tft


def _is_keras_3(keras: Any) -> bool:
    """Returns whether `tf.keras` is Keras 3, which has a version, as most of Keras 2 do not."""
    version = getattr(keras, "version", None)
    return version is not None and str(version()).startswith("3.")


@contextlib.contextmanager
def _without_its_warning() -> Iterator[None]:
    """Drops the warning that Keras 3 is not what tf.Transform expects."""
    logger = logging.getLogger("absl")
    logger.addFilter(_is_news)
    try:
        yield
    finally:
        logger.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return "TF_USE_LEGACY_KERAS" not in str(record.msg)


def _unless_started(setting: Callable[[], None]) -> None:
    try:
        setting()
    except RuntimeError:
        return


def is_exhausted(error: Exception) -> bool:
    """Returns whether a call failed because memory ran out, on the host or the device."""
    errors = tensorflow().errors
    if isinstance(error, errors.InternalError):
        return "out of memory" in str(error).lower()
    return isinstance(error, errors.ResourceExhaustedError | MemoryError)


def blame(error: Exception, nodes: frozenset[str], where: str = "the model") -> str:
    """Returns an error's class and the node of the graph that raised it, if it is known.

    Args:
      error: What a call raised. Its own text may hold values of rows.
      nodes: The names of the graph's nodes.
      where: What was called.
    """
    kind = type(error).__name__
    named = [node for match in _NODE.findall(str(error)) for node in match if node]
    # A row may hold what looks like a node's name, so only names of real nodes are used.
    own = next((node for node in named if node in nodes), None)
    return f"{kind} at node {own}" if own else f"{kind} in {where}"
