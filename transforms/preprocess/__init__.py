"""Feature engineering with tf.Transform: a pass that analyzes, and a frozen graph to apply."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.apply import LoadedGraph, transform_batch
    from transforms.preprocess.function import PreprocessingFn
    from transforms.preprocess.graph import TransformGraph
    from transforms.preprocess.preprocess import Preprocess

__all__ = [
    "Analyze",
    "LoadedGraph",
    "Preprocess",
    "PreprocessingFn",
    "TransformGraph",
    "transform_batch",
]

_HOMES = {
    "Analyze": "analyze",
    "LoadedGraph": "apply",
    "Preprocess": "preprocess",
    "PreprocessingFn": "function",
    "TransformGraph": "graph",
    "transform_batch": "apply",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used (PEP 562): Beam takes seconds."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
