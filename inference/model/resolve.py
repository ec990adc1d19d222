"""What a user may give as a model: a URI, a resolved `Model`, or a Keras model in memory."""

import os
from typing import Any

from inference.model.model import BATCH_ROWS, TIMEOUT, Model
from transforms.errors import ConfigError

_DEFAULTS: dict[str, Any] = {
    "signature": None,
    "mapping": None,
    "output_prefix": "",
    "batch_rows": BATCH_ROWS,
    "trust_model": False,
    "model_timeout": TIMEOUT,
    "transform_graph": None,
}


def resolved(model: Any, **settings: Any) -> Model:
    """Returns the model, resolved unless it is already.

    Args:
      model: A URI, a `Model`, or a Keras model in memory.
      settings: What `Model.resolve` takes besides.

    Raises:
      ConfigError: It can't be resolved, it is resolved but settings are given too, or it is
        something else.
    """
    graph = settings.get("transform_graph")
    if isinstance(graph, os.PathLike):
        settings["transform_graph"] = os.fspath(graph)
    if isinstance(model, (str, os.PathLike)):
        return Model.resolve(os.fspath(model), **settings)
    if not isinstance(model, Model):
        from inference.model.keras_objects import is_keras, saved

        if is_keras(model):
            return saved(model, settings)
        if type(model).__module__.startswith("tf_keras."):
            raise ConfigError(
                "model= is a model of Keras 2 (tf_keras), and Keras 3 is used here: make a "
                "SavedModel of it by model.export(folder), and pass the folder"
            )
        raise ConfigError(
            "model= is a URI, a resolved Model or a Keras model, not a "
            f"{type(model).__module__}.{type(model).__qualname__}"
        )
    given = [name for name, value in settings.items() if value != _DEFAULTS[name]]
    if given:
        raise ConfigError(
            f"{', '.join(given)}: what belongs to a model that is yet to be resolved is passed to "
            "Model.resolve"
        )
    return model
