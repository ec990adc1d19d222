"""Keras models in memory: saved to a temporary folder of this process, and scored from there."""

import atexit
import functools
import hashlib
import itertools
import shutil
import sys
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inference.model.model import Model
from transforms.errors import ConfigError


def is_keras(model: Any) -> bool:
    """Returns whether an object is a model of Keras 3, without importing Keras."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(model, keras.Model)


def saved(model: Any, settings: dict[str, Any]) -> Model:
    """Returns a Keras model as it is now, as a `Model` that is saved on this machine.

    What is in this process is trusted. It is saved anew only once its weights have changed.

    Args:
      model: A built Keras model.
      settings: What `Model.resolve` takes besides its place.

    Raises:
      ConfigError: It is not built, or can't be saved or resolved.
    """
    if not model.built:
        raise ConfigError("the Keras model is not built: call it once with data, or give it Input")
    settings = {**settings, "trust_model": True}
    version = _version(model)
    folder = _folder() / f"{version}-{_number(model)}"
    if folder.exists():
        (place,) = folder.iterdir()
        found = Model.resolve(str(place), **settings)
    else:
        folder.mkdir()
        found = _written(model, folder, settings)
    # A file of Keras notes when it was saved, and so has another digest each time.
    return replace(found, version=version, digest=version)


def _written(model: Any, folder: Path, settings: dict[str, Any]) -> Model:
    """Keras's own format keeps the names of outputs; what it can't hold is exported."""
    place = folder / "model.keras"
    try:
        model.save(place)
        return Model.resolve(str(place), **settings)
    except (ConfigError, ValueError, TypeError, NotImplementedError) as error:
        place.unlink(missing_ok=True)
        try:
            model.export(str(folder / "model"), verbose=False)
        except Exception as again:
            shutil.rmtree(folder)
            raise ConfigError(f"the Keras model can't be saved: {again}") from error
        return Model.resolve(str(folder / "model"), **settings)


def _version(model: Any) -> str:
    """Returns a hash of a model's weights, and of its layers if they can be described."""
    try:
        layers = model.to_json()
    except (NotImplementedError, TypeError, ValueError):
        layers = type(model).__qualname__
    digest = hashlib.sha256(layers.encode())
    for weight in model.weights:
        values = np.asarray(weight)
        digest.update(f"{weight.path} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:12]


def _number(model: Any) -> int:
    """Returns a number of this very object: two of equal weights may still have other code."""
    return _numbers.setdefault(model, next(_fresh))


_fresh = itertools.count()
_numbers: "weakref.WeakKeyDictionary[Any, int]" = weakref.WeakKeyDictionary()


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="millrace-keras-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
